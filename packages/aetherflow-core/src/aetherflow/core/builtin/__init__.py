"""The kinds of steps and connectors that come with the engine.

They are written as a plugin would write them and know nothing of the engine.
"""

from collections.abc import Mapping

from aetherflow.core.builtin.archive import ZipFiles
from aetherflow.core.builtin.connectors import LocalFolder, Sqlite
from aetherflow.core.builtin.files import CopyFile, GlobFiles, MoveFile
from aetherflow.core.builtin.process import RunProcess
from aetherflow.core.builtin.tables import CsvToTable, QueryToCsv
from aetherflow.core.extension import Connector, Step

STEPS: Mapping[str, type[Step]] = {
    "copy_file": CopyFile,
    "csv_to_table": CsvToTable,
    "glob_files": GlobFiles,
    "move_file": MoveFile,
    "query_to_csv": QueryToCsv,
    "run_process": RunProcess,
    "zip_files": ZipFiles,
}

CONNECTORS: Mapping[str, type[Connector]] = {"local": LocalFolder, "sqlite": Sqlite}
