"""The AetherFlow engine: checks a flow document and runs it once.

Import from `aetherflow.core.api`; every other module here may change between any two releases.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("aetherflow-core")
