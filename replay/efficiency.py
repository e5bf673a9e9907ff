"""Efficiency: the same account at the same instant under every way of margining, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import canonical, exact, round_half_even
from ledger.units import Millis
from projections.margin.efficiency import Distance, Efficiency, efficiency
from projections.rulebooks import in_force
from replay.margin_report import shown
from replay.moments import iso
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from decimal import Decimal

    from replay.margin import Assembler

NO_PRICE: Final = "no price"

DISTANCES: Final = (
    "alone: this market moves and nothing else; together: tokens of the same underlying move "
    "along; beyond isolated: by how much of the mark sharing margin moves that price away"
)


@attrs.frozen(kw_only=True)
class Compared:
    """The four ways of one account at one instant, toward USDC."""

    account: str
    at: Millis
    mode: str | None
    """The mode the account was in."""
    rulebook: str
    basis: str
    ways: tuple[Efficiency, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of what some figure of the table lacks."""
        if all(each.free is not None for each in self.ways):
            return ()
        names = [name for each in self.ways for name in each.missing]
        return tuple(dict.fromkeys(names)) or ("an input",)

    @property
    def heading(self) -> str:
        """One line: which account, which instant, under which rules."""
        return (
            f"{self.account} at {iso(self.at)}, {self.mode or 'mode unknown'}; "
            f"rulebook {self.rulebook}"
        )


def compared(of: Assembler, at: Millis) -> Compared:
    """Return an account at an instant under the four ways.

    Where two rulebooks may have held, the documented one is taken.

    Raises: NotInForce, without a rulebook.
    """
    picture, rests = of.picture(at)
    books = of.question.rulebooks() or in_force(at, of.question.calendar)
    return Compared(
        account=of.history.account,
        at=at,
        mode=picture.mode,
        rulebook=books[0].id,
        basis=rests.basis,
        ways=efficiency(picture, books[0], readings=of.question.readings),
    )


def ways_table(found: Compared) -> Table:
    """Return what each way asks for and leaves. **Units**: USDC, shares in percent."""
    notes = [f"what the account had: {found.basis}"]
    if found.missing:
        notes.append(f"unknown for want of: {', '.join(found.missing)}")
    notes.append(
        "freed: free beyond what the unified way leaves; its share is of all the account has"
    )
    return Table(
        title="Ways of margining, in USDC",
        columns=(
            "way", "margin", "maintenance", "requirement", "free", "freed", "freed_share",
            "could_hold",
        ),
        rows=tuple(
            (
                each.way, shown(each.margin), shown(each.maintenance), shown(each.requirement),
                shown(each.free), shown(each.freed), percent(each.freed_share),
                UNKNOWN if each.free is None else "yes" if each.free >= 0 else "no",
            )
            for each in found.ways
        ),
        numbers=frozenset({
            "margin", "maintenance", "requirement", "free", "freed", "freed_share",
        }),
        notes=tuple(notes),
    )  # fmt: skip


def distances_table(found: Compared) -> Table:
    """Return how far each market may move under each way before its margin is used up."""
    rows = []
    for each in found.ways:
        rows += [
            (
                distance.coin, each.way, shown(distance.mark),
                _price(distance.alone), percent(distance.alone_share),
                _price(distance.together), percent(distance.together_share),
                _saved(distance, found),
            )
            for distance in each.distances
        ]  # fmt: skip
    return Table(
        title="Distance to liquidation",
        columns=(
            "market", "way", "mark", "alone", "alone_share", "together", "together_share",
            "beyond_isolated",
        ),
        rows=tuple(sorted(rows, key=lambda row: str(row[0]))),
        numbers=frozenset({
            "mark", "alone", "alone_share", "together", "together_share", "beyond_isolated",
        }),
        notes=(DISTANCES,),
        empty="no position open",
    )  # fmt: skip


def _price(price: Decimal | None) -> str:
    return NO_PRICE if price is None else shown(price)


def _saved(distance: Distance, found: Compared) -> str | None:
    """Return how much further a market may move than with isolated margin, of its mark."""
    lone = next((each for each in found.ways[0].distances if each.coin == distance.coin), None)
    if lone is None or lone.alone_share is None:
        return None
    if distance.together_share is None:
        return None
    with exact():
        return percent(abs(distance.together_share) - abs(lone.alone_share))


def percent(share: Decimal | None) -> str | None:
    """Return a share in percent, at two places; nothing for none."""
    if share is None:
        return None
    with exact():
        return f"{canonical(round_half_even(share * 100, 2))}%"


def to_dict(found: Compared) -> dict[str, object]:
    """Return everything as a dictionary of text, for programs."""
    return {
        "account": found.account,
        "at": iso(found.at),
        "mode": found.mode,
        "rulebook": found.rulebook,
        "rests_on": found.basis,
        "ways": ways_table(found).to_dicts(),
        "distances": distances_table(found).to_dicts(),
        "missing": list(found.missing),
    }
