"""Margin report: what margin at an instant says, as tables, as a derivation, and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.money import ZERO, canonical, exact, round_half_even
from projections.arithmetic import EXACT
from projections.margin.derivation import nearest_alternative
from projections.margin.picture import known
from projections.margin.rebuilt import value_of
from projections.rulebooks import formulas
from replay.margin import differs
from replay.moments import iso
from replay.tables import UNKNOWN, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from projections.margin import Figure, Judgement, Line, Picture, TokenMargin
    from projections.margin.inferred import Inferred
    from replay.margin import MarginAt

SHOWN: Final = 10
"""Decimal places of a quotient in a table; a program gets all of them."""

_OF_THE_ACCOUNT: Final = (
    "ratio", "ratio_observed", "ratio_documented", "health_factor", "borrowing_power", "debt",
    "partial_threshold", "full_threshold", "full_threshold_printed",
)  # fmt: skip
_OF_A_TOKEN: Final = (
    "net", "maintenance", "requirement_observed", "requirement_documented", "liquidation_value",
    "available", "collateral", "power", "borrow_cap_use", "supply_cap_use", "can_borrow",
    "can_withdraw", "locked",
)  # fmt: skip

FIGURES: Final = ("figure", "of", "value", "unit", "rule", "status")


def shown(value: Decimal | None) -> str:
    """Return a number for people: ten places where it has more, ``unknown`` where there is none."""
    if value is None:
        return UNKNOWN
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -SHOWN:
        value = round_half_even(value, SHOWN)
    return canonical(value)


def age_text(age_ms: int | None) -> str:
    """Return an age in the largest units that say it: ``4m``, ``16h 38m``, ``2d 3h``."""
    if age_ms is None:
        return ""
    seconds = age_ms // 1000
    if seconds < 60:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    parts = [f"{days}d"] * bool(days) + [f"{hours}h"] * bool(hours)
    if not days:
        parts += [f"{minutes}m"] * bool(minutes)
    return " ".join(parts)


def cell_text(figure: Figure) -> str:
    """Return a figure for people; ``none`` where it does not exist, as a price that nothing has."""
    if figure.value is not None:
        return shown(figure.value)
    return UNKNOWN if figure.missing else "none"


# ------------------------------------------------------------------------- tables


def heading(found: MarginAt) -> str:
    """Return one line: which account, which instant, in which mode, under which rules."""
    margin, asked = found.margin, found.question
    books = " and ".join(each.rulebook for each in margin.judgements)
    said = f"rulebook {books}"
    if asked.rulebook is not None:
        said += ", which was asked for, whatever held then"
    return (
        f"{margin.account} at {iso(margin.at)}, as known at position {found.position}: "
        f"{margin.picture.mode} ({found.rests.mode}); {said}"
    )


def verdict_text(judgement: Judgement) -> str:
    """Return the verdict in a sentence."""
    if judgement.liquidatable is None:
        return "unknown whether it was liquidatable: an input is missing"
    holding = [each for each in judgement.verdicts if each.holds]
    if not holding:
        return "not liquidatable"
    return "liquidatable: " + "; ".join(
        f"{each.question}{f' {each.of}' if each.of else ''}, {each.limit}" for each in holding
    )


def tables(found: MarginAt) -> tuple[Table, ...]:
    """Return margin table by table, one set of them per rulebook that may have held."""
    shown_tables: list[Table] = []
    for judgement in found.margin.judgements:
        last = judgement is found.margin.judgements[-1]
        shown_tables += [
            _figures(judgement, found.margin.picture, notes(found, judgement) if last else ()),
            _positions(judgement),
            verdicts_table(judgement),
        ]
    if found.compared:
        shown_tables.append(compared_table(found))
    return tuple(shown_tables)


def of_account(judgement: Judgement) -> Iterator[Figure]:
    """Yield the figures of the whole account that the mode has, the ratio first."""
    for name in _OF_THE_ACCOUNT:
        figure = getattr(judgement, name)
        if figure is not None:
            yield figure


def of_token(token: TokenMargin) -> Iterator[Figure]:
    """Yield the figures of a token that the mode has, in the order of the table."""
    for name in _OF_A_TOKEN:
        figure = getattr(token, name)
        if figure is not None:
            yield figure


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name, figure.of, cell_text(figure), figure.unit, figure.rule or "input",
        figure.status,
    )  # fmt: skip


def _is_empty(picture: Picture, token: TokenMargin) -> bool:
    """Tell whether the account has and owes nothing of a token, and nothing is required in it."""
    held = picture.token(token.asset)
    if held is None or token.maintenance.value != ZERO:
        return False
    return not any(known(each) != ZERO for each in (held.total, held.supplied, held.borrowed))


def _figures(judgement: Judgement, picture: Picture, remarks: tuple[str, ...]) -> Table:
    rows = [_row(figure) for figure in of_account(judgement)]
    for token in judgement.tokens:
        if _is_empty(picture, token):
            continue
        rows += [_row(figure) for figure in of_token(token)]
    if not judgement.tokens:
        for exchange in judgement.exchanges:
            rows += [
                _row(figure)
                for figure in (
                    exchange.account_value, exchange.cross_maintenance, exchange.initial,
                    exchange.transfer_requirement,
                )
            ]  # fmt: skip
    return Table(
        title=f"Margin under rulebook {judgement.rulebook}: {verdict_text(judgement)}",
        columns=FIGURES,
        rows=tuple(rows),
        numbers=frozenset({"value"}),
        notes=remarks,
    )


def _positions(judgement: Judgement) -> Table:
    rows = []
    for exchange in judgement.exchanges:
        for each in exchange.positions:
            price = each.liquidation_price
            rows.append(
                (
                    each.coin,
                    "isolated" if each.is_isolated else "cross",
                    shown(each.size),
                    shown(each.mark),
                    cell_text(each.value),
                    cell_text(each.maintenance),
                    cell_text(price),
                    _distance(each.mark, price.value),
                )
            )
    return Table(
        title="Positions",
        columns=(
            "market", "kind", "size", "mark", "value", "maintenance", "liquidation_price",
            "distance",
        ),
        rows=tuple(rows),
        numbers=frozenset({
            "size", "mark", "value", "maintenance", "liquidation_price", "distance",
        }),
        empty="none open",
    )  # fmt: skip


def _distance(mark: Decimal | None, price: Decimal | None) -> str | None:
    """Return how far a price is from the mark, in percent of it."""
    if not mark or price is None:
        return None
    with exact():
        share = EXACT.divide_half_even((price - mark) * 100, mark, 2)
    return f"{'+' if share > 0 else ''}{canonical(share)}%"


def verdicts_table(judgement: Judgement) -> Table:
    """Return the conditions of liquidation, each with its answer and the readings it rests on."""
    words = {True: "yes", False: "no", None: UNKNOWN}
    return Table(
        title="Conditions of liquidation",
        columns=("condition", "of", "holds", "limit", "short_by", "unit", "readings", "status"),
        rows=tuple(
            (
                each.question, each.of, words[each.holds], each.limit, cell_text(each.figure),
                each.figure.unit, " ".join(each.readings), each.status,
            )
            for each in judgement.verdicts
        ),
        numbers=frozenset({"short_by"}),
        empty="nothing to liquidate",
    )  # fmt: skip


def notes(found: MarginAt, judgement: Judgement) -> tuple[str, ...]:
    """Return what must be said beside the figures: what is old, missing, or open."""
    said = [f"what the account had: {found.rests.basis}"]
    if judgement.missing:
        said.append(f"unknown for want of: {', '.join(judgement.missing)}")
    for name, age in found.stale:
        said.append(
            f"{name} is {age_text(age)} old, older than {age_text(found.question.stale_ms)}"
        )
    said += [f"inferred, not recorded: {_inferred(each)}" for each in found.inferred]
    margin = found.margin
    if margin.note:
        agree = "they agree" if margin.agrees else "they differ"
        verdict = f"; {agree} on the verdict" if len(margin.judgements) > 1 else ""
        said.append(f"{margin.note}{verdict}")
    if judgement.readings_decide:
        said.append("another reading of the same texts changes the verdict: see --explain")
    said += [
        f"finding: {each.name}{f' of {each.of}' if each.of else ''} is {shown(each.ours.value)} "
        f"by the rules and {shown(each.venue)} in the venue's own state of this very moment"
        for each in found.findings
    ]
    return tuple(said)


def _inferred(of: Inferred) -> str:
    """Return a movement of a loan without a record, in words."""
    when = (
        f"by {iso(of.until)}"
        if of.since is None
        else (f"between {iso(of.since)} and {iso(of.until)}")
    )
    least = "" if of.is_exact else "at least "
    return f"{least}{canonical(of.amount)} {of.asset} {of.what} {when}: {of.why}"


def compared_table(found: MarginAt) -> Table:
    """Return the venue's own figures of the very moment beside ours."""
    return Table(
        title="Beside the venue's own state of this moment",
        columns=("figure", "of", "ours", "venue", "residual", "grade", "agrees"),
        rows=tuple(
            (
                each.name, each.of, cell_text(each.ours), shown(each.venue),
                None if each.residual is None else shown(each.residual), each.grade,
                None if each.residual is None else "no" if differs(each) else "yes",
            )
            for each in found.compared
            if each.venue is not None
        ),
        numbers=frozenset({"ours", "venue", "residual"}),
        empty="it states none of these figures",
    )  # fmt: skip


# ------------------------------------------------------------------------- the derivation


def explanation(found: MarginAt) -> tuple[Table, ...]:
    """Return the inputs, with source and age, and the balances they make."""
    inputs: list[tuple[str, ...]] = []
    for judgement in found.margin.judgements[:1]:
        inputs += [_input(found, line) for line in judgement.lines if not line.formula]
    return (
        Table(
            title="Inputs",
            columns=("input", "of", "value", "unit", "age", "source", "where"),
            rows=tuple(inputs),
            numbers=frozenset({"value", "age"}),
        ),
        one_balance(found.margin.picture),
    )


def _input(found: MarginAt, line: Line) -> tuple[str, ...]:
    source = line.source.partition(" (")[0] if line.name == "net balance" else line.source
    old = ""
    if line.age_ms is not None:
        stale = line.age_ms > found.question.stale_ms and line.name in {"mark", "oracle price"}
        old = age_text(line.age_ms) + ("!" if stale else "")
    return (
        line.name, line.of, shown(line.value), line.unit, old, source,
        found.rests.where.of(line.name, line.of),
    )  # fmt: skip


def one_balance(picture: Picture) -> Table:
    """Return how each token's balance is made: exchanges + supplied + at hand − borrowed."""
    rows = []
    single = picture.mode in {"unifiedAccount", "portfolioMargin"}
    for token in picture.tokens:
        values = [value_of(each) for each in picture.exchanges if each.collateral == token.asset]
        parts = [known(each) for each in (token.total, token.supplied, token.borrowed, *values)]
        at_hand = None
        if single and None not in parts:
            with exact():
                total, supplied, borrowed, *worth = (each or ZERO for each in parts)
                at_hand = formulas.idle(EXACT, total, worth, supplied, ZERO, borrowed)
        row = [shown(known(each)) for each in (token.supplied, token.borrowed, token.total)]
        sides = [known(each) for each in values]
        with exact():
            side = None if None in sides else sum((each or ZERO for each in sides), ZERO)
        rows.append((token.asset, shown(side), row[0], shown(at_hand), row[1], row[2]))
    return Table(
        title="One balance: exchanges + supplied + at hand − borrowed = total",
        columns=("asset", "exchanges", "supplied", "at_hand", "borrowed", "total"),
        rows=tuple(rows),
        numbers=frozenset({"exchanges", "supplied", "at_hand", "borrowed", "total"}),
    )


def workings(judgement: Judgement) -> Iterator[str]:
    """Yield the derivation, line by line: formula with its numbers, result, rule, other reading."""
    yield f"Workings under rulebook {judgement.rulebook}"
    steps = [line for line in judgement.lines if line.formula]
    for number, line in enumerate(steps, 1):
        of = f" of {line.of}" if line.of else ""
        unit = f" {line.unit}" if line.unit else ""
        yield f"{number:4}. {line.name}{of} = {line.formula}"
        yield f"      = {shown(line.value)}{unit}   [{line.rule}, {line.status}]"
        if line.alternative:
            yield f"      other reading: {line.alternative}"
    yield f"Verdict: {verdict_text(judgement)}"
    yield from _nearest(judgement)


def _nearest(judgement: Judgement) -> Iterator[str]:
    yield f"Readings taken: {' '.join(judgement.readings)}"
    nearest = nearest_alternative(judgement)
    if nearest is not None:
        others = [each for each in nearest.readings if each not in judgement.readings]
        words = {True: "liquidatable", False: "not liquidatable", None: UNKNOWN}
        yield (
            f"Nearest other reading: {' '.join(others)}, ratio {shown(nearest.ratio)}, "
            f"{words[nearest.liquidatable]}"
        )
    decides = "changes" if judgement.readings_decide else "does not change"
    yield f"Taking the texts in another way {decides} the verdict."


def readings_table(judgement: Judgement) -> Table:
    """Return ratio and verdict under every combination of readings, equal ones together."""
    words = {True: "yes", False: "no", None: UNKNOWN}
    groups: dict[tuple[Decimal | None, bool | None], list[str]] = {}
    for each in judgement.alternatives:
        groups.setdefault((each.ratio, each.liquidatable), []).append(" ".join(each.readings))
    return Table(
        title="Readings",
        columns=("ratio", "liquidatable", "ways", "for_example"),
        rows=tuple(
            (shown(ratio), words[holds], str(len(ways)), ways[0])
            for (ratio, holds), ways in groups.items()
        ),
        numbers=frozenset({"ratio", "ways"}),
        empty="the texts leave nothing open in this mode",
    )


# ------------------------------------------------------------------------- for programs


def as_dict(found: MarginAt, *, explained: bool = False) -> dict[str, object]:
    """Return margin as a dictionary of text, every figure with all its digits.

    With *explained* the derivation is in it, and every combination of readings.
    """
    margin = found.margin
    return {
        "account": margin.account,
        "at": iso(margin.at),
        "known_at": str(found.position),
        "mode": margin.picture.mode,
        "mode_from": found.rests.mode,
        "rests_on": found.rests.basis,
        "liquidatable": margin.liquidatable,
        "agrees": margin.agrees,
        "note": margin.note,
        "judgements": [
            _judgement(found, each, explained=explained) for each in margin.judgements
        ],
        "stale": {name: age_text(age) for name, age in found.stale},
        "compared": compared_table(found).to_dicts(),
        "inferred": [
            {"what": each.what, "asset": each.asset, "amount": canonical(each.amount),
             "exact": each.is_exact, "why": each.why, "until": iso(each.until),
             "since": None if each.since is None else iso(each.since)}
            for each in found.inferred
        ],
        "findings": [
            {"figure": each.name, "of": each.of, "ours": _full(each.ours.value),
             "venue": _full(each.venue), "residual": _full(each.residual), "grade": each.grade}
            for each in found.findings
        ],
    }  # fmt: skip


def _full(value: Decimal | None) -> str | None:
    return None if value is None else canonical(value)


def _judgement(found: MarginAt, judgement: Judgement, *, explained: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "rulebook": judgement.rulebook,
        "liquidatable": judgement.liquidatable,
        "readings": list(judgement.readings),
        "readings_decide": judgement.readings_decide,
        "missing": list(judgement.missing),
        "figures": [
            {"figure": each.name, "of": each.of, "value": _full(each.value), "unit": each.unit,
             "rule": each.rule, "status": each.status, "missing": list(each.missing),
             "note": each.note}
            for each in judgement.figures()
        ],
        "verdicts": verdicts_table(judgement).to_dicts(),
    }  # fmt: skip
    if explained:
        told["alternatives"] = readings_table(judgement).to_dicts()
        told["derivation"] = [
            {"figure": line.name, "of": line.of, "formula": line.formula,
             "value": _full(line.value), "unit": line.unit, "rule": line.rule,
             "source": line.source, "age_ms": line.age_ms, "status": line.status,
             "other_reading": line.alternative,
             "where": "" if line.formula else found.rests.where.of(line.name, line.of)}
            for line in judgement.lines
        ]  # fmt: skip
    return told
