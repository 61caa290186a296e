"""Compare what one wheel uses with what others offer, and what two versions of a wheel offer.

A question is one of these objects; a wheel is a path, of a folder of sources where there is none.

* ``{"user": WHEEL, "good": [WHEEL, ...], "bad": [WHEEL, ...]}`` gives the uses of the user that
  the good ones meet and the bad ones do not: a list of ``{"file", "line", "name", "why"}``.
* ``{"old": WHEEL, "new": WHEEL, "beside": [WHEEL, ...]}`` gives what breaks in the public names
  of the old one, ``{"name", "why"}``; names that lead to what is beside the new one still count.
* ``{"wheel": WHEEL, "python": "3.8"}`` gives ``imports``, the modules that it imports without
  being prepared to miss them (``{"file", "line", "name"}``), ``entry_points``
  (``{"group", "name"}``) and ``syntax``, the files that this Python cannot read (``{"file", "line",
  "why", "since"}``, with the first Python that can).
"""

import ast
import sys
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surface import (
    CALL,
    ERRORS,
    Alias,
    Class,
    Dotted,
    Entry,
    Function,
    Module,
    Shape,
    Signature,
    Use,
    Value,
)
from uses import SUPER, read

# Folders of a wheel whose code no user runs.
TESTS = {"tests", "test", "testing", "conftest"}


@dataclass
class Namespace:
    """A package without a module of its own (PEP 420)."""

    name: Dotted


@dataclass
class Instance:
    """An object of a class; ``above`` leaves the class itself out (``super()``)."""

    kind: Class
    above: bool = False


@dataclass
class Method:
    """A function that was reached through an object or, for class methods, a class."""

    function: Function


Thing = Entry | Module | Namespace | Instance | Method
# What a name leads to: nothing where it is missing, None where that cannot be known.
Found = list[Thing] | None


class World:
    """The modules of several wheels, installed together."""

    def __init__(self, wheels: Iterable[str], before: "World | None" = None) -> None:
        """Take the wheels; one that comes first hides the others.

        Packages that a world before this one had and this one lacks are missing, not unknown.
        """
        self.modules: dict[Dotted, Module] = {}
        for wheel in wheels:
            for name, module in read(wheel).items():
                self.modules.setdefault(name, module)
        self.packages = {
            name[:count] for name in self.modules for count in range(1, len(name))
        } - self.modules.keys()
        self.tops = {name[:1] for name in self.modules}
        self.gone = before.tops - self.tops if before else set()
        self.known: dict[Dotted, Found] = {}
        self.open: set[Dotted] = set()

    def find(self, path: Dotted) -> Found:
        """Return what a dotted name leads to."""
        if path in self.known:
            return self.known[path]
        if path in self.open or len(self.open) > 200:
            return None  # it leads to itself
        self.open.add(path)
        found = self._top(path) if len(path) == 1 else self.below(self.find(path[:-1]), path[-1])
        self.open.discard(path)
        self.known[path] = found
        return found

    def _top(self, path: Dotted) -> Found:
        if path in self.modules:
            return [self.modules[path]]
        if path in self.packages:
            return [Namespace(path)]
        return [] if path in self.gone else None

    def below(self, things: Found, part: str) -> Found:
        """Return what one more part leads to."""
        if things is None:
            return None
        found: list[Thing] = []
        for thing in things:
            more = self._step(thing, part)
            if more is None:
                return None
            found += more
        return found

    def _step(self, thing: Thing, part: str) -> Found:
        if isinstance(thing, Module):
            return self._in_module(thing, part)
        if isinstance(thing, Namespace):
            return self._submodule(thing.name, part)
        if isinstance(thing, Class):
            if part == CALL:
                return [Instance(thing)]
            return self._bind(self.member(thing, part), lambda one: one.is_class)
        if isinstance(thing, Instance):
            if part == SUPER:
                return [Instance(thing.kind, above=True)]
            if part == CALL:
                return None
            if part in thing.kind.attributes and not thing.above:
                return [Value()]
            found = self.member(thing.kind, part, above=thing.above, instance=True)
            return self._bind(found, lambda one: not one.is_static)
        function = thing.function if isinstance(thing, Method) else thing
        if isinstance(function, Function) and part == CALL and function.returns:
            made = self.find(function.returns)
            if made and all(isinstance(one, Class) for one in made):
                return [Instance(one) for one in made if isinstance(one, Class)]
        return None

    def _bind(self, found: Found, is_bound: Any) -> Found:
        if found is None:
            return None
        if any(isinstance(one, Function) and one.is_property for one in found):
            return [Value()]
        return [Method(o) if isinstance(o, Function) and is_bound(o) else o for o in found]

    def _submodule(self, name: Dotted, part: str) -> list[Thing]:
        path = (*name, part)
        if path in self.modules:
            return [self.modules[path]]
        return [Namespace(path)] if path in self.packages else []

    def _in_module(self, module: Module, part: str) -> Found:
        if part == CALL:
            return None
        if part in module.names:
            return self._entries(module.names[part])
        below = self._submodule(module.name, part)
        if below or module.is_open or part.startswith("__"):
            return below or None
        for star in module.stars:
            found = self.find(star)
            if found is None:
                return None
            for one in found:
                is_shown = not isinstance(one, Module) or part in (one.exported or [part])
                more = self._step(one, part) if is_shown else []
                if more is None or more:
                    return more
        return []

    def _entries(self, entries: list[Entry]) -> Found:
        found: list[Thing] = []
        for entry in entries:
            if isinstance(entry, Alias):
                more = self.find(entry.target)
                if more is None:
                    return None
                found += more
            else:
                found.append(entry)
        # An alias of what is missing is a name all the same: importing it may be guarded.
        return found or ([Value()] if len(entries) > 1 else [])

    def bases(self, kind: Class) -> Iterator[Class | None]:
        """Return the classes above a class, the nearest first; None for one that is unknown."""
        open_bases = [*kind.bases]
        seen: set[Dotted] = {kind.name}
        while open_bases:
            path = open_bases.pop(0)
            if path[-1] in ("object", "ABC", "Generic", "Protocol", "NamedTuple"):
                continue
            found = self.find(path)
            classes = [one for one in found or [] if isinstance(one, Class)]
            if not classes:
                yield None
            for one in classes:
                if one.name not in seen:
                    seen.add(one.name)
                    yield one
                    open_bases += one.bases

    def member(
        self, kind: Class, part: str, *, above: bool = False, instance: bool = False
    ) -> Found:
        """Return a member of a class or of the classes above it."""
        is_open = False
        for one in [*([] if above else [kind]), *self.bases(kind)]:
            if one is None:
                is_open = True
            elif part in one.members:
                return self._entries(one.members[part])
            elif instance and part in one.attributes:
                return [Value()]
            else:
                is_open |= one.is_open
        return None if is_open or part.startswith("__") else []

    def signature(self, thing: Thing) -> Signature | None:
        """Return the parameters with which something is called, where they are certain."""
        if isinstance(thing, Method):
            plain = thing.function.signature
            return plain.bound() if plain else None
        if isinstance(thing, Function):
            return thing.signature
        if not isinstance(thing, Class) or thing.is_open:
            return None
        for one in [thing, *self.bases(thing)]:
            if one is None or one.is_open:
                return None
            if "__init__" in one.members:
                own = one.members["__init__"]
                first = own[0] if len(own) == 1 else None
                is_plain = isinstance(first, Function) and first.signature
                return first.signature.bound() if is_plain else None
            if one.is_dataclass:
                is_only = one is thing and not any(True for _ in self.bases(one))
                required = [name for name, has_default in one.fields.items() if not has_default]
                is_only &= list(one.fields)[: len(required)] == required
                return Signature(list(one.fields), 0, len(required)) if is_only else None
        return Signature([])

    def objection(self, things: Found, call: Shape) -> str | None:
        """Return why nothing of what was found accepts a call."""
        why = None
        for thing in things or []:
            parameters = self.signature(thing)
            why = parameters.objection(call) if parameters else None
            if not why:
                return None
        return why


def _shown(path: Dotted, call: Shape | None = None) -> str:
    text = ".".join(part for part in path if part != SUPER).replace(f".{CALL}", CALL)
    return f"{text}()" if call else text


def _first_missing(path: Dotted, good: World, bad: World) -> Dotted | None:
    for count in range(1, len(path) + 1):
        found = bad.find(path[:count])
        if found is None:
            return None
        if not found:
            return path[:count] if good.find(path[:count]) != [] else None
    return None


def _resolved(path: Dotted, world: World) -> Dotted:
    """Return the name under which a module has imported something."""
    for count in range(2, len(path) + 1):
        module = world.modules.get(path[: count - 1])
        entries = module.names.get(path[count - 1], []) if module else []
        if len(entries) == 1 and isinstance(entries[0], Alias) and entries[0].target != path:
            return (*entries[0].target, *path[count:])
        if module and not entries and len(module.stars) == 1 and path[:count] not in world.modules:
            return (*module.stars[0], *path[count - 1 :])
    return path


def _judge(use: Use, good: World, bad: World) -> tuple[str, str] | None:
    """Return the name and the reason why a use is met no longer."""
    missing = _first_missing(use.path, good, bad)
    if missing:
        return _shown(_resolved(missing, bad)), "is missing"
    if use.call:
        why = bad.objection(bad.find(use.path), use.call)
        if why and not good.objection(good.find(use.path), use.call):
            return _shown(_resolved(use.path, bad), use.call), why
    return None


def _entry_points(wheel: str) -> Iterator[tuple[str, str, str]]:
    """Return group, name and value of each entry point."""
    if Path(wheel).is_dir():
        return
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        text = archive.read(names[0]).decode("utf-8", "replace") if names else ""
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except Error:
        return
    for section in parser.sections():
        for name, value in parser[section].items():
            yield section, name, value


def _started(wheel: str) -> Iterator[Use]:
    """Return what the entry points use."""
    for _, _, value in _entry_points(wheel):
        module, _, attribute = value.partition("[")[0].replace(" ", "").partition(":")
        names = [*module.split("."), *(attribute.split(".") if attribute else [])]
        yield Use(tuple(names), 1, is_import=True)


def _misses(user: str, good: list[str], bad: list[str]) -> list[dict[str, Any]]:
    before = World([user, *good])
    after = World([user, *bad], before)
    found = []
    for module in _modules(user):
        for use in module.uses:
            judged = _judge(use, before, after)
            if judged:
                found.append((module.file, use.line, *judged))
        for kind in module.classes:
            found += [(module.file, *one) for one in _subclass(kind, before, after)]
    for use in _started(user):
        judged = _judge(use, before, after)
        if judged:
            found.append(("entry_points.txt", use.line, *judged))
    # A name that is missing is one fault, wherever and however deeply it is used.
    first: dict[tuple[str, str], tuple[str, int, str, str]] = {}
    for one in found:
        first.setdefault(one[2:], one)
    return [
        {"file": file, "line": line, "name": name, "why": why}
        for file, line, name, why in first.values()
    ]


def _modules(wheel: str) -> Iterator[Module]:
    for module in read(wheel).values():
        if TESTS.isdisjoint(module.name) and not module.name[-1].startswith("test_"):
            yield module


def _abstract(world: World, kind: Class) -> dict[str, str]:
    """Return the methods that a class has to define and does not, each with who demands it."""
    found: dict[str, str] = {}
    defined: set[str] = set()
    for one in [kind, *world.bases(kind)]:
        if one is None:
            return {}
        for name, entries in one.members.items():
            is_abstract = all(
                isinstance(entry, Function) and entry.is_abstract for entry in entries
            )
            if name not in defined and is_abstract:
                found[name] = _shown(one.name)
            defined.add(name)
    return found


def _subclass(kind: Class, good: World, bad: World) -> Iterator[tuple[int, str, str]]:
    """Return what a class does not meet of what the classes above it demand by now."""
    if not kind.bases:
        return
    before = _abstract(good, kind)
    own = any(isinstance(e, Function) and e.is_abstract for m in kind.members.values() for e in m)
    for name, owner in _abstract(bad, kind).items():
        if name not in before and not own:
            yield (
                kind.line,
                f"{owner}.{name}",
                f"is abstract, and `{kind.name[-1]}` has no such method",
            )
    for name, entries in kind.members.items():
        override = entries[0]
        if name.startswith("__") or len(entries) > 1 or not isinstance(override, Function):
            continue
        now = _method(bad, kind, name)
        then = _method(good, kind, name)
        if not (override.signature and now and then):
            continue
        mine = override.signature if override.is_static else override.signature.bound()
        demanded = [(now.least(), then.least())]
        calls = [(shape, None) for shape in _calls(bad, name) if not now.objection(shape)]
        usual = _calls(good, name)
        for shape, old in [*demanded, *calls]:
            is_new = shape != old and shape not in usual
            why = mine.objection(shape) if is_new else None
            if why and not any(mine.objection(one) for one in ([old] if old else usual)):
                shown = _shown((*kind.name[-1:], name))
                yield kind.line, f"{shown}()", f"{why}, and is called so by now"
                break


def _method(world: World, kind: Class, name: str) -> Signature | None:
    """Return the parameters of the method that a class overrides."""
    found = world.below([Instance(kind, above=True)], name)
    return world.signature(found[0]) if found and isinstance(found[0], Method) else None


def _calls(world: World, name: str) -> list[Shape]:
    return [shape for module in world.modules.values() for shape in module.calls.get(name, [])]


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _public(module: Module, own: dict[Dotted, Module]) -> list[str]:
    """Return the names that a module shows: `__all__`, or what is defined in it."""
    if module.exported is not None:
        return module.exported
    found = []
    for name, entries in module.names.items():
        aliases = [entry.target for entry in entries if isinstance(entry, Alias)]
        # What a module imports is its own affair, unless it is a package that shows its parts.
        is_shown = all(any(t[:n] in own for n in range(1, len(t))) for t in aliases)
        if _is_public(name) and is_shown and (module.is_package or not aliases):
            found.append(name)
    return found


def _changed(then: Found, now: Found, good: World, bad: World) -> str | None:
    """Return how the parameters of something no longer accept what they did."""
    if not then or not now or len(then) > 1 or len(now) > 1:
        return None
    old, new = good.signature(then[0]), bad.signature(now[0])
    if not old or not new:
        return None
    everything = Shape(len(old.names), tuple(old.keywords))
    named = old.names[old.positional_only :]
    by_name = Shape(old.positional_only, (*named, *old.keywords))
    for call in (old.least(), everything, by_name):
        why = new.objection(call)
        if why:
            return why
    moved = [
        name
        for name, other in zip(named, new.names[new.positional_only :], strict=False)
        if name != other and name in new.names and other in old.names
    ]
    return f"has `{moved[0]}` in another place" if moved else None


def _breaks(old: str, new: str, beside: list[str]) -> list[dict[str, str]]:
    good = World([old])
    bad = World([new, *beside], good)
    own = read(old)
    found: dict[str, str] = {}
    for module in _modules(old):
        if not all(_is_public(part) for part in module.name):
            continue
        if bad.find(module.name) == []:
            if not any(_shown(module.name).startswith(f"{name}.") for name in found):
                found[_shown(module.name)] = "is missing"
            continue
        for name in _public(module, own):
            path = (*module.name, name)
            then, now = good.find(path), bad.find(path)
            if then is None or now is None:
                continue
            if not now and then:
                found[_shown(path)] = "is missing"
            why = _changed(then, now, good, bad)
            if why:
                found[f"{_shown(path)}()"] = why
            if len(then) == 1 and isinstance(then[0], Class) and then[0].name == path:
                found.update(_members(path, then[0], good, bad))
    return [{"name": name, "why": why} for name, why in found.items()]


def _members(path: Dotted, kind: Class, good: World, bad: World) -> dict[str, str]:
    found = {}
    for name in filter(_is_public, [*kind.members, *kind.attributes]):
        then, now = good.find((*path, CALL, name)), bad.find((*path, CALL, name))
        if now == [] and then:
            found[_shown((*path, name))] = "is missing"
        why = _changed(then, now, good, bad)
        if why:
            found[f"{_shown((*path, name))}()"] = why
    return found


def _needs(wheel: str, python: str) -> dict[str, Any]:
    imports = []
    for module in _modules(wheel):
        seen: set[Dotted] = set()
        for use in module.uses:
            if use.is_import and use.path not in seen:
                seen.add(use.path)
                name = ".".join(use.path)
                imports.append({"file": module.file, "line": use.line, "name": name})
    points = [{"group": group, "name": name} for group, name, _ in _entry_points(wheel)]
    return {"imports": imports, "entry_points": points, "syntax": _too_new(wheel, python)}


def _too_new(wheel: str, python: str) -> list[dict[str, Any]]:
    if not python or Path(wheel).is_dir():
        return []
    oldest = int(python.partition(".")[2])
    found = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            # A file for newer Pythons alone, imported where it fits, is named so.
            if not name.endswith(".py") or ".dist-info/" in name or "py3" in name.lower():
                continue
            source = archive.read(name)
            error = _syntax_error(source, oldest)
            if not error or _syntax_error(source, sys.version_info.minor):
                continue
            newer = range(oldest, sys.version_info.minor + 1)
            since = next(minor for minor in newer if not _syntax_error(source, minor))
            line = error.lineno or 1
            found.append({"file": name, "line": line, "why": error.msg, "since": f"3.{since}"})
    return found


def _syntax_error(source: bytes, minor: int) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source, feature_version=(3, minor))
    except SyntaxError as error:
        return error
    except ERRORS:
        return None
    return None


def answer(question: dict[str, Any]) -> Any:
    """Return the answer to one question, in the form that this module describes."""
    if "user" in question:
        return _misses(question["user"], question["good"], question["bad"])
    if "old" in question:
        return _breaks(question["old"], question["new"], question["beside"])
    return _needs(question["wheel"], question["python"])
