"""Exact: tables of margin with all their digits, where people are shown ten places.

What a figure is stays what it is on paper; a quotient has the twenty places of its rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.money import canonical
from replay.margin_report import of_account, of_token
from replay.margin_timeline import COLUMNS
from replay.moments import iso
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from projections.margin import Figure, Judgement
    from replay.margin import MarginAt
    from replay.margin_timeline import Timeline

FIGURES = ("rulebook", "figure", "of", "value", "unit", "rule", "status", "missing")
POSITIONS = (
    "rulebook", "exchange", "market", "kind", "size", "mark", "value", "maintenance",
    "liquidation_price",
)  # fmt: skip


def of_timeline(found: Timeline) -> tuple[Table, Table]:
    """Return margin through time, one row per instant, and the events that moved it."""
    words = {True: "yes", False: "no", None: UNKNOWN}
    margin = Table(
        title="Margin",
        columns=COLUMNS,
        rows=tuple(
            (
                iso(each.at), _number(each.ratio, is_unknown=bool(each.missing)),
                _number(each.requirement, is_unknown=bool(each.missing)),
                _number(each.value, is_unknown=bool(each.missing)),
                "differs" if each.differ else words[each.liquidatable], each.mode,
                " | ".join(each.rulebooks), ", ".join(each.missing) or None,
            )
            for each in found.points
        ),
        numbers=frozenset({"ratio", "requirement", "value"}),
        notes=found.notes(),
    )  # fmt: skip
    movers = Table(
        title="Movers",
        columns=("at", "until", "what", "before", "after", "change", "liquidation"),
        rows=tuple(
            (
                iso(each.at), iso(each.until), each.what,
                *(_number(value, is_unknown=True)
                  for value in (each.before, each.after, each.change)),
                "yes" if each.is_liquidation else "no",
            )
            for each in found.movers
        ),
        numbers=frozenset({"before", "after", "change"}),
        empty="none by as much as a thousandth",
    )  # fmt: skip
    return margin, movers


def of_margin(found: MarginAt) -> tuple[Table, Table]:
    """Return every figure of an instant, and every position, under each rulebook."""
    judgements = found.margin.judgements
    figures = Table(
        title="Figures",
        columns=FIGURES,
        rows=tuple(
            (
                judgement.rulebook, each.name, each.of, _figure(each), each.unit, each.rule,
                each.status, ", ".join(each.missing) or None,
            )
            for judgement in judgements
            for each in _figures(judgement)
        ),
        numbers=frozenset({"value"}),
    )  # fmt: skip
    positions = Table(
        title="Positions",
        columns=POSITIONS,
        rows=tuple(
            (
                judgement.rulebook, exchange.dex, each.coin,
                "isolated" if each.is_isolated else "cross", _number(each.size, is_unknown=True),
                _number(each.mark, is_unknown=True), _figure(each.value),
                _figure(each.maintenance), _figure(each.liquidation_price),
            )
            for judgement in judgements
            for exchange in judgement.exchanges
            for each in exchange.positions
        ),
        numbers=frozenset({"size", "mark", "value", "maintenance", "liquidation_price"}),
        empty="none open",
    )  # fmt: skip
    return figures, positions


def _figures(judgement: Judgement) -> Iterator[Figure]:
    yield from of_account(judgement)
    for token in judgement.tokens:
        yield from of_token(token)
    if not judgement.tokens:
        for each in judgement.exchanges:
            yield from (
                each.account_value, each.cross_maintenance, each.initial,
                each.transfer_requirement,
            )  # fmt: skip


def _figure(figure: Figure) -> str | None:
    """Return a figure in full; nothing where it does not exist, as a price that nothing has."""
    return _number(figure.value, is_unknown=bool(figure.missing))


def _number(value: Decimal | None, *, is_unknown: bool) -> str | None:
    if value is None:
        return UNKNOWN if is_unknown else None
    return canonical(value)
