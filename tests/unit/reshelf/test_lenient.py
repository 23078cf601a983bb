"""JSON that is none: whatever one row of a batch holds, the rows beside it are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reshelf import lenient, parsing
from reshelf.lenient import Unparsed

EVENT: dict[str, Any] = {"event_id": "e", "kind": "view", "at": "2026-03-01T12:00:00Z", "user_id": "u", "item_id": "i"}
GOOD = json.dumps(EVENT)
DEEP = "[" * 10_000 + "]" * 10_000

BROKEN_VALUES = {
    '"\\ud800"': "is not valid Unicode",
    '"a\\u0000"': "remove the NUL",
    "1e999": "1e999 is a number out of range",
    "-1e400": "out of range",
    "9" * 400: "Number out of range",
    "9" * 5000: "out of range",
    "NaN": "NaN is no number of JSON",
    "-Infinity": "-Infinity is no number of JSON",
    DEEP: "is nested more than 64 levels deep",
    '{"a":' * 10_000 + "1" + "}" * 10_000: "is nested more than 64 levels deep",
    "oops": "is no JSON",
    "'x'": "is no JSON",
    "[1, 2": None,
}


def parsed(body: str) -> Any:
    return parsing.parse_events(lenient.loads(body.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(("value", "says"), [pair for pair in BROKEN_VALUES.items() if pair[1]])
def test_a_value_that_is_none_costs_its_row_alone(value: str, says: str) -> None:
    bad_row = GOOD[:-1] + f', "value": {value}' + "}"
    found = parsed(f"[{GOOD}, {bad_row}, {GOOD}]")
    [bad] = found.bad
    assert (bad.index, bad.id, len(found.good)) == (1, "e", 2)
    # A text where a number belongs is refused for that, before it is looked at.
    assert bad.field == "value"
    assert says in bad.error or "got `str`" in bad.error


@pytest.mark.parametrize("row", [DEEP, "oops", "{event_id: 1}", "", "5", "NaN", '"\\ud800"', "[1 2]"])
def test_a_row_that_is_none_costs_itself_alone(row: str) -> None:
    found = parsed(f"[{GOOD}, {row}, {GOOD}]")
    assert [(bad.index, bad.field) for bad in found.bad] == [(1, "row")]
    assert len(found.good) == 2


def test_a_name_that_is_half_a_character_is_answered() -> None:
    found = parsed(f'[{GOOD[:-1]}, "x\\ud800": 1}}, {GOOD}]')
    assert [(bad.field, bad.error) for bad in found.bad] == [("x�", "is not valid Unicode (a lone surrogate)")]


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b"\xef\xbb\xbf[1]", [1]),
        ("[1]".encode("utf-16"), [1]),
        (b'["a\tb", 1,]', ["a\tb", 1]),
        (b'{"events": [1, 2]}', {"events": [1, 2]}),
        (b'["\xff"]', ["\udcff"]),
        (b'["]", "\\"]", "\\\\"]', ["]", '"]', "\\"]),
        (
            b'[[[{"a": x}]], {"k": 1}, null]',
            [[[{"a": Unparsed("is no JSON: Expecting value: line 1 column 1 (char 0)", "x", True)}]], {"k": 1}, None],
        ),
    ],
)
def test_what_can_be_read_is_read(body: bytes, document: Any) -> None:
    assert lenient.loads(body) == document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"5",
        b'"x"',
        b"nonsense",
        b"[",
        b"[1",
        b"[1}",
        b"[1]]",
        b'["',
        b"[" * 100_000,
        b"[1] [2]",
        b"[" + b"," * 200_000 + b"]",
        b"\xff\xfe",
    ],
)
def test_what_is_no_document_is_refused_whole(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whichever
        lenient.loads(body)


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\ue1-9aN ', max_size=200).map(str.encode))
def test_reading_ends_and_raises_nothing_else(body: bytes) -> None:
    try:
        found = lenient.loads(body)
    except ValueError:
        return
    assert isinstance(found, list | dict)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_python_writes_is_read_as_it_was(value: Any) -> None:
    found = lenient.loads(json.dumps([value, {}]).encode())
    assert found[1] == {}
    assert json.dumps(found[0], default=str).replace('"', "") == json.dumps(value).replace('"', "")


rows = st.lists(
    st.sampled_from([GOOD, *BROKEN_VALUES, GOOD[:-1] + ', "value": 1e999}', GOOD.replace("view", "\\ud800")])
)


@given(rows.filter(lambda batch: "[1, 2" not in batch))
def test_any_batch_keeps_its_good_rows(batch: list[str]) -> None:
    found = parsed(f"[{', '.join(batch)}]")
    places = [place for place, row in enumerate(batch) if row == GOOD]
    bad = [rejection.index for rejection in found.bad]
    assert len(found.good) == len(places)
    assert sorted([*places, *bad]) == list(range(len(batch)))
