"""Coverage: how complete a recorded history is, family by family, and how that is known.

``levels`` says what a level is and lays evidence over a period; ``claims`` reads what records say
they show completely; ``sizes`` follows the size of every position from statement to statement;
``sums`` holds observed states against the sums of what is recorded; ``grids`` asks for what comes
every hour; ``walk`` goes through a history once with the last three; ``markets`` does the same for
what is recorded of markets and reserves. What each proves, and what not, is written in
``docs/spec/coverage.md``.
"""

from projections.coverage.claims import Claims
from projections.coverage.levels import (
    BALANCES,
    FAMILIES,
    LEVELS,
    MOVING,
    Level,
    Stretch,
    certified,
    judged,
)
from projections.coverage.walk import Walk

__all__ = [
    "BALANCES",
    "FAMILIES",
    "LEVELS",
    "MOVING",
    "Claims",
    "Level",
    "Stretch",
    "Walk",
    "certified",
    "judged",
]
