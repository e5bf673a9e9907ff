"""Efficiency: the same account at the same instant under every way of margining, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import canonical, exact, round_half_even
from ledger.units import Millis
from projections.margin.efficiency import Distance, Efficiency, efficiency
from projections.margin.judge import Ruled, holding
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
class UnderRulebook:
    """The four ways under one rulebook."""

    rulebook: str
    ways: tuple[Efficiency, ...]

    def holds(self) -> tuple[bool | None, ...]:
        """Return for each way whether the positions could be held in it; None where unknown."""
        return tuple(None if each.free is None else each.free >= 0 for each in self.ways)


@attrs.frozen(kw_only=True)
class Compared:
    """The four ways of one account at one instant, toward USDC."""

    account: str
    at: Millis
    mode: str | None
    """The mode the account was in."""
    basis: str
    parts: tuple[UnderRulebook, ...]
    """One for each rulebook that may hold; two where nothing recorded decides between them."""
    note: str
    """Why there are two, or what decided; empty where one rulebook holds."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of what some figure of the table lacks."""
        ways = [each for part in self.parts for each in part.ways]
        if all(each.free is not None for each in ways):
            return ()
        names = [name for each in ways for name in each.missing]
        return tuple(dict.fromkeys(names)) or ("an input",)

    @property
    def agrees(self) -> bool:
        """Whether all rulebooks come to the same answer for every way: held or not."""
        return len({part.holds() for part in self.parts}) == 1

    @property
    def heading(self) -> str:
        """One line: which account, which instant, under which rules."""
        return (
            f"{self.account} at {iso(self.at)}, {self.mode or 'mode unknown'}; "
            f"rulebook {' and '.join(part.rulebook for part in self.parts)}"
        )


def compared(of: Assembler, at: Millis) -> Compared:
    """Return an account at an instant under the four ways.

    Where two rulebooks may have held, a recorded loan to value decides between them, and without
    one there are the ways under both, as in ``margin``.

    Raises: NotInForce, without a rulebook of portfolio margin.
    """
    picture, rests = of.picture(at)
    asked = of.question.rulebooks()
    # All four ways are wanted, whatever the account's own mode: portfolio margin among them.
    ruled = (
        holding(attrs.evolve(picture, mode="portfolioMargin"), of.question.calendar)
        if asked is None
        else Ruled(books=asked)
    )
    return Compared(
        account=of.history.account,
        at=at,
        mode=picture.mode,
        basis=rests.basis,
        parts=tuple(
            UnderRulebook(
                rulebook=book.id,
                ways=efficiency(picture, book, readings=of.question.readings),
            )
            for book in ruled.books
        ),
        note=ruled.note,
    )


def tables(found: Compared) -> list[Table]:
    """Return ways and distances under each rulebook; what is said once stands below the last."""
    shown_tables = []
    for part in found.parts:
        shown_tables += [ways_table(found, part), distances_table(found, part)]
    return shown_tables


def _title(text: str, found: Compared, part: UnderRulebook) -> str:
    return text if len(found.parts) == 1 else f"{text}, under {part.rulebook}"


def ways_table(found: Compared, part: UnderRulebook) -> Table:
    """Return what each way asks for and leaves. **Units**: USDC, shares in percent."""
    notes = [f"what the account had: {found.basis}"]
    if found.missing:
        notes.append(f"unknown for want of: {', '.join(found.missing)}")
    notes.append(
        "freed: free beyond what the unified way leaves; its share is of all the account has"
    )
    if found.note:
        said = "" if len(found.parts) == 1 else _agreement(found)
        notes.append(f"{found.note}{said}")
    return Table(
        title=_title("Ways of margining, in USDC", found, part),
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
            for each in part.ways
        ),
        numbers=frozenset({
            "margin", "maintenance", "requirement", "free", "freed", "freed_share",
        }),
        notes=tuple(notes),
    )  # fmt: skip


def _agreement(found: Compared) -> str:
    if found.agrees:
        return "; they agree which ways could hold the positions"
    return "; they differ in which ways could hold the positions"


def distances_table(found: Compared, part: UnderRulebook) -> Table:
    """Return how far each market may move under each way before its margin is used up."""
    rows = []
    for each in part.ways:
        rows += [
            (
                distance.coin, each.way, shown(distance.mark),
                _price(distance.alone), percent(distance.alone_share),
                _price(distance.together), percent(distance.together_share),
                _saved(distance, part),
            )
            for distance in each.distances
        ]  # fmt: skip
    return Table(
        title=_title("Distance to liquidation", found, part),
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


def _saved(distance: Distance, part: UnderRulebook) -> str | None:
    """Return how much further a market may move than with isolated margin, of its mark."""
    lone = next((each for each in part.ways[0].distances if each.coin == distance.coin), None)
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
    """Return everything as a dictionary of text, for programs; every row names its rulebook."""
    ways: list[dict[str, object]] = []
    distances: list[dict[str, object]] = []
    for part in found.parts:
        for table, rows in ((ways_table, ways), (distances_table, distances)):
            for row in table(found, part).to_dicts():
                named: dict[str, object] = {"rulebook": part.rulebook}
                rows.append(named | row)
    return {
        "account": found.account,
        "at": iso(found.at),
        "mode": found.mode,
        "rulebooks": [part.rulebook for part in found.parts],
        "note": found.note,
        "agrees": found.agrees,
        "rests_on": found.basis,
        "ways": ways,
        "distances": distances,
        "missing": list(found.missing),
    }
