"""Claims: evaluated on a book, each with its status and its workings.

A claim is *proven* when the figure follows from the records and the sentence holds, *contradicted*
when it does not hold, *unknown* when the records do not say the figure. Proven means: by these
records; what records cannot prove is in ``docs/explanation/what-is-proven.md``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.entries import AsOf
from ledger.errors import NotInForce, UnclearQuestion, UnknownKind
from ledger.events import Filled, FundingPaid, InterestAccrued
from ledger.money import ZERO, canonical, exact
from ledger.units import Coin
from projections import balances, fees, funding, liquidations, positions
from projections.chart import Place
from projections.claims_language import Claim, Figure, add_up, parse_claim, unit_in_words
from projections.postings import fee_asset, is_perp, paid
from replay.moments import iso, parse_known, parse_moment
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.events import Event
    from ledger.units import Millis
    from projections.fold import States
    from projections.reference import Reference
    from replay.audit import AccountHistory
    from replay.margin import Assembler

OF_THE_RATIO: Final = ("debt:net", "isolated:outside", "offset:observed")
"""Readings of contested texts on which a ratio of portfolio margin rests."""

Status: TypeAlias = Literal["proven", "contradicted", "unknown"]

NOTHING_TOUCHED: Final = "nothing recorded ever touched it"
NOTHING_YET: Final = "nothing is recorded by then"


@attrs.frozen(kw_only=True)
class Found:
    """What the records say of one figure: value and unit, or why it is unknown."""

    value: Decimal | None
    unit: str | None
    text: str
    """How it was found, in a sentence."""


@attrs.frozen(kw_only=True)
class Checked:
    """A claim with what the records say of it."""

    claim: Claim
    name: str
    status: Status
    value: str
    """The value found with its unit; the reason where it is unknown."""
    workings: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        """The claim as it is written into a pack: known at a position, never at a clock's time."""
        said = self.claim.text
        if self.claim.known is None:
            return said
        return said.removesuffix(self.claim.known) + str(self.position)

    @property
    def sentence(self) -> str:
        """The same without the name in front."""
        return self.text.removeprefix(f"{self.name}: ")


def read_claims(text: str) -> tuple[Claim, ...]:
    """Return the claims of a file: one a line; empty lines and those after ``#`` are passed over.

    Raises: UnclearQuestion, at the first line that is no claim.
    """
    lines = (line.partition("#")[0].strip() if line.startswith("#") else line.strip()
             for line in text.splitlines())  # fmt: skip
    return tuple(parse_claim(line) for line in lines if line)


def check_claims(
    account: AccountHistory, claims: Iterable[Claim], *, at: Millis | None, position: int
) -> tuple[Checked, ...]:
    """Return every claim with its status.

    *at* is the instant of figures that name none (None: the last recorded event), *position* what
    is known where a claim names nothing else.

    Raises: UnclearQuestion, where units or a moment do not fit.
    """
    checked: list[Checked] = []
    for number, claim in enumerate(claims, 1):
        name = claim.name or f"C{number}"
        if any(name == one.name for one in checked):
            raise UnclearQuestion(
                asked=name, problem="is the name of two claims", remedy="Name them apart"
            )
        checked.append(_checked(account, claim, name=name, at=at, position=position))
    return tuple(checked)


def _checked(
    account: AccountHistory, claim: Claim, *, name: str, at: Millis | None, position: int
) -> Checked:
    if claim.known is not None:
        known, moment = parse_known(claim.known)
        position = min(position, account.audit.position(known if moment is None else moment))
    desk = _Desk(account, position, at)
    with exact():
        found = [(figure, desk.found(figure)) for figure in claim.figures]
        units: dict[str, str] = {} if claim.unit is None else {claim.unit: "the number"}
        for figure, one in found:
            if one.unit is not None:
                units.setdefault(one.unit, figure.word)
        add_up(claim, units)
        workings = tuple(_told(figure, one) for figure, one in found)
        unknown = [one.text for _, one in found if one.value is None]
        if unknown:
            return Checked(claim=claim, name=name, status="unknown", value=unknown[0],
                           workings=workings, position=position)  # fmt: skip
        total = sum((one.value or ZERO) * figure.sign for figure, one in found) + ZERO
        shown = f"{canonical(total)} {next(iter(units), '')}".strip()
        status: Status = "proven" if claim.holds(total) else "contradicted"
    return Checked(
        claim=claim, name=name, status=status, value=shown, workings=workings, position=position
    )


def _told(figure: Figure, one: Found) -> str:
    what = f"{figure.word}({', '.join(figure.names) or figure.field})"
    value = UNKNOWN if one.value is None else canonical(one.value)
    return f"{what} {f'{value} {one.unit or str()}'.strip()}: {one.text}"


class _Desk:
    """One account as known at one position, asked for figures."""

    def __init__(self, account: AccountHistory, position: int, at: Millis | None) -> None:
        self.account = account
        self.position = position
        self.at = at
        self._assembler: Assembler | None = None

    @property
    def reference(self) -> Reference:
        return self.account.audit.engine.reference(self.position)

    def events(self, since: Millis | None, until: Millis | None) -> Iterator[Event]:
        engine = self.account.audit.engine
        for event in engine.events(self.account.stream, self.position, until):
            if since is None or event.at >= since:
                yield event

    def found(self, figure: Figure) -> Found:
        """Return what the records say of a figure."""
        if figure.word == "sum":
            return self._sum(figure)
        if figure.word == "count":
            return self._count(figure)
        at = self.at if figure.moment is None else parse_moment(figure.moment)
        if figure.word == "margin":
            return self._margin(at)
        as_of = AsOf(effective=at, position=self.position)
        states = self.account.audit.engine.states(self.account.stream, as_of).states
        if not states.events:
            return Found(value=None, unit=unit_in_words(figure), text=NOTHING_YET)
        rests = f"after {states.events} events"
        if figure.word == "balance":
            return self._balance(figure, states, rests)
        if figure.word == "fee":
            return self._fee(figure, states, rests)
        if figure.word == "funding":
            return self._funding(figure, states, rests)
        return self._position(figure, states, rests)

    def _balance(self, figure: Figure, states: States, rests: str) -> Found:
        named, asset = figure.names
        head, _, rest = named.partition(" ")
        place = Place(f"{head}:{rest}" if head in {"perp", "vault"} else named)
        try:
            held = states.state(balances.NAME).by_key
        except UnknownKind:
            return Found(value=None, unit=asset, text="an event of unknown kind may have moved it")
        value = held.get((place, asset))
        return Found(value=value, unit=asset, text=NOTHING_TOUCHED if value is None else rests)

    def _fee(self, figure: Figure, states: States, rests: str) -> Found:
        (token,) = figure.names
        held = states.state(fees.NAME).by_key.get(token)
        if held is None:
            return Found(value=None, unit=token, text="no fee is recorded")
        if held.unknown:
            return Found(value=None, unit=token, text=f"{held.unknown} fees are not recorded")
        return Found(value=held.total, unit=token, text=f"{held.fills} fills, {rests}")

    def _funding(self, figure: Figure, states: States, rests: str) -> Found:
        (name,) = figure.names
        coin = Coin(name)
        unit = self.reference.collateral_of(coin)
        held = states.state(funding.NAME).by_key.get((coin, unit))
        if held is None:
            return Found(value=None, unit=unit, text="no funding of it is recorded")
        return Found(value=held.total, unit=unit, text=f"{held.payments} payments, {rests}")

    def _position(self, figure: Figure, states: States, rests: str) -> Found:
        (name,) = figure.names
        held = states.state(positions.NAME).by_key.get(name)
        if held is None:
            unit = name if figure.word == "position" else None
            return Found(value=None, unit=unit, text=NOTHING_TOUCHED)
        if figure.word == "position":
            if held.unexplained:
                text = "the venue states another size than the records add up to"
                return Found(value=None, unit=name, text=text)
            return Found(value=positions.size(held), unit=name, text=rests)
        if figure.word == "entry":
            cost = positions.entry_notional(held)
            text = "what it cost is not recorded" if cost is None else rests
            return Found(value=cost, unit=held.money, text=text)
        if held.unknown:
            text = f"the result of {held.unknown} closes is not known"
            return Found(value=None, unit=held.money, text=text)
        return Found(value=positions.realized(held), unit=held.money, text=rests)

    def _margin(self, at: Millis | None) -> Found:
        """Return the margin ratio, by the rulebook in force and the first reading of each text."""
        from replay.margin import Assembler, Question, last_moment

        if self._assembler is None:
            self._assembler = Assembler(self.account, self.position, Question())
        return ratio_found(self._assembler, last_moment(self._assembler) if at is None else at)

    def _sum(self, figure: Figure) -> Found:
        since, until = self._period(figure)
        rows = [row for event in self.events(since, until) for row in self._rows(figure, event)]
        if figure.token is not None:
            rows = [row for row in rows if row[0] == figure.token]
        units = sorted({unit for unit, _ in rows})
        if len(units) > 1:
            raise UnclearQuestion(
                asked=f"{figure.field} per {figure.grain}",
                problem=f"is recorded in {', '.join(units)}, which do not add up",
                remedy=f"Name one of them: sum({figure.field} {units[0]} per {figure.grain}, …)",
            )
        unit = figure.token or (units[0] if units else None)
        missing = sum(1 for _, amount in rows if amount is None)
        if missing:
            return Found(value=None, unit=unit, text=f"{missing} of them are not recorded")
        total = sum((amount for _, amount in rows if amount is not None), ZERO)
        text = f"{len(rows)} rows, one per {figure.grain}, {iso(since)} to {iso(until)}"
        return Found(value=total, unit=unit, text=text)

    def _period(self, figure: Figure) -> tuple[Millis, Millis]:
        assert figure.period is not None
        return parse_moment(figure.period[0]), parse_moment(figure.period[1])

    def _rows(self, figure: Figure, event: Event) -> Iterator[tuple[str, Decimal | None]]:
        """Yield unit and amount of an event, where it is a row of the field."""
        match figure.field, event:
            case "funding", FundingPaid() if figure.market in {None, event.coin}:
                yield self.reference.collateral_of(event.coin), event.usdc
            case "supply_interest", InterestAccrued() if figure.market in {None, event.asset}:
                yield event.asset, event.supply
            case "borrow_interest", InterestAccrued() if figure.market in {None, event.asset}:
                yield event.asset, event.borrow
            case "size", Filled() if figure.market in {None, event.coin}:
                yield event.coin, event.sz
            case "notional", Filled() if figure.market in {None, event.coin}:
                yield self._quote(event), paid(event)
            case "fee", Filled() if figure.market in {None, event.coin}:
                yield fee_asset(event, self.reference), event.fee
            case "builder_fee", Filled() if figure.market in {None, event.coin}:
                share = event.builder_fee
                share = ZERO if share is None and event.fee is not None else share
                yield fee_asset(event, self.reference), share
            case _:
                return

    def _quote(self, event: Filled) -> str:
        if is_perp(event.coin):
            return self.reference.collateral_of(event.coin)
        return self.reference.pair(event.coin)[1]

    def _count(self, figure: Figure) -> Found:
        since, until = self._period(figure)
        if figure.field == "liquidations":
            as_of = AsOf(effective=None, position=self.position)
            states = self.account.audit.engine.states(self.account.stream, as_of).states
            episodes = states.state(liquidations.NAME).by_key.values()
            count = sum(
                1
                for episode in episodes
                if since <= episode.first_at <= until
                and (figure.market is None or figure.market in dict(episode.closed))
            )
        else:
            count = sum(1 for event in self.events(since, until) if self._is_counted(figure, event))
        text = f"{figure.field} from {iso(since)} to {iso(until)}"
        return Found(value=Decimal(count), unit=None, text=text)

    @staticmethod
    def _is_counted(figure: Figure, event: Event) -> bool:
        if figure.field == "events":
            return True
        kind = Filled if figure.field == "fills" else FundingPaid
        return isinstance(event, kind) and figure.market in {None, event.coin}


def ratio_found(of: Assembler, at: Millis) -> Found:
    """Return the margin ratio of an account at an instant, as claims speak of it."""
    try:
        judged = of.at(at).margin.judgements
    except (NotInForce, UnclearQuestion) as error:
        return Found(value=None, unit=None, text=str(error))
    except UnknownKind:
        return Found(value=None, unit=None, text="an event of unknown kind may have moved money")
    books = " and ".join(one.rulebook for one in judged)
    ratios = [one.ratio for one in judged if one.ratio is not None]
    if len(ratios) < len(judged):
        text = f"an account in the mode {judged[0].mode} has no margin ratio"
        return Found(value=None, unit=None, text=text)
    lacks = dict.fromkeys(name for ratio in ratios for name in ratio.missing)
    if lacks:
        text = f"not recorded: {', '.join(lacks)}"
        return Found(value=None, unit=None, text=text)
    values = {ratio.value for ratio in ratios}
    if len(values) != 1 or None in values:
        text = f"it differs between {books}" if len(values) > 1 else ratios[0].note
        return Found(value=None, unit=None, text=text)
    is_contested = judged[0].mode == "portfolioMargin"
    readings = ", ".join(one for one in OF_THE_RATIO if is_contested)
    text = f"under {books}" + (f", with {readings}" if readings else "")
    return Found(value=values.pop(), unit=None, text=text)


def claims_table(checked: Iterable[Checked]) -> Table:
    """Return claims with status and the value found."""
    rows = tuple((one.name, one.status, one.sentence, one.value) for one in checked)
    return Table(title="Claims", columns=("claim", "status", "sentence", "found"), rows=rows)


def workings_table(checked: Iterable[Checked]) -> Table:
    """Return how every figure of the claims was found."""
    rows = tuple((one.name, working) for one in checked for working in one.workings)
    return Table(title="Workings", columns=("claim", "figure"), rows=rows)
