"""The desk against the naive one: any sequence of runs and acts, at any time, in any order."""

from __future__ import annotations

import os
import random
from decimal import Decimal

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.book import Book
from ledger.errors import NotFound, RefusedAct
from ledger.units import Address, Millis
from projections import desk as desks
from projections.breaks import Break, identity
from replay import desk
from replay.desk import Run
from tests.support.desk_model import NaiveDesk

SEQUENCES = int(os.environ.get("ROLLFORWARD_DESK_SEQUENCES", "60"))
STEPS = 50

ACCOUNT = Address("0x" + "ab" * 20)
HOUR = 3_600_000
BEGIN = 1_785_542_400_000
WHERE = tuple(
    {"subject": subject, "at": Millis(BEGIN + hour * HOUR), "until": Millis(BEGIN + hour * HOUR)}
    for subject in ("USDC supply", "USDC borrow")
    for hour in (1, 2)
)
NAMES = tuple(identity(desk="interest", account=ACCOUNT, **where) for where in WHERE)
PEOPLE = ("ana", "A N\u00a0A", "ben")

people = st.sampled_from(PEOPLE)
names = st.sampled_from((NAMES[0], NAMES[0], NAMES[2]))  # few, so that their lives get long


def break_of(number: int, paid: int) -> Break:
    return Break(
        desk="interest",
        account=ACCOUNT,
        **WHERE[number],
        identity=NAMES[number],
        kind="wrong amount",
        expected=Decimal(10),
        observed=Decimal(paid),
        difference=Decimal(paid - 10),
        text="paid differently",
    )


class DeskMachine(RuleBasedStateMachine):
    """A book and the naive desk, told the same."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book.in_memory()
        self.naive = NaiveDesk()
        self.now = BEGIN + 10 * HOUR
        self.known: dict[int, list[tuple[object, ...]]] = {}
        self.a_run(found={0: 7, 2: 7}, subject="", by="ana", step=0)

    def later(self, step: int = 0) -> Millis:
        self.now += step
        return Millis(self.now)

    @rule(
        found=st.dictionaries(st.integers(0, 3), st.sampled_from((7, 7, 7, 8)), max_size=4),
        subject=st.sampled_from(("", "USDC supply", "USDC borrow")),
        by=people,
        step=st.sampled_from((0, 1, HOUR)),
    )
    def a_run(self, found: dict[int, int], subject: str, by: str, step: int) -> None:
        over = {n for n in range(4) if subject in {"", WHERE[n]["subject"]}}
        found = {n: paid for n, paid in found.items() if n in over}
        run = Run(
            desk="interest",
            account=ACCOUNT,
            since=Millis(BEGIN),
            until=Millis(BEGIN + 3 * HOUR),
            subjects=(subject,) if subject else (),
            position=0,
        )
        breaks = [break_of(n, paid) for n, paid in found.items()]
        outcome = desk.record_run(self.book, breaks, run, by=by, now=self.later(step))
        before = len(self.naive.log)
        self.naive.run({NAMES[n]: paid for n, paid in found.items()}, {NAMES[n] for n in over}, by)
        news = {(word, name) for word, name, _, _ in self.naive.log[before:]}
        assert {name for word, name in news if word == "gone"} == set(outcome.gone)
        assert {name for word, name in news if word != "gone"} == {
            *outcome.opened, *outcome.renewed
        }  # fmt: skip
        position = self.book.position()
        again = desk.record_run(self.book, breaks, run, by=by, now=self.later())
        assert not again.is_new
        assert position == self.book.position()

    @rule(name=names, by=people, to=people)
    def somebody_assigns(self, name: str, by: str, to: str) -> None:
        self.does("assign", name, by, to, lambda now: desk.assign(
            self.book, name, to=to, because="", by=by, now=now))  # fmt: skip

    @rule(name=names, by=people)
    def somebody_explains(self, name: str, by: str) -> None:
        self.does("explain", name, by, None, lambda now: desk.explain(
            self.book, name, because="late", by=by, now=now))  # fmt: skip

    @rule(name=names, by=people)
    def somebody_approves(self, name: str, by: str) -> None:
        self.does("approve", name, by, None, lambda now: desk.approve(
            self.book, name, by=by, now=now))  # fmt: skip

    @rule(name=names, by=people)
    def somebody_carries(self, name: str, by: str) -> None:
        self.does("carry", name, by, None, lambda now: desk.carry(
            self.book, name, because="asked", by=by, now=now))  # fmt: skip

    @rule(name=names, by=people, force=st.booleans())
    def somebody_closes(self, name: str, by: str, force: bool) -> None:
        self.does("close", name, by, "force" if force else None, lambda now: desk.close(
            self.book, name, because="done", by=by, now=now, force=force))  # fmt: skip

    def does(self, word, name, by, what, act) -> None:
        position = self.book.position()
        try:
            act(self.later())
        except (RefusedAct, NotFound):
            assert position == self.book.position(), "what is refused is not recorded"
            assert not self.naive.may(word, name, by, what)
        else:
            assert self.naive.may(word, name, by, what)

    @invariant()
    def both_say_the_same(self) -> None:
        self.known[self.book.position()] = self.told_by_naive()
        read = desk.read(self.book)
        assert self.told_by_naive() == told(read)
        assert () == read.findings, "acts that went through have an effect"

    def told_by_naive(self) -> list[tuple[object, ...]]:
        model = self.naive
        return sorted(
            (
                name,
                model.status(name),
                plain(model.owner(name)),
                plain(model.approver(name)),
                model.is_gone(name),
                Decimal(model.numbers(name)),
                model.count(name, "carry"),
                model.count(name, "close forced"),
                model.count(name, "opened") - 1,
            )
            for name in model.names()
        )

    @precondition(lambda self: len(self.known) > 2)
    @rule(data=st.data())
    def what_was_known_stays_so(self, data) -> None:
        position = data.draw(st.sampled_from(sorted(self.known)))
        assert self.known[position] == told(desk.read(self.book, position=position))

    @rule(seed=st.integers(0, 99))
    def the_order_of_recording_says_nothing(self, seed: int) -> None:
        acts = list(desk.acts(self.book))
        random.Random(seed).shuffle(acts)
        assert desks.desk(acts) == desk.read(self.book)


def plain(name: str | None) -> str | None:
    return None if name is None else " ".join(name.split())


def told(read: desks.Desk) -> list[tuple[object, ...]]:
    return sorted(
        (
            case.found.identity,
            case.status,
            case.owner,
            case.approval and case.approval.event.by,
            case.is_gone,
            case.found.observed,
            case.carried,
            case.forced,
            case.renewed,
        )
        for case in read.cases
    )


TestDesk = DeskMachine.TestCase
TestDesk.settings = settings(max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None)


def test_a_machine_that_may_approve_everything_would_be_caught():
    """The naive desk refuses what the rule refuses; without that the machine proves little."""
    model = NaiveDesk()
    model.run({"B": 1}, {"B"}, "ana")
    assert not model.may("approve", "B", "ben")
    assert model.may("explain", "B", "ana")
    assert not model.may("approve", "B", "A N A")
    assert model.may("approve", "B", "ben")
    assert model.may("close", "B", "ana")
    assert not model.may("explain", "B", "ana")


def test_breaks_of_one_run_are_kept_apart_from_those_of_another():
    book = Book.in_memory()
    run = Run(
        desk="interest", account=ACCOUNT, since=Millis(BEGIN), until=Millis(BEGIN + 3 * HOUR),
        position=0,
    )  # fmt: skip
    desk.record_run(book, [break_of(0, 7)], run, by="ana", now=Millis(BEGIN + 9 * HOUR))
    other = attrs.evolve(run, against="statement.csv")
    outcome = desk.record_run(book, [], other, by="ana", now=Millis(BEGIN + 9 * HOUR))
    assert () == outcome.gone
    earlier = attrs.evolve(run, until=Millis(BEGIN + HOUR - 1))
    outcome = desk.record_run(book, [], earlier, by="ana", now=Millis(BEGIN + 9 * HOUR))
    assert () == outcome.gone
    assert ("open",) == tuple(case.status for case in desk.read(book).cases)
