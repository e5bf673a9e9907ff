"""Rows: the characters as received, whatever stands around them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.rows import Rows

ANSWER = b'[ {"a" : 1.50, "b":[1,2]} ,\n{"a": 2e-7}]'
CAPTURE = b'[{"request":{},"response":[10, "x\\"]", {"k": [true]}]}]'


@pytest.mark.parametrize(
    ("body", "place", "expected"),
    [
        (ANSWER, "[0]", '{"a" : 1.50, "b":[1,2]}'),
        (ANSWER, "[1]", '{"a": 2e-7}'),
        (ANSWER, "[0].b[1]", "2"),
        (CAPTURE, "[0].response[1]", '"x\\"]"'),
        (CAPTURE, "[0].response[2].k[0]", "true"),
        (b'{"only": "one"}', "[0]", '{"only": "one"}'),
        (b"\xef\xbb\xbf[5]", "[0]", "5"),
        (b"head\r\na,b\r\nc,d", "line 2", "a,b"),
        (b"head\na,b\nc,d", "line 3", "c,d"),
        ("a\u2028b\nc".encode(), "line 1", "a\u2028b"),
    ],
)
def test_the_text_of_a_place(body, place, expected):
    assert expected == Rows(body).text(place)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (ANSWER, "[2]"), (ANSWER, "[0].c"), (b"{}", "[1]"), (b"", "[0]"), (b"[1", "[1]"),
        (b"5", ".a"), (b"a\nb", "line 9"), (b"a", "line x"), (b"[" * 100_000, "[0]"),
    ],
)  # fmt: skip
def test_a_place_that_is_not_there_has_no_text(body, place):
    assert Rows(body).text(place) is None


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner)
)


@given(st.lists(values, min_size=1), st.sampled_from([None, 1]), st.data())
def test_any_row_of_any_list_is_found(rows, indent, data):
    number = data.draw(st.integers(0, len(rows) - 1))
    found = Rows(json.dumps(rows, indent=indent).encode()).text(f"[{number}]")
    assert rows[number] == json.loads(found)
