"""The language of `when`: comparisons of outputs and literals, joined by and, or, not.

    load.csv.rows > 0 and not (check.run.stdout == 'skip')

Operands are `JOB.STEP.OUTPUT`, `parameters.NAME`, `env.NAME`, numbers, 'text', true, false and
null; the comparisons are == != < <= > >= and in. There is nothing to call, and so nothing to
abuse.

    either     = both {"or" both}
    both       = negation {"and" negation}
    negation   = "not" negation | comparison
    comparison = operand [operator operand]
    operand    = "(" either ")" | reference | number | text | "true" | "false" | "null"
"""

import operator
import re
from collections.abc import Callable
from typing import Any

from aetherflow.core.references import Values, parse_reference
from aetherflow.core.wording import kind_of

_Thunk = Callable[[Values], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?(?![\w.]))|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(?P<sign>==|!=|<=|>=|[<>()]))"
)
_LITERALS = {"true": True, "false": False, "null": None}
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_KEYWORDS = {"and", "or", "not", "in"}
_DEEPEST = 50


class Expression:
    """A parsed `when`.

    Attributes:
        references: The values that it mentions.
    """

    def __init__(self, text: str) -> None:
        """Parse `text`.

        Raises:
            ValueError: It is not an expression; the message names the column, counted from 1.
        """
        parser = _Parser(text)
        self._evaluate = parser.parse()
        self.references: tuple[str, ...] = tuple(parser.references)

    def evaluate(self, values: Values) -> bool:
        """Return whether the expression holds.

        Raises:
            ValueError: Values of different kinds are put in order, or true and false are
                needed where something else is.
        """
        return _boolean(self._evaluate(values))


class _Parser:
    """Recursive descent: one method for each rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self.references: list[str] = []
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def parse(self) -> _Thunk:
        result = self._either()
        if self._peek():
            raise self._unexpected("the end")
        return result

    def _either(self) -> _Thunk:
        result = self._both()
        while self._take("or"):
            result = _or(result, self._both())
        return result

    def _both(self) -> _Thunk:
        result = self._negation()
        while self._take("and"):
            result = _and(result, self._negation())
        return result

    def _negation(self) -> _Thunk:
        if not self._take("not"):
            return self._comparison()
        inner = self._nested(self._negation)
        return lambda values: not _boolean(inner(values))

    def _comparison(self) -> _Thunk:
        left = self._operand()
        sign = self._peek()
        if sign not in {"==", "!=", "in", *_ORDER}:
            return left
        self._at += 1
        right = self._operand()
        return lambda values: _compare(left(values), sign, right(values))

    def _operand(self) -> _Thunk:
        if self._take("("):
            inner = self._nested(self._either)
            if not self._take(")"):
                raise self._unexpected("`)`")
            return inner
        kind, text, column = self._tokens[self._at]
        if kind in {"end", "sign"} or text in _KEYWORDS:
            raise self._unexpected("a value")
        self._at += 1
        return self._reference(text, column) if kind == "name" else _constant(kind, text)

    def _reference(self, text: str, column: int) -> _Thunk:
        if text in _LITERALS:
            return lambda values: _LITERALS[text]
        try:
            reference = parse_reference(text)
        except ValueError as error:
            raise ValueError(f"column {column}: {error}") from None
        self.references.append(reference)
        return lambda values: values[reference]

    def _nested(self, rule: Callable[[], _Thunk]) -> _Thunk:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} deep")
        result = rule()
        self._depth -= 1
        return result

    def _peek(self) -> str:
        return self._tokens[self._at][1]  # with its quotes, so that the text 'and' is not a keyword

    def _take(self, text: str) -> bool:
        found = self._peek() == text
        self._at += found
        return found

    def _unexpected(self, wanted: str) -> ValueError:
        kind, text, column = self._tokens[self._at]
        found = "the end" if kind == "end" else f"`{text}`"
        return ValueError(f"column {column}: expected {wanted}, found {found}")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    tokens = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            rest = text[at:end].lstrip()
            raise ValueError(f"column {end - len(rest) + 1}: cannot read `{rest}`")
        kind = match.lastgroup
        tokens.append((kind, match[kind], match.start(kind) + 1))
        at = match.end()
    return [*tokens, ("end", "", end + 1)]


def _constant(kind: str, text: str) -> _Thunk:
    if kind == "text":
        return lambda values: text[1:-1]
    number = float(text) if "." in text else int(text)
    return lambda values: number


def _and(left: _Thunk, right: _Thunk) -> _Thunk:
    return lambda values: _boolean(left(values)) and _boolean(right(values))


def _or(left: _Thunk, right: _Thunk) -> _Thunk:
    return lambda values: _boolean(left(values)) or _boolean(right(values))


def _compare(left: Any, sign: str, right: Any) -> bool:
    if sign in {"==", "!="}:
        return bool(left == right) is (sign == "==")
    if sign == "in":
        if isinstance(right, list) or (isinstance(left, str) and isinstance(right, str)):
            return bool(left in right)
        raise ValueError(f"cannot look for {kind_of(left)} in {kind_of(right)}")
    if kind_of(left) == kind_of(right) and kind_of(left) in {"a number", "text"}:
        return bool(_ORDER[sign](left, right))
    raise ValueError(f"cannot compare {kind_of(left)} {sign} {kind_of(right)}")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"expected true or false, found {kind_of(value)}")
