"""Loans that moved without a record: exact between two states, the least where only sums say it."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger.events import LendingStateObserved, ObservedLoan, ReserveObserved
from ledger.units import Address, Dex, Millis, Stream, reserve_stream
from projections import chart, prices
from projections.fold import fold
from projections.lending import lending, rates
from projections.margin import Anchor, Unknown, rebuilt
from projections.margin.inferred import automatic, idle, shortfalls
from projections.margin.rebuilt import with_recorded_loans
from projections.reference import Reference
from projections.rulebooks.base import USDC
from tests.support.pictures import exchange, given, moment, picture, position, token

D = Decimal
WHO = Address("0x00000000000000000000000000000000000000aa")
STREAM = Stream(f"account:{WHO}")
FIRST, SECOND = "2026-07-01", "2026-07-02"


def anchor(day: str, sums: dict[str, str] | None = None, **usdc: str) -> Anchor:
    """An observed picture with one token, and sums of recorded movements by place."""
    return Anchor(
        picture=picture(token("USDC", **usdc), at=day),
        balances={(chart.Place(place), USDC): D(said) for place, said in (sums or {}).items()},
    )


def told(found):
    return [(each.what, each.asset, each.amount, each.is_exact) for each in found]


BEGIN = anchor(FIRST, total="1000")


@pytest.mark.parametrize(
    ("what", "amount", "before", "after"),
    [
        # 1,200 were spent of 1,000: 200 borrowed, and a cent of interest since
        ("borrowed", "200", BEGIN, anchor(SECOND, {"spot": "-1200"}, total="-200.01",
                                          borrowed="200.01")),
        # 300 came in, and 200 of it went back
        ("repaid", "200", anchor(FIRST, total="-150", borrowed="200"),
         anchor(SECOND, {"spot": "300"}, total="149.99", borrowed="0.01")),
        # what was idle lies in the reserve, with the interest of a day
        ("supplied", "1000", BEGIN, anchor(SECOND, total="1000.14", supplied="1000.14")),
        ("withdrawn", "400", anchor(FIRST, total="1000", supplied="1000"),
         anchor(SECOND, {"perp:": "-400"}, total="600.14", supplied="600.14")),
    ],
)  # fmt: skip
def test_between_two_states_what_moved_without_a_record_is_exact(what, amount, before, after):
    assert [(what, USDC, D(amount), True)] == told(automatic(before, after))
    (found,) = automatic(before, after)
    assert (before.picture.at, after.picture.at) == (found.since, found.until)


def test_recorded_operations_and_their_interest_are_not_inferred_again():
    """100 of the 300 borrowed are recorded, and an hourly row of 0.02."""
    after = anchor(
        SECOND, {"spot": "100", "borrowed": "-100.02"}, total="999.98", borrowed="300.02"
    )
    assert [("borrowed", USDC, D(200), True)] == told(automatic(BEGIN, after))


def test_prices_that_move_are_no_loan():
    def marked(day: str, mark: int, total: str) -> Anchor:
        short = exchange(position("HYPE", size=-10, mark=mark), raw=500)
        return Anchor(picture=picture(token("USDC", total=total), at=day, exchanges=(short,)),
                      balances={})  # fmt: skip

    assert () == automatic(marked(FIRST, 50, "1000"), marked(SECOND, 70, "800"))


def test_a_record_that_is_missing_is_no_loan():
    """500 more, of which nothing tells, and no loan that moved: a deposit is not recorded."""
    assert () == automatic(BEGIN, anchor(SECOND, total="1500"))
    owing = anchor(FIRST, total="1000", borrowed="700")
    assert () == automatic(owing, anchor(SECOND, total="1499.9", borrowed="700.1"))


def test_from_the_beginning_of_an_account_everything_counts():
    after = anchor(SECOND, {"spot": "1000"}, total="1000.14", supplied="1000.14")
    (found,) = automatic(None, after)
    assert ("supplied", D(1000), None) == (found.what, found.amount, found.since)


def test_in_separate_balances_nothing_is_inferred():
    apart = attrs.evolve(BEGIN, picture=attrs.evolve(BEGIN.picture, mode="disabled"))
    assert () == automatic(apart, anchor(SECOND, total="1000.14", supplied="1000.14"))


def test_a_recorded_debt_of_the_moment_goes_before_what_money_is_short_of():
    ours = picture(token("USDC", total=-200), at=SECOND)
    assert [("borrowed", USDC, D(200), False)] == told(shortfalls(ours))
    recorded = picture(token("USDC", total="-250.01", borrowed="250.01"), at=SECOND)
    taken = with_recorded_loans(ours, recorded, {(USDC, "borrow")})
    assert (D(-200), D("250.01")) == (taken.token(USDC).total.value,
                                      taken.token(USDC).borrowed.value)  # fmt: skip
    assert () == shortfalls(taken)
    assert ours == with_recorded_loans(ours, recorded, ())


def test_money_the_venue_itself_showed_short_says_nothing_of_a_loan():
    """A state of a loss not taken: its own debt stands beside it, and covers it not."""
    shown = picture(token("USDC", total=-300, borrowed=200), at=FIRST)
    later = picture(token("USDC", total=-320, borrowed=200), at=SECOND)
    assert () == shortfalls(later, shown)
    assert [("borrowed", USDC, D(120), False)] == told(shortfalls(later))


# ------------------------------------------------------------------------- a lending state alone


def lent(hours: int, supply: str = "0", borrow: str = "0", basis: str = "") -> LendingStateObserved:
    """A lending state of USDC; the basis is the value, unless another is said."""
    loan = ObservedLoan(
        token=0, supply_basis=D(supply), supply_value=D(supply),
        borrow_basis=D(basis or borrow), borrow_value=D(borrow),
    )  # fmt: skip
    return LendingStateObserved(
        stream=STREAM, at=at(hours), loans=(loan,), health=None, health_factor=None
    )


def at(hours: int) -> Millis:
    return Millis(moment(FIRST) + hours * 3_600_000)


def reserve(hours: int) -> ReserveObserved:
    return ReserveObserved(
        stream=reserve_stream(USDC), at=at(hours), asset=USDC, token=0, borrow_rate=D("0.05"),
        supply_rate=D("0.04"), balance=None, utilization=None, oracle_px=D(1), ltv=D(0),
        supplied=None, borrowed=None,
    )  # fmt: skip


KNOWN = Reference(collateral={Dex(""): USDC}, symbols={0: USDC})
RATES = rates([reserve(hours) for hours in range(4)])


def shown(hours: int, *events: LendingStateObserved, **usdc: str):
    """The picture at an hour, summed up from a state of the first hour in which USDC was so."""
    loans = lending(events, RATES, at(hours), KNOWN)
    return rebuilt(
        fold((), KNOWN), at=at(hours), account=WHO, mode="portfolioMargin", reference=KNOWN,
        prices=prices.EMPTY, loans=loans,
        anchor=Anchor(picture=picture(token("USDC", **usdc)), balances={}),
    ).token(USDC)  # fmt: skip


def test_a_debt_that_a_lending_state_alone_shows_does_not_count_twice():
    """200 borrowed by itself: the money came with the debt, and the balance stays."""
    found = shown(2, lent(0, borrow="100"), lent(1, borrow="300.0006"), total="900", borrowed="100")
    assert D("300.0006") < found.borrowed.value
    assert abs(found.total.value - D(900)) < D("0.01")


def test_a_basis_that_stays_shows_interest_and_no_loan():
    """The state says a hundredth more than the rates do: interest, and no money came."""
    events = (lent(0, borrow="100"), lent(1, borrow="100.0106", basis="100"))
    (loan,) = [each for each in lending(events, RATES, at(1), KNOWN).values() if each.value]
    assert [0] == [jump.since for jump in loan.jumps]  # the state that showed it first
    assert D("899.9894") == shown(1, *events, total="900", borrowed="100").total.value


def test_what_an_earlier_state_shows_lent_is_not_moved_by_being_shown_again():
    found = shown(1, lent(1, supply="500.02"), total="900", supplied="500")
    assert D("900.02") == found.total.value
    new = shown(1, lent(1, supply="500.02"), total="900")
    assert D(900) == new.total.value


@pytest.mark.parametrize("lacking", ["total", "supplied", "borrowed"])
def test_where_a_state_lacks_something_nothing_is_inferred(lacking):
    dim = token("USDC", **{"total": -200, lacking: Unknown(f"{lacking} of USDC")})
    after = Anchor(picture=picture(dim, at=SECOND), balances={})
    assert () == automatic(BEGIN, after)
    assert () == shortfalls(after.picture)


def test_a_position_without_a_mark_leaves_the_money_unknown():
    dim = exchange(position("HYPE", size=-10, mark=Unknown("mark of HYPE")), raw=500)
    other = exchange(position("HYPE", size=-10, mark=50), dex="x", collateral="USDH")
    shown = picture(token("USDC", total=1500, supplied=500), at=SECOND, exchanges=(other, dim))
    assert () == automatic(BEGIN, Anchor(picture=shown, balances={}))


def test_only_portfolio_margin_borrows_by_itself():
    assert () == shortfalls(picture(token("USDC", total=-200), mode="unifiedAccount"))


def test_a_token_without_a_state_before_is_passed_over():
    other = attrs.evolve(BEGIN, picture=picture(token("HYPE", total=5), at=FIRST))
    assert () == automatic(other, anchor(SECOND, total="1000", supplied="1000"))


# ------------------------------------------------------------------------- one state alone


def test_what_the_identity_leaves_over_is_inferred_and_marked():
    at = moment("2026-07-01")
    parts = {"values": [given(400)], "supplied": given(100), "borrowed": given(0)}
    more = idle(USDC, at, total=given(600), held=given(0), **parts)
    assert ("supplied", D(100)) == (more.what, more.amount)
    less = idle(USDC, at, total=given(450), held=given(0), **parts)
    assert ("borrowed", D(50)) == (less.what, less.amount)
    assert idle(USDC, at, total=given(600), held=given(100), **parts) is None
    lacking = idle(USDC, at, total=given(600), held=Unknown("spot hold of USDC"), **parts)
    assert ("spot hold of USDC",) == lacking
