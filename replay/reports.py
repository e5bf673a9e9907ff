"""Reports that can be pinned: by name, each a function from a question to bytes.

The bytes are the report's one form: a JSON object with its question, its figures by name, its
values and its text as people read it; keys in order, amounts as text, UTF-8, a newline at the end.
Nothing in them depends on the machine, its clock, zone or language, nor on what was recorded after
the position. A new report is a function here or elsewhere, and its line in ``REPORTS``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import msgspec

from ledger.entries import AsOf
from ledger.errors import UnclearQuestion
from ledger.units import Millis
from replay.audit import AccountHistory, Audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.tables import Table

REPORTS: Final[Mapping[str, str]] = {
    "show": "replay.reports:show",
    "margin": "replay.reports:margin",
    "interest": "replay.reports:interest",
    "statement": "replay.reports:statement",
    "state": "replay.reports:state",
}
"""Every report that can be pinned: its name, and where its function is."""

FORM: Final = "report/1"


@attrs.frozen(kw_only=True)
class Asked:
    """What a report is asked for. ``history`` is None where a group is meant."""

    audit: Audit
    history: AccountHistory | None
    group: str
    since: Millis
    until: Millis
    position: int
    parameters: Mapping[str, Any]

    @property
    def of(self) -> str:
        """The account's address, or the name of the group."""
        return self.group if self.history is None else self.history.account


@attrs.frozen(kw_only=True)
class Made:
    """A report that was made: its bytes, and the rulebooks it was judged under."""

    body: bytes
    rulebooks: tuple[str, ...] = ()


Report: TypeAlias = Callable[[Asked], Made]


def report(name: str) -> Report:
    """Return the function of a report.

    Raises: UnclearQuestion, when there is none of that name.
    """
    where = REPORTS.get(name)
    if where is None:
        raise UnclearQuestion(
            asked=name, problem="is no report", remedy=f"There are: {', '.join(REPORTS)}"
        )
    module, _, function = where.partition(":")
    found: Report = getattr(importlib.import_module(module), function)
    return found


def made(
    name: str,
    asked: Asked,
    *,
    tables: Sequence[Table],
    heading: str,
    figures: Mapping[str, str] | None = None,
    values: object = None,
    rulebooks: Sequence[str] = (),
) -> Made:
    """Return a report in its one form.

    *figures* are named as ``rollforward diff`` names them where they are the same figures;
    *values* is what its ``--json`` holds.
    """
    document = {
        "@": FORM,
        "report": name,
        "of": asked.of,
        "since": asked.since,
        "until": asked.until,
        "position": asked.position,
        "parameters": dict(asked.parameters),
        "figures": dict(figures or {}),
        "values": values if values is not None else {t.title: t.to_dicts() for t in tables},
        "text": "\n\n".join((heading, *map(str, tables))).splitlines(),
    }
    return Made(body=msgspec.json.encode(document, order="sorted") + b"\n",
                rulebooks=tuple(rulebooks))  # fmt: skip


def parameters_text(parameters: Mapping[str, Any]) -> str:
    """Return parameters as canonical JSON: keys in order, no spaces."""
    return msgspec.json.encode(dict(parameters), order="sorted").decode()


def the_account(asked: Asked, name: str) -> AccountHistory:
    """Return the account of a report that is about one.

    Raises: UnclearQuestion, for a group.
    """
    if asked.history is None:
        raise UnclearQuestion(
            asked=asked.group,
            problem=f"is a group, and the report {name} is about one account",
            remedy="Close each of its accounts, or close the group on a statement",
        )
    return asked.history


def only(asked: Asked, name: str, *known: str) -> None:
    """Refuse parameters a report does not know: an old or a future program may have had them.

    Raises: UnclearQuestion, naming them.
    """
    unknown = sorted(set(asked.parameters) - set(known))
    if unknown:
        raise UnclearQuestion(
            asked=", ".join(unknown),
            problem=f"is no parameter of the report {name}",
            remedy=f"It has: {', '.join(known) or 'none'}",
        )


# ------------------------------------------------------------------------- reports of this room


def show(asked: Asked) -> Made:
    """Return what the account had at the end of the period, with the coverage of the period."""
    from projections.beliefs import figures
    from replay.audit import Instant
    from replay.coverage import certificate
    from replay.diff_report import text

    only(asked, "show")
    history = the_account(asked, "show")
    as_of = AsOf(effective=asked.until, position=asked.position)
    folded = history.audit.engine.states(history.stream, as_of)
    instant = Instant(history=history, as_of=as_of, folded=folded)
    covered = certificate(history, since=asked.since, until=asked.until, position=asked.position)
    named = figures(folded.states).values
    return made(
        "show",
        asked,
        heading="\n".join((instant.heading, *covered.lines())),
        tables=instant.tables,
        figures={name: text(value) for name, value in named.items()},
        # The state digest names the form of states, which may change where no figure does.
        values={name: value for name, value in instant.to_dict().items() if name != "state_digest"},
    )


def margin(asked: Asked) -> Made:
    """Return requirement, ratio and verdict at the end of the period.

    Parameters: ``rulebook``, an id; ``readings``, a list of ids; ``mode``.
    """
    from projections.beliefs import MARGIN
    from replay import margin_report
    from replay.diff_margin import figure_values
    from replay.diff_report import text
    from replay.margin import MODES, Assembler, Question

    only(asked, "margin", "rulebook", "readings", "mode")
    history = the_account(asked, "margin")
    given = asked.parameters
    question = Question(
        rulebook=given.get("rulebook"),
        readings=tuple(given.get("readings", ())),
        mode=next((each for each in MODES if each == given.get("mode")), None),
    )
    found = Assembler(history, asked.position, question).at(asked.until, workings=True)
    judgements = found.margin.judgements
    return made(
        "margin",
        asked,
        heading=margin_report.heading(found),
        tables=margin_report.tables(found),
        figures={name: text(value) for name, value in figure_values(judgements[0])
                 if name.startswith(MARGIN)},
        values=margin_report.as_dict(found, explained=True),
        rulebooks=tuple(each.rulebook for each in judgements),
    )  # fmt: skip


def statement(asked: Asked) -> Made:
    """Return the statement of the period, of an account or a group, with all its activity.

    Parameters: ``money``, in which equity is told; ``token``, the only one that is shown.
    """
    from ledger.units import Asset
    from projections.chart import USDC, is_own
    from replay.papers import data, words
    from replay.papers.sheets import tables
    from replay.periods import Period
    from replay.statement import question
    from replay.statement import statement as made_statement
    from replay.views import place_name

    only(asked, "statement", "money", "token")
    token = asked.parameters.get("token")
    of = question(
        asked.audit,
        asked.of,
        Period(since=asked.since, until=asked.until),
        position=asked.position,
        money=Asset(asked.parameters.get("money", USDC)),
        token=None if token is None else Asset(token),
    )
    found = made_statement(asked.audit, of)
    closing = {
        f"balance {place_name(row.place)} {row.asset}": words.number(row.closing)
        for row in found.rows
        if not of.is_group and is_own(row.place) and not row.place.startswith("position:")
    }
    return made(
        "statement",
        asked,
        heading=words.heading(found),
        tables=tables(found),
        figures=closing,
        values=data.document(found),
    )


def state(asked: Asked) -> Made:
    """Return the observed states of the period held against the account's history.

    Parameters: ``how``, ``bisection`` or ``all``.
    """
    from replay.coverage import certificate
    from replay.reconcile.state import reconcile_state
    from replay.reconcile.state_report import heading, tables, to_dict

    only(asked, "state", "how")
    history = the_account(asked, "state")
    found = reconcile_state(
        history,
        since=asked.since,
        until=asked.until,
        position=asked.position,
        how="all" if asked.parameters.get("how") == "all" else "bisection",
    )
    covered = certificate(history, since=asked.since, until=asked.until, position=asked.position)
    # How many events were folded depends on what is remembered, and says nothing of the account.
    values = {name: value for name, value in to_dict(found).items() if name != "folded_events"}
    return made(
        "state",
        asked,
        heading="\n".join((heading(found), *covered.lines())),
        tables=tables(found),
        values=values,
    )


def interest(asked: Asked) -> Made:
    """Return the interest paid in the period held against what follows by rule, with every hour.

    Parameters: ``tolerance``, ``total-tolerance``, ``hold``, ``late-after``, as
    ``rollforward reconcile interest`` takes them, and ``complete``, ``yes`` where the history
    begins with the account. Statements from outside the book cannot be closed on.
    """
    from ledger.money import parse_decimal
    from replay.coverage import certificate
    from replay.margin_timeline import length
    from replay.periods import Period
    from replay.reconcile.interest import Asked as Terms
    from replay.reconcile.interest import reconcile_interest
    from replay.reconcile.interest_report import heading, tables, to_dict

    only(asked, "interest", "tolerance", "total-tolerance", "hold", "late-after", "complete")
    history = the_account(asked, "interest")
    given, terms = asked.parameters, Terms()
    tolerance = terms.tolerance
    if "tolerance" in given:
        tolerance = attrs.evolve(tolerance, per_line=parse_decimal(given["tolerance"]))
    if "total-tolerance" in given:
        tolerance = attrs.evolve(tolerance, in_total=parse_decimal(given["total-tolerance"]))
    if "late-after" in given:
        tolerance = attrs.evolve(tolerance, late_after=length(given["late-after"]))
    terms = attrs.evolve(
        terms,
        tolerance=tolerance,
        hold_ms=length(given["hold"]) if "hold" in given else terms.hold_ms,
        is_complete=given.get("complete") == "yes",
    )
    period = Period(since=asked.since, until=asked.until)
    found = reconcile_interest(history, period, terms, position=asked.position)
    covered = certificate(history, since=asked.since, until=asked.until, position=asked.position)
    return made(
        "interest",
        asked,
        heading="\n".join((heading(found), *covered.lines())),
        tables=tables(found, lines=True),
        values=to_dict(found, lines=True),
    )
