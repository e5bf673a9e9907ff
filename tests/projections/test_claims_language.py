"""The language of claims: what is read, and what is refused before anything is looked up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.errors import UnclearQuestion
from projections.claims_language import parse_claim
from replay.evidence.verifier.canon import Refused, fixed
from replay.evidence.verifier.claims import moment, read_claim
from replay.moments import parse_moment

T = "2026-02-10T13:00Z"
SPAN = "2026-02-01T00:00Z..2026-02-28T23:59:59.999Z"


def test_a_claim_is_read_in_parts() -> None:
    claim = parse_claim(f"cash:  balance(perp xyz, USDC) @ {T} = -12.50 USDC rounded 2 known-at 17")
    (figure,) = claim.figures
    assert ("cash", "=", Decimal("-12.5"), "USDC", 2, "17") == (
        claim.name, claim.operator, claim.number, claim.unit, claim.rounded, claim.known
    )  # fmt: skip
    assert ("balance", ("perp xyz", "USDC"), T, "account") == (
        figure.word, figure.names, figure.moment, figure.grain
    )  # fmt: skip


def test_figures_are_added_and_taken_off() -> None:
    claim = parse_claim(f"realized(BTC) @ {T} + funding(BTC) @ {T} - fee(USDC) @ {T} > 0 USDC")
    assert [1, 1, -1] == [figure.sign for figure in claim.figures]


def test_a_sum_knows_its_grain_and_a_count_its_rows() -> None:
    fees = parse_claim(f"sum(fee USDC per fill, {SPAN}, BTC) <= 250 rounded 2").figures[0]
    assert ("fee", "USDC", "BTC", "fill") == (fees.field, fees.token, fees.market, fees.grain)
    paid = parse_claim(f"sum(funding per hour, {SPAN}) < 0").figures[0]
    assert ("funding", None, "hour") == (paid.field, paid.token, paid.grain)
    assert "fills" == parse_claim(f"count(fills, {SPAN}) = 165").figures[0].field


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (f"sum(account_value per fill, {SPAN}) < 0", "state of the account, and every fill"),
        (f"sum(balance per fill, {SPAN}) = 1", "it is a state of the account"),
        (f"sum(position per hour, {SPAN}) = 1", "it is a state of the account"),
        (f"sum(fee per hour, {SPAN}) = 1", "it is recorded once per fill"),
        (f"sum(funding per fill, {SPAN}) = 1", "it is recorded once per hour"),
        (f"sum(fee per account, {SPAN}) = 1", "it is recorded once per fill"),
        (f"sum(luck per fill, {SPAN}) = 1", "sums 'luck'"),
        (f"sum(fee, {SPAN}) = 1", "per nothing"),
        (f"count(accounts, {SPAN}) = 302", "counts 'accounts'"),
        (f"count(events, {SPAN}, BTC) = 3", "counts events of a market"),
        (f"position(BTC) @ {T} + balance(spot, USDC) @ {T} = 3", "do not add up"),
        (f"balance(spot, USDC) @ {T} + balance(spot, HYPE) @ {T} = 3", "do not add up"),
        (f"balance(spot, USDC) @ {T} = 3 HYPE", "do not add up"),
        (f"fee(USDC) @ {T} - sum(fee HYPE per fill, {SPAN}) = 3", "do not add up"),
        ("sum(fee USDC per fill, 2026-02-01T00:00Z) = 1", "gives sum(…) no period"),
        (f"wealth(USDC) @ {T} = 3", "names wealth(…)"),
        (f"balance(USDC) @ {T} = 3", "gives balance(…) 1 names"),
        (f"margin(health) @ {T} > 1", "is not the ratio"),
        (f"balance(spot, USDC) @ {T} = 1.2.3", "no number in plain digits"),
        (f"balance(spot, USDC) @ {T} = 1 rounded 99", "more than 18"),
        (f"balance(spot, USDC) @ {T} is 3", "is no claim"),
        (f"balance(spot, USDC) @ {T} fee(USDC) @ {T} = 3", "has no figure at"),
        (f"count(fills, {SPAN}) @ {T} = 3", "it has a period"),
    ],
)
def test_what_cannot_be_claimed_is_refused_with_a_reason(sentence: str, said: str) -> None:
    with pytest.raises(UnclearQuestion) as refused:
        parse_claim(sentence)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "text", ["2026-02-10T13:00Z", "2026-02-10T14:00:05+01:00", "2024-02-29 23:59:59.9-0530",
             "1770728400000", "2026-02-10T13:00:00.123Z"],
)  # fmt: skip
def test_both_readers_mean_the_same_moment(text: str) -> None:
    assert parse_moment(text) == moment(text)


@pytest.mark.parametrize(
    "text", ["2026-02-30T13:00Z", "2026-02-10T13:00", "2026-02-10", "2026-13-10T13:00Z",
             "2026-02-10T24:00Z", "17", "yesterday"],
)  # fmt: skip
def test_both_readers_refuse_what_is_no_moment(text: str) -> None:
    with pytest.raises(UnclearQuestion):
        parse_moment(text)
    with pytest.raises(Refused):
        moment(text)


@pytest.mark.parametrize(
    "sentence",
    [
        f"balance(spot, USDC) @ {T} = 1 USDC",
        f"cash: balance(perp, USDC) @ {T} >= -1.5 rounded 2 known-at 3",
        f"realized(BTC) @ {T} - fee(USDC) @ {T} != 0",
        f"-funding(BTC) @ {T} > 0 USDC",
        f"sum(fee USDC per fill, {SPAN}, BTC) < 9",
        f"count(fills, {SPAN}) <= 9",
    ],
)
def test_the_verifier_reads_the_same_parts(sentence: str) -> None:
    ours, theirs = parse_claim(sentence), read_claim(sentence, None)
    assert (ours.name, ours.operator, ours.unit, ours.rounded) == (
        theirs["name"], theirs["op"], theirs["unit"], theirs["places"]
    )  # fmt: skip
    assert [(one.word, one.sign) for one in ours.figures] == [
        (word, sign) for word, _, _, sign in theirs["terms"]
    ]
    assert fixed(str(ours.number)) == theirs["value"]
