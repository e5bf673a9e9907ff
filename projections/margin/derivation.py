"""Derivation: the lines of a judgement as an auditor writes them, each beside its other reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger.money import canonical, round_half_even

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.margin.result import Alternative, Judgement
    from projections.margin.sheet import Line
    from projections.rulebooks.base import Rulebook

SHOWN: Final = 10
"""Places of a ratio in a sentence."""

_OF_THRESHOLD: Final = {
    "full threshold": "threshold:printed: cut at a tenth of a percent",
    "full threshold, printed": "threshold:exact: two thirds, exactly",
    "requirement, observed": "offset:always, debt:gross: 20 USDC and the gross debt on top",
    "requirement, documented": "offset:observed: maintenance alone, as recorded accounts show",
    "net balance without isolated margin": "isolated:inside: the whole balance counts",
}


def derivation(lines: Iterable[Line], judgement: Judgement, book: Rulebook) -> tuple[Line, ...]:
    """Return the lines of a sheet, each once, with the nearest other reading where there is one."""
    nearest = nearest_alternative(judgement)
    texts = dict(_OF_THRESHOLD)
    if nearest is not None and nearest.ratio is not None:
        said = canonical(round_half_even(nearest.ratio, SHOWN))
        texts["margin ratio"] = f"{', '.join(_differing(nearest, judgement))}: {said}"
    if any(each.id == "ltv:faq" for each in book.readings):
        texts["liquidation threshold"] = "ltv:faq: every collateral at 50 %, so 0.75"
    seen: dict[tuple[str, str, str], None] = {}
    kept: list[Line] = []
    for line in lines:
        key = (line.name, line.of, line.formula)
        if key in seen:
            continue
        seen[key] = None
        kept.append(attrs.evolve(line, alternative=texts.get(line.name, "")))
    return tuple(kept)


def nearest_alternative(judgement: Judgement) -> Alternative | None:
    """Return the other set of readings whose ratio differs least; None where none differs."""
    ratio = None if judgement.ratio is None else judgement.ratio.value
    if ratio is None:
        return None
    others = [
        each for each in judgement.alternatives if each.ratio is not None and each.ratio != ratio
    ]
    return min(
        others,
        key=lambda each: (
            abs((each.ratio if each.ratio is not None else ratio) - ratio),
            len(_differing(each, judgement)),
        ),
        default=None,
    )


def _differing(alternative: Alternative, judgement: Judgement) -> tuple[str, ...]:
    return tuple(each for each in alternative.readings if each not in judgement.readings)
