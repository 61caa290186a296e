import pytest

from aetherflow.core.references import Reference, find_references, parse_reference, resolve

OUTPUTS = {Reference("a", "b", "rows"): 3, Reference("a", "b", "paths"): ["x", "y"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (7, 7),
        (None, None),
        ("${a.b.rows}", 3),
        ("${ a.b.rows }", 3),
        ("${a.b.paths}", ["x", "y"]),
        ("rows: ${a.b.rows}", "rows: 3"),
        ("${a.b.rows}${a.b.rows}", "33"),
        ("$${a.b.rows}", "${a.b.rows}"),
        ("costs $5", "costs $5"),
        ({"k": ["${a.b.rows}", {"l": "${a.b.rows}!"}]}, {"k": [3, {"l": "3!"}]}),
    ],
)
def test_resolve(value, expected):
    assert resolve(value, OUTPUTS) == expected


def test_find_tells_the_place_of_every_reference():
    found = list(find_references({"k": ["plain", "${a.b.c}-${d.e.f}"], "l": "$${g.h.i}"}))
    assert found == [(("k", 1), "a.b.c"), (("k", 1), "d.e.f")]


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c.d", "a..c", ".b.c"])
def test_what_has_not_three_names_is_no_reference(text):
    with pytest.raises(ValueError, match="is no reference"):
        parse_reference(text)
