"""Diff report: a diff as tables, and for programs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ledger.money import ZERO, canonical, exact
from projections.beliefs import KINDS, NONE, UNKNOWN
from replay.learned import TAKEN_TOGETHER
from replay.moments import iso
from replay.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.beliefs import Cause, Change, Share, Value
    from replay.diff import Diff

IN_ORDER: Final = (
    "causes are taken in the order of recording: each share is the figure after the step less the "
    "figure before it, so that shares add up to the difference exactly"
)
TOGETHER: Final = (
    "where several causes stand together, the figure was no number between them, and only what "
    "they did together is known"
)
TOGETHER_MAX: Final = 3
"""Of causes that stand together so many are shown before the last."""

NARROWER: Final = (
    "events are taken together where one by one would take too long: name a narrower A..B to see "
    "them apart"
)
EQUITY: Final = (
    "equity is the sum of what is recorded, each token at the last price recorded by then"
)


def heading(found: Diff) -> str:
    """Return one line: which account, which instant, between which states of knowledge."""
    asked = found.question
    return (
        f"{found.account} at {iso(asked.as_of)}, A: as known at position {asked.first}"
        f"{f' and pinned by {asked.pinned_by}' if asked.pinned_by else ''}, "
        f"B: as known at position {asked.last}"
    )


def tables(found: Diff) -> tuple[Table, ...]:
    """Return the figures at both ends with their causes by kind, and cause by cause."""
    return figures_table(found), causes_table(found)


def figures_table(found: Diff) -> Table:
    """Return one row per figure: both ends, the difference, and the sum of every kind of cause."""
    by_kind = [dict(change.by_kind) for change in found.changes]
    kinds = [kind for kind in KINDS if any(kind in each for each in by_kind)]
    columns = ("figure", "at_a", "at_b", "difference", *kinds)
    rows = tuple(
        (
            change.figure,
            text(change.before),
            text(change.after),
            _difference(change),
            *(canonical(sums[kind]) if kind in sums else "" for kind in kinds),
        )
        for change, sums in zip(found.changes, by_kind, strict=True)
    )
    return Table(
        title="Figures",
        columns=columns,
        rows=rows,
        numbers=frozenset(columns[1:]),
        notes=tuple(_notes(found)),
        empty="nothing asked for has changed",
    )


def _notes(found: Diff) -> Iterator[str]:
    if found.unmoved:
        yield f"{found.unmoved} figures are the same at both ends and are not shown"
    if any(change.figure.startswith("equity") for change in found.changes):
        yield EQUITY


def causes_table(found: Diff) -> Table:
    """Return one row per cause of every figure, its share, and the figure after it."""
    rows = tuple(row for change in found.changes for row in _rows(found, change))
    notes = [IN_ORDER] if rows else []
    if any(len(share.causes) > 1 for change in found.changes for share in change.shares):
        notes.append(TOGETHER)
    if any(row[3].endswith(TAKEN_TOGETHER) for row in rows):
        notes.append(NARROWER)
    return Table(
        title="Causes",
        columns=("figure", "cause", "position", "what", "event", "file", "share", "after"),
        rows=rows,
        numbers=frozenset({"position", "share", "after"}),
        notes=tuple(notes),
        empty="none",
    )


def _rows(found: Diff, change: Change) -> Iterator[tuple[str, ...]]:
    for share in change.shares:
        before, last = share.causes[:-1], share.causes[-1]
        hidden = len(before) - TOGETHER_MAX
        for cause in before[: TOGETHER_MAX if hidden > 0 else None]:
            yield (*_row(found, change, cause), "together with", "")
        if hidden > 0:
            what = f"{hidden} more causes, which --json names"
            yield (change.figure, "", "", what, "", "", "together with", "")
        yield (*_row(found, change, last), _amount(share), text(share.after))


def _row(found: Diff, change: Change, cause: Cause) -> tuple[str, ...]:
    position = "" if cause.position is None else str(cause.position)
    return (change.figure, cause.kind, position, cause.text, _events(cause), _file(found, cause))


def _events(cause: Cause) -> str:
    if not cause.events:
        return ""
    first = cause.events[0][:12]
    return first if len(cause.events) == 1 else f"{first} +{len(cause.events) - 1}"


def _file(found: Diff, cause: Cause) -> str:
    if cause.record is None:
        return ""
    name = found.record_names.get(cause.record, cause.record[:12]).rpartition("/")[2]
    return f"{name} {cause.place}" if cause.count == 1 and cause.place else name


def text(value: Value) -> str:
    """Return a value in plain digits; ``unknown``, or ``none`` where there is nothing."""
    return canonical(value) if isinstance(value, Decimal) else value


def _amount(share: Share) -> str:
    return _moved(share.amount, share.before, share.after)


def _difference(change: Change) -> str:
    return _moved(change.difference, change.before, change.after)


def _moved(amount: Decimal | None, before: Value, after: Value) -> str:
    """Return a difference; where one end is no number, which of the two reasons it has."""
    if amount is not None:
        return canonical(amount)
    if before == after:
        return "0"
    return UNKNOWN if UNKNOWN in {before, after} else NONE


def as_dict(found: Diff) -> dict[str, Any]:
    """Return a diff for programs: amounts as text, every cause with its events."""
    asked = found.question
    return {
        "account": found.account,
        "as_of": iso(asked.as_of),
        "known_at": [asked.first, asked.last],
        "pinned_by": asked.pinned_by or None,
        "rules": [asked.rule_a, asked.rule_b],
        "price_sources": [asked.price_a, asked.price_b],
        "order": "recording",
        "figures": [_as_dict(found, change) for change in found.changes],
        "same_at_both_ends": found.unmoved,
    }


def _as_dict(found: Diff, change: Change) -> dict[str, Any]:
    with exact():
        shared = sum((share.amount or ZERO for share in change.shares), ZERO)
    return {
        "figure": change.figure,
        "first": text(change.before),
        "last": text(change.after),
        "difference": _difference(change),
        "sum_of_shares": UNKNOWN if change.difference is None else canonical(shared),
        "by_kind": {kind: canonical(amount) for kind, amount in change.by_kind},
        "shares": [
            {
                "share": _amount(share),
                "before": text(share.before),
                "after": text(share.after),
                "causes": [_cause(found, cause) for cause in share.causes],
            }
            for share in change.shares
        ],
    }


def _cause(found: Diff, cause: Cause) -> dict[str, Any]:
    return {
        "kind": cause.kind,
        "text": cause.text,
        "position": cause.position,
        "recorded": None if cause.recorded is None else iso(cause.recorded),
        "record": cause.record,
        "file": None if cause.record is None else found.record_names.get(cause.record),
        "place": cause.place or None,
        "events": list(cause.events),
        "count": cause.count,
    }
