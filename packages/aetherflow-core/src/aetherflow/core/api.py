"""The stable import surface: what is listed here changes only with a major version.

Beyond the functions, it names every type that a plugin subclasses, that a function takes or
returns, and every error that a caller may want to catch.
"""

from aetherflow.core.check import validate_flow
from aetherflow.core.document import read_document
from aetherflow.core.engine import RunResult, run_flow
from aetherflow.core.errors import (
    FlowError,
    InvalidDocument,
    NothingToResume,
    PluginError,
    Problem,
    RunFailed,
    StepFailed,
)
from aetherflow.core.extension import Connector, Step, StepResult
from aetherflow.core.model import Flow
from aetherflow.core.registry import (
    list_connectors,
    list_steps,
    register_connector,
    register_step,
)

__all__ = [
    "Connector",
    "Flow",
    "FlowError",
    "InvalidDocument",
    "NothingToResume",
    "PluginError",
    "Problem",
    "RunFailed",
    "RunResult",
    "Step",
    "StepFailed",
    "StepResult",
    "list_connectors",
    "list_steps",
    "read_document",
    "register_connector",
    "register_step",
    "run_flow",
    "validate_flow",
]
