"""Identities of every observed state: figures of one answer held against each other.

No history is needed; a state that somebody altered, or a rule that does not hold, shows here.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import attrs

from ledger.events import ModeChanged, PerpStateObserved, SpotStateObserved
from ledger.money import canonical, exact
from ledger.units import Address, Millis
from projections.identities import identities
from projections.observed import SINGLE_BALANCE_MODES, Figure
from replay.moments import iso
from replay.reconcile.seen import Seen, seen
from replay.reconcile.state_report import WORDS
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from projections.observed import Verdict
    from replay.audit import AccountHistory


COLUMNS: Final = (
    "at", "exchange", "positions", "agree", "within_rounding", "differ", "unknown",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class StateIdentities:
    """The identities of one perpetuals state."""

    seen: Seen
    dex: str
    positions: int
    figures: tuple[Figure, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many figures have one verdict."""
        with exact():
            return sum(each.verdict == verdict for each in self.figures)


@attrs.frozen(kw_only=True)
class IdentityReport:
    """The identities of every perpetuals state of an account, by moment."""

    account: Address
    position: int
    states: tuple[StateIdentities, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many figures of all states have one verdict."""
        return sum(each.count(verdict) for each in self.states)

    @property
    def is_clean(self) -> bool:
        """True when no figure differs from what follows."""
        return not self.count("differs")


def reconcile_identities(
    history: AccountHistory,
    *,
    since: Millis | None = None,
    until: Millis | None = None,
    position: int,
) -> IdentityReport:
    """Return the identities of every perpetuals state recorded of an account.

    **Units**: moments in milliseconds, both included; None is no limit.
    """
    kinds = (PerpStateObserved, SpotStateObserved, ModeChanged)
    modes: list[tuple[Millis, bool]] = []
    found: list[tuple[Seen, PerpStateObserved]] = []
    for each in seen(history.audit.engine, history.stream, position, kinds):
        event = each.event
        if isinstance(event, ModeChanged):
            modes.append((event.at, event.mode in SINGLE_BALANCE_MODES))
        elif isinstance(event, SpotStateObserved) and event.margin_enabled is not None:
            modes.append((event.at, event.margin_enabled))
        elif isinstance(event, PerpStateObserved) and (
            (since is None or event.at >= since) and (until is None or event.at <= until)
        ):
            found.append((each, event))
    return IdentityReport(
        account=history.account,
        position=position,
        states=tuple(
            StateIdentities(
                seen=each,
                dex=event.dex,
                positions=len(event.positions),
                figures=identities(event, single=_is_single(modes, event.at)),
            )
            for each, event in found
        ),
    )


def _is_single(modes: list[tuple[Millis, bool]], at: Millis) -> bool:
    """Tell whether one balance stands for all: by the last word before, else the first after."""
    if not modes:
        return False
    return modes[max(0, bisect_right(modes, at, key=lambda each: each[0]) - 1)][1]


def heading(report: IdentityReport) -> str:
    """Return one line: which account, how many states."""
    return (
        f"{report.account}, as known at position {report.position}: {len(report.states)} "
        f"perpetuals states held against themselves"
    )


def tables(report: IdentityReport) -> list[Table]:
    """Return a row per state, and one per figure that does not simply agree."""
    return [states_table(report), figures_table(report)]


def states_table(report: IdentityReport) -> Table:
    """Return one row per state: how many of its figures follow from the others."""
    rows = tuple(
        (
            iso(each.seen.event.at), each.dex or "main", str(each.positions),
            *(str(each.count(verdict)) for verdict in ("agrees", "within", "differs", "unknown")),
        )
        for each in report.states
    )  # fmt: skip
    return Table(
        title=f"Identities of {report.account}",
        columns=COLUMNS,
        rows=rows,
        numbers=frozenset(COLUMNS[2:]),
        empty="no perpetuals state is recorded",
    )


def figures_table(report: IdentityReport) -> Table:
    """Return every figure that is not exactly what follows, with both numbers."""
    rows: list[tuple[str | None, ...]] = []
    with exact():
        for state in report.states:
            for each in state.figures:
                if each.verdict != "agrees":
                    verdict = WORDS[each.verdict]
                    rows.append((
                        iso(state.seen.event.at), each.subject,
                        UNKNOWN if each.expected is None else canonical(each.expected),
                        canonical(each.observed),
                        UNKNOWN if each.difference is None else canonical(each.difference),
                        f"{verdict}: {each.why}" if each.why else verdict,
                    ))  # fmt: skip
    return Table(
        title="Figures that do not agree in all digits",
        columns=("at", "figure", "follows", "observed", "difference", "verdict"),
        rows=tuple(rows),
        numbers=frozenset({"follows", "observed", "difference"}),
        empty="none",
    )


def to_dict(report: IdentityReport) -> dict[str, object]:
    """Return the report as a dictionary of text, for programs."""
    return {
        "account": report.account,
        "known_at": str(report.position),
        "clean": report.is_clean,
        "states": states_table(report).to_dicts(),
        "figures": figures_table(report).to_dicts(),
    }
