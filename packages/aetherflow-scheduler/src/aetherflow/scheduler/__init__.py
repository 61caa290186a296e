"""Cron schedules for AetherFlow flows; the command is `aetherflow-scheduler`."""

__all__ = ["__version__"]

# Not from `typing`, which is slow to import; type checkers know the name itself.
TYPE_CHECKING = False

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name: str) -> str:
        """Return `__version__`, looked up on first use: that takes longer than `--help`.

        Raises:
            AttributeError: The package has no such attribute.
        """
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return version("aetherflow-scheduler")
