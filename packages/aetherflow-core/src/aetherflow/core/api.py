"""The stable import surface: what is listed here changes only with a major version.

Beyond the functions, it names every type that a plugin subclasses, that a function takes or
returns, and every error that a caller may want to catch.

>>> "copy_file" in list_steps()
True
>>> [(info, info.outputs) for info in list_steps() if info.startswith("csv")]
[('csv_to_table', ('rows', 'columns'))]
>>> [given.name for given in list_connectors()[0].config]
['path']
"""

from aetherflow.core.check import validate_flow
from aetherflow.core.describe import ConnectorInfo, InputInfo, StepInfo
from aetherflow.core.document import read_document
from aetherflow.core.engine import RunResult, run_flow
from aetherflow.core.errors import (
    FlowError,
    InvalidDocument,
    NothingToResume,
    PermanentError,
    PluginError,
    Problem,
    RunFailed,
    StepFailed,
)
from aetherflow.core.extension import Connector, Preview, Step, StepResult
from aetherflow.core.model import Flow
from aetherflow.core.registry import (
    list_connectors,
    list_steps,
    register_connector,
    register_step,
)

__all__ = [
    "Connector",
    "ConnectorInfo",
    "Flow",
    "FlowError",
    "InputInfo",
    "InvalidDocument",
    "NothingToResume",
    "PermanentError",
    "PluginError",
    "Preview",
    "Problem",
    "RunFailed",
    "RunResult",
    "Step",
    "StepFailed",
    "StepInfo",
    "StepResult",
    "list_connectors",
    "list_steps",
    "read_document",
    "register_connector",
    "register_step",
    "run_flow",
    "validate_flow",
]
