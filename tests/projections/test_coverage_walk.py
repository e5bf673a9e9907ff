"""The walk: sizes that do not continue, hours without what is theirs, states that do not fit."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger import events as ev
from ledger.units import Asset, Coin, Dex, Millis
from projections.coverage import Walk
from projections.reference import EMPTY, Reference
from tests.support.histories import STREAM, deposited, filled, funded

HOUR = 3_600_000
T = 1_789_200_000_000
"""A full hour of September 2026."""
D = Decimal

KNOWN = Reference(
    pairs={Coin("@107"): (Asset("HYPE"), Asset("USDC"))},
    symbols={0: Asset("USDC"), 150: Asset("HYPE")},
)


def missing(*events: ev.Event, reference: Reference = KNOWN):
    """Return (family, first, last, subject) of what is missing, moments from T."""
    found = [each for each in Walk(events, reference).evidence if each.level == "missing"]
    return sorted((e.family, e.since - T, e.until - T, e.subject) for e in found)


def probable(*events: ev.Event, family="balances"):
    found = [each for each in Walk(events, KNOWN).evidence if each.level == "probable"]
    return [(e.since - T, e.until - T) for e in found if e.family == family]


def fill(at: int, start, *, side="B", sz="1", coin="BTC", **other) -> ev.Filled:
    return filled(Millis(T + at), at, coin=coin, sz=sz, side=side, start=start, **other)


def paid(at: int, size: str = "1", coin="BTC") -> ev.FundingPaid:
    return funded(Millis(T + at), coin=coin, size=size, usdc="0")


def seen(at: int, raw: str | None = None, dex="", **sizes: str) -> ev.PerpStateObserved:
    summary = None
    if raw is not None:
        summary = ev.MarginSummary(
            account_value=D(raw), total_notional=D(0), total_raw_usd=D(raw), total_margin_used=D(0)
        )
    positions = tuple(ev.ObservedPosition(coin=Coin(c), size=D(size)) for c, size in sizes.items())
    return ev.PerpStateObserved(
        stream=STREAM, at=Millis(T + at), dex=Dex(dex), positions=positions, summary=summary,
        cross=None, cross_maintenance=None, withdrawable=None,
    )  # fmt: skip


def spot(at: int, enabled: bool | None = None, **totals: str) -> ev.SpotStateObserved:
    balances = tuple(
        ev.ObservedBalance(asset=Asset(name), token=None, total=D(total), hold=D(0))
        for name, total in totals.items()
    )
    return ev.SpotStateObserved(
        stream=STREAM, at=Millis(T + at), balances=balances, margin_enabled=enabled,
        margin_ratio=None, borrow_ratios=(), supply_ratios=(), available=(),
    )  # fmt: skip


def lent(at: int, supplied: str = "0", borrowed: str = "0", token=0) -> ev.LendingStateObserved:
    loan = ev.ObservedLoan(
        token=token, borrow_basis=D(borrowed), borrow_value=D(borrowed),
        supply_basis=D(supplied), supply_value=D(supplied),
    )  # fmt: skip
    return ev.LendingStateObserved(
        stream=STREAM, at=Millis(T + at), loans=(loan,), health="healthy", health_factor=None
    )


def interest(at: int, supply: str = "0", borrow: str = "0") -> ev.InterestAccrued:
    return ev.InterestAccrued(
        stream=STREAM, at=Millis(T + at), asset=Asset("USDC"), supply=D(supply), borrow=D(borrow)
    )


def rewarded(at: int, amount: str, asset="USDC") -> ev.RewardsClaimed:
    return ev.RewardsClaimed(
        stream=STREAM, at=Millis(T + at), asset=Asset(asset), amount=D(amount), tx_hash=f"0x{at}"
    )


def operated(at: int, operation, amount: str) -> ev.ReserveOperated:
    return ev.ReserveOperated(
        stream=STREAM, at=Millis(T + at), operation=operation, asset=Asset("USDC"),
        amount=D(amount), reported_interest=D(0), tx_hash=f"0x{at}",
    )  # fmt: skip


# ------------------------------------------------------------------------- sizes


def test_a_size_that_does_not_continue_names_the_time_between_two_fills():
    assert [] == missing(fill(1, "0"), fill(5, "1"))
    assert [("fills", 1, 5, "BTC")] == missing(fill(1, "0"), fill(5, "3"))


def test_a_first_fill_that_states_a_size_breaks_nothing():
    assert [] == missing(fill(1, "7", side="A"), fill(5, "6", side="A"))


def test_fills_without_a_stated_size_go_on_from_what_is_known():
    assert [] == missing(fill(0, None), fill(1, "0"), fill(3, None), fill(5, "2"))
    assert [("fills", 3, 5, "BTC")] == missing(fill(1, "0"), fill(3, None), fill(5, "1"))


def test_what_funding_was_charged_on_narrows_a_break_to_the_hour():
    history = [fill(1, "0"), paid(HOUR + 66), paid(2 * HOUR + 66, "3"), paid(3 * HOUR, "3")]
    assert [("fills", HOUR, 2 * HOUR, "BTC")] == missing(*history)


def test_funding_is_charged_on_the_size_before_its_hour():
    """A fill between the hour and the moment of the payment is not in it yet."""
    assert [] == missing(fill(1, "0"), fill(HOUR + 5, "1"), paid(HOUR + 66), fill(HOUR + 99, "2"))
    assert [] == missing(fill(HOUR + 5, "1"), paid(HOUR + 66), paid(2 * HOUR, "2"))


def test_a_state_shows_every_size_and_what_it_does_not_show_is_nothing():
    assert [] == missing(fill(1, "0"), seen(5, BTC="1"), fill(7, "1"))
    assert [("fills", 1, 5, "BTC")] == missing(fill(1, "0"), seen(5))
    assert [("fills", 5, 9, "ETH")] == missing(seen(5), seen(9, ETH="2"))
    assert [("fills", 5, 9, "ETH")] == missing(seen(5), fill(9, "2", coin="ETH"))
    assert [] == missing(seen(5, "0", "xyz"), fill(9, "2", coin="ETH"))


def test_a_first_payment_or_state_is_gone_on_from():
    assert [("fills", HOUR, HOUR + 9, "BTC")] == missing(paid(HOUR, "2"), fill(HOUR + 9, "3"))
    assert [("fills", 5, 9, "BTC")] == missing(seen(5, BTC="2"), fill(9, "3"))


def test_an_attested_size_is_gone_on_from():
    opening = ev.Opened(
        stream=STREAM, at=Millis(T), balances=(),
        positions=(
            ev.OpeningPosition(coin=Coin("BTC"), size=D(4), entry_notional=None),
            ev.OpeningPosition(coin=Coin("@107"), size=D(4), entry_notional=None),
        ),
        author="Ada", source="a state",
    )  # fmt: skip
    assert [] == missing(opening, fill(5, "4"))
    assert [("fills", 0, 5, "BTC")] == missing(opening, fill(5, "1"))


def test_payments_of_before_june_2023_and_fills_without_numbers_do_not_chain():
    early = Millis(1_680_000_000_000)
    assert [] == missing(
        filled(early, None, start="0"), filled(Millis(early + 1), None, start="5"),
        funded(Millis(early + 2), size="9"),
    )  # fmt: skip


# ------------------------------------------------------------------------- hours


def test_an_hour_without_its_payment_is_missing_while_a_position_is_held():
    history = [fill(1, "0"), paid(HOUR + 66), paid(3 * HOUR + 66), fill(3 * HOUR + 99, "1")]
    assert [("funding", 2 * HOUR, 3 * HOUR - 1, "BTC")] == missing(*history)
    assert [(HOUR, 2 * HOUR - 1), (3 * HOUR, 4 * HOUR - 1)] != probable(*history, family="funding")


def test_no_payment_is_due_without_a_position():
    flat = [fill(1, "0"), fill(2, "1", side="A"), fill(5 * HOUR, "0")]
    assert [] == missing(*flat)


def test_the_last_hour_is_judged_half_an_hour_after_it():
    until = [fill(1, "0"), seen(HOUR + 1_799_999, BTC="1")]
    assert [] == missing(*until)
    later = [fill(1, "0"), seen(HOUR + 1_800_000, BTC="1")]
    assert [("funding", HOUR, 2 * HOUR - 1, "BTC")] == missing(*later)


def test_hours_that_have_their_payment_are_probable_with_quiet_time_between():
    history = [fill(1, "0"), paid(HOUR), fill(HOUR + 9, "1", side="A"), fill(9 * HOUR + 9, "0"),
               paid(10 * HOUR)]  # fmt: skip
    assert [(HOUR, 11 * HOUR - 1)] == probable(*history, family="funding")


def test_an_hour_without_its_row_of_interest_is_missing_while_something_is_lent():
    history = [
        rewarded(1, "1000"), operated(2, "supply", "1000"), interest(HOUR, "0.01"),
        interest(3 * HOUR, "0.01"), operated(3 * HOUR + 9, "withdraw", "1000.02"),
    ]  # fmt: skip
    assert [("interest", 2 * HOUR, 3 * HOUR - 1, "USDC")] == missing(*history)


def test_tokens_that_earn_nothing_and_crumbs_are_due_no_rows():
    nothing = [operated(2, "supply", "1000"), interest(HOUR), interest(3 * HOUR)]
    assert [] == missing(*nothing)
    crumbs = [operated(2, "supply", "0.09"), interest(HOUR, "0.00001"), interest(3 * HOUR)]
    assert [] == missing(*crumbs)


# ------------------------------------------------------------------------- states


def test_money_of_two_states_that_do_not_fit_names_the_time_between():
    history = [seen(0, "0"), deposited(Millis(T + 5), 100), seen(9, "100")]
    assert [] == missing(*history)
    assert [(0, 9)] == probable(*history)
    assert [("balances", 1, 9, "money for perpetuals")] == missing(history[0], history[2])


def test_what_was_there_before_the_history_is_no_omission():
    assert [] == missing(seen(5, "70"), deposited(Millis(T + 6), 100), seen(9, "170"))
    assert [(6, 9)] == probable(seen(5, "70"), deposited(Millis(T + 6), 100), seen(9, "170"))


def test_a_token_on_spot_that_no_state_showed_before_was_nothing():
    first, second = spot(0), spot(60_000, HYPE="5")
    assert [("balances", -9_999, 61_000, "HYPE on spot")] == missing(first, second)
    assert [] == missing(first, rewarded(30_000, "5", "HYPE"), second)
    assert [("balances", -9_999, 61_000, "HYPE on spot")] == missing(
        first, rewarded(30_000, "5", "HYPE"), spot(60_000)
    )


@pytest.mark.parametrize("off", [-999, 0, 9_999])
def test_a_dated_state_may_be_ten_seconds_older_and_one_younger(off: int):
    history = [spot(0), rewarded(60_000 - off, "5"), spot(60_000), spot(120_000, USDC="5")]
    history.sort(key=lambda each: each.at)
    assert [] == missing(*history)
    history = [spot(0), rewarded(60_000 - off, "5"), spot(60_000, USDC="5")]
    history.sort(key=lambda each: each.at)
    assert [] == missing(*history)


@pytest.mark.parametrize("off", [-1_001, 10_000])
def test_and_no_more_than_that(off: int):
    shown = "5" if off < 0 else "0"
    history = [spot(0), rewarded(60_000 - off, "5"), spot(60_000, USDC=shown)]
    history.sort(key=lambda each: each.at)
    assert ["USDC on spot"] == [subject for *_, subject in missing(*history)]


def test_a_loan_may_be_ahead_by_the_interest_since_the_hour():
    before = [lent(0), rewarded(19_999, "100000"), operated(20_000, "supply", "100000"),
              interest(HOUR, "0.5"), interest(2 * HOUR, "0.5")]  # fmt: skip
    assert [] == missing(*before, lent(2 * HOUR + HOUR // 2, "100001.25"))
    assert [] == missing(*before, lent(2 * HOUR + HOUR // 2, "100001"))
    ahead = missing(*before, lent(2 * HOUR + HOUR // 2, "100004"))
    assert [("balances", -9_999, 2 * HOUR + HOUR // 2 + 1000, "USDC supplied")] == ahead
    assert ["USDC supplied"] == [
        s for *_, s in missing(*before, lent(2 * HOUR + 99_999, "100000.9"))
    ]


def test_a_debt_is_ahead_the_other_way():
    before = [lent(0), operated(20_000, "borrow", "1000"), interest(HOUR, borrow="0.005")]
    assert [] == missing(*before, lent(HOUR + 1800_000, borrowed="1000.0075"))
    assert ["USDC borrowed"] == [
        subject for *_, subject in missing(*before, lent(HOUR + 1800_000, borrowed="1000"))
    ]


def test_a_token_whose_index_is_not_known_is_passed_over():
    assert [] == missing(lent(0, token=7), lent(60_000, "5", token=7))


def test_one_balance_stands_for_everything_at_the_marks_of_its_second():
    mode = ev.ModeChanged(stream=STREAM, at=Millis(T), mode="unifiedAccount", observed=True)
    value = attrs.evolve(seen(5, "100").summary, account_value=D("130"))
    perps = attrs.evolve(seen(60_000, "100"), summary=value)
    begin = [mode, seen(1, "0"), spot(2, USDC="0"), deposited(Millis(T + 9), 100)]
    whole = spot(60_000, USDC="137")
    assert [] == missing(*begin, rewarded(10, "7"), perps, whole)
    assert ["USDC in all"] == [subject for *_, subject in missing(*begin, perps, whole)]
    assert [(0, 60_000)] == probable(*begin, rewarded(10, "7"), perps, whole)


def test_without_marks_of_its_second_one_balance_says_nothing():
    mode = ev.ModeChanged(stream=STREAM, at=Millis(T), mode="portfolioMargin", observed=True)
    begin = [mode, deposited(Millis(T + 1), 100), seen(2, "100"), spot(3, USDC="100")]
    assert [] == missing(*begin, spot(60_000, USDC="999"))
    assert [] == missing(mode, deposited(Millis(T + 1), 100), spot(60_000, True, USDC="999"))
    bare = [seen(2), spot(2, True, USDC="5"), spot(60_000, True, USDC="999")]
    assert [] == missing(deposited(Millis(T + 1), 100), *bare)


def test_an_opening_sets_and_states_begin_anew_behind_it():
    opening = ev.Opened(
        stream=STREAM, at=Millis(T + 50), positions=(), author="Ada", source="a state",
        balances=(ev.OpeningBalance(place="perp:", asset=Asset("USDC"), amount=D(70)),),
    )  # fmt: skip
    assert [] == missing(seen(0, "0"), opening, seen(90, "70"))


def test_behind_a_record_of_unknown_kind_nothing_can_be_summed():
    strange = ev.Unrecognized(
        stream=STREAM, at=Millis(T + 5), venue_type="novelty", body="{}", tx_hash=None
    )
    walk = Walk([seen(0, "0"), strange, seen(9, "100")], KNOWN)
    assert [] == [each for each in walk.evidence if each.level == "missing"]
    (unknown,) = [each for each in walk.evidence if each.level == "unknown"]
    assert (T + 5, True) == (unknown.since, "unknown kind" in unknown.cause)


# ------------------------------------------------------------------------- tokens


def spot_fill(at: int, start, coin="@107", **other):
    return fill(at, start, coin=coin, px="0", fee=D("0"), fee_asset=Asset("HYPE"), **other)


def test_a_fill_of_a_token_states_what_there_was_of_it():
    assert [] == missing(spot_fill(1, "5"), rewarded(3, "2", "HYPE"), spot_fill(5, "8"))
    assert [("balances", 1, 5, "HYPE on spot")] == missing(spot_fill(1, "5"), spot_fill(5, "8"))


def test_what_is_supplied_may_count_or_not():
    supplied = attrs.evolve(operated(3, "supply", "2"), asset=Asset("HYPE"))
    for stated in ("6", "4"):
        assert [] == missing(spot_fill(1, "5"), supplied, spot_fill(5, stated))
    assert ["HYPE on spot"] == [
        s for *_, s in missing(spot_fill(1, "5"), supplied, spot_fill(5, "5"))
    ]


def test_a_state_between_two_fills_of_a_token_narrows_the_break():
    history = [spot(0), rewarded(1, "5", "HYPE"), spot_fill(2, "5"), spot(60_000, HYPE="6")]
    assert [("balances", 50_000, 90_000, "HYPE on spot")] == missing(
        *history, spot_fill(90_000, "8")
    )
    off = [*history[:3], spot(60_000, HYPE="8"), spot_fill(90_000, "8")]
    assert [("balances", -9_999, 61_000, "HYPE on spot")] == missing(*off)


def test_where_the_tokens_of_a_pair_are_not_known_a_fill_states_nothing():
    assert [] == missing(spot_fill(1, "5"), spot_fill(5, "8"), reference=EMPTY)
    assert 1 == len(
        missing(spot_fill(1, "5", "HYPE/USDC"), spot_fill(5, "8", "HYPE/USDC"), reference=EMPTY)
    )


# ------------------------------------------------------------------------- what it saw


def test_a_walk_tells_what_it_saw():
    walk = Walk([fill(1, "0"), spot_fill(2, "0"), paid(HOUR), interest(HOUR, "1")], KNOWN)
    assert (T + 1, T + HOUR) == (walk.first_at, walk.last_at)
    assert ("BTC",) == walk.coins
    assert ("USDC",) == walk.assets
    assert {"fills": 2, "funding": 1, "interest": 1} == walk.seen
    assert [T + 1, T + 2] == list(walk.fill_times)


def test_nothing_walked_is_nothing_known():
    walk = Walk([], KNOWN)
    assert (None, None, {}) == (walk.first_at, walk.last_at, walk.seen)


# ------------------------------------------------------------------------- what explains what


def months(*without: int) -> list[ev.Event]:
    """A loan of 100,000 with a row every hour, states at the second half hour and the fifth."""
    hours = [interest(hour * HOUR, "0.5") for hour in range(1, 6) if hour not in without]
    states = [lent(0), lent(2 * HOUR + HOUR // 2, "100001.25"), lent(5 * HOUR + 99_999, "100002.5")]
    history = [operated(20_000, "supply", "100000"), *hours, *states]
    return sorted(history, key=lambda each: each.at)


def test_a_missing_row_explains_what_only_a_later_state_shows():
    assert [] == missing(*months())
    assert [("interest", 2 * HOUR, 3 * HOUR - 1, "USDC")] == missing(*months(2))


def test_what_a_later_state_shows_is_told_where_no_row_explains_it():
    """A row that says less than was paid leaves no hour without one."""
    history = months()
    history[2] = attrs.evolve(history[2], supply=D("0.1"))
    found = missing(*history)
    assert ["USDC supplied"] == [subject for *_, subject in found]
    assert -9_999 == found[0][1]


def test_an_operation_that_is_not_recorded_makes_no_row_due():
    """The record has a loan go on which a state shows to have ended."""
    history = [lent(0), operated(20_000, "supply", "1000"), interest(HOUR, "0.005"),
               lent(4 * HOUR + 99_999), operated(5 * HOUR, "supply", "10")]  # fmt: skip
    assert [("balances", "USDC supplied")] == [(f, s) for f, _, _, s in missing(*history)]


def test_where_no_state_contradicts_it_rows_are_due_up_to_an_operation():
    history = [operated(2, "supply", "1000"), interest(HOUR, "0.005"),
               operated(2 * HOUR + 9, "withdraw", "1000.01"), rewarded(9 * HOUR, "1")]  # fmt: skip
    assert [("interest", 2 * HOUR, 3 * HOUR - 1, "USDC")] == missing(*history)


def test_crumbs_of_a_large_loan_are_due_rows_only_between_two():
    tail = [operated(3, "supply", "9000"), interest(HOUR, "0.05"),
            operated(HOUR + 9, "withdraw", "8999.05"), interest(2 * HOUR, "0.01")]  # fmt: skip
    assert [] == missing(*tail, operated(9 * HOUR, "withdraw", "0.5"))
    between = [*tail, interest(4 * HOUR, "0.00001")]
    assert [("interest", 3 * HOUR, 4 * HOUR - 1, "USDC")] == missing(*between)


def test_a_state_of_another_exchange_whose_marks_are_old_says_nothing_of_the_whole():
    mode = ev.ModeChanged(stream=STREAM, at=Millis(T), mode="portfolioMargin", observed=True)
    moved = ev.ClassTransferred(
        stream=STREAM, at=Millis(T + 2), asset=Asset("USDC"), amount=D("9"), dex=Dex("xyz"),
        to_perp=True, tx_hash="0x2",
    )  # fmt: skip
    assert [] == missing(mode, rewarded(1, "9"), moved, spot(60_000, USDC="9"),
                         seen(60_000, "0"), spot(120_000, USDC="999"))  # fmt: skip
