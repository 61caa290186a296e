"""Read the modules of a wheel or of a folder, and the names that each of them uses.

A use that the code is prepared to miss (in a ``try`` that handles it, behind ``hasattr`` or a
question for a version, for type checkers alone) is none.

Must not know which code is compared with which.
"""

import ast
import functools
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from surface import (
    CALL,
    ERRORS,
    Dotted,
    Module,
    Reader,
    Shape,
    Use,
    dotted,
    imported,
    is_type_checking,
    origin,
    parts,
    statements,
)

# The instance of a class, seen as one of its bases.
SUPER = "super()"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Scope = dict[str, Dotted | None]


class _Collector:
    """Collects the uses of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.scopes: list[Scope] = []
        self.classes: list[str] = []
        self.is_guarded = False
        # Names that may be missing, as the code itself says.
        self.optional: set[Dotted] = set()
        self.has_lazy_annotations = False

    def path(self, node: ast.expr) -> Dotted | None:
        """Return what an expression stands for, seen from the root of all modules."""
        if isinstance(node, ast.Constant):
            return None
        found = dotted(node)
        if not found:
            return None
        for scope in reversed(self.scopes):
            if found[0] in scope:
                local = scope[found[0]]
                return (*local, *found[1:]) if local else None
        module = self.module
        if found[:2] == ("super", CALL) and self.classes:
            return (*module.name, *self.classes, CALL, SUPER, *found[2:])
        is_known = found[0] in module.names or module.stars
        return (*module.name, *found) if is_known else None

    def use(self, path: Dotted | None, node: ast.AST, call: Shape | None = None) -> None:
        if not path or self.is_guarded:
            return
        if any(path[:count] in self.optional for count in range(1, len(path) + 1)):
            return
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        self.module.uses.append(Use(path, getattr(node, "lineno", 1), call, is_import))

    def guarded(self, body: Iterable[ast.stmt], is_guarded: bool) -> None:
        before, self.is_guarded = self.is_guarded, self.is_guarded or is_guarded
        self.block(body)
        self.is_guarded = before

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Collect the uses of statements."""
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports(node)
        elif isinstance(node, FUNCTIONS):
            self.function(node)
        elif isinstance(node, ast.ClassDef):
            for expression in [*node.decorator_list, *node.bases]:
                self.expression(expression)
            self.classes.append(node.name)
            self.block(node.body)
            self.classes.pop()
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            self.block(node.orelse)
        else:
            self.compound(node)

    def compound(self, node: ast.stmt) -> None:
        asks = isinstance(node, ast.If) and _asks_for_version(node.test)
        may_fail = isinstance(node, ast.With) and any(
            (dotted(item.context_expr) or ("",))[-2:] == ("suppress", CALL) for item in node.items
        )
        for name, child in ast.iter_fields(node):
            if name == "annotation" and self.has_lazy_annotations:
                continue
            for one in child if isinstance(child, list) else [child]:
                if isinstance(one, ast.expr | ast.withitem):
                    self.expression(one)
                elif isinstance(one, ast.match_case):
                    self.expression(one.pattern)
                elif isinstance(one, ast.ExceptHandler) and one.type:
                    self.expression(one.type)
        for body, is_forgiving in parts(node):
            self.guarded(body, is_forgiving or asks or may_fail)

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom):
            base = origin(node, self.module)
            self.has_lazy_annotations |= base == ("__future__",)
            for name in node.names:
                self.use(base if name.name == "*" else (*base, name.name), node)
        else:
            for name in node.names:
                self.use(tuple(name.name.split(".")), node)
        for bound, target in imported(node, self.module):
            if self.is_guarded:
                self.optional.update({target, (*self.module.name, bound)})
            if self.scopes:
                self.scopes[-1][bound] = None if self.is_guarded else target

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        written = node.args
        named = [*written.posonlyargs, *written.args, *written.kwonlyargs]
        extra = [one for one in (written.vararg, written.kwarg) if one]
        outside: list[ast.expr | None] = [*node.decorator_list, *written.defaults]
        outside += written.kw_defaults
        if not self.has_lazy_annotations:
            outside += [one.annotation for one in named]
            outside.append(node.returns)
        for expression in outside:
            if expression:
                self.expression(expression)
        scope: Scope = {one.arg: None for one in [*named, *extra]}
        if self.classes and not self.scopes and named:
            words = {(dotted(one) or ("",))[-1] for one in node.decorator_list}
            own = (*self.module.name, *self.classes)
            if "staticmethod" not in words:
                scope[named[0].arg] = own if "classmethod" in words else (*own, CALL)
        self.scopes.append(scope)
        self.locals(scope, node.body)
        self.block(node.body)
        self.scopes.pop()

    def locals(self, scope: Scope, body: list[ast.stmt]) -> None:
        """Note what the names that a function binds stand for, where they are bound once."""
        seen: set[str] = set(scope)
        shared: set[str] = set()
        for node in statements(body):
            if isinstance(node, ast.Global | ast.Nonlocal):
                shared.update(node.names)
            bound: list[tuple[str, Dotted | None]] = []
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound += imported(node, self.module)
            elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                bound.append((node.name, None))
            else:
                bound += self.assigned(node)
            for name, path in bound:
                if name not in shared:
                    scope[name] = None if name in seen else path
                    seen.add(name)

    def assigned(self, node: ast.stmt) -> Iterator[tuple[str, Dotted | None]]:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                yield target.id, self.path(node.value)
                return
        for one in ast.walk(node) if not isinstance(node, ast.With | ast.AsyncWith) else []:
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                yield one.id, None
        for item in getattr(node, "items", []):
            if isinstance(item.optional_vars, ast.Name):
                yield item.optional_vars.id, None
        for handler in getattr(node, "handlers", []):
            if handler.name:
                yield handler.name, None

    def expression(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            self.call(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.use(self.path(node), node)
            self.inner(node)
        elif isinstance(node, ast.Lambda):
            named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            self.scopes.append({one.arg: None for one in named})
            self.expression(node.body)
            self.scopes.pop()
        elif isinstance(node, COMPREHENSIONS):
            stores = (one for one in ast.walk(node) if isinstance(one, ast.Name))
            self.scopes.append({one.id: None for one in stores if isinstance(one.ctx, ast.Store)})
            self.children(node)
            self.scopes.pop()
        else:
            self.children(node)

    def children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self.expression(child)

    def inner(self, node: ast.AST) -> None:
        """Collect what is below a dotted name, such as the calls in it."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if not isinstance(node, ast.Name):
            self.expression(node)

    def call(self, node: ast.Call) -> None:
        shape = Shape(
            sum(not isinstance(one, ast.Starred) for one in node.args),
            tuple(one.arg for one in node.keywords if one.arg),
            any(isinstance(one, ast.Starred) for one in node.args)
            or any(one.arg is None for one in node.keywords),
        )
        path = dotted(node.func) or ("",)
        text = next((one.value for one in node.args if isinstance(one, ast.Constant)), None)
        if isinstance(text, str) and path[-1] == "import_module" and not text.startswith("."):
            self.use(tuple(text.split(".")), ast.copy_location(ast.Import([]), node))
        if isinstance(text, str) and path == ("hasattr",):
            subject = self.path(node.args[0])
            if subject:
                self.optional.add((*subject, text))
        if isinstance(node.func, ast.Attribute):
            self.module.calls.setdefault(node.func.attr, []).append(shape)
        self.use(self.path(node.func), node, shape)
        self.inner(node.func)
        for argument in node.args:
            self.expression(argument)
        for keyword in node.keywords:
            self.expression(keyword.value)


def _asks_for_version(test: ast.expr) -> bool:
    for node in ast.walk(test):
        word = getattr(node, "id", "") or getattr(node, "attr", "")
        if "version" in word.lower() and word != "version_info":
            return True
    return False


def _sources(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Return the Python files, each with its text; None for a compiled module."""
    if path.is_dir():
        for file in sorted(path.rglob("*.py")):
            yield file.relative_to(path).as_posix(), file.read_bytes()
        return
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if name.endswith((".py", ".pyi", ".so", ".pyd")) and ".dist-info/" not in name:
                top, _, rest = name.partition("/")
                where = rest.partition("/")[2] if top.endswith(".data") else name
                is_text = name.endswith((".py", ".pyi"))
                yield where, wheel.read(name) if is_text else None


def _module(file: str, source: bytes | None) -> Module | None:
    parts = PurePosixPath(file).parts
    stem = parts[-1].partition(".")[0]
    name = parts[:-1] if stem == "__init__" else (*parts[:-1], stem)
    if not name or not all(part.isidentifier() for part in name):
        return None
    module = Module(name, file, stem == "__init__", is_open=source is None)
    if source is None:
        return module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        Reader(module).read(tree.body)
        _Collector(module).block(tree.body)
    except ERRORS as error:
        module.is_open = True
        module.error = error if isinstance(error, SyntaxError) else None
    return module


@functools.lru_cache(maxsize=64)
def read(path: str) -> dict[Dotted, Module]:
    """Return the modules of a wheel or of a folder of sources, by their names."""
    modules: dict[Dotted, Module] = {}
    for file, source in _sources(Path(path)):
        module = _module(file, source)
        # Beside a stub, the module itself tells more.
        if module and (module.name not in modules or not file.endswith(".pyi")):
            modules[module.name] = module
    return modules
