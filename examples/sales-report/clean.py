"""Drop the lines of a sales file that have no amount, and write regions in small letters."""

import csv
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
draft = target.with_suffix(".draft")
kept = dropped = 0
with source.open(newline="") as lines, draft.open("w", newline="") as out:
    reader = csv.DictReader(lines)
    writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n")
    writer.writeheader()
    for row in reader:
        if row["amount"].strip():
            writer.writerow({**row, "region": row["region"].strip().lower()})
            kept += 1
        else:
            dropped += 1
draft.replace(target)
print(f"kept {kept}, dropped {dropped}")
