"""A supposed price or parameter is judged as a naive calculator judges it, through a whole book.

Accounts of simulated venues are imported from their papers. A price or a loan to value is supposed
by the words of the command; the naive calculator gets the venue's own numbers with the same change
made by hand: the price of the token, the mark of its position, and what that does to the money it
settles in. Loans alone are taken as the book counts their interest: other laws hold that.

``ROLLFORWARD_SUPPOSED`` sets how many portfolios are judged.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import replay
from ledger.book import Book
from ledger.units import Asset, Millis
from projections.margin import Input, Picture
from replay.dispute import suppositions as suppose
from replay.margin import Assembler, Question
from tests.support import pm_oracle, pm_papers
from tests.support.pm_rules import PERP, UNDERLYING
from tests.support.pm_truth import decimal
from tests.support.pm_venue import PmVenue, pm_history
from tests.support.route import Paper, take_in
from tests.support.venue_rules import text

PORTFOLIOS = int(os.environ.get("ROLLFORWARD_SUPPOSED", "40"))
PER_VENUE = 10

SLACK = Fraction(1, 10**12)
"""Relative to the larger of one and the ratio: the projection rounds quotients to twenty places."""

LTVS = ("0.1", "0.5", "0.6", "0.65", "0.9")


def imported(venue: PmVenue, folder: Path) -> Path:
    path = folder / f"{venue.seed}.book"
    with Book.create(path) as book:
        take_in(book, venue.accounts[0].account, [Paper("market.json", pm_papers.market(venue))])
        for account in venue.accounts[1:]:
            take_in(book, account.account, [
                Paper(name, body)
                for name, body in pm_papers.history(venue, account).items()
                if '"response": []' not in body
            ])  # fmt: skip
    return path


def with_loans(plain: dict[str, Any], picture: Picture) -> dict[str, Any]:
    """Return the venue's numbers with loans and their interest as the book counts them."""
    for name, row in plain["tokens"].items():
        token = picture.token(Asset(name))
        if token is None:
            continue
        assert isinstance(token.supplied, Input)
        assert isinstance(token.borrowed, Input)
        lent, owed = Fraction(token.supplied.value), Fraction(token.borrowed.value)
        off = lent - pm_oracle.fraction(row["supplied"])
        off -= owed - pm_oracle.fraction(row["borrowed"])
        total = pm_oracle.fraction(row["total"]) + off
        row.update(supplied=decimal(lent), borrowed=decimal(owed), total=decimal(total))
    return plain


def priced(plain: dict[str, Any], coin: str, px: str) -> None:
    """Put a price into the naive calculator's numbers: token, mark, and money settled in."""
    for name, row in plain["tokens"].items():
        if UNDERLYING.get(name) == coin:
            row["price"] = px
    for side in plain["dexes"].values():
        for row in side["positions"]:
            if row["coin"] == coin:
                gained = pm_oracle.fraction(px) - pm_oracle.fraction(row["mark"])
                gained *= pm_oracle.fraction(row["size"])
                money = plain["tokens"][side["collateral"]]
                money["total"] = decimal(pm_oracle.fraction(money["total"]) + gained)
                row["mark"] = px


def test_a_supposed_number_is_judged_as_by_a_naive_calculator(
    tmp_path: Path, figure: Callable[..., None]
) -> None:
    judged = changed = 0
    seed = 0
    while judged < PORTFOLIOS:
        venue, chance = pm_history(seed, 40), random.Random(seed)
        with replay.open(imported(venue, tmp_path), cache=False) as audit:
            for _ in range(PER_VENUE):
                account = chance.choice(venue.accounts[1:])
                at = chance.randrange(account.told[0][0], venue.now + 1)
                if venue.standing(account, at).mode != "portfolioMargin":
                    continue
                history, position = audit.account(account.account), audit.position()
                asked = Question(is_complete=True)
                actual = Assembler(history, position, asked)
                plain = with_loans(venue.plain(account, at), actual.picture(Millis(at))[0])
                if chance.random() < 0.7:
                    coin = chance.choice(sorted(PERP))
                    places = 6 - PERP[coin].places
                    now = venue.world(at).mark[coin]
                    px = text(now * chance.randrange(300, 2500) // 1000, places)
                    said = suppose.priced(f"{coin}={px}")
                    priced(plain, coin, px)
                else:
                    ltv = chance.choice(LTVS)
                    said = suppose.parameter(f"HYPE.ltv={ltv}")
                    plain["tokens"]["HYPE"]["ltv"] = ltv
                found = Assembler(history, position, said.question(asked)).at(Millis(at)).margin
                expected = pm_oracle.answers(plain)[0]
                first = found.judgements[0]
                ratio = None if first.ratio is None else first.ratio.value
                where = f"seed {seed}, {account.account} at {at}, {said.says}"
                if not expected["ratio",] or ratio is None:
                    assert not expected["ratio",], where
                    assert not ratio, where
                else:
                    off = abs(expected["ratio",] - Fraction(ratio))
                    assert off <= SLACK * max(1, expected["ratio",]), where
                assert expected["liquidatable",] == first.liquidatable, where
                before = actual.at(Millis(at)).margin.judgements[0].ratio
                changed += before is not None and before.value != ratio
                judged += 1
        seed += 1
    assert 3 * changed >= judged, "most of what is supposed matters"
    figure(
        line="5-4",
        text="supposed prices and parameters equal a naive calculator",
        value=f"{judged} portfolios, {changed} of them with another ratio",
    )
