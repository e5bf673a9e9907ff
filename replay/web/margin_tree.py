"""The margin tree: the verdict, what it hangs on, and the parts of that, each leading on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from projections.rulebooks import by_id
from replay import margin_report as report
from replay.tables import UNKNOWN
from replay.web.cells import Cell, Grid, grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.margin import ExchangeMargin, Figure, Judgement, PositionMargin, TokenMargin
    from replay.margin import MarginAt
    from replay.web.links import Asked

FIGURE: Final = "margin "
"""How the name of a figure of margin begins in an address."""


@attrs.frozen(kw_only=True)
class Node:
    """One figure of margin and those it is made of."""

    name: str
    of: str
    cell: Cell
    unit: str
    rule: str
    status: str
    """How sure we are of the rule: confirmed, observed, documented, inferred, hypothetical."""
    note: str
    parts: tuple[Node, ...] = ()


@attrs.frozen(kw_only=True)
class Book:
    """The rulebook of a judgement and where its text was read."""

    id: str
    status: str
    sources: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Branch:
    """Margin under one rulebook."""

    rulebook: Book
    verdict: str
    liquidatable: bool | None
    readings: tuple[str, ...]
    account: tuple[Node, ...]
    tokens: tuple[Node, ...]
    exchanges: tuple[Node, ...]
    conditions: Grid
    missing: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Tree:
    """Margin of an account at an instant, under every rulebook that may have held."""

    mode: str
    heading: str
    branches: tuple[Branch, ...]
    agrees: bool
    """Whether all of them come to the same verdict."""
    notes: tuple[str, ...]
    compared: Grid | None
    """The venue's own figures of that very moment; None where none are recorded."""


def tree(found: MarginAt, asked: Asked) -> Tree:
    """Return margin as a tree; every figure leads to its workings."""
    margin = found.margin
    return Tree(
        mode=margin.picture.mode or UNKNOWN,
        heading=report.heading(found),
        branches=tuple(_branch(found, judgement, asked) for judgement in margin.judgements),
        agrees=margin.agrees,
        notes=report.notes(found, margin.judgements[-1]),
        compared=grid(report.compared_table(found)) if found.compared else None,
    )


def subject(name: str, of: str) -> str:
    """Return how a figure of margin is asked for: ``margin ratio of USDC`` behind ``margin``."""
    return f"{FIGURE}{name} of {of}" if of else f"{FIGURE}{name}"


def _branch(found: MarginAt, judgement: Judgement, asked: Asked) -> Branch:
    book = by_id(judgement.rulebook, found.question.calendar)
    return Branch(
        rulebook=Book(
            id=book.id,
            status=book.status,
            sources=tuple(f"{each.text}, seen {each.seen}" for each in book.sources),
        ),
        verdict=report.verdict_text(judgement),
        liquidatable=judgement.liquidatable,
        readings=judgement.readings,
        account=tuple(_node(figure, asked) for figure in report.of_account(judgement)),
        tokens=tuple(_token(each, asked) for each in judgement.tokens),
        exchanges=tuple(_exchange(each, asked) for each in judgement.exchanges),
        conditions=grid(report.verdicts_table(judgement)),
        missing=judgement.missing,
    )


def _node(figure: Figure, asked: Asked, parts: tuple[Node, ...] = ()) -> Node:
    return Node(
        name=figure.name,
        of=figure.of,
        cell=Cell(
            text=report.cell_text(figure),
            href=asked.why(subject(figure.name, figure.of)),
            is_number=True,
        ),
        unit=figure.unit,
        rule=figure.rule or "input",
        status=figure.status,
        note=figure.note,
        parts=parts,
    )


def _token(token: TokenMargin, asked: Asked) -> Node:
    figures = list(report.of_token(token))
    head = token.ratio or token.net
    rest = tuple(_node(each, asked) for each in figures if each is not head)
    return _node(head, asked, rest)


def _exchange(exchange: ExchangeMargin, asked: Asked) -> Node:
    own = [exchange.cross_value, exchange.cross_maintenance, exchange.isolated_margin,
           exchange.initial, exchange.notional, exchange.transfer_requirement]  # fmt: skip
    parts = [_node(each, asked) for each in own]
    parts += [_position(each, asked) for each in exchange.positions]
    return _node(exchange.account_value, asked, tuple(parts))


def _position(position: PositionMargin, asked: Asked) -> Node:
    return _node(position.value, asked, tuple(_node(each, asked) for each in _of(position)))


def _of(position: PositionMargin) -> Iterator[Figure]:
    yield position.maintenance
    yield position.initial
    yield position.unrealized
    if position.margin is not None:
        yield position.margin
    yield position.free
    yield position.liquidation_price
