"""Names and figures of breaks: made by the recipe, and by nothing else."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.codec import decode, encode
from ledger.events import BreakApproved
from ledger.units import Address, Digest, EventId, Millis, desk_stream
from projections.breaks import Break, approval_statement, identity, opened, recorded
from tests.support.strategies import instances

ACCOUNT = Address("0x" + "ab" * 20)


def break_of(**changed) -> Break:
    plain = Break(
        identity="B-0123456789ab",
        desk="interest",
        account=ACCOUNT,
        subject="USDC supply",
        at=Millis(1),
        until=Millis(2),
        kind="wrong amount",
        expected=Decimal("0.50"),
        observed=Decimal("0.4"),
        difference=Decimal("-0.1"),
        convention="undetermined",
        candidates=(("simple", Decimal("0.4")),),
        events=(EventId("ab" * 16),),
        text="0.1 USDC less than by rule",
    )
    return attrs.evolve(plain, **changed)


@given(
    st.sampled_from(("interest", "state", "pool")),
    st.none() | st.just(ACCOUNT),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
    st.integers(0, 10**15),
    st.integers(0, 10**15),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
)
def test_the_name_of_a_break_is_made_by_its_recipe(desk, account, subject, at, until, key):
    said = json.dumps(
        [desk, account or "", subject, at, until, key], ensure_ascii=False, separators=(",", ":")
    )
    expected = "B-" + sha256(b"rollforward break 1\n" + said.encode()).hexdigest()[:12]
    assert expected == identity(
        desk=desk, account=account, subject=subject, at=Millis(at), until=Millis(until), key=key
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"identity": "B-0123456789ac"},
        {"kind": "rounding"},
        {"expected": Decimal("0.51")},
        {"expected": None},
        {"observed": Decimal("0.41")},
        {"difference": None},
        {"convention": "simple"},
        {"candidates": ()},
        {"candidates": (("simple", Decimal("0.41")),)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_number_of_a_break_is_in_its_figures(changed):
    assert break_of().figures != break_of(**changed).figures


def test_words_and_further_events_do_not_change_what_was_approved():
    more = break_of(events=(EventId("cd" * 16),), text="said better")
    assert break_of().figures == more.figures
    assert break_of().figures == break_of(expected=Decimal("0.5")).figures


@settings(max_examples=100)
@given(instances(Break))
def test_a_break_comes_back_from_its_event(found):
    event = opened(
        found, stream=desk_stream(found.account), at=Millis(9), against="venue",
        run=EventId("00" * 16), by="ana",
    )  # fmt: skip
    assert found == recorded(event)
    again = decode(encode(event))
    assert event == again
    assert found.figures == recorded(again).figures


def approved(**changed) -> BreakApproved:
    plain = BreakApproved(
        stream=desk_stream(ACCOUNT),
        at=Millis(7),
        identity="B-0123456789ab",
        figures=Digest("cd" * 32),
        explanation=EventId("ef" * 16),
        because="",
        signature=None,
        key=None,
        by="Ben Okri",
    )
    return attrs.evolve(plain, **changed)


def test_the_statement_that_is_signed_can_be_read():
    assert (
        "rollforward approval 1\n"
        f"stream desk:{ACCOUNT}\n"
        "break B-0123456789ab\n"
        f"figures {'cd' * 32}\n"
        f"explanation {'ef' * 16}\n"
        "by Ben Okri\n"
        "at 7 ms\n"
        "because -\n"
    ) == approval_statement(approved())


@pytest.mark.parametrize(
    "changed",
    [
        {"stream": desk_stream(None)},
        {"at": Millis(8)},
        {"identity": "B-0123456789ac"},
        {"figures": Digest("ce" * 32)},
        {"explanation": EventId("ee" * 16)},
        {"because": "seen"},
        {"by": "Ben"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_is_said_of_an_approval_is_in_its_statement(changed):
    assert approval_statement(approved()) != approval_statement(approved(**changed))
