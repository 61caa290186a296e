"""The language of `when`: what holds, what is refused and where."""

import pytest

from aetherflow.core.expression import Expression

EXPECTED = "expected `JOB.STEP.OUTPUT`, `parameters.NAME` or `env.NAME`"
OUTPUTS = {
    "load.csv.rows": 3,
    "load.csv.columns": ["day", "amount"],
    "check.run-it.stdout": "ok and well",
    "check.run-it.flag": False,
    "check.run-it.nothing": None,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("not true", False),
        ("not not true", True),
        ("1 < 2", True),
        ("2 <= 2", True),
        ("2 > 2", False),
        ("-1 >= -1.5", True),
        ("1 == 1.0", True),
        ("'a' != \"b\"", True),
        ("'and' == 'and'", True),
        ("'' == ''", True),
        ("true or false and false", True),
        ("(true or false) and false", False),
        ("not false and false", False),
        ("load.csv.rows > 0", True),
        ("load.csv.rows == 3 and check.run-it.flag == false", True),
        ("check.run-it.flag", False),
        ("check.run-it.nothing == null", True),
        ("'amount' in load.csv.columns", True),
        ("'well' in check.run-it.stdout", True),
        ("4 in load.csv.columns", False),
        ("  load.csv.rows>0  ", True),
    ],
)
def test_value(text, expected):
    assert Expression(text).evaluate(OUTPUTS) is expected


def test_the_second_operand_is_only_looked_at_if_it_matters():
    assert Expression("true or 1 < 'a'").evaluate({}) is True
    assert Expression("false and 1 < 'a'").evaluate({}) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected a value, found the end"),
        ("1 <", "column 4: expected a value, found the end"),
        ("1 < and", "column 5: expected a value, found `and`"),
        ("1 2", "column 3: expected the end, found `2`"),
        ("true 'x'", "column 6: expected the end, found `'x'`"),
        ("(true", "column 6: expected `)`, found the end"),
        ("1 + 1", "column 3: cannot read `+ 1`"),
        ("load.csv", f"column 1: invalid reference `load.csv`: {EXPECTED}"),
        (
            "rows > 1",
            f"column 1: invalid reference `rows`: {EXPECTED}",
        ),
        (
            "__import__('os')",
            f"column 1: invalid reference `__import__`: {EXPECTED}",
        ),
        ("'open", "column 1: cannot read `'open`"),
        ("(" * 60 + "true" + ")" * 60, "nested more than 50 deep"),
        ("not " * 60 + "true", "nested more than 50 deep"),
    ],
)
def test_an_invalid_expression_is_refused_with_its_column(text, message):
    with pytest.raises(ValueError) as caught:
        Expression(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 < 'a'", "cannot compare a number < text"),
        ("true < false", "cannot compare true or false < true or false"),
        ("null > 1", "cannot compare null > a number"),
        ("1 in 2", "cannot look for a number in a number"),
        ("1", "expected true or false, found a number"),
        ("not 'a'", "expected true or false, found text"),
        ("load.csv.columns", "expected true or false, found a list"),
    ],
)
def test_what_cannot_be_decided_is_an_error(text, message):
    with pytest.raises(ValueError) as caught:
        Expression(text).evaluate(OUTPUTS)
    assert str(caught.value) == message


def test_references_are_known_before_anything_is_evaluated():
    expression = Expression("load.csv.rows > 0 or check.run-it.flag")
    assert expression.references == ("load.csv.rows", "check.run-it.flag")
