"""Timeline: the only room where the two times meet.

``course`` takes what a stream holds and tells what is taken to have happened up to a moment, as
known at a position: corrections resolved, second sources set aside, everything in effective
order. Folds read a course from front to back and know nothing of versions, imports or corrections.
The rules are numbered in ``docs/spec/time.md``; decision 0005 says why they live here.
"""

from ledger.timeline.build import course
from ledger.timeline.course import (
    LITERAL,
    Course,
    Disagreement,
    Literal,
    Run,
    SetAside,
    digest,
    entry,
    events,
    lines,
)

__all__ = [
    "LITERAL",
    "Course",
    "Disagreement",
    "Literal",
    "Run",
    "SetAside",
    "course",
    "digest",
    "entry",
    "events",
    "lines",
]
