"""The kinds of steps and connectors that come with the engine.

They are written as a plugin would write them and know nothing of the engine.
"""

from collections.abc import Mapping

from aetherflow.core.builtin.archive import ZipFiles
from aetherflow.core.builtin.files import CopyFile, GlobFiles, MoveFile
from aetherflow.core.builtin.folder import LocalFolder
from aetherflow.core.builtin.http import Download, HttpRequest
from aetherflow.core.builtin.postgres import Postgres
from aetherflow.core.builtin.process import RunProcess
from aetherflow.core.builtin.sqlite import Sqlite
from aetherflow.core.builtin.tables import CsvToTable, QueryToCsv
from aetherflow.core.extension import Connector, Step

STEPS: Mapping[str, type[Step]] = {
    "copy_file": CopyFile,
    "csv_to_table": CsvToTable,
    "download": Download,
    "glob_files": GlobFiles,
    "http_request": HttpRequest,
    "move_file": MoveFile,
    "query_to_csv": QueryToCsv,
    "run_process": RunProcess,
    "zip_files": ZipFiles,
}

CONNECTORS: Mapping[str, type[Connector]] = {
    "local": LocalFolder,
    "postgres": Postgres,
    "sqlite": Sqlite,
}
