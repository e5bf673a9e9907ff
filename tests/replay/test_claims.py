"""Claims on a book: proven, contradicted, unknown; two engines, and never a wrong one proven."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import NoReturn

import pytest

import replay
from ledger.errors import UnclearQuestion
from ledger.stores.form import header_line
from ledger.units import VENUE
from replay.claims import check_claims, read_claims
from replay.evidence.verifier.claims import evaluated, read_claim
from replay.evidence.verifier.course import course
from replay.evidence.verifier.engine import Journal, Listing
from tests.support import packs

UNIT = Decimal("0.00000001")


@pytest.fixture(scope="module")
def audit():
    with replay.open(packs.book_path(), cache=False) as opened:
        yield opened


def statuses(audit, text: str, at: int | None = None) -> list[tuple[str, str]]:
    account = audit.account(packs.venue().account)
    found = check_claims(account, read_claims(text), at=at, position=audit.position())
    return [(one.status, one.value) for one in found]


def journal(audit, position: int) -> Journal:
    """Return the clean-room engine's journal of the book's first account."""
    account = audit.account(packs.venue().account)
    batches = [
        (json.loads(header_line(batch.header)), list(batch.lines))
        for batch in audit.book.batches(account.stream)
    ]
    listed = [
        (line, json.loads(line)) for batch in audit.book.batches(VENUE) for line in batch.lines
    ]
    return Journal(course(batches, position), Listing(listed))


def no_margin() -> NoReturn:
    """Refuse what only claims about margin ask for."""
    raise AssertionError("no claim here is about margin")


def drawn_claims(audit, count: int) -> list[tuple[str, str, Decimal]]:
    """Return figures of random instants, with what the tables of the account show for them."""
    life, chance = packs.venue(), random.Random(5)
    moments = [row.time for row in life.rows]
    account = audit.account(life.account)
    found: list[tuple[str, str, Decimal]] = []
    while len(found) < count:
        at = chance.choice(moments)
        instant = account.at(at)
        sort = chance.choice(("balance", "balance", "position", "fee", "funding"))
        if sort == "balance":
            rows = [r for r in instant.balances.to_dicts() if r["place"] != "in-transit"]
            if rows:
                row = chance.choice(rows)
                subject = f"balance({row['place']}, {row['asset']})"
                found.append((f"{subject} @ {at}", row["asset"], Decimal(row["amount"])))
        elif sort == "position":
            rows = [r for r in instant.positions.to_dicts() if r["size"] != "0"]
            if rows:
                row = chance.choice(rows)
                found.append((f"position({row['market']}) @ {at}", row["market"],
                              Decimal(row["size"])))  # fmt: skip
        elif sort == "fee":
            found += [
                (f"fee({row['asset']}) @ {at}", row["asset"], Decimal(row["charged"]))
                for row in instant.fees.to_dicts()[:1]
            ]
        else:
            found += [
                (f"funding({row['market']}) @ {at}", row["money"],
                 Decimal(row["received_less_paid"]))
                for row in instant.funding.to_dicts()[:1]
            ]  # fmt: skip
    return found


def test_a_hundred_claims_are_judged_alike_by_both_engines_and_no_wrong_one_is_proven(audit):
    told = drawn_claims(audit, 100)
    lines, expected = [], []
    for number, (subject, unit, amount) in enumerate(told):
        off = amount + UNIT * (1 if number % 2 else -1)
        lines += [f"{subject} = {amount:f} {unit}", f"{subject} = {off:f} {unit}"]
        expected += ["proven", "contradicted"]
    found = statuses(audit, "\n".join(lines))
    assert expected == [status for status, _ in found]
    clean = journal(audit, audit.position())
    assert found == [evaluated(read_claim(line, None), clean, no_margin) for line in lines]


def test_comparisons_and_named_rounding(audit):
    at = packs.venue().now
    charged = Decimal(audit.account(packs.venue().account).at(at).fees.to_dicts()[-1]["charged"])
    token = audit.account(packs.venue().account).at(at).fees.to_dicts()[-1]["asset"]
    rounded = charged.quantize(Decimal("0.01"))
    subject = f"fee({token}) @ {at}"
    assert rounded != charged
    assert ["proven", "contradicted", "proven", "proven", "contradicted", "proven"] == [
        status
        for status, _ in statuses(
            audit,
            f"{subject} = {rounded} rounded 2\n{subject} = {rounded}\n{subject} != {rounded}\n"
            f"{subject} >= {charged}\n{subject} < {charged}\n{subject} <= {charged} {token}\n",
        )
    ]


def test_what_the_records_do_not_say_is_unknown_and_never_zero(audit):
    life = packs.venue()
    said = statuses(
        audit,
        f"balance(spot, NOBODY) @ {life.now} = 0\nposition(NOTHING) @ {life.now} = 0\n"
        f"fee(NOBODY) @ {life.now} = 0\nfunding(NOTHING) @ {life.now} = 0\n"
        f"balance(perp, USDC) @ {life.began - 86_400_000} = 0\nmargin(ratio) @ {life.now} < 1\n",
    )
    assert ["unknown"] * 6 == [status for status, _ in said]


def test_nothing_recorded_later_changes_what_was_known(audit):
    life = packs.venue()
    subject = f"count(events, 0000000000000..{life.now})".replace("0000000000000", "100000000000")
    now, then = statuses(audit, f"{subject} > 0\n{subject} > 0 known-at 1")
    assert "proven" == now[0]
    assert int(then[1]) < int(now[1])
    clean = journal(audit, 1)
    assert then == evaluated(read_claim(f"{subject} > 0", None), clean, no_margin)


def test_fees_in_two_tokens_are_not_one_sum(audit):
    life = packs.venue()
    span = f"{life.began}..{life.now}"
    with pytest.raises(UnclearQuestion, match="which do not add up"):
        statuses(audit, f"sum(fee per fill, {span}) > 0")
    with pytest.raises(UnclearQuestion, match="which do not add up"):
        statuses(audit, f"sum(size per fill, {span}) > 0")
    assert "proven" == statuses(audit, f"sum(size per fill, {span}, BTC) > 0 BTC")[0][0]


def test_money_of_a_result_is_not_added_to_another_token(audit):
    at = packs.venue().now
    with pytest.raises(UnclearQuestion, match="which do not add up"):
        statuses(audit, f"funding(BTC) @ {at} + balance(spot, HYPE) @ {at} > 0")


def test_two_claims_do_not_share_a_name(audit):
    at = packs.venue().now
    with pytest.raises(UnclearQuestion, match="is the name of two claims"):
        statuses(audit, f"a: fee(USDC) @ {at} > 0\na: fee(USDC) @ {at} > 1")


def test_a_file_of_claims_may_hold_remarks_and_empty_lines():
    assert 1 == len(read_claims("# remark\n\nfee(USDC) @ 2026-02-10T13:00Z > 0\n"))
