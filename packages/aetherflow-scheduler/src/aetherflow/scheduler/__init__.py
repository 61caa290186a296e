"""Cron schedules for AetherFlow flows; the command is `aetherflow-scheduler`."""

__all__ = ["__version__"]

# As in `typing`, which is not worth its import here: what checks types takes it for true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Return `__version__`, looked up when it is asked for: that takes longer than `--help`.

        Raises:
            AttributeError: The package has nothing else of its own.
        """
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return version("aetherflow-scheduler")
