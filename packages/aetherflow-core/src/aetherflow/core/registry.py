"""Which kinds of steps and connectors there are: the built-in ones and those of plugins.

A plugin is an entry point of the group `aetherflow.plugins` that names a function without
arguments, which calls `register_step` and `register_connector`. A plugin that does not load is
left out, with a warning; everything else goes on without it.
"""

import functools
import logging
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from aetherflow.core import builtin
from aetherflow.core.describe import ConnectorInfo, StepInfo, connector_info, step_info
from aetherflow.core.errors import PluginError
from aetherflow.core.extension import Connector, Step

GROUP = "aetherflow.plugins"

logger = logging.getLogger("aetherflow.core")

_Kind = TypeVar("_Kind")

_steps: dict[str, type[Step]] = dict(builtin.STEPS)
_connectors: dict[str, type[Connector]] = dict(builtin.CONNECTORS)


def register_step(name: str, step: type[Step]) -> None:
    """Make a kind of step known as `type: NAME`.

    Raises:
        ValueError: Another class has that name.
        TypeError: It is not a subclass of `Step`.
    """
    _register(_steps, name, step, Step)


def register_connector(name: str, connector: type[Connector]) -> None:
    """Make a kind of resource known as `driver: NAME`.

    Raises:
        ValueError: Another class has that name.
        TypeError: It is not a subclass of `Connector`.
    """
    _register(_connectors, name, connector, Connector)


def list_steps() -> list[StepInfo]:
    """Return all kinds of steps, sorted by name.

    Each one is its name, a `str`, with `summary`, `inputs` and `outputs` as attributes.
    """
    drivers = known_connectors()
    return [step_info(name, kind, drivers) for name, kind in sorted(known_steps().items())]


def list_connectors() -> list[ConnectorInfo]:
    """Return all kinds of connectors, sorted by name.

    Each one is its name, a `str`, with `summary` and `config` as attributes.
    """
    drivers = known_connectors()
    return [connector_info(name, kind, drivers) for name, kind in sorted(drivers.items())]


def known_steps() -> dict[str, type[Step]]:
    """Return all kinds of steps by name, plugins included."""
    broken_plugins()
    return _steps


def known_connectors() -> dict[str, type[Connector]]:
    """Return all kinds of connectors by name, plugins included."""
    broken_plugins()
    return _connectors


@functools.cache
def broken_plugins() -> tuple[PluginError, ...]:
    """Load all plugins, once, and return why some of them cannot be used."""
    errors = []
    for plugin in entry_points(group=GROUP):
        steps, connectors = set(_steps), set(_connectors)
        try:
            plugin.load()()
        except Exception as error:  # a plugin is foreign code: anything can come out of it
            _forget(_steps, steps)
            _forget(_connectors, connectors)
            errors.append(_unusable(plugin, error))
            logger.warning("warning: %s", errors[-1])
    return tuple(errors)


def _forget(known: dict[str, type[_Kind]], kept: set[str]) -> None:
    """Take back what a plugin registered before it failed."""
    for name in known.keys() - kept:
        del known[name]


def _unusable(plugin: EntryPoint, error: Exception) -> PluginError:
    source = f" of {plugin.dist.name} {plugin.dist.version}" if plugin.dist else ""
    return PluginError(
        f"plugin `{plugin.name}`{source} ({plugin.value}) is disabled: "
        f"{type(error).__name__}: {error}"
    )


def _register(known: dict[str, type[_Kind]], name: str, new: type[_Kind], base: type) -> None:
    if not (isinstance(new, type) and issubclass(new, base)):
        raise TypeError(f"`{name}` must be a subclass of {base.__name__}, not {new!r}")
    if known.setdefault(name, new) is not new:
        owner = known[name]
        raise ValueError(f"`{name}` is already {owner.__module__}.{owner.__qualname__}")
