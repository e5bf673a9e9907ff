"""Margin through time: the ratio at many instants of one account, and the events that moved it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs
from typing_extensions import override

from ledger import events as ev
from ledger.errors import UnclearQuestion
from ledger.money import ZERO, canonical, exact
from ledger.units import Asset, Coin, Millis
from projections import positions
from projections.arithmetic import EXACT
from projections.margin.rebuilt import UNDERLYING
from projections.rulebooks import by_id
from replay.margin_report import shown
from replay.moments import iso
from replay.tables import UNKNOWN, Table, Tabled
from replay.words import described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.events import Event
    from projections.margin import Judgement
    from projections.reference import Reference
    from replay.margin import Assembler, MarginAt

BLOCKS: Final = "▁▂▃▄▅▆▇█"

UNITS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

MOVING: Final = (
    ev.Filled, ev.Deposited, ev.Withdrawn, ev.ClassTransferred, ev.Transferred, ev.ReserveOperated,
    ev.VaultDeposited, ev.VaultWithdrawn, ev.StakingTransferred, ev.Liquidated, ev.ModeChanged,
)  # fmt: skip
"""Events whose effect on the ratio is told one by one; funding and interest come every hour."""

TOGETHER_MS: Final = 600_000
"""Events of ten minutes are told as one."""

GROUPS_MAX: Final = 200
"""More groups than this are gathered over longer spans."""

WORTH_TELLING: Final = Decimal("0.001")
"""A group of events is told when it moved the ratio by this much, or was a liquidation."""


@attrs.frozen(kw_only=True)
class Point:
    """Margin at one instant, for a line. **Units**: amounts in the token the ratio is toward."""

    at: Millis
    mode: str
    ratio: Decimal | None
    requirement: Decimal | None
    value: Decimal | None
    """What stands against the requirement."""
    liquidatable: bool | None
    rulebooks: tuple[str, ...]
    differ: bool = False
    """Whether the rulebooks that may have held come to different verdicts."""
    missing: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Mover:
    """Events that moved the ratio: as it was just before, and just after, prices standing still."""

    at: Millis
    """The first of them."""
    until: Millis
    """The last of them."""
    what: str
    before: Decimal | None
    after: Decimal | None
    is_liquidation: bool

    @property
    def change(self) -> Decimal | None:
        """After less before; None where one of them is unknown."""
        if self.before is None or self.after is None:
            return None
        with exact():
            return self.after - self.before


@attrs.frozen(kw_only=True)
class Timeline(Tabled):
    """The ratio of an account through an interval."""

    account: str
    since: Millis
    until: Millis
    every: str
    points: tuple[Point, ...]
    movers: tuple[Mover, ...]
    limit: Decimal
    """The ratio above which the account could be liquidated at the end of the interval."""
    between: int = 0
    """How many recorded prices lie between these instants and are not judged."""

    @property
    def crossed(self) -> Millis | None:
        """The first instant at which the account was liquidatable, as far as these points go."""
        return next((each.at for each in self.points if each.liquidatable), None)

    @property
    def liquidations(self) -> tuple[Mover, ...]:
        """The liquidations of the interval, in order of time."""
        return tuple(each for each in self.movers if each.is_liquidation)

    @property
    def tables(self) -> tuple[Table, ...]:
        """One row per instant, and the events that moved the ratio, as people read them."""
        return (self.for_people(), self.movers_table())

    @property
    @override
    def exact_tables(self) -> tuple[Table, ...]:
        """The same with all their digits."""
        from replay.export.exact import of_timeline

        return of_timeline(self)

    def _repr_svg_(self) -> str:
        """Return the ratio through the interval as a picture, for notebooks."""
        from replay.margin_drawing import drawn

        return drawn(self)

    @override
    def _repr_html_(self) -> str:
        """Return picture and tables as HTML, for notebooks."""
        return self._repr_svg_() + "".join(table._repr_html_() for table in self.tables)

    def table(self) -> Table:
        """Return one row per instant."""
        words = {True: "yes", False: "no", None: UNKNOWN}
        return Table(
            title=f"Margin of {self.account}, every {self.every}",
            columns=COLUMNS,
            rows=tuple(
                (
                    iso(each.at), _ratio(each), shown(each.requirement), shown(each.value),
                    "differs" if each.differ else words[each.liquidatable],
                    each.mode, " | ".join(each.rulebooks), ", ".join(each.missing) or None,
                )
                for each in self.points
            ),
            numbers=frozenset({"ratio", "requirement", "value"}),
            notes=self.notes(),
        )  # fmt: skip

    def for_people(self) -> Table:
        """Return the table without columns that say the same in every row; a note says it once."""
        table = self.table()
        rulebooks = {each.rulebooks for each in self.points}
        modes = {each.mode for each in self.points}
        dropped = {"unknown"} if not any(each.missing for each in self.points) else set()
        notes = table.notes
        if len(rulebooks) == len(modes) == 1 and self.points[0].rulebooks:
            dropped |= {"mode", "rulebook"}
            books = " or ".join(self.points[0].rulebooks)
            notes = (f"throughout: {self.points[0].mode}, rulebook {books}", *notes)
        kept = [index for index, name in enumerate(COLUMNS) if name not in dropped]
        return attrs.evolve(
            table,
            columns=tuple(COLUMNS[index] for index in kept),
            rows=tuple(tuple(row[index] for index in kept) for row in table.rows),
            notes=notes,
        )

    def movers_table(self) -> Table:
        """Return the events that moved the ratio most."""
        return Table(
            title="Events that moved it",
            columns=("at", "what", "before", "after", "change"),
            rows=tuple(
                (iso(each.at), each.what, shown(each.before), shown(each.after),
                 shown(each.change))
                for each in self.movers
            ),
            numbers=frozenset({"before", "after", "change"}),
            empty="none by as much as a thousandth",
        )  # fmt: skip

    def notes(self) -> tuple[str, ...]:
        """Return what must be said of the whole line."""
        said = [f"liquidatable above {canonical(self.limit)}"]
        crossed = self.crossed
        said.append(
            "never liquidatable at these instants"
            if crossed is None
            else f"first liquidatable at {iso(crossed)}"
        )
        said += [f"liquidated at {iso(each.at)}" for each in self.liquidations]
        unknown = sum(1 for each in self.points if each.missing)
        if unknown:
            said.append(f"{unknown} of {len(self.points)} instants unknown: an input is missing")
        if self.between:
            said.append(
                f"prices were recorded at {self.between} moments between these instants: "
                "--every price judges each"
            )
        if any(each.differ for each in self.points):
            said.append("at some instants two rulebooks may have held, and they differ")
        return tuple(said)

    def to_dict(self) -> dict[str, object]:
        """Return everything as a dictionary of text, for programs."""
        return {
            "account": self.account,
            "from": iso(self.since),
            "to": iso(self.until),
            "every": self.every,
            "limit": canonical(self.limit),
            "first_liquidatable": None if self.crossed is None else iso(self.crossed),
            "points": self.table().to_dicts(),
            "events": self.movers_table().to_dicts(),
            "notes": list(self.notes()),
        }


COLUMNS: Final = (
    "at", "ratio", "requirement", "value", "liquidatable", "mode", "rulebook", "unknown",
)  # fmt: skip


def _ratio(point: Point) -> str:
    if point.ratio is None and not point.missing:
        return "none"
    return shown(point.ratio)


def length(text: str) -> int:
    """Return milliseconds of a length such as ``15m``, ``1h`` or ``2d``.

    Raises: UnclearQuestion, for anything else.

    Example:
    >>> length("15m")
    900000
    """
    found = re.fullmatch(r"([1-9]\d{0,5})([smhd])", text.strip())
    if found is None:
        raise UnclearQuestion(
            asked=text, problem="is no length of time", remedy="Write 15m, 1h or 2d"
        )
    return int(found[1]) * UNITS[found[2]]


def timeline(of: Assembler, since: Millis, until: Millis, every: str) -> Timeline:
    """Return the ratio through an interval, at every length of time, event or price.

    Raises: UnclearQuestion, for an interval that ends before it begins or an unknown *every*;
    NotInForce, where no rulebook held at one of the instants.
    """
    if until < since:
        raise UnclearQuestion(
            asked=f"{iso(since)} to {iso(until)}",
            problem="ends before it begins",
            remedy="Give the earlier moment with --from",
        )
    moments = _moments(of, since, until, every)
    found = [_point(of, at, states) for at, states in of.through(moments)]
    movers = _movers(of, since, until)
    return Timeline(
        account=of.history.account,
        since=since,
        until=until,
        every=every,
        points=tuple(found),
        movers=movers,
        limit=_limit(of, found),
        between=len(of.recorded.price_moments(since, until, coins_of(of, until)) - set(moments)),
    )


def _limit(of: Assembler, points: Sequence[Point]) -> Decimal:
    """Return the trigger of the last rulebook; one, where exchanges have their own money."""
    calendar = of.question.calendar
    for point in reversed(points):
        if point.mode in {"unifiedAccount", "portfolioMargin"} and point.rulebooks:
            return by_id(point.rulebooks[-1], calendar).trigger.value
        if point.rulebooks:
            return Decimal(1)
    return calendar[-1].trigger.value


def _moments(of: Assembler, since: Millis, until: Millis, every: str) -> list[Millis]:
    if every == "event":
        events = of.engine.events(of.history.stream, of.position, until)
        found = {each.at for each in events if each.at >= since}
    elif every == "price":
        found = {Millis(at) for at in of.recorded.price_moments(since, until, coins_of(of, until))}
    else:
        step = length(every)
        return [Millis(at) for at in range(since, until + 1, step)]
    return sorted(found | {since, until})


def coins_of(of: Assembler, until: Millis) -> set[str]:
    """Return the markets and tokens whose price the account's margin may hang on."""
    held = of.states(until).state(positions.NAME).by_key
    coins: set[str] = set()
    for key in held:
        market, spot, asset = key.partition("spot:")
        if not spot:
            coins.add(Coin(market))
            continue
        coins.add(asset)
        if Asset(asset) in UNDERLYING:
            coins.add(UNDERLYING[Asset(asset)])
    return coins


def _point(of: Assembler, at: Millis, states: object = None) -> Point:
    try:
        found = of.at(at, states)  # type: ignore[arg-type]
    except UnclearQuestion:
        return Point(
            at=at, mode=UNKNOWN, ratio=None, requirement=None, value=None, liquidatable=None,
            rulebooks=(), missing=("mode",),
        )  # fmt: skip
    return point_of(found)


def point_of(found: MarginAt) -> Point:
    """Return margin at an instant as a point of a line, under the first rulebook that may hold."""
    margin = found.margin
    judgement = margin.judgements[0]
    ratio, requirement, value = moving_figures(judgement)
    lacks: tuple[str, ...] = ()
    if judgement.liquidatable is None:
        lacks = judgement.missing
    return Point(
        at=margin.at,
        mode=str(margin.picture.mode),
        ratio=ratio,
        requirement=requirement,
        value=value,
        liquidatable=margin.liquidatable,
        rulebooks=tuple(each.rulebook for each in margin.judgements),
        differ=not margin.agrees,
        missing=lacks,
    )


def moving_figures(judgement: Judgement) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return ratio, requirement and what stands against it, toward the token that decides."""
    ratio = judgement.ratio
    if ratio is not None:
        token = judgement.token(Asset(ratio.of))
        if token is None:
            return ratio.value, None, None
        value = token.liquidation_value or token.net
        need = token.maintenance if token.excess is None else token.requirement_observed
        return ratio.value, (need or token.maintenance).value, value.value
    return _of_exchanges(judgement)


def figures_by_token(judgement: Judgement) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return requirements and what stands against them, by token, or by exchange where it counts.

    What is unknown is left out.
    """
    needs: dict[str, Decimal] = {}
    values: dict[str, Decimal] = {}
    if judgement.ratio is None:
        for each in judgement.exchanges:
            if each.cross_maintenance.value is not None and each.cross_value.value is not None:
                needs[each.dex] = each.cross_maintenance.value
                values[each.dex] = each.cross_value.value
        return needs, values
    for token in judgement.tokens:
        if token.ratio is None and token.excess is not None:
            continue
        value = (token.liquidation_value or token.net).value
        told = token.maintenance if token.excess is None else token.requirement_observed
        need = (told or token.maintenance).value
        if value is not None and need is not None:
            needs[token.asset], values[token.asset] = need, value
    return needs, values


def _of_exchanges(judgement: Judgement) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return maintenance ÷ account value of the exchange where it is highest, and the two."""
    found: list[tuple[Decimal, Decimal, Decimal]] = []
    for each in judgement.exchanges:
        need, value = each.cross_maintenance.value, each.cross_value.value
        if need == ZERO:
            continue
        if need is None or value is None or value <= ZERO:
            return None, need, value
        with exact():
            found.append((EXACT.ratio(need, value), need, value))
    return max(found, default=(None, None, None))


# ------------------------------------------------------------------------- what moved it


def _movers(of: Assembler, since: Millis, until: Millis) -> tuple[Mover, ...]:
    """Return the groups of events that moved the ratio, in order of time."""
    events = [
        each
        for each in of.engine.events(of.history.stream, of.position, until)
        if each.at >= since and isinstance(each, MOVING) and not _is_polled(each)
    ]
    groups = _groups(events)
    edges = sorted({
        moment
        for group in groups
        for moment in (Millis(max(0, group[0].at - 1)), group[-1].at)
    })  # fmt: skip
    ratios = {at: _point(of, at, states).ratio for at, states in of.through(edges)}
    found = [
        Mover(
            at=group[0].at,
            until=group[-1].at,
            what=said(group, of.reference),
            before=ratios[Millis(max(0, group[0].at - 1))],
            after=ratios[group[-1].at],
            is_liquidation=any(isinstance(each, ev.Liquidated) for each in group),
        )
        for group in groups
    ]
    return tuple(each for each in found if _is_worth_telling(each))


def _is_polled(event: Event) -> bool:
    """Tell whether an event only says what was so already: a mode that was asked for."""
    return isinstance(event, ev.ModeChanged) and event.observed


def _is_worth_telling(mover: Mover) -> bool:
    change = mover.change
    return mover.is_liquidation or (change is not None and abs(change) >= WORTH_TELLING)


def _groups(events: Sequence[Event]) -> list[list[Event]]:
    """Return events that belong together: none of a group is far from the one before it."""
    span = TOGETHER_MS
    while True:
        groups: list[list[Event]] = []
        for event in events:
            if groups and event.at - groups[-1][-1].at <= span:
                groups[-1].append(event)
            else:
                groups.append([event])
        if len(groups) <= GROUPS_MAX:
            return groups
        span *= 4


def said(group: Sequence[Event], reference: Reference) -> str:
    """Return a group of events in a few words; fills of one kind are added up."""
    sizes: dict[str, Decimal] = {}
    others: dict[str, None] = {}
    with exact():
        for event in group:
            if isinstance(event, ev.Filled):
                side = event.direction or ("Buy" if event.side == "B" else "Sell")
                pair = reference.pairs.get(event.coin)
                market = event.coin if pair is None else "/".join(pair)
                key = f"{side} {{}} {market}"
                if event.liquidation_mark is not None:
                    key = f"liquidation: {key}"
                sizes[key] = sizes.get(key, ZERO) + event.sz
            elif not isinstance(event, ev.Liquidated):
                others[described(event)] = None
    parts = [key.format(canonical(size)) for key, size in sizes.items()] + list(others)
    if not parts:
        parts = [described(group[0])]
    return ", ".join(parts[:4]) + (f" and {len(parts) - 4} more" if len(parts) > 4 else "")


def sparkline(values: Sequence[Decimal | None], width: int = 60) -> str:
    """Return a line of blocks, lowest to highest; a gap where a value is unknown.

    Example:
    >>> sparkline([Decimal(1), None, Decimal(2), Decimal(3)])
    '▁ ▅█'
    """
    step = max(1, -(-len(values) // width))
    # Of several instants that share a block the highest counts: the worst must be seen.
    parts = [values[start : start + step] for start in range(0, len(values), step)]
    highest = [max((each for each in part if each is not None), default=None) for part in parts]
    known = [each for each in highest if each is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    drawn = []
    for each in highest:
        if each is None:
            drawn.append(" ")
        else:
            with exact():
                part = EXACT.ratio((each - low) * (len(BLOCKS) - 1), span) if span else ZERO
            drawn.append(BLOCKS[int(part + Decimal("0.5"))])
    return "".join(drawn)
