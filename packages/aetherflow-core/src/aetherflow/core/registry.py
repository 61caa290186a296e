"""Which kinds of steps and connectors there are: the built-in ones and those of plugins.

A plugin is an entry point of the group `aetherflow.plugins` that names a function without
arguments, which calls `register_step` and `register_connector`.
"""

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from aetherflow.core import builtin
from aetherflow.core.errors import PluginError
from aetherflow.core.extension import Connector, Step

GROUP = "aetherflow.plugins"

_Kind = TypeVar("_Kind")

_steps: dict[str, type[Step]] = dict(builtin.STEPS)
_connectors: dict[str, type[Connector]] = dict(builtin.CONNECTORS)


def register_step(name: str, step: type[Step]) -> None:
    """Make a kind of step known as `type: NAME`.

    Raises:
        ValueError: Another class has that name.
        TypeError: It is no subclass of `Step`.
    """
    _register(_steps, name, step, Step)


def register_connector(name: str, connector: type[Connector]) -> None:
    """Make a kind of resource known as `driver: NAME`.

    Raises:
        ValueError: Another class has that name.
        TypeError: It is no subclass of `Connector`.
    """
    _register(_connectors, name, connector, Connector)


def list_steps() -> list[str]:
    """Return the names of all kinds of steps, sorted.

    Raises:
        PluginError: A plugin cannot be loaded.
    """
    return sorted(known_steps())


def list_connectors() -> list[str]:
    """Return the names of all kinds of connectors, sorted.

    Raises:
        PluginError: A plugin cannot be loaded.
    """
    return sorted(known_connectors())


def known_steps() -> dict[str, type[Step]]:
    """Return all kinds of steps by name, plugins included."""
    _load_plugins()
    return _steps


def known_connectors() -> dict[str, type[Connector]]:
    """Return all kinds of connectors by name, plugins included."""
    _load_plugins()
    return _connectors


@functools.cache
def _load_plugins() -> None:
    for plugin in entry_points(group=GROUP):
        _load(plugin)


def _load(plugin: EntryPoint) -> None:
    try:
        plugin.load()()
    except Exception as error:  # a plugin is foreign code: anything can come out of it
        source = f" of {plugin.dist.name} {plugin.dist.version}" if plugin.dist else ""
        raise PluginError(
            f"plugin '{plugin.name}'{source} ({plugin.value}) cannot be used: "
            f"{type(error).__name__}: {error}"
        ) from error


def _register(known: dict[str, type[_Kind]], name: str, new: type[_Kind], base: type) -> None:
    if not (isinstance(new, type) and issubclass(new, base)):
        raise TypeError(f"'{name}' must be a subclass of {base.__name__}, not {new!r}")
    if known.setdefault(name, new) is not new:
        owner = known[name]
        raise ValueError(f"'{name}' is already {owner.__module__}.{owner.__qualname__}")
