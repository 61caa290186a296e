"""Read what Python code offers and what it uses from its syntax; none of it is run.

Names that depend on a condition count as offered; a module or class whose names cannot be listed is
``is_open``. Must not know which code is compared with which.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# A dotted name as its parts; the part CALL is the result of a call.
Dotted = tuple[str, ...]
CALL = "()"
# What `ast` raises for text that is not Python, or not for this Python.
ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)
# Decorators that leave the parameters of a function as they are, by their last part.
TRANSPARENT = {
    *("abstractmethod", "cache", "classmethod", "contextmanager", "asynccontextmanager"),
    *("final", "lru_cache", "override", "staticmethod", "deprecated", "coroutine"),
}
# Errors that a missing name raises, and their bases.
FORGIVING = {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"}


@dataclass
class Shape:
    """The arguments of a call: how many positional ones, which keywords, and whether more come."""

    positional: int
    keywords: tuple[str, ...] = ()
    is_open: bool = False


@dataclass
class Signature:
    """The parameters of a function."""

    names: list[str]
    positional_only: int = 0
    required: int = 0
    takes_more: bool = False
    keywords: dict[str, bool] = field(default_factory=dict)  # whether each is required
    takes_keywords: bool = False

    def bound(self) -> "Signature":
        """Return the same without the first parameter."""
        if not self.names:
            return self
        return Signature(
            self.names[1:],
            max(self.positional_only - 1, 0),
            max(self.required - 1, 0),
            self.takes_more,
            self.keywords,
            self.takes_keywords,
        )

    def least(self) -> Shape:
        """Return the smallest call that it accepts."""
        return Shape(self.required, tuple(name for name, needed in self.keywords.items() if needed))

    def objection(self, call: Shape) -> str | None:
        """Return why it does not accept a call."""
        if call.positional > len(self.names) and not self.takes_more:
            return f"takes {len(self.names)} positional arguments, not {call.positional}"
        named = self.names[self.positional_only :]
        for keyword in call.keywords:
            if keyword in named[: max(call.positional - self.positional_only, 0)]:
                return f"would get `{keyword}` twice"
            if keyword not in named and keyword not in self.keywords and not self.takes_keywords:
                return f"has no argument `{keyword}`"
        if call.is_open:
            return None
        needed = self.names[call.positional : self.required]
        needed += [name for name, is_needed in self.keywords.items() if is_needed]
        missing = [name for name in needed if name not in call.keywords]
        return f"requires the argument `{missing[0]}`" if missing else None


@dataclass
class Value:
    """A name of which no more is known."""


@dataclass
class Alias:
    """A name that an import binds."""

    target: Dotted


@dataclass
class Function:
    """A function; no signature where a decorator may have changed it."""

    signature: Signature | None
    returns: Dotted | None = None
    is_static: bool = False
    is_class: bool = False
    is_property: bool = False
    is_abstract: bool = False


@dataclass
class Class:
    """A class with what its body and its methods assign."""

    name: Dotted
    line: int
    bases: list[Dotted]
    members: dict[str, list["Entry"]] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    fields: dict[str, bool] = field(default_factory=dict)  # whether each has a default
    is_dataclass: bool = False
    is_open: bool = False  # it may have names and parameters that cannot be listed


Entry = Value | Alias | Function | Class


@dataclass
class Use:
    """A name that is used, and the arguments where it is called."""

    path: Dotted
    line: int
    call: Shape | None = None
    is_import: bool = False


@dataclass
class Module:
    """One module."""

    name: Dotted
    file: str
    is_package: bool
    names: dict[str, list[Entry]] = field(default_factory=dict)
    stars: list[Dotted] = field(default_factory=list)
    exported: list[str] | None = None  # its `__all__`
    is_open: bool = False
    uses: list[Use] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    calls: dict[str, list[Shape]] = field(default_factory=dict)  # of methods, by name
    error: SyntaxError | None = None

    def package(self, level: int) -> Dotted:
        """Return the package that an import with so many dots begins in."""
        cut = len(self.name) - level + (1 if self.is_package else 0)
        return self.name[: max(cut, 0)] if level else ()

    def add(self, name: str, entry: Entry) -> None:
        """Note one more meaning of a name."""
        self.names.setdefault(name, []).append(entry)


def dotted(node: ast.expr | None) -> Dotted | None:
    """Return the parts of `a.b().c`; None for any other expression."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        parts = tuple(node.value.split("."))
        return parts if all(part.isidentifier() for part in parts) else None
    if isinstance(node, ast.Attribute):
        before = dotted(node.value) if not isinstance(node.value, ast.Constant) else None
        return (*before, node.attr) if before else None
    if isinstance(node, ast.Call):
        before = dotted(node.func) if not isinstance(node.func, ast.Constant) else None
        return (*before, CALL) if before else None
    return None


def signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Signature:
    """Return the parameters of a function as it is written."""
    written = node.args
    names = [argument.arg for argument in [*written.posonlyargs, *written.args]]
    pairs = zip(written.kwonlyargs, written.kw_defaults, strict=True)
    return Signature(
        names,
        len(written.posonlyargs),
        len(names) - len(written.defaults),
        written.vararg is not None,
        {argument.arg: default is None for argument, default in pairs},
        written.kwarg is not None,
    )


def _decorators(node: Any) -> list[str]:
    found = []
    for decorator in node.decorator_list:
        path = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        found.append(path[-1] if path else "?")
    return found


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    words = _decorators(node)
    is_known = all(word in TRANSPARENT for word in words)
    returns = None if isinstance(node, ast.AsyncFunctionDef) else dotted(node.returns)
    return Function(
        signature(node) if is_known else None,
        returns if is_known and "contextmanager" not in words else None,
        is_static="staticmethod" in words,
        is_class="classmethod" in words,
        is_property=any("property" in word or word in ("setter", "deleter") for word in words),
        is_abstract="abstractmethod" in words,
    )


def _targets(node: ast.AST) -> Iterator[str]:
    """Return the names that an assignment, a loop or a `with` binds."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from _targets(element)
    elif isinstance(node, ast.Starred):
        yield from _targets(node.value)


def _bound(node: ast.AST) -> Iterator[str]:
    """Return the names that one statement binds, apart from imports and definitions."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _targets(target)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor | ast.NamedExpr):
        yield from _targets(node.target)
    elif isinstance(node, ast.With | ast.AsyncWith):
        for item in node.items:
            if item.optional_vars:
                yield from _targets(item.optional_vars)


def is_type_checking(test: ast.expr) -> bool:
    """Return whether a condition holds for type checkers alone."""
    path = dotted(test)
    return bool(path) and path[-1] == "TYPE_CHECKING"


def forgives(node: ast.Try) -> bool:
    """Return whether a missing name within a `try` is handled."""
    for handler in node.handlers:
        kind = handler.type
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        if kind is None or any((dotted(one) or ("",))[-1] in FORGIVING for one in kinds):
            return True
    return False


def parts(node: ast.AST) -> Iterator[tuple[list[ast.stmt], bool]]:
    """Return the blocks of a compound statement, each with whether it may fail quietly."""
    is_try = isinstance(node, ast.Try) or type(node).__name__ == "TryStar"
    is_forgiving = is_try and forgives(node)  # type: ignore[arg-type]
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block, is_forgiving and name == "body"
    for handler in getattr(node, "handlers", []):
        yield handler.body, is_forgiving
    for case in getattr(node, "cases", []):
        yield case.body, False


def statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Return the statements of a block and of the blocks in it, as far as they run on import."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and is_type_checking(node.test):
            yield from statements(node.orelse)
            continue
        for block, _ in parts(node):
            yield from statements(block)


def imported(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[tuple[str, Dotted]]:
    """Return the names that an import binds, each with what it stands for."""
    if isinstance(node, ast.Import):
        for name in node.names:
            parts = tuple(name.name.split("."))
            yield (name.asname, parts) if name.asname else (parts[0], parts[:1])
        return
    base = origin(node, module)
    for name in node.names:
        if name.name != "*":
            yield name.asname or name.name, (*base, name.name)


def origin(node: ast.ImportFrom, module: Module) -> Dotted:
    """Return the module that names are imported from."""
    rest = tuple(node.module.split(".")) if node.module else ()
    return (*module.package(node.level), *rest)


def _strings(node: ast.expr) -> list[str] | None:
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    found = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return found if len(found) == len(node.elts) else None


class Reader:
    """Collects the names of one module."""

    def __init__(self, module: Module) -> None:
        """Take the module, which is still empty."""
        self.module = module

    def read(self, body: list[ast.stmt]) -> None:
        """Add what the statements of the module bind."""
        module = self.module
        for node in statements(body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, target in imported(node, module):
                    module.add(name, Alias(target))
                if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                    module.stars.append(origin(node, module))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if "overload" not in _decorators(node):
                    module.add(node.name, self._absolute(_function(node)))
            elif isinstance(node, ast.ClassDef):
                module.add(node.name, self._class_of(node, (*module.name, node.name)))
            elif isinstance(node, ast.Delete):
                for target in node.targets:
                    for name in _targets(target):
                        module.names.pop(name, None)
            else:
                self._assignment(node)
        if "__getattr__" in module.names:
            module.is_open = True

    def _assignment(self, node: ast.stmt) -> None:
        module = self.module
        for name in _bound(node):
            value = getattr(node, "value", None)
            path = dotted(value) if isinstance(value, ast.Name | ast.Attribute) else None
            if name == "__all__":
                self._export(node)
            elif isinstance(value, ast.Lambda):
                module.add(name, Function(signature(value)))
            elif path and isinstance(node, ast.Assign):
                module.add(name, Alias((*module.name, *path)))
            else:
                module.add(name, Value())
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            path = dotted(node.value.func) or ()
            if path[:1] == ("__all__",):
                strings = _strings(node.value.args[0]) if node.value.args else None
                if path[1:] == ("extend",) and strings and module.exported is not None:
                    module.exported += strings
                else:
                    module.exported, module.is_open = None, True
            if path[:2] == ("globals", CALL):
                module.is_open = True

    def _export(self, node: ast.stmt) -> None:
        strings = _strings(getattr(node, "value", None) or ast.Constant(None))
        before = self.module.exported or []
        is_more = isinstance(node, ast.AugAssign)
        self.module.exported = None if strings is None else [*(before if is_more else []), *strings]
        self.module.add("__all__", Value())

    def _absolute(self, function: Function) -> Function:
        if function.returns:
            function.returns = (*self.module.name, *function.returns)
        return function

    def _class_of(self, node: ast.ClassDef, name: Dotted) -> Class:
        bases = [
            dotted(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases
        ]
        words = _decorators(node)
        is_dataclass = any(word == "dataclass" for word in words)
        known = {"dataclass", "final", "total_ordering", "deprecated", "runtime_checkable"}
        is_open = bool(node.keywords) or None in bases or not known.issuperset(words)
        own = Class(
            name,
            node.lineno,
            [(*self.module.name, *base) for base in bases if base],
            is_dataclass=is_dataclass or any(base and base[-1] == "NamedTuple" for base in bases),
            # ABCMeta adds no name.
            is_open=is_open and not (len(node.keywords) == 1 and _is_abc(node)),
        )
        self.module.classes.append(own)
        for inner in statements(node.body):
            self._member(own, inner)
        return own

    def _member(self, own: Class, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if "overload" in _decorators(node):
                return
            own.members.setdefault(node.name, []).append(self._absolute(_function(node)))
            own.is_open |= node.name in ("__getattr__", "__getattribute__", "__new__")
            own.attributes.update(_attributes(node))
        elif isinstance(node, ast.ClassDef):
            inner = self._class_of(node, (*own.name, node.name))
            own.members.setdefault(node.name, []).append(inner)
        else:
            for name in _bound(node):
                own.members.setdefault(name, []).append(Value())
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                own.fields[node.target.id] = node.value is not None


def _is_abc(node: ast.ClassDef) -> bool:
    path = dotted(node.keywords[0].value)
    return node.keywords[0].arg == "metaclass" and bool(path) and path[-1] == "ABCMeta"


def _attributes(method: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    arguments = [*method.args.posonlyargs, *method.args.args]
    own = arguments[0].arg if arguments else None
    for node in ast.walk(method):
        is_stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if is_stored and isinstance(node.value, ast.Name) and node.value.id == own:
            yield node.attr
