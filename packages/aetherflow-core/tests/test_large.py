"""100,000 rows take no more memory than 1,000: they pass through in portions."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="needs getrusage")

# In a process of its own, because the most that a process ever used never shrinks again.
CODE = """
import json, resource, sys
from aetherflow.core.api import run_flow

result = run_flow("flow.yaml", parameters={"source": sys.argv[1]})
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"rows": result.outputs["j.ask.rows"], "kilobytes": most}))
"""

FLOW = """
name: large
parameters: { source: {} }
resources: { db: { driver: sqlite, config: { path: large.db } } }
jobs:
  j:
    steps:
      - id: load
        type: csv_to_table
        inputs: { source: "${parameters.source}", database: db, table: t, types: { n: integer } }
      - id: ask
        type: query_to_csv
        inputs: { database: db, query: SELECT * FROM t, target: out.csv }
      - id: pack
        type: zip_files
        inputs: { files: [out.csv], target: out.zip }
"""


def test_100_000_rows_in_constant_memory(write, tmp_path):
    write(FLOW)
    used = {}
    for rows in (1_000, 100_000):
        source = tmp_path / f"{rows}.csv"
        with source.open("w") as file:
            file.write("n,text\n")
            file.writelines(f"{i},{'x' * 100}\n" for i in range(rows))
        done = subprocess.run(
            [sys.executable, "-I", "-c", CODE, source.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        assert found["rows"] == rows
        used[rows] = found["kilobytes"] // (1024 if sys.platform == "darwin" else 1)
    assert (tmp_path / "out.csv").stat().st_size > 10_000_000
    # The file alone is 10 MB; SQLite's own cache takes 2 of these.
    assert used[100_000] - used[1_000] < 6_000
