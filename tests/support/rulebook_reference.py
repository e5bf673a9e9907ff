"""The reference of rulebooks as a page, read off the dated modules and their values.

Run ``python -m tests.support.rulebook_reference`` to write ``docs/reference/rulebooks.md``; a test
compares the page with what this makes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from ledger.money import canonical
from projections.rulebooks import CALENDAR, EARLIER, contested, formulas, tiers
from projections.rulebooks.base import Parameter, Rulebook, Source

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rulebooks.md"

MARKS = {
    "confirmed": ("C", "reproduced from recorded data"),
    "documented": ("D", "said by the venue's documents only"),
    "observed": ("O", "seen by others on live data"),
    "inferred": ("I", "concluded by us"),
    "hypothetical": ("H", "assumed; nothing recorded bears it out"),
}

CAPS = (
    ("user_supply_cap", "most a user may supply"),
    ("user_borrow_cap", "most a user may borrow"),
    ("global_supply_cap", "most all may supply"),
    ("global_borrow_cap", "most all may borrow"),
)

HEAD = """# Rulebooks

The venue's rules by date: what a judgement of margin, or a rate of interest, rests on.
One version is in force at an instant.
Between the day one was seen at work and the day it was documented two are, and both verdicts are
given.
What the venue itself recorded (the loan to value in a reserve state, a margin table) goes before
a parameter of this page, unless it is older than the version.
An instant without a version is an error that names it.

How figures follow from these rules is in [margin](../spec/margin.md) and
[lending](../spec/lending.md), why rules have dates in
[a decision](../decisions/0009-the-calendar-of-rulebooks.md), words in the [glossary](glossary.md).

This page is written by `python -m tests.support.rulebook_reference`, from the modules of
`projections/rulebooks`.
"""


def page() -> str:
    """Return the whole page."""
    versions = (*EARLIER, *CALENDAR)
    parts = [HEAD, "\n".join(["## Marks", "", *marks()]), "\n".join(calendar(versions))]
    before: Rulebook | None = None
    for version in versions:
        parts.append("\n".join(one_version(version, before)))
        before = version
    parts += [
        "\n".join(reading_lines(versions)),
        "\n".join(tier_lines()),
        "\n".join(formula_lines("Formulas", formulas)),
        "\n".join(formula_lines("Contested formulas", contested)),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def marks() -> Iterator[str]:
    """Yield the table of marks."""
    yield from ("| mark | how sure | is |", "|---|---|---|")
    yield from (f"| {mark} | {name} | {meaning} |" for name, (mark, meaning) in MARKS.items())


def mark(status: str) -> str:
    """Return the mark of a status."""
    return MARKS[status][0]


def calendar(versions: tuple[Rulebook, ...]) -> Iterator[str]:
    """Yield the table of versions, each with the span it is in force."""
    yield from (
        "## Calendar",
        "",
        "All moments are UTC. In a version, **bold** is what the one before it did not say.",
        "",
    )
    yield "| version | in force from | documented from | until | how sure | changes |"
    yield "|---|---|---|---|---|---|"
    for version, after in zip(versions, [*versions[1:], None], strict=True):
        until = utc(after.documented_from) if after else ""
        yield (
            f"| [{version.id}](#{slug(version.id)}) | {utc(version.effective_from)} "
            f"| {utc(version.documented_from)} | {until} | {mark(version.status)} "
            f"| {version.changes} |"
        )


def one_version(version: Rulebook, before: Rulebook | None) -> Iterator[str]:
    """Yield one version: dates, sources, who may join, parameters, backstop, readings."""
    yield from (f"## {version.id}", "", version.changes, "")
    yield f"- in force from {utc(version.effective_from)}, documented from " + utc(
        version.documented_from
    )
    yield f"- {version.status} ({mark(version.status)}): " + "; ".join(
        cited(source) for source in version.sources
    )
    yield f"- for: {version.eligibility}"
    if version.modes is not None:
        yield "- judges no account but those of mode " + listed(sorted(version.modes))
        yield "- sets no parameter: nothing of portfolio margin or lending was published yet"
        return
    if not version.names_borrow_thresholds:
        yield "- names no thresholds at which a borrow is liquidated"
    yield from ("", *parameter_lines(version, before))
    old = () if before is None else before.readings
    if set(version.readings) - set(old):
        named = listed([each.id for each in version.readings if each not in old])
        yield from ("", f"New [readings](#readings): {named}.")


def parameters(version: Rulebook) -> Iterator[tuple[str, str, Parameter]]:
    """Yield every parameter of a version: what it is, its unit, and the parameter."""
    yield "ratio at which an account may be liquidated", "", version.trigger
    yield "offset in the documented requirement", "USDC", version.offset
    yield "borrow rate, base", "a year", version.curve.base
    yield "borrow rate, slope above the kink", "a year", version.curve.slope
    yield "borrow rate, kink", "of utilization", version.curve.kink
    yield "interest kept by the protocol", "of interest", version.curve.protocol_share
    for asset, terms in version.tokens.items():
        said = "can be borrowed" if terms.is_borrowable else "collateral"
        yield f"{asset} ({said}): loan to value", "", terms.ltv
        for field, meaning in CAPS:
            cap = getattr(terms, field)
            if cap is not None:
                yield f"{asset}: {meaning}", asset, cap
    if version.backstop is not None:
        yield "backstop: share taken at a time", "of the borrow", version.backstop.step
        for asset, width in version.backstop.widths.items():
            yield f"backstop: width of slippage of {asset}", "USDC", width


def parameter_lines(version: Rulebook, before: Rulebook | None) -> Iterator[str]:
    """Yield the table of parameters; bold is what the version before did not say."""
    known = {} if before is None else {what: each.value for what, _, each in parameters(before)}
    yield "| parameter | value | unit | how sure | source, first seen |"
    yield "|---|---:|---|---|---|"
    for what, unit, each in parameters(version):
        value = grouped(canonical(each.value))
        is_new = before is None or before.modes is not None or known.get(what) == each.value
        shown = value if is_new else f"**{value}**"
        yield f"| {what} | {shown} | {unit} | {mark(each.status)} | {cited(each.source)} |"
    if version.backstop is not None:
        yield from ("", f"The backstop liquidator is `{version.backstop.address}`.")


def reading_lines(versions: tuple[Rulebook, ...]) -> Iterator[str]:
    """Yield the table of texts that can be taken in several ways."""
    since = {each: version.id for version in reversed(versions) for each in version.readings}
    yield from ("## Readings", "", "Texts of the venue that can be taken in several ways.")
    yield from ("The first of each question is taken unless another is chosen.", "")
    yield "| reading | says | how sure | source, first seen | since |"
    yield "|---|---|---|---|---|"
    found = list(dict.fromkeys(each for version in versions for each in version.readings))
    for question in dict.fromkeys(each.question for each in found):
        of_all = (each for each in found if each.question == question)
        for each in sorted(of_all, key=versions[-1].readings_of(question).index):
            since_id = since[each]
            yield (
                f"| `{each.id}` | {each.says} | {mark(each.status)} | {cited(each.source)} "
                f"| [{since_id}](#{slug(since_id)}) |"
            )


def tier_lines() -> Iterator[str]:
    """Yield how margin tiers are known."""
    yield from ("## Margin tiers", "", prose(inspect.getdoc(tiers) or ""), "")
    yield from ("| markets | highest leverage | from (USDC) | highest leverage above it |",
                "|---|---:|---:|---:|")  # fmt: skip
    rows: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for coin in (*tiers._OWN, *sorted(tiers._AT_20_MILLION), *sorted(tiers._AT_3_MILLION)):
        found = tiers.documented_tiers(coin, tiers.SINCE)
        rows.setdefault(tuple((canonical(bound), top) for bound, top in found), []).append(coin)
    for ((_, low), (bound, high)), coins in rows.items():
        yield f"| {listed(coins)} | {low} | {grouped(bound)} | {high} |"


def formula_lines(title: str, module: ModuleType) -> Iterator[str]:
    """Yield every formula of a module with what its docstring says."""
    yield from (
        f"## {title}",
        "",
        prose(inspect.getdoc(module) or ""),
        "",
        "| formula | gives |",
        "|---|---|",
    )
    for name, function in vars(module).items():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            said = prose(inspect.getdoc(function) or "").removeprefix("Return ")
            yield f"| `{name}` | {said.replace('|', chr(92) + '|')} |"


def prose(docstring: str) -> str:
    """Return a docstring as one paragraph of Markdown."""
    return re.sub(r"``(.+?)``", r"`\1`", re.sub(r"\s+", " ", docstring.strip())).replace(
        " * ", r" \* "
    )


def cited(source: Source) -> str:
    """Return a source with the day it was first seen."""
    return f"{source.text}, {source.seen}"


def utc(moment: int) -> str:
    """Return a moment to the minute."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def slug(title: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def grouped(number: str) -> str:
    """Return a number with its thousands apart."""
    whole, dot, rest = number.partition(".")
    return f"{int(whole):,}{dot}{rest}"


def listed(names: list[str]) -> str:
    """Return names as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
