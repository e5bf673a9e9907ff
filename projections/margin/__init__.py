"""Margin: what an account's requirement, ratio, room and liquidation prices were at an instant.

A view holds no memory: a ``Picture`` goes in, a ``Margin`` comes out.

**Pictures.** ``observed(mode=…, spot=…, perps=…, lending=…, reserves=…)`` from recorded states;
``rebuilt(states, …)`` from what a history leads to. Every number is an ``Input(value, source, at)``
or ``Unknown(name)``. ``picture.with_price(asset, given)`` changes one price.

**Judgement.** ``judge(picture)`` → ``Margin``: ``.judgements`` (one; two where two rulebooks may
hold and no recorded loan to value decides; ``.decided_by``, ``.note``), ``.agrees``,
``.liquidatable`` (None: unknown, or they differ). A ``Judgement`` has ``.rulebook``,
``.readings``, ``.exchanges`` (with ``.positions``), ``.tokens``, ``.ratio`` (readings chosen),
``.ratio_observed``, ``.ratio_documented``, ``.borrowing_power``, ``.debt``, ``.health_factor``,
``.partial_threshold``, ``.full_threshold``, ``.full_threshold_printed``, ``.verdicts``,
``.alternatives`` (every combination of readings), ``.readings_decide``, ``.missing`` and, with
``judge(…, workings=True)``, ``.lines``: the derivation. ``readings=("offset:always",)`` chooses.
For a timeline, ``alternatives=False`` is quicker.

**Beside it.** ``efficiency.efficiency(picture, rulebook)``: isolated, cross, unified and portfolio
margin side by side. ``claims.compare(judgement, picture, spot=…, perps=…, lending=…)``: the venue's
own figures beside ours, each *predicted* or *consistent*. ``implied``: prices other fields of an
answer imply. ``inferred``: movements of loans that no record tells of: ``automatic(before,
after)`` exactly between two observed pictures, ``shortfalls(picture)`` the least.

**Figures.** Each is a ``Figure(name, of, value, unit, rule, status, missing, note)``; ``value`` is
None when an input is missing (``missing`` names it) or when it does not exist (``note`` says why:
no liquidation price above zero, nothing borrowed). ``rule`` is rulebook and formula.

Raises: ``NotInForce`` for an instant without a rulebook, ``UnclearQuestion`` without a mode.
"""

from __future__ import annotations

from projections.margin.judge import judge
from projections.margin.observed import observed
from projections.margin.picture import (
    Exchange,
    Given,
    Input,
    Mode,
    Picture,
    Pool,
    Position,
    Step,
    Token,
    Unknown,
)
from projections.margin.rebuilt import Anchor, Settings, market_tables, rebuilt
from projections.margin.result import (
    Alternative,
    ExchangeMargin,
    Judgement,
    Margin,
    PositionMargin,
    TokenMargin,
    Verdict,
)
from projections.margin.sheet import Figure, Line

__all__ = [
    "Alternative",
    "Anchor",
    "Exchange",
    "ExchangeMargin",
    "Figure",
    "Given",
    "Input",
    "Judgement",
    "Line",
    "Margin",
    "Mode",
    "Picture",
    "Pool",
    "Position",
    "PositionMargin",
    "Settings",
    "Step",
    "Token",
    "TokenMargin",
    "Unknown",
    "Verdict",
    "judge",
    "market_tables",
    "observed",
    "rebuilt",
]
