"""The query language of 3PL Warehouse Manager."""

import pytest

from sandbox.warehouse.threepl.rql import NotParsable, parse, values_of

ROW = {"a": 1, "b": "Box", "c": True, "d": "2026-02-01T00:00:00", "e": None, "f.g": "x,y"}


def holds(text: str) -> bool:
    return parse(text).holds(ROW.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        "a==1",
        "A==1",
        "b==box",
        "c==true",
        "a!=2",
        "a=in=(1,2)",
        "a=out=(2,3)",
        "d=ge=2026-02-01T00:00:00",
        "d=lt=2026-02-01T00:00:01",
        "a=gt=0;a=le=1",
        "e==null",
        "b=hv=true",
        "e=hv=false",
        "f.g==x%2Cy",
        "a==2,b==box",
        "a==1,b==no;c==false",
        "(a==2,b==box);c==true",
    ],
)
def test_an_expression_holds(text):
    assert holds(text)


@pytest.mark.parametrize("text", ["a==2", "b!=box", "a=in=(2,3)", "e=gt=1", "(a==1,b==no);c==false", "a==1;b==no"])
def test_an_expression_does_not_hold(text):
    assert not holds(text)


@pytest.mark.parametrize("text", ["", "a", "a=1", "a=like=1", "a==", "a=in=1", "a=in=(1", "(a==1", "a==1)", "a=gt=x"])
def test_a_text_is_no_expression(text):
    with pytest.raises(NotParsable):
        holds(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("b==x;a==1", ("x",)),
        ("a==1;b=in=(x,y)", ("x", "y")),
        ("b==x,a==1", None),
        ("b!=x", None),
    ],
)
def test_the_values_that_limit_a_property(text, values):
    assert values_of(parse(text), "b") == values
