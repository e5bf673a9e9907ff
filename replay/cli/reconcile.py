"""``reconcile``: what follows by rule against what the venue paid, printed or showed."""

from __future__ import annotations

from typing import Final

import click

from replay.cli.common import examples
from replay.cli.groups import LazyGroup

VERBS: Final[dict[str, tuple[str, str]]] = {
    "interest": ("reconcile_interest", "Hold hourly interest against what follows by rule."),
    "state": ("reconcile_state", "Hold the venue's states of an account against its history."),
    "pool": ("reconcile_pool", "Hold recorded states of a reserve against its laws."),
    "book": ("reconcile_book", "Hold every recorded state against what needs no history."),
}
"""Every reconciliation: its module in this package, and its one line in the list."""


class _Reconciliations(LazyGroup):
    verbs = VERBS


@click.group(
    cls=_Reconciliations,
    name="reconcile",
    epilog=examples("rollforward reconcile --help"),
)
def command() -> None:
    """Hold what follows by rule against what the venue paid, printed or showed."""
