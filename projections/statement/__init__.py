"""Statement: what an account had, what happened to it and what it had then, for a period.

Two accounts of one period. In *quantities* (``quantities``), per place and token: opening, activity
by cause, closing. In *money* (``money``), per token and in sum: opening equity, activity by cause,
price change, unexplained, closing equity. Both sum to the last digit.

Opening and closing are states of the fold, activity is the sum of postings: two ways that must
meet. What is left between them is *unexplained*, and is nothing unless an opening set a balance to
something else than records had led to, or the venue showed or stated one they do not lead to.

A group (``groups``) is several accounts taken as one: what went from one of them to another is
matched, eliminated and shown apart.
"""

from __future__ import annotations

from projections.statement.groups import Group, Member, Pair, Side, pairs
from projections.statement.money import Line, Term, money_line, sum_of
from projections.statement.quantities import (
    Activity,
    Gap,
    Holdings,
    Moved,
    Observed,
    Row,
    attested,
    holdings,
    rows,
    shown,
    thing_of,
    total_rows,
)

__all__ = [
    "Activity", "Gap", "Group", "Holdings", "Line", "Member", "Moved", "Observed", "Pair", "Row",
    "Side", "Term", "attested", "holdings", "money_line", "pairs", "rows", "shown", "sum_of",
    "thing_of", "total_rows",
]  # fmt: skip
