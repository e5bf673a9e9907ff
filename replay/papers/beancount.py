"""Beancount: a statement as a file that ``bean-check`` accepts, with balance assertions.

Days are UTC. Beancount asserts a balance at the beginning of a day, so a state the venue showed is
carried to the end of its day by what moved after it; every assertion is exact (``~ 0``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from replay.papers.journal import Assertion, Journal, journal
from replay.papers.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.units import Asset, Millis
    from replay.papers.journal import Transaction
    from replay.statement import Statement


def text(statement: Statement) -> str:
    """Return the statement as a Beancount file."""
    return "".join(f"{line}\n" for line in _lines(journal(statement)))


def _lines(made: Journal) -> Iterator[str]:
    names = dict(made.commodities)
    yield f"; {_plain(made.heading)}"
    yield from (f"; {_plain(remark)}" for remark in made.remarks)
    yield ""
    yield f'option "title" "{_quoted(made.heading)}"'
    yield f'option "operating_currency" "{names[made.money]}"'
    yield ""
    first = _day(made.since)
    for asset, name in made.commodities:
        yield f"{first} commodity {name}"
        yield f'  name: "{_quoted(asset)}"'
    yield ""
    yield from (f"{first} open {account}" for account in made.accounts)
    for at, asset, px in made.prices:
        day = first if at < made.since else _day(at)
        yield f"{day} price {names[asset]} {number(px)} {names[made.money]}"
    for step in made.steps:
        yield ""
        if isinstance(step, Assertion):
            yield from _assertion(made, step, names)
        else:
            yield from _transaction(made, step, names)


def _transaction(made: Journal, step: Transaction, names: dict[Asset, str]) -> Iterator[str]:
    yield f'{_day(step.at)} {"*" if step.is_certain else "!"} "{_quoted(step.what)}"'
    yield from (f'  {name}: "{_quoted(value)}"' for name, value in step.facts)
    for account, amount, asset in step.legs:
        yield f"  {account}  {made.number(amount)} {names[asset]}"


def _assertion(made: Journal, step: Assertion, names: dict[Asset, str]) -> Iterator[str]:
    amount = made.number(step.at_day_end)
    yield f"{_day(step.at, after=1)} balance {step.account}  {amount} ~ 0 {names[step.asset]}"
    yield f'  asserts: "{_quoted(step.what)}"'
    if step.at_day_end != step.amount:
        yield f'  shown: "{number(step.amount)}"'


def _day(at: Millis, *, after: int = 0) -> str:
    return f"{datetime.fromtimestamp(at // 1000, tz=UTC) + timedelta(days=after):%Y-%m-%d}"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def _quoted(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace('"', '\\"')
