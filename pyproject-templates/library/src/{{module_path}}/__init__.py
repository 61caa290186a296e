"""Say in one line what {{name}} is for."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("{{name}}")
