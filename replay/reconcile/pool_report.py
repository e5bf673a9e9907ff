"""Tables of a reserve's reconciliation, and the same as text for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.money import canonical, exact, round_floor, round_half_even
from projections import pool
from projections.pool_bounds import CURVE_SAYS
from replay.moments import iso
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from decimal import Decimal

    from projections.pool_bounds import Pace
    from replay.reconcile.pool import PoolReport
    from replay.reconcile.seen import Seen
    from replay.reconcile.supply import Share

SHARE_PLACES: Final = 7
BOUND_PLACES: Final = 10

_SHARE_NOTE: Final = (
    "share: growth of the protocol's part ÷ growth of what is borrowed, where it follows; it is "
    "the protocol's share of the interest if nothing was borrowed or repaid in between"
)
_TOLERANCE: Final = (
    f"tolerance: {canonical(pool.PRINTED)} for the rounding of printed amounts, "
    f"{pool.CLOCK_MS // 1000} s of clock; states more than an hour apart are not compared"
)
_NO_LOAN: Final = "no recorded lending state of the account names this token in the period"


def tables(report: PoolReport, *, every: bool = False) -> list[Table]:
    """Return the report as tables: states, pairs, and a supply where one was asked for.

    With *every* each figure of each state is shown, else how many agree, and those that do not.
    """
    found = [states_table(report) if every else summary_table(report), pairs_table(report)]
    if report.supplier is not None or report.shares:
        found += [supply_table(report), rates_table(report)]
    return found


def heading(report: PoolReport) -> str:
    """Return one line: which reserve, which period, as known when."""
    return (
        f"reserve {report.asset} from {iso(report.since)} to {iso(report.until)}, as known at "
        f"position {report.position}: {len(report.states)} recorded states"
    )


def states_table(report: PoolReport) -> Table:
    """Return every figure of every state beside what follows from the amounts."""
    rows = tuple(
        (
            iso(state.at), line.name, _or_unknown(line.expected), _shown(line.observed),
            line.verdict if not line.lacking else f"{UNKNOWN}: {line.lacking}",
        )
        for state in report.states
        for line in pool.lines(state)
    )  # fmt: skip
    return Table(
        title=f"States of reserve {report.asset}",
        columns=("at", "figure", "by_rule", "recorded", "verdict"),
        rows=rows,
        numbers=frozenset({"by_rule", "recorded"}),
        empty="no recorded state in the period",
    )


def summary_table(report: PoolReport) -> Table:
    """Return how many figures of all states follow from the amounts, and every one that does not.

    Where all that can be compared agree, the rows are counts alone.
    """
    rows: list[tuple[str | None, ...]] = []
    lines = [(state, line) for state in report.states for line in pool.lines(state)]
    for name in ("utilization", "borrow rate", "supply rate"):
        verdicts = [line.verdict for _, line in lines if line.name == name]
        counts = (str(verdicts.count(verdict)) for verdict in ("agrees", "differs", "unknown"))
        rows.append((name, *counts))
    notes = [
        f"{iso(state.at)}: {line.name} {_shown(line.observed)}, by rule {_shown(line.expected)}"
        for state, line in lines
        if line.verdict == "differs"
    ]
    return Table(
        title=f"{len(report.states)} states of reserve {report.asset}",
        columns=("figure", "agree", "differ", "unknown"),
        rows=tuple(rows) if report.states else (),
        numbers=frozenset({"agree", "differ", "unknown"}),
        notes=(*notes, "every figure: --all") if report.states else (),
        empty="no recorded state in the period",
    )


def pairs_table(report: PoolReport) -> Table:
    """Return what the protocol's part did between every two neighboring states.

    Bounds have ten places, the least rounded down and the most up.
    """
    rows = tuple(
        (
            iso(each.before.at), iso(each.after.at), _or_unknown(each.grown),
            _or_unknown(_floor(each.least)), _or_unknown(_ceiling(each.most)), share_shown(each),
            each.kept if not each.lacking else f"{UNKNOWN}: {each.lacking}",
        )
        for each in report.pairs
    )  # fmt: skip
    return Table(
        title=f"Conservation of reserve {report.asset}: at hand + borrowed − supplied",
        columns=("since", "until", "growth", "least", "most", "share", "verdict"),
        rows=rows,
        numbers=frozenset({"growth", "least", "most", "share"}),
        notes=(_SHARE_NOTE, _TOLERANCE) if rows else (),
        empty="fewer than two recorded states in the period",
    )


def supply_table(report: PoolReport) -> Table:
    """Return what a supply earned at least and at most, by assumption, beside what is recorded."""
    rows: list[tuple[str | None, ...]] = []
    notes: list[str] = []
    for share in report.shares:
        rows += _share_rows(share)
        if share.bounded.lacking:
            notes.append(f"from {iso(share.since)}: {share.bounded.lacking}")
        if share.unrecorded:
            notes.append(
                f"from {iso(share.since)}: the basis is another one at the end, and no operation "
                f"is recorded: what was earned cannot be told from what was moved"
            )
        if share.bounded.is_refuted:
            notes.append(
                f"from {iso(share.since)}: recorded states lie farther apart than the pace "
                f"allows; it is refuted, and not used"
            )
    return Table(
        title=f"{_supply(report)}: what was earned, from its public states alone",
        columns=("since", "until", "assumption", "least", "most", "earned", "verdict"),
        rows=tuple(rows),
        numbers=frozenset({"least", "most", "earned"}),
        notes=(*notes, *(assumptions(report) if rows else ())),
        empty=_NO_LOAN,
    )


def rates_table(report: PoolReport) -> Table:
    """Return the same as yearly rates, with what was supplied at the beginning."""
    rows = tuple(
        (
            iso(share.since), iso(share.until), canonical(share.value), each.bound.assumption,
            canonical(each.bound.low), canonical(each.bound.high), _or_unknown(share.rate),
        )
        for share in report.shares
        for each in share.paid
    )  # fmt: skip
    return Table(
        title=f"{_supply(report)}: yearly rates",
        columns=("since", "until", "supplied", "assumption", "least", "most", "earned"),
        rows=rows,
        numbers=frozenset({"supplied", "least", "most", "earned"}),
        empty="none",
    )


def _supply(report: PoolReport) -> str:
    whose = f" of {report.supplier}" if report.supplier else ""
    return f"Supply{whose} in reserve {report.asset}"


def assumptions(report: PoolReport) -> tuple[str, ...]:
    """Return what every bound rests on, in sentences."""
    found = [f"curve: {CURVE_SAYS}; one state bounds nothing beyond it"]
    if report.pace is not None:
        found.append(f"pace: beside the curve, {pace_says(report.pace)}")
    if report.fastest is not None:
        found.append(
            f"fastest mean change of utilization between recorded states: "
            f"{canonical(report.fastest)} per hour"
        )
    unsampled = max((share.bounded.longest_ms for share in report.shares), default=0)
    found.append(f"longest time without a state: {unsampled // 1000:,} s")
    return tuple(found)


def pace_says(pace: Pace) -> str:
    """Return an assumed pace in words."""
    at_once = f" and {canonical(pace.step)} at once" if pace.step else ""
    return (
        f"utilization differs from a recorded one by at most {canonical(pace.hourly)} per hour"
        f"{at_once}; assumed, not proven"
    )


def _share_rows(share: Share) -> list[tuple[str | None, ...]]:
    ends, earned = (iso(share.since), iso(share.until)), _or_unknown(share.observed)
    if not share.paid:
        return [(*ends, "", UNKNOWN, UNKNOWN, earned, UNKNOWN)]
    return [
        (
            *ends, each.bound.assumption, canonical(each.least), canonical(each.most), earned,
            each.verdict,
        )
        for each in share.paid
    ]  # fmt: skip


def to_dict(report: PoolReport) -> dict[str, object]:
    """Return the report as a dictionary of text, for programs."""
    return {
        "reserve": report.asset,
        "since": iso(report.since),
        "until": iso(report.until),
        "known_at": str(report.position),
        "states": states_table(report).to_dicts(),
        "pairs": [
            {**row, "held": _shown(each.held), "then": _shown(each.now)}
            for row, each in zip(pairs_table(report).to_dicts(), report.pairs, strict=True)
        ],
        "supplier": report.supplier,
        "supply": [_supply_of(share) for share in report.shares],
        "assumptions": list(assumptions(report)),
        "notes": [note for table in tables(report, every=True) for note in table.notes],
    }


def _supply_of(share: Share) -> dict[str, object]:
    """Return one stretch of a supply as a dictionary, bounds by assumption."""
    return {
        "since": iso(share.since),
        "until": iso(share.until),
        "supplied": canonical(share.value),
        "moved": canonical(share.moved),
        "earned": _shown(share.observed),
        "yearly_earned": _shown(share.rate),
        "hourly_rows": _shown(share.rows),
        "bounds": [
            {
                "assumption": each.bound.assumption,
                "least": canonical(each.least),
                "most": canonical(each.most),
                "yearly_least": canonical(each.bound.low),
                "yearly_most": canonical(each.bound.high),
                "verdict": each.verdict,
            }
            for each in share.paid
        ],
        "unknown": share.bounded.lacking or None,
        "states": share.bounded.states,
        "captured": [_capture(each) for each in share.events],
    }


def _capture(each: Seen) -> dict[str, str | None]:
    return {
        "event": each.identity,
        "at": iso(each.event.at),
        "fetched": None if each.fetched is None else iso(each.fetched),
        "recorded": iso(each.recorded),
    }


def _or_unknown(value: Decimal | None) -> str:
    return UNKNOWN if value is None else canonical(value)


def _shown(value: Decimal | None) -> str | None:
    return None if value is None else canonical(value)


def _floor(value: Decimal | None) -> Decimal | None:
    with exact():
        return None if value is None else round_floor(value, BOUND_PLACES)


def _ceiling(value: Decimal | None) -> Decimal | None:
    with exact():
        return None if value is None else -round_floor(-value, BOUND_PLACES)


def share_shown(each: pool.Pair) -> str | None:
    """Return the growth of the protocol's part by that of borrows, seven places, where it follows.

    None where part of it was taken out, or nothing can be said.
    """
    if each.share is None or each.kept != "grew by its share":
        return None
    with exact():
        return canonical(round_half_even(each.share, SHARE_PLACES))
