"""References: how they are found, read and replaced by values."""

import pytest

from aetherflow.core.references import find_references, parse_reference, resolve, resolve_known

OUTPUTS = {"a.b.rows": 3, "a.b.paths": ["x", "y"]}


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


def test_what_is_not_known_yet_stays_and_its_place_is_told():
    value = {"k": ["${a.b.rows}", "${a.b.rows} of ${x.y.z}"], "l": "$${a.b.c}"}
    assert resolve_known(value, OUTPUTS) == (
        {"k": [3, "${a.b.rows} of ${x.y.z}"], "l": "${a.b.c}"},
        {("k", 1)},
    )


def test_truth_is_written_as_yaml_writes_it():
    assert resolve("${parameters.full}: ${parameters.full}", {"parameters.full": True}) == (
        "true: true"
    )


@pytest.mark.parametrize("text", ["parameters.day", "env.HOME", " parameters.day "])
def test_a_reference_to_what_comes_from_outside_has_two_names(text):
    assert parse_reference(text) == text.strip()


@pytest.mark.parametrize("text", ["parameters", "env.A.B", "parameters."])
def test_and_no_other_number(text):
    with pytest.raises(ValueError, match="invalid reference"):
        parse_reference(text)


def test_find_tells_the_place_of_every_reference():
    found = list(find_references({"k": ["plain", "${a.b.c}-${d.e.f}"], "l": "$${g.h.i}"}))
    assert found == [(("k", 1), "a.b.c"), (("k", 1), "d.e.f")]


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c.d", "a..c", ".b.c"])
def test_what_has_not_three_names_is_no_reference(text):
    with pytest.raises(
        ValueError, match=r"invalid reference `.*`: expected `JOB.STEP.OUTPUT`, `param"
    ):
        parse_reference(text)
