"""Closing report: what was closed, and what came of making it again, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from replay.closing import arrived_since, closings
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replay.audit import Audit
    from replay.closing import Closed, Reproduction

LATER: Final = (
    "events that arrived later are recorded as ever: rollforward diff says what they changed"
)


def listed(audit: Audit) -> tuple[dict[str, Any], ...]:
    """Return every closing as a dictionary of text, oldest first, with what arrived since."""
    return tuple(
        {
            "closed": closed.name,
            "of": closed.of,
            "period": closed.period.name,
            "report": closed.event.report,
            "parameters": closed.event.parameters,
            "position": closed.event.position,
            "by": closed.event.by,
            "at": iso(closed.event.at),
            "arrived_since": dict(arrived_since(audit, closed)),
            "sha256": closed.event.digest,
            "note": closed.event.because,
        }
        for closed in closings(audit)
    )


def list_table(audit: Audit) -> Table:
    """Return one row per closing, oldest first, with how much arrived in its period since."""
    rows = tuple(
        (
            row["closed"], row["of"], row["period"], row["report"], str(row["position"]),
            row["by"], f"{row['at'][:16]}Z", str(sum(row["arrived_since"].values())), row["note"],
        )
        for row in listed(audit)
    )  # fmt: skip
    return Table(
        title="Closed periods",
        columns=("closed", "of", "period", "report", "position", "by", "at", "arrived", "note"),
        rows=rows,
        numbers=frozenset({"position", "arrived"}),
        notes=(LATER,) if any(row[7] != "0" for row in rows) else (),
        empty="none",
    )


def lines(found: Reproduction) -> Iterator[str]:
    """Yield what came of it, in sentences."""
    closed = found.closed
    event = closed.event
    yield (
        f"{closed.name}: {event.report} of {closed.of}, {closed.period.name}, at position "
        f"{event.position}; closed by {event.by} at {iso(event.at)}"
    )
    match found.outcome:
        case "identical":
            yield f"byte-identical: sha256 {event.digest}"
        case "differs":
            yield f"not the same: sha256 {event.digest} was pinned, {found.digest} is made now"
        case _:
            yield f"not made: sha256 {event.digest} was pinned"
    yield from (f"  {reason}" for reason in found.reasons)
    yield from later(closed, found.arrived)


def later(closed: Closed, arrived: Mapping[str, int]) -> Iterator[str]:
    """Yield what arrived since, and what to ask to see its effect."""
    count = sum(arrived.values())
    if not count:
        return
    told = ", ".join(f"{number} {kind}" for kind, number in arrived.items())
    events = "1 event" if count == 1 else f"{count} events"
    yield f"since then {events} arrived with effective time inside the period: {told}"
    account = closed.event.account
    if account is not None:
        yield f"  rollforward diff {account} --known-at {closed.name}.. says what they changed"


def differences(found: Reproduction) -> tuple[Table, ...]:
    """Return the figures and the lines of text that are not the same; nothing where all are."""
    tables = []
    if found.figures:
        tables.append(
            Table(
                title="Figures that are not the same",
                columns=("figure", "pinned", "made_now"),
                rows=found.figures,
                numbers=frozenset({"pinned", "made_now"}),
            )
        )
    if found.lines:
        tables.append(
            Table(
                title="First lines that are not the same",
                columns=("pinned", "made_now"),
                rows=found.lines,
            )
        )
    return tuple(tables)


def as_dict(found: Reproduction) -> dict[str, Any]:
    """Return everything as one dictionary of text, for programs."""
    event = found.closed.event
    return {
        "closed": found.closed.name,
        "of": found.closed.of,
        "since": iso(event.since),
        "until": iso(event.until),
        "report": event.report,
        "parameters": event.parameters,
        "position": event.position,
        "versions": list(event.versions),
        "outcome": found.outcome,
        "pinned_sha256": event.digest,
        "made_sha256": found.digest,
        "reasons": list(found.reasons),
        "figures": [
            {"figure": name, "pinned": old, "made_now": new} for name, old, new in found.figures
        ],
        "lines": [{"pinned": old, "made_now": new} for old, new in found.lines],
        "arrived_since": dict(found.arrived),
    }
