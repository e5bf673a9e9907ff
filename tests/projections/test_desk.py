"""The desk: who may do what, how old a break is, and what recorded acts that do not fit become."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import event_id
from ledger.events import (
    BreakApproved,
    BreakAssigned,
    BreakCarried,
    BreakClosed,
    BreakExplained,
    BreakVanished,
    DeskEvent,
    GroupDefined,
    PeriodClosed,
)
from ledger.units import Address, EventId, Millis, desk_stream
from projections import desk
from projections.breaks import Break, opened
from projections.desk import Act, age_days, bucket, person
from tests.support.strategies import instances

ACCOUNT = Address("0x" + "ab" * 20)
STREAM = desk_stream(ACCOUNT)
DAY = 86_400_000
VALUE_DATE = 20_000 * DAY

FOUND = Break(
    identity="B-0123456789ab",
    desk="state",
    account=ACCOUNT,
    subject="spot USDC",
    at=Millis(VALUE_DATE),
    until=Millis(VALUE_DATE),
    kind="differs",
    expected=Decimal(5),
    observed=Decimal(4),
    difference=Decimal(-1),
    text="one USDC less than rebuilt",
)
OTHER_NUMBERS = attrs.evolve(FOUND, observed=Decimal(3), difference=Decimal(-2))


class Told:
    """Acts of one break, one after the other, a minute apart."""

    def __init__(self, found: Break = FOUND) -> None:
        self.found = found
        self.acts: list[Act] = []

    def put(self, event: DeskEvent) -> Told:
        at = event.at
        self.acts.append(
            Act(event=event, id=event_id(event), position=len(self.acts) + 1, recorded=at)
        )
        return self

    @property
    def at(self) -> Millis:
        return Millis(VALUE_DATE + 3 * DAY + 60_000 * len(self.acts))

    def common(self, by: str) -> dict:
        return {"stream": STREAM, "at": self.at, "identity": self.found.identity, "by": by}

    def opened(self, found: Break = FOUND) -> Told:
        run = EventId("11" * 16)
        return self.put(
            opened(found, stream=STREAM, at=self.at, against="venue", run=run, by="run")
        )

    def vanished(self) -> Told:
        return self.put(BreakVanished(**self.common("run"), run=EventId("22" * 16)))

    def assigned(self, to: str, by: str = "lead") -> Told:
        return self.put(BreakAssigned(**self.common(by), owner=to, because=""))

    def explained(self, by: str, found: Break = FOUND) -> Told:
        return self.put(
            BreakExplained(**self.common(by), figures=found.figures, because="a late row")
        )

    def approved(self, by: str, found: Break = FOUND) -> Told:
        explanations = [act.id for act in self.acts if isinstance(act.event, BreakExplained)]
        explanation = explanations[-1] if explanations else EventId("00" * 16)
        return self.put(
            BreakApproved(
                **self.common(by), figures=found.figures, explanation=explanation, because="",
                signature=None, key=None,
            )
        )  # fmt: skip

    def carried(self, by: str = "ana") -> Told:
        figures = self.found.figures
        return self.put(BreakCarried(**self.common(by), figures=figures, to=None, because="asked"))

    def closed(self, resolution: str, by: str = "ana", found: Break = FOUND) -> Told:
        return self.put(
            BreakClosed(
                **self.common(by), figures=found.figures, resolution=resolution, because="done"
            )  # type: ignore[arg-type]
        )

    @property
    def desk(self) -> desk.Desk:
        return desk.desk(self.acts)

    @property
    def case(self) -> desk.Case:
        (case,) = self.desk.cases
        return case

    @property
    def problems(self) -> list[str]:
        return [why.problem for _, why in self.case.refused]


def test_the_life_of_a_break_from_open_to_closed():
    told = Told().opened()
    assert "open" == told.case.status
    assert "assigned" == told.assigned("ana").case.status
    assert "explained" == told.explained("ana").case.status
    assert "approved" == told.approved("ben").case.status
    assert "closed" == told.closed("approved").case.status
    assert () == told.desk.findings
    assert ("ana", 0) == (told.case.owner, told.case.forced)


@pytest.mark.parametrize("by", ["ana", "Ana", " ana", "A N A", "ANA\u200b", "ａｎａ"])
def test_nobody_approves_what_he_explained_however_he_spells_himself(by):
    told = Told().opened().explained("ana").approved(by)
    assert "explained" == told.case.status
    assert ["is " + by + "'s own: who explained it, or has it, cannot approve it"] == told.problems
    assert "approved" == told.approved("ben").case.status


def test_nobody_approves_what_he_has():
    told = Told().opened().assigned("Ana").explained("ben").approved("ana")
    assert "explained" == told.case.status
    assert "approved" == told.approved("cleo").case.status


def test_having_an_explanation_repeated_by_another_does_not_help():
    told = Told().opened().explained("ana").explained("ben").approved("ana")
    assert "explained" == told.case.status


def test_who_explained_other_numbers_may_approve_these():
    told = Told().opened().explained("ana").opened(OTHER_NUMBERS)
    told.explained("ben", OTHER_NUMBERS).approved("ana", OTHER_NUMBERS)
    assert "approved" == told.case.status


def test_an_approval_is_of_the_latest_explanation():
    told = Told().opened().explained("ana")
    late = Told().opened().explained("ana").approved("ben").acts[-1]
    told.explained("cleo")
    told.acts.append(attrs.evolve(late, event=attrs.evolve(late.event, at=told.at)))
    assert ["was explained again meanwhile"] == told.problems


def test_explaining_anew_takes_an_approval_back():
    told = Told().opened().explained("ana").approved("ben").explained("cleo")
    assert ("explained", None) == (told.case.status, told.case.approval)


def test_other_numbers_open_a_break_again_and_void_what_was_said_of_the_old_ones():
    told = Told().opened().assigned("ana").explained("ana").approved("ben").closed("approved")
    told.opened(OTHER_NUMBERS)
    case = told.case
    assert ("assigned", "ana", 1) == (case.status, case.owner, case.renewed)
    assert (None, None, None) == (case.explanation, case.approval, case.closing)
    assert ["has other numbers by now than those that were meant"] == told.explained("ana").problems


def test_every_time_it_is_opened_again_counts():
    told = Told().opened().opened(OTHER_NUMBERS).opened().opened(OTHER_NUMBERS)
    assert 3 == told.case.renewed


def test_the_same_numbers_leave_a_closed_break_closed():
    told = Told().opened().explained("ana").approved("ben").closed("approved").opened()
    assert ("closed", 0) == (told.case.status, told.case.renewed)
    assert () == told.desk.findings


def test_what_a_later_run_does_not_find_can_be_closed_so_and_comes_back_when_found():
    told = Told().opened().closed("no longer found")
    assert ["is still found"] == told.problems
    told.vanished().closed("no longer found", "cleo")
    assert ("closed", True) == (told.case.status, told.case.is_gone)
    told.opened()
    assert ("open", False, 1) == (told.case.status, told.case.is_gone, told.case.renewed)


def test_what_is_found_again_is_no_longer_gone():
    told = Told().opened().explained("ana").vanished().opened()
    assert ("explained", False, 0) == (told.case.status, told.case.is_gone, told.case.renewed)


def test_without_approval_a_break_is_closed_only_by_force_and_that_is_never_forgotten():
    told = Told().opened().explained("ana").closed("approved")
    assert ["is explained, not approved"] == told.problems
    told.closed("forced").opened(OTHER_NUMBERS)
    assert ("open", 1) == (told.case.status, told.case.forced)


def test_a_carried_break_stays_live_and_can_still_be_explained():
    told = Told().opened().carried().carried()
    assert ("carried", 2, True) == (told.case.status, told.case.carried, told.case.is_live)
    assert "approved" == told.explained("ana").approved("ben").case.status
    assert ["is approved already"] == told.carried().problems


def test_acts_on_a_closed_break_have_no_effect():
    told = Told().opened().closed("forced")
    told.assigned("ben").explained("ana").carried().approved("ben").closed("forced")
    assert ["is closed"] * 5 == told.problems
    assert ("closed", 1, 0) == (told.case.status, told.case.forced, told.case.carried)


def test_an_act_on_a_break_nobody_opened_is_a_finding():
    told = Told().explained("ana").closed("forced")
    assert () == told.desk.cases
    first, second = told.desk.findings
    assert (told.acts[0].id,) == first.events
    assert "is a break no run opened" in first.text
    assert ("desk", "warning", None) == (second.check, second.severity, second.account)


def test_two_books_laid_together_are_read_to_the_end():
    """Ana closed it in one book, Ben explained it in the other, both after the same opening."""
    told = Told().opened().closed("forced", by="ana").explained("ben")
    (found,) = told.desk.findings
    assert "B-0123456789ab was explained by ben, which has no effect: it is closed" == found.text
    assert (ACCOUNT, (told.acts[-1].id,)) == (found.account, found.events)


@given(instances(PeriodClosed) | instances(GroupDefined))
def test_closed_periods_and_groups_stand_on_the_desk_and_are_no_breaks(event):
    told = Told().opened()
    before = told.desk
    assert before == told.put(event).desk


def test_one_name_for_two_breaks_is_a_finding():
    told = Told().opened().opened(attrs.evolve(FOUND, subject="spot HYPE"))
    assert ["is the name of another break in this book"] == told.problems
    assert "spot USDC" == told.case.found.subject


@given(st.permutations(Told().opened().assigned("ana").explained("ana").approved("ben")
                       .closed("approved").opened(OTHER_NUMBERS).acts))  # fmt: skip
def test_the_order_in_which_books_were_laid_together_says_nothing(acts):
    whole = desk.desk(acts)
    assert ("assigned", 1, ()) == (
        whole.cases[0].status, whole.cases[0].renewed, whole.findings
    )  # fmt: skip


# As no command would record them: in any order, of any moment, about hardly any breaks.
recorded_acts = st.lists(
    st.tuples(
        st.sampled_from(("open", "vanish", "assign", "explain", "approve", "close", "carry")),
        st.sampled_from(("B-000000000001", "B-000000000002")),
        st.sampled_from((FOUND, FOUND, OTHER_NUMBERS)),
        st.sampled_from(("ana", "ben")),
        st.sampled_from(("approved", "no longer found", "forced")),
        st.integers(0, 5),
    ),
    max_size=25,
)


def acts_of(drawn) -> list[Act]:
    acts: list[Act] = []
    for word, name, plain, by, resolution, at in drawn:
        found = attrs.evolve(plain, identity=name)
        told = Told(found)
        told.acts = [act for act in acts if act.event.identity == name]
        match word:
            case "open":
                told.opened(found)
            case "vanish":
                told.vanished()
            case "assign":
                told.assigned(by)
            case "explain":
                told.explained(by, found)
            case "approve":
                told.approved(by, found)
            case "close":
                told.closed(resolution, by, found)
            case "carry":
                told.carried(by)
        event = attrs.evolve(told.acts[-1].event, at=Millis(at))
        acts.append(Act(event=event, id=event_id(event), position=at, recorded=Millis(at)))
    return acts


@given(recorded_acts)
def test_no_sequence_of_acts_raises_and_every_act_is_accounted_for(drawn):
    acts = acts_of(drawn)
    whole = desk.desk(acts)
    kept = [act for case in whole.cases for act in case.acts]
    strays = [found.events[0] for found in whole.findings]
    assert sorted(act.id for act in acts) == sorted(
        [act.id for act in kept]
        + [one for one in strays if one not in {act.id for act in kept}]
    )  # fmt: skip
    refused = sum(len(case.refused) for case in whole.cases)
    assert len(whole.findings) == refused + len(acts) - len(kept)


# ---------------------------------------------------------------------------- people and ages


def test_a_person_is_the_same_in_any_case_and_space():
    assert person("Ada Lovelace") == person("  ada\tLOVELACE\u00ad ")
    assert person("ﬁona") == person("FIONA")
    assert person("ana") != person("anna")
    # letters that merely look alike are others: only a signature would tell
    assert person("ana") != person("\u0430na")


def aged(days: int, hours: int = 0) -> Millis:
    return Millis(VALUE_DATE + days * DAY + hours * 3_600_000)


def test_a_break_ages_from_its_value_date_not_from_its_opening():
    case = Told().opened().case
    assert VALUE_DATE + 3 * DAY == case.opened_at
    assert 0 == age_days(case, aged(0, 23))
    assert 1 == age_days(case, aged(1))
    assert 41 == age_days(case, aged(41, 23))


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (0, "0-7 days"), (7, "0-7 days"), (8, "8-30 days"), (30, "8-30 days"), (31, "31-60 days"),
        (60, "31-60 days"), (61, "61-90 days"), (90, "61-90 days"), (91, "over 90 days"),
    ],
)  # fmt: skip
def test_ages_fall_into_their_buckets(days, name):
    case = Told().opened().case
    assert name == bucket(case, aged(days))
    assert name == bucket(case, aged(days, 23))


def test_before_its_value_date_a_break_has_no_age():
    assert "before its value date" == bucket(Told().opened().case, aged(-1))


def test_a_closed_break_ages_no_more():
    told = Told().opened().closed("forced")
    assert 3 == age_days(told.case, aged(400))
    assert 4 == age_days(told.opened(OTHER_NUMBERS).case, aged(4))
