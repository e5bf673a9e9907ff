"""Law 5: an event becomes bytes and comes back, and canonical bytes stay as they are."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import decode, encode, event_id, identity, kind_of, tag_of
from ledger.events import Event
from ledger.kinds import KINDS
from tests.support.strategies import events, instances

EACH_KIND = pytest.mark.parametrize("tag", sorted(KINDS))


@EACH_KIND
@settings(max_examples=25)
@given(data=st.data())
def test_every_kind_comes_back_from_its_bytes(tag: str, data: st.DataObject) -> None:
    event = data.draw(instances(KINDS[tag].event_class))
    line = encode(event)
    assert event == decode(line)
    assert line == encode(decode(line))
    assert tag == tag_of(line) == kind_of(event).tag


@given(event=events())
def test_canonical_bytes_are_those_of_rfc_8785(event: Event) -> None:
    line = encode(event)
    assert rfc8785.dumps(json.loads(line)) == line


@given(event=events())
def test_a_line_is_one_line_without_floats(event: Event) -> None:
    line = encode(event)

    def refused(number: str) -> float:
        pytest.fail(f"{number} would be read as a float")

    assert b"\n" not in line
    json.loads(line, parse_float=refused, parse_constant=refused)


@given(event=events())
def test_numbers_are_plain_digits(event: Event) -> None:
    """The one text of a number: no exponent, no trailing zero, no minus zero."""
    fields = json.loads(encode(event))
    for name, value in fields.items():
        if isinstance(getattr(event, name, None), Decimal):
            assert "e" not in value.lower()
            assert value == str(value).rstrip("0").rstrip(".") or "." not in value
            assert value != "-0"
            assert Decimal(value) == getattr(event, name)


@given(event=events())
def test_identity_survives_the_journey(event: Event) -> None:
    line = encode(event)
    assert identity(event) == identity(decode(line)) == identity(event, line)
    assert event_id(event) == event_id(decode(line))


@given(event=events(), other=events())
def test_different_events_have_different_bytes(event: Event, other: Event) -> None:
    assert (event == other) == (encode(event) == encode(other))
