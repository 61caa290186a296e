import pytest

from aetherflow.core.expression import Expression
from aetherflow.core.references import Reference

OUTPUTS = {
    Reference("load", "csv", "rows"): 3,
    Reference("load", "csv", "columns"): ["day", "amount"],
    Reference("check", "run-it", "stdout"): "ok and well",
    Reference("check", "run-it", "flag"): False,
    Reference("check", "run-it", "nothing"): None,
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
        ("1 < and", "column 5: expected a value, found 'and'"),
        ("1 2", "column 3: expected the end, found '2'"),
        ("true 'x'", "column 6: expected the end, found ''x''"),
        ("(true", "column 6: expected ')', found the end"),
        ("1 + 1", "column 3: cannot read '+ 1'"),
        ("load.csv", "column 1: 'load.csv' is no reference: write JOB.STEP.OUTPUT"),
        ("rows > 1", "column 1: 'rows' is no reference: write JOB.STEP.OUTPUT"),
        ("__import__('os')", "column 1: '__import__' is no reference: write JOB.STEP.OUTPUT"),
        ("'open", "column 1: cannot read ''open'"),
        ("(" * 60 + "true" + ")" * 60, "is nested more than 50 deep"),
        ("not " * 60 + "true", "is nested more than 50 deep"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_column(text, message):
    with pytest.raises(ValueError) as caught:
        Expression(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 < 'a'", "cannot tell whether a number < text"),
        ("true < false", "cannot tell whether true or false < true or false"),
        ("null > 1", "cannot tell whether null > a number"),
        ("1 in 2", "cannot look for a number in a number"),
        ("1", "needs true or false, found a number"),
        ("not 'a'", "needs true or false, found text"),
        ("load.csv.columns", "needs true or false, found a list"),
    ],
)
def test_what_cannot_be_decided_is_an_error(text, message):
    with pytest.raises(ValueError) as caught:
        Expression(text).evaluate(OUTPUTS)
    assert str(caught.value) == message


def test_references_are_known_before_anything_is_evaluated():
    expression = Expression("load.csv.rows > 0 or check.run-it.flag")
    assert expression.references == (("load", "csv", "rows"), ("check", "run-it", "flag"))
