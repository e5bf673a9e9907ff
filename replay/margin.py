"""Margin: the requirement, ratio, room and verdict of an account at any instant of a book.

What an account had comes from its recorded movements, from the last state the venue showed before
the instant on (or from its beginning, where somebody vouches for it). Prices, reserve states, mode
and margin tables are the last ones recorded at or before the instant, and say how old they are.
What is missing is unknown by its name. Where the venue's own state of that very moment is
recorded, it stands beside ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs
from typing_extensions import override

from ledger.entries import AsOf
from ledger.errors import UnclearQuestion
from ledger.events import ReserveObserved
from ledger.money import exact
from ledger.units import Asset, Coin, Millis
from projections import balances, positions
from projections.arithmetic import EXACT
from projections.fold import Folding, States
from projections.lending import Key, Loan, rates
from projections.margin import (
    Anchor,
    Input,
    Margin,
    Settings,
    Step,
    Unknown,
    judge,
    market_tables,
    observed,
)
from projections.margin import rebuilt as rebuilt_picture
from projections.margin.claims import Comparison, compare
from projections.margin.implied import IMPLIED, is_implied
from projections.margin.inferred import Inferred, automatic, shortfalls
from projections.margin.picture import Mode
from projections.margin.rebuilt import with_recorded_loans
from projections.margin.supposed import (
    SupposedLtv,
    SupposedPrice,
    with_prices,
    with_tokens,
    without_told,
)
from projections.prices import Price
from projections.prices import State as PriceState
from projections.rulebooks import CALENDAR, by_id
from projections.rulebooks.base import Rulebook
from replay.loans import Loans
from replay.recorded import Recorded
from replay.tables import Table, Tabled
from replay.whereabouts import Whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.events import Event, Opened
    from projections.margin import Picture
    from replay.audit import AccountHistory

MODES: Final[tuple[Mode, ...]] = (
    "default", "disabled", "unifiedAccount", "portfolioMargin", "dexAbstraction",
)  # fmt: skip

TOGETHER_MS: Final = 60_000
"""States of one account recorded within a minute belong to one snapshot."""

STALE_MS: Final = 3_600_000
"""A price older than an hour is said to be so, unless another age is named."""

NOTHING_SAYS: Final = (
    "nothing says what there was before the first record: money is unknown, and a position of "
    "which no fill is recorded is not seen"
)

SMALLEST: Final = Decimal("1e-8")
"""A difference from the venue's own amount that can be seen: states print eight places."""

OF_A_RATIO: Final = Decimal("0.5e-10")
"""The same of a ratio: states print ten places, rounded."""


@attrs.frozen(kw_only=True)
class Question:
    """How margin is asked for, beside account and instant."""

    readings: tuple[str, ...] = ()
    """Ids of readings that are taken instead of the first of their question."""
    rulebook: str | None = None
    """Id of a rulebook to judge under, whatever held at the instant."""
    mode: Mode | None = None
    """Mode to judge in; None is the one recorded."""
    is_complete: bool = False
    """The caller's word that the history begins with the account."""
    stale_ms: int = STALE_MS
    calendar: tuple[Rulebook, ...] = CALENDAR
    prices: tuple[SupposedPrice, ...] = ()
    """Prices that are taken in place of recorded ones."""
    ltvs: tuple[SupposedLtv, ...] = ()
    """Loans to value that are taken in place of recorded ones."""

    def rulebooks(self) -> tuple[Rulebook, ...] | None:
        """Return the rulebook asked for; None where the instant decides.

        Raises: NotInForce, when there is none of that id, naming those there are.
        """
        return None if self.rulebook is None else (by_id(self.rulebook, self.calendar),)


@attrs.frozen(kw_only=True)
class Ingredients:
    """Everything a picture of one instant is made of."""

    at: Millis
    states: States
    mode: Mode | None
    mode_source: str
    anchor: Anchor | None
    basis: str
    is_complete: bool
    prices: PriceState
    loans: Mapping[Key, Loan] | None
    reserves: Mapping[Asset, ReserveObserved]
    tables: Mapping[Coin, tuple[Step, ...]]
    settings: Mapping[Coin, Settings]


@attrs.frozen(kw_only=True)
class Rests:
    """What a picture was made from, beside the inputs it holds."""

    basis: str
    """Where sums of movements begin."""
    mode: str
    """Where the mode comes from."""
    where: Whereabouts
    """Record, place and event of every input, or the question that shows them."""


@attrs.frozen(kw_only=True)
class MarginAt(Tabled):
    """Margin of an account at an instant, with what it rests on."""

    margin: Margin
    rests: Rests
    position: int
    question: Question
    inferred: tuple[Inferred, ...] = ()
    """Loans that must have moved without a record of it; no figure of a balance rests on them."""
    compared: tuple[Comparison, ...] = ()
    """The venue's own figures of that very moment beside ours; empty where none is recorded."""

    @property
    def findings(self) -> tuple[Comparison, ...]:
        """Figures in which the venue's own state of that moment differs from ours."""
        return tuple(each for each in self.compared if differs(each))

    @property
    def is_known(self) -> bool:
        """Whether every condition of liquidation could be judged."""
        return all(each.liquidatable is not None for each in self.margin.judgements)

    @property
    def stale(self) -> tuple[tuple[str, int], ...]:
        """Prices older than the stated age, with their age in milliseconds."""
        picture, found = self.margin.picture, {}
        for exchange in picture.exchanges:
            for position in exchange.positions:
                if isinstance(position.mark, Input):
                    found[f"mark of {position.coin}"] = position.mark.age(picture.at)
        for token in picture.tokens:
            if isinstance(token.price, Input) and _counts(token.total):
                found[f"oracle price of {token.asset}"] = token.price.age(picture.at)
        limit = self.question.stale_ms
        return tuple((name, age) for name, age in found.items() if age is not None and age > limit)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Figures, positions, conditions of liquidation, and the venue's own state beside them."""
        from replay.margin_report import tables

        return tables(self)

    @property
    @override
    def exact_tables(self) -> tuple[Table, ...]:
        """Figures and positions with all their digits, under every rulebook that may have held."""
        from replay.export.exact import of_margin

        return of_margin(self)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the inputs that a figure of the first judgement lacks."""
        return self.margin.judgements[0].missing


def last_moment(of: Assembler) -> Millis:
    """Return the moment of the account's last event: the instant meant when none is named."""
    last = of.engine.states(of.history.stream, AsOf(position=of.position)).states.last_at
    return Millis(0) if last is None else last


def differs(compared: Comparison) -> bool:
    """Tell whether a figure of the venue's differs from ours in a place that states print.

    Liquidation prices agree to a relative 1e-8: the venue prints that many digits of them.
    """
    if compared.residual is None or compared.venue is None:
        return False
    off = abs(compared.residual)
    if compared.name == "liquidation price":
        return off > abs(compared.venue) * SMALLEST
    return off >= SMALLEST if compared.ours.unit else off > OF_A_RATIO


def _counts(given: Input | Unknown) -> bool:
    return isinstance(given, Unknown) or bool(given.value)


class Assembler:
    """Pictures of one account at any instant, as a book knew it at a position."""

    def __init__(
        self,
        history: AccountHistory,
        position: int,
        question: Question,
        *,
        actual: Assembler | None = None,
    ) -> None:
        """Read what the book has beside the account's movements, once.

        *actual* is the same account as recorded, where *history* is one that is supposed: states
        the venue showed are of the actual account, and movements are summed up from there.
        """
        self._actual = self if actual is None else actual
        self.history = history
        self.position = position
        self.question = question
        self.engine = history.audit.engine
        self.reference = self.engine.reference(position)
        supposed = self.engine.hypotheses
        is_alone = actual is not None and all(each.stream == history.stream for each in supposed)
        markets = actual.recorded if actual is not None and is_alone else None
        self.recorded: Recorded = Recorded(history.audit, history.stream, position, markets)
        self._openings = history.openings(position)
        self._rates = rates(
            found.event for dated in self.recorded.reserves.values() for found in dated.until(None)
        )
        self._anchors: dict[Millis, Anchor | None] = {}
        self._lent = Loans(self.recorded.loans, self._rates, self.reference)

    # ----------------------------------------------------------- one instant

    def at(self, at: Millis, states: States | None = None, *, workings: bool = False) -> MarginAt:
        """Return margin at an instant; *states* are those of the instant, when they are at hand.

        Raises: NotInForce, without a rulebook; UnclearQuestion, when the mode is not known;
        UnknownKind, when balances stopped at a kind not known.
        """
        found = self.line_at(at, states, workings=workings)
        return attrs.evolve(
            found,
            inferred=self._inferred(found.margin.picture),
            compared=self._compared(found.margin, at),
        )

    def line_at(
        self, at: Millis, states: States | None = None, *, workings: bool = False
    ) -> MarginAt:
        """Return margin at an instant as a line needs it: the judgement, and nothing beside it.

        Raises: as ``at``.
        """
        picture, rests = self.picture(at, states)
        if picture.mode is None:
            raise UnclearQuestion(
                asked="the margin of the account",
                problem="has no answer: no mode is recorded at or before the instant",
                remedy="Import an answer of userAbstraction, or name the mode with --mode",
            )
        asked = self.question
        margin = judge(
            picture, asked.rulebooks(), readings=asked.readings, workings=workings,
            alternatives=workings, calendar=asked.calendar,
        )  # fmt: skip
        return MarginAt(margin=margin, rests=rests, position=self.position, question=asked)

    @property
    def openings(self) -> tuple[Opened, ...]:
        """Return the attested openings in force."""
        return self._openings

    def picture(self, at: Millis, states: States | None = None) -> tuple[Picture, Rests]:
        """Return the picture of an instant, and what it rests on."""
        found = self.ingredients(at, states)
        where = Whereabouts(self.recorded, at)
        rests = Rests(basis=found.basis, mode=found.mode_source, where=where)
        return self.picture_of(found), rests

    def ingredients(self, at: Millis, states: States | None = None) -> Ingredients:
        """Return everything the picture of an instant is made of."""
        mode, mode_source = self._mode(at)
        anchor, basis, is_complete = self._basis(at)
        return Ingredients(
            at=at,
            states=self.states(at) if states is None else states,
            mode=mode,
            mode_source=mode_source,
            anchor=anchor,
            basis=basis,
            is_complete=is_complete,
            prices=self._prices(at),
            loans=self._loans(at),
            reserves={asset: found.event for asset, found in self.recorded.reserves_at(at).items()},
            tables=self._tables(at),
            settings=self._settings(at),
        )

    def picture_of(self, found: Ingredients) -> Picture:
        """Return the picture that ingredients make; those of two instants may be mixed."""
        picture = rebuilt_picture(
            found.states,
            at=found.at,
            account=self.history.account,
            mode=found.mode,
            reference=self.reference,
            prices=found.prices,
            loans=found.loans,
            reserves=found.reserves.values(),
            tables=found.tables,
            settings=found.settings,
            anchor=found.anchor,
            is_complete=found.is_complete,
        )
        picture = attrs.evolve(picture, mode_source=found.mode_source)
        moved: set[Key] = {(each.asset, each.side) for each in self._automatic(found.at)}
        shown = self._shown(found.at)
        if moved and shown is not None:
            picture = with_recorded_loans(picture, shown.picture, moved)
        return with_tokens(picture, self.question.prices, self.question.ltvs)

    def _shown(self, at: Millis) -> Anchor | None:
        """Return the state recorded at this very moment, None where there is none."""
        spot = self.recorded.spots.last(at)
        return None if spot is None or spot.event.at != at else self._anchor(at)

    def _inferred(self, picture: Picture) -> tuple[Inferred, ...]:
        """Return what moved without a record: exactly where states show it, else the least."""
        if self._shown(picture.at) is not None:
            return self._automatic(picture.at)
        anchor = self._basis(picture.at)[0]
        return shortfalls(picture, None if anchor is None else anchor.picture)

    def _automatic(self, at: Millis) -> tuple[Inferred, ...]:
        """Return what moved without a record between the state of this moment and the one before.

        A recorded debt goes before what would follow from money that is short.
        """
        shown = self._shown(at)
        if shown is None:
            return ()
        anchor, _, is_complete = self._basis(at)
        if anchor is shown or (anchor is None and not is_complete):
            return ()
        return automatic(anchor, shown)

    def states(self, at: Millis) -> States:
        """Return what every projection says at an instant."""
        as_of = AsOf(effective=at, position=self.position)
        return self.engine.states(self.history.stream, as_of).states

    def _prices(self, at: Millis) -> PriceState:
        """Return the last prices, marks that the account's own states show among them.

        A state is marked at its own mark: of the same moment it goes before a price recorded beside
        it that differs.
        """
        prices = dict(self.recorded.prices_at(at).by_key)
        for state in self.recorded.perps_at(at).values():
            for row in state.event.positions:
                if row.value is None or not row.size:
                    continue
                with exact():
                    px = EXACT.ratio(row.value, abs(row.size))
                known = prices.get((row.coin, "mark"))
                if (
                    known is None
                    or known.at < state.event.at
                    or (known.at == state.event.at and known.px != px)
                ):
                    told = f"{IMPLIED}positionValue of the recorded state"
                    prices[row.coin, "mark"] = Price(px, state.event.at, told)
        return with_prices(PriceState(prices), self.question.prices, at)

    def _mode(self, at: Millis) -> tuple[Mode | None, str]:
        if self.question.mode is not None:
            return self.question.mode, "named by whoever asks"
        found = self.recorded.modes.last(at)
        if found is None:
            return None, "no mode recorded at or before the instant"
        return found.event.mode, self.recorded.where(found)

    def _basis(self, at: Millis) -> tuple[Anchor | None, str, bool]:
        """Return from where movements are summed up: the caller's word, a state, an opening."""
        if self.question.is_complete:
            return None, "sums from the first record on, which is said to be the beginning", True
        snapshot = self._snapshot(at)
        anchor = None if snapshot is None else self._anchor(snapshot)
        if snapshot is not None and anchor is not None:
            found = self.recorded.spots.last(snapshot)
            where = "" if found is None else self.recorded.where(found)
            if snapshot == at:
                return anchor, f"the venue's states of this very moment ({where})", True
            return anchor, f"the venue's states recorded before ({where}), and sums since", True
        if any(opening.at <= at for opening in self._openings):
            return None, "an attested opening, and sums since", True
        return None, NOTHING_SAYS, False

    def _snapshot(self, at: Millis) -> Millis | None:
        """Return the last state before an instant; one of the instant only if it is the first.

        A state of the instant itself is what our figures are held against.
        """
        moments = [found.event.at for found in self.recorded.spots.until(at)]
        earlier = [each for each in moments if each < at]
        found = earlier or moments
        return found[-1] if found else None

    def _anchor(self, at: Millis) -> Anchor | None:
        """Return the states recorded at a moment, with the sums of movements at that moment."""
        if at not in self._anchors:
            self._anchors[at] = self._made_anchor(at)
        return self._anchors[at]

    def _made_anchor(self, at: Millis) -> Anchor | None:
        picture = self.observed(at)
        if picture is None:
            return None
        actual = self._actual.states(picture.at)
        if self._actual is not self:
            picture = without_told(picture, actual.state(positions.NAME).by_key)
        return Anchor(picture=picture, balances=actual.state(balances.NAME).by_key)

    def observed(self, at: Millis) -> Picture | None:
        """Return the picture of the states recorded at a moment, None where they are not whole."""
        spot = self.recorded.spots.last(at)
        perps = [
            found.event
            for found in self.recorded.perps_at(Millis(at + TOGETHER_MS)).values()
            if abs(found.event.at - at) <= TOGETHER_MS
        ]
        if spot is None or spot.event.at != at or not perps:
            return None
        lending = self.recorded.lendings.last(Millis(at + TOGETHER_MS))
        is_near = lending is not None and abs(lending.event.at - at) <= TOGETHER_MS
        mode = self.recorded.modes.last(Millis(at + TOGETHER_MS))
        return observed(
            mode=self.question.mode if mode is None else mode.event.mode,
            spot=spot.event,
            perps=perps,
            lending=lending.event if lending is not None and is_near else None,
            reserves=[found.event for found in self.recorded.reserves_at(at).values()],
            tables=self._tables(at),
            reference=self.reference,
        )

    def _tables(self, at: Millis) -> Mapping[Coin, tuple[Step, ...]]:
        return market_tables(self.recorded.metadata, at)

    def _settings(self, at: Millis) -> dict[Coin, Settings]:
        """Return what the account chose for each market, as the last states show it."""
        found: dict[Coin, Settings] = {}
        for state in self.recorded.perps_at(at).values():
            for row in state.event.positions:
                leverage: Input | Unknown = Unknown(f"leverage of {row.coin}")
                if row.leverage is not None:
                    leverage = Input(Decimal(row.leverage), "perpetuals state", state.event.at)
                raw: Input | Unknown = Unknown(f"isolated raw money of {row.coin}")
                if row.raw_usd is not None and state.event.at == at:
                    raw = Input(row.raw_usd, "perpetuals state", at)
                found[row.coin] = Settings(
                    leverage=leverage,
                    is_isolated=row.leverage_type == "isolated",
                    isolated_raw=raw,
                )
        return found

    # ----------------------------------------------------------- loans

    def _loans(self, at: Millis) -> Mapping[Key, Loan] | None:
        """Return what was supplied and borrowed, interest running by the recorded rates.

        None where nothing says with what they began: then the sums of movements are what there is.
        """
        if not self.question.is_complete and self.recorded.lendings.last(at) is None:
            return None
        return self._lent.at(at)

    # ----------------------------------------------------------- beside the venue's own

    def _compared(self, margin: Margin, at: Millis) -> tuple[Comparison, ...]:
        spot = self.recorded.spots.last(at)
        perps = [
            found.event for found in self.recorded.perps_at(at).values() if found.event.at == at
        ]
        lending = self.recorded.lendings.last(at)
        found = compare(
            margin.judgements[0],
            margin.picture,
            spot=spot.event if spot is not None and spot.event.at == at else None,
            perps=perps,
            lending=lending.event if lending is not None and lending.event.at == at else None,
            reference=self.reference,
        )
        marks = [each.mark for side in margin.picture.exchanges for each in side.positions]
        if not any(is_implied(mark) for mark in marks):
            return found
        return tuple(
            attrs.evolve(each, grade="consistent") if each.grade == "predicted" else each
            for each in found
        )

    # ----------------------------------------------------------- many instants

    def through(self, moments: Sequence[Millis]) -> Iterator[tuple[Millis, States]]:
        """Yield the states of ascending instants, folding the history once."""
        if not moments:
            return
        states = self.states(moments[0])
        yield moments[0], states
        last = moments[-1]
        events = self.engine.events(self.history.stream, self.position, last)
        with exact():
            folding = Folding(self.reference, states)
        pending: Event | None = next((each for each in events if each.at > moments[0]), None)
        for at in moments[1:]:
            with exact():
                while pending is not None and pending.at <= at:
                    folding.take(pending)
                    pending = next(events, None)
                found = folding.states()
            yield at, found
