"""Cron schedules for AetherFlow flows; the command is `aetherflow-scheduler`."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("aetherflow-scheduler")
