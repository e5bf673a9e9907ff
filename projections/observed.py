"""Observed: every figure of an observed state that is a sum of movements, beside the one rebuilt.

Sizes, money of exchanges, tokens on spot, supplies and debts are sums of what is recorded, and can
be rebuilt. What follows from other figures of the same state (values, margins, liquidation prices)
is held against those in ``identities``; what the venue bound (holds) is neither.

Interest runs on between its hourly rows, so that a supply or debt shown may be ahead of the sum of
rows: by how much at most, whoever asks says (``Running``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from ledger.money import ZERO
from ledger.units import Asset, Coin, dex_of
from projections import chart
from projections.arithmetic import EXACT
from projections.chart import Place
from projections.positions import Position, stated_size
from projections.positions import size as summed_size
from projections.postings import is_perp
from projections.reference import Reference
from projections.rulebooks import formulas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.events import (
        LendingStateObserved,
        ObservedBalance,
        PerpStateObserved,
        SpotStateObserved,
    )
    from ledger.units import Dex

NO_HISTORY: Final = "nothing recorded before it"
ONE_BALANCE: Final = "in this mode one balance stands for spot and perpetuals"
NO_MARKS: Final = "one balance stands for all, and no perpetuals state of that instant has marks"
OTHER_SIZES: Final = "one balance stands for all, and positions differ"
SEVERAL: Final = "money of several tokens on one exchange"
NO_ROWS: Final = "how long interest has been running is not recorded"
STOPPED: Final = "an event of unknown kind came before it"

SINGLE_BALANCE_MODES: Final = frozenset({"unifiedAccount", "portfolioMargin"})

Verdict: TypeAlias = Literal["agrees", "within", "differs", "unknown"]
Side: TypeAlias = Literal["supply", "borrow"]

FAST: Final = "ahead of its rows by more than the recorded rates explain, not more than a rate may"


@attrs.frozen
class Room:
    """How far a figure may be from the rebuilt one on one side.

    ``likely`` at the rates recorded nearby, ``most`` at any rate the curve allows; None where how
    long interest has been running is not known.
    """

    likely: Decimal | None
    most: Decimal | None


NO_ROOM: Final = Room(ZERO, ZERO)

Running: TypeAlias = "Callable[[Asset, Side, Decimal], Room]"
"""(token, side, sum of rows) → how far interest may be ahead of the rows."""


@attrs.frozen(kw_only=True)
class Figure:
    """One observed figure beside the rebuilt one. **Units**: those of the subject.

    ``above`` and ``below`` say how far it may be from the rebuilt one: what interest runs on to,
    and what printing cuts off.
    """

    subject: str
    expected: Decimal | None
    observed: Decimal
    above: Room = NO_ROOM
    below: Room = NO_ROOM
    lacking: str = ""
    """Why there is nothing to hold it against."""

    @property
    def is_nothing(self) -> bool:
        """True where nothing is shown, and nothing recorded ever was there."""
        return self.lacking == NO_HISTORY and not self.observed

    @property
    def difference(self) -> Decimal | None:
        """Observed less rebuilt; use it in the exact context."""
        return None if self.expected is None else self.observed - self.expected

    @property
    def verdict(self) -> Verdict:
        """Whether it is the rebuilt one, within what is stated, or neither; in ``exact``."""
        difference = self.difference
        if difference is None:
            return "unknown"
        if not difference:
            return "agrees"
        room = self.above if difference > ZERO else self.below
        if room.likely is not None and abs(difference) <= room.likely:
            return "within"
        if room.most is None or abs(difference) <= room.most:
            return "unknown"
        return "differs"

    @property
    def why(self) -> str:
        """Why it is unknown, or empty."""
        if self.lacking:
            return self.lacking
        if self.verdict != "unknown":
            return ""
        room = self.above if self.difference and self.difference > ZERO else self.below
        return NO_ROWS if room.most is None else FAST


@attrs.frozen(kw_only=True)
class Held:
    """What the history leads to: states of the fold that are summed, or None where one stopped."""

    balances: Mapping[tuple[Place, Asset], Decimal] | None
    positions: Mapping[str, Position] | None
    reference: Reference
    is_whole: bool = False
    """True where the history is known to begin from nothing: what no event names is then zero."""
    unknown: frozenset[str] = frozenset()
    """Subjects that were there before anything recorded: they stay unknown all the same."""

    def balance(self, place: Place, asset: Asset, subject: str) -> Decimal | None:
        """Return a balance; None where nothing recorded moved it and it may have been there."""
        if self.balances is None:
            return None
        found = self.balances.get((place, asset))
        if found is None and self.is_whole and subject not in self.unknown:
            return ZERO
        return found

    def lacking(self) -> str:
        """Return why a balance is unknown."""
        return STOPPED if self.balances is None else NO_HISTORY


# ------------------------------------------------------------------------- perpetuals


def sizes(state: PerpStateObserved, held: Held, *, stated: bool = False) -> Iterator[Figure]:
    """Yield every position shown or rebuilt; *stated* takes over sizes that later fills state.

    Without it a fill that was never recorded shows for good, not only until the next one.
    """
    rule = stated_size if stated else summed_size
    observed = {each.coin: each.size for each in state.positions}
    rebuilt = {
        Coin(key): rule(each)
        for key, each in (held.positions or {}).items()
        if is_perp(Coin(key)) and not key.startswith("spot:") and dex_of(Coin(key)) == state.dex
    }
    for coin in sorted(observed.keys() | rebuilt.keys()):
        subject = f"size {coin}"
        expected = rebuilt.get(coin)
        if expected is None and held.is_whole and held.positions is not None:
            expected = None if subject in held.unknown else ZERO
        lacking = STOPPED if held.positions is None else NO_HISTORY
        yield Figure(
            subject=subject,
            expected=expected,
            observed=observed.get(coin, ZERO),
            lacking=lacking if expected is None else "",
        )


def money(state: PerpStateObserved, held: Held) -> Iterator[Figure]:
    """Yield the raw money of an exchange beside the sum of postings; nothing without totals."""
    if state.summary is None:
        return
    place = chart.perp(state.dex)
    subject = f"perp {state.dex}".rstrip() + " money"
    sums = [
        amount for (where, _), amount in (held.balances or {}).items() if where == place
    ]  # fmt: skip
    expected = sums[0] if len(sums) == 1 else None
    lacking = held.lacking() if not sums else SEVERAL
    if not sums and held.is_whole and held.balances is not None and subject not in held.unknown:
        expected = ZERO
    yield Figure(
        subject=subject,
        expected=expected,
        observed=state.summary.total_raw_usd,
        lacking=lacking if expected is None else "",
    )


# ------------------------------------------------------------------------- spot


def spot(
    state: SpotStateObserved,
    held: Held,
    *,
    single: bool,
    perps: Mapping[Dex, PerpStateObserved] | None = None,
    running: Running | None = None,
) -> Iterator[Figure]:
    """Yield every token of a spot state.

    *single*: one balance stands for everything; it is rebuilt where the states of the exchanges at
    that very instant (*perps*) tell the marks. A token that is neither shown nor there is left out.
    """
    shown: set[Asset] = set()
    for row in state.balances:
        shown.add(row.asset)
        if single:
            yield _net(row, held, perps or {}, running)
            yield from _loans_of_row(row, held, running)
            continue
        subject = f"spot {row.asset}"
        expected = held.balance(chart.SPOT, row.asset, subject)
        yield Figure(
            subject=subject,
            expected=expected,
            observed=row.total,
            lacking=held.lacking() if expected is None else "",
        )
    if single or held.balances is None:
        return
    for place, asset in held.balances:
        if place == chart.SPOT and asset not in shown and held.balances[place, asset]:
            yield Figure(
                subject=f"spot {asset}", expected=held.balances[place, asset], observed=ZERO
            )


def _net(
    row: ObservedBalance,
    held: Held,
    perps: Mapping[Dex, PerpStateObserved],
    running: Running | None,
) -> Figure:
    """Return the one balance of a token beside exchanges at their marks + spot + loans."""
    asset, subject = row.asset, f"net {row.asset}"
    values: list[Decimal] = []
    lacking = "" if held.balances is not None else STOPPED
    for (place, token), raw in (held.balances or {}).items():
        if token == asset and place.startswith("perp:"):
            value, why = _exchange(raw, place, held, perps)
            lacking = lacking or why
            values.append(value)
    parts = [
        held.balance(place, asset, subject)
        for place in (chart.SPOT, chart.SUPPLIED, chart.BORROWED)
    ]
    if lacking or (not values and all(each is None for each in parts)):
        return Figure(subject=subject, expected=None, observed=row.total,
                      lacking=lacking or NO_HISTORY)  # fmt: skip
    at_hand, supplied, owed = (each or ZERO for each in parts)
    expected = formulas.net_total(EXACT, at_hand, supplied, ZERO - owed, values)
    return Figure(
        subject=subject,
        expected=expected,
        observed=row.total,
        above=_ahead(running, asset, "supply", supplied),
        below=_ahead(running, asset, "borrow", ZERO - owed),
    )


def _exchange(
    raw: Decimal, place: Place, held: Held, perps: Mapping[Dex, PerpStateObserved]
) -> tuple[Decimal, str]:
    """Return the value of an exchange at the marks its state shows, and why it is not known."""
    state = next((each for dex, each in perps.items() if chart.perp(dex) == place), None)
    open_here = any(
        summed_size(each) and is_perp(Coin(key)) and chart.perp_of(Coin(key)) == place
        for key, each in (held.positions or {}).items()
    )
    if state is None:
        return raw, NO_MARKS if open_here or held.positions is None else ""
    if any(each.verdict != "agrees" for each in sizes(state, held)):
        return raw, OTHER_SIZES
    signed = []
    for each in state.positions:
        if each.value is None:
            return raw, NO_MARKS
        side = Decimal(-1 if each.size < ZERO else 1)
        signed.append(formulas.signed_value(EXACT, side, each.value))
    return formulas.account_value(EXACT, raw, signed), ""


# ------------------------------------------------------------------------- lending


def lending(
    state: LendingStateObserved, held: Held, *, running: Running | None
) -> Iterator[Figure]:
    """Yield every supply and debt of a lending state; what is nothing and never was is left out."""
    for loan in state.loans:
        asset = held.reference.symbols.get(loan.token)
        for side, observed in (("supply", loan.supply_value), ("borrow", loan.borrow_value)):
            if asset is None:
                if observed:
                    subject = f"{side} of token {loan.token}"
                    yield Figure(
                        subject=subject, expected=None, observed=observed, lacking=NO_HISTORY
                    )
            elif (found := _loan(asset, side, observed, held, running)) is not None:
                yield found


def _loans_of_row(row: ObservedBalance, held: Held, running: Running | None) -> Iterator[Figure]:
    for side, observed in (("supply", row.supplied), ("borrow", row.borrowed)):
        if observed is not None:
            found = _loan(row.asset, side, observed, held, running)
            if found is not None:
                yield found


def _loan(
    asset: Asset, side: str, observed: Decimal, held: Held, running: Running | None
) -> Figure | None:
    named: Side = "supply" if side == "supply" else "borrow"
    place = chart.SUPPLIED if named == "supply" else chart.BORROWED
    subject = f"{asset} {place}"
    expected = held.balance(place, asset, subject)
    if expected is None and not observed:
        return None
    if expected is None:
        return Figure(subject=subject, expected=None, observed=observed, lacking=held.lacking())
    return Figure(
        subject=subject,
        expected=abs(expected),
        observed=observed,
        above=_ahead(running, asset, named, abs(expected)),
        below=Room(PRINTED_LOAN, PRINTED_LOAN),
    )


PRINTED_ROW: Final = Decimal("1e-8")
"""Room for the last place of an hourly row, which is cut off there."""

PRINTED_LOAN: Final = Decimal("2e-8")
"""Room for a value cut off at its eighth place, and for rows of which the last place is cut off."""


def _ahead(running: Running | None, asset: Asset, side: Side, value: Decimal) -> Room:
    """Return how far a value may be ahead of the sum of its rows."""
    if running is not None:
        return running(asset, side, value)
    return Room(None, None) if value else Room(PRINTED_LOAN, PRINTED_LOAN)


def worst(figures: Iterable[Figure], unknown: frozenset[str] = frozenset()) -> Verdict:
    """Return what the figures of one state come to; use it in the exact context.

    Differs, when any figure does; else unknown, when one is that was not so from the beginning
    (*unknown*), or when none could be compared; else agrees.
    """
    known = list(figures)
    verdicts: set[Any] = {each.verdict for each in known}
    if "differs" in verdicts:
        return "differs"
    if any(each.verdict == "unknown" and each.subject not in unknown for each in known):
        return "unknown"
    return "agrees" if verdicts & {"agrees", "within"} else "unknown"
