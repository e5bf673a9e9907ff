"""Checks: each finds what it is for, says both numbers, and counts what it cannot judge."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from ledger import events as ev
from ledger.codec import event_id
from ledger.entries import Covered
from ledger.money import exact
from ledger.units import Asset, Coin, Dex, Millis, account_stream, market_stream
from projections import checks
from projections.checks.funding import HOLES, HOUR, hourly_rate
from projections.reference import EMPTY, Reference
from tests.support.trades import ACCOUNT, fill

D = Decimal
STREAM = account_stream(ACCOUNT)
T = 1_760_000_400_000 - 1_760_000_400_000 % HOUR  # a full hour
ALL = checks.CHECKS | checks.MARKET_CHECKS


def check(name, *events, options=None, known=EMPTY):
    return checks.run({name: ALL[name]}, events, known, options)[0]


def counts(found):
    return found.looked_at, found.agreed, found.unknown


def buy(sz, px=10, *, start=None, at=T, number=1, coin="BTC", **other):
    start = None if start is None else D(start)
    return fill(coin, "B", D(sz), D(px), start=start, at=at, number=number, **other)


def sell(sz, px=10, *, start=None, at=T, number=2, coin="BTC", **other):
    start = None if start is None else D(start)
    return fill(coin, "A", D(sz), D(px), start=start, at=at, number=number, **other)


def paid(hour, *, size=1, usdc="-0.5", coin="BTC", rate="0.0000125"):
    return ev.FundingPaid(
        stream=STREAM,
        at=Millis(T + hour * HOUR + 66),
        coin=Coin(coin),
        usdc=D(usdc),
        size=D(size),
        rate=D(rate),
        samples=None,
        tx_hash=None,
    )


def test_a_break_is_found_once_with_both_numbers_and_both_events():
    first, second = buy(3, start=0), sell(1, start=5)
    found = check("continuity", first, second, sell(1, start=4, number=3))
    assert (2, 1, 0) == counts(found)
    finding = found.findings[0]
    assert ("3", "5", "2", "error") == (
        finding.expected, finding.observed, finding.difference, finding.severity,
    )  # fmt: skip
    assert (event_id(first), event_id(second)) == finding.events
    assert (ACCOUNT, T) == (finding.account, finding.at)


def test_a_second_break_is_a_second_finding():
    found = check("continuity", buy(3, start=0), sell(1, start=5), sell(1, start=3, number=3))
    assert ["2", "-1"] == [one.difference for one in found.findings]


def test_a_pair_whose_tokens_are_not_known_asks_for_them():
    """Recorded: 986.87 bought paid 0.34540448 of them; 986.52459552 stood before the next fill."""
    bought = buy("986.87", "7.9769", start=0, coin="@107", fee=D("0.34540448"), fee_asset="HYPE")
    sold = sell(1, 8, start="986.52459552", coin="@107", at=T + 1)
    text = check("continuity", bought, sold).findings[0].text
    assert text.endswith("Import an answer of spotMeta")
    known = Reference(pairs={Coin("@107"): (Asset("HYPE"), Asset("USDC"))})
    assert (1, 1, 0) == counts(check("continuity", bought, sold, known=known))


def test_digits_lost_by_a_spreadsheet_are_a_break_only_where_all_digits_count():
    history = (buy("986.52459552", start=0), sell(1, start="986.5245955"))
    assert (1, 0, 0) == counts(check("continuity", *history))
    ten = checks.Options(digits=lambda event: 10)
    assert (1, 1, 0) == counts(check("continuity", *history, options=ten))


def test_a_wrong_result_is_found_and_a_right_one_agrees():
    right = sell(1, 12, start=1, reported_closed_pnl=D(2))
    assert (1, 1, 0) == counts(check("closed-pnl", buy(1, start=0), right))
    wrong = attrs.evolve(right, reported_closed_pnl=D("2.000001"))
    found = check("closed-pnl", buy(1, start=0), wrong)
    assert ("2", "2.000001", "0.000001") == (
        found.findings[0].expected, found.findings[0].observed, found.findings[0].difference,
    )  # fmt: skip


def test_a_result_on_an_entry_not_recorded_is_unknown_not_zero():
    found = check("closed-pnl", sell(1, 12, start=5, reported_closed_pnl=D(2)))
    assert (0, 0, 1) == counts(found)
    assert (
        "closed-pnl: 0 of 0 (1 unknown: 1 its entry lies before the history or in a gap of it)"
        == found.line()
    )


def test_a_fill_that_closes_nothing_may_not_state_a_result():
    found = check("closed-pnl", buy(1, start=0, reported_closed_pnl=D(3)))
    assert (0, 1) == (found.looked_at, len(found.findings))


def test_a_web_export_states_the_result_after_the_fee():
    row = {"reported_net_pnl": D("1.99"), "notional": D(12), "fee": D("0.01")}
    assert (1, 1, 0) == counts(check("closed-pnl", buy(1), sell(1, 12, **row)))
    off = row | {"reported_net_pnl": D("1.9")}
    assert (1, 0, 0) == counts(check("closed-pnl", buy(1), sell(1, 12, **off)))


@pytest.mark.parametrize(
    ("px", "sz", "fee", "rate"),
    [
        ("66653", "0.001", "0.009997", "0.00015"),  # recorded; 0.00999795 cut off
        ("119.5", "1", "0.053775", "0.00045"),
        ("119.5", "1", "-0.003585", "-0.00003"),
        ("119.5", "1", "0", "0"),
    ],
)
def test_a_fee_is_the_floor_of_a_published_rate(px, sz, fee, rate):
    found = check("fee-rate", buy(sz, px, fee=D(fee)))
    assert ((rate, 1),) == found.tally


def test_a_fee_at_no_published_rate_is_noted_with_the_rate_it_would_be():
    found = check("fee-rate", buy(1, 1000, fee=D("0.777")))
    assert (1, 0, 0) == counts(found)
    assert "the rate would be 0.000777" in found.findings[0].text


def test_a_fee_off_by_two_units_from_a_published_rate_is_a_disagreement():
    """6000 at 0.00045 is 2.7; one unit is allowed."""
    for fee, severities in (("2.700001", []), ("2.700002", ["warning"]), ("2.699998", ["warning"])):
        found = check("fee-rate", buy(3, 2000, fee=D(fee)))
        assert severities == [each.severity for each in found.findings]
    assert (D("2.7"), D("2.699998")) == (
        D(found.findings[0].expected), D(found.findings[0].observed)
    )  # fmt: skip


def test_who_is_long_pays_a_positive_rate_whatever_the_price():
    event = paid(1, size=3, usdc="-0.075", rate="0.0000125")
    assert (0, 0, 1) == counts(check("funding-amount", event))
    found = check("funding-amount", attrs.evolve(event, usdc=D("0.075")))
    assert (1, 0, 0) == counts(found)
    assert "BTC: on 3 at a rate of 0.0000125 funding is paid" in found.findings[0].text


def test_the_builders_share_is_taken_off_first():
    """Recorded: 0.012896 of which 0.002424 went to a builder, on 24.24257 at 0.000432."""
    event = buy(1, "24.24257", fee=D("0.012896"), builder_fee=D("0.002424"))
    assert (("0.000432", 1),) == check("fee-rate", event).tally


def test_a_fee_in_tokens_is_the_floored_fee_divided_by_the_price():
    """Recorded: 986.87 bought at 7.9769 paid 0.34540448 of them at 0.00035."""
    event = buy("986.87", "7.9769", coin="HYPE/USDC", fee=D("0.34540448"), fee_asset=None)
    assert (("0.00035", 1),) == check("fee-rate", event).tally
    assert (0, 0, 1) == counts(check("fee-rate", attrs.evolve(event, fee=None)))


def test_funding_is_charged_on_what_was_held_before_the_hour():
    before = buy(1, start=0, at=T + HOUR - 1000)
    late = buy(1, start=1, at=T + HOUR + 10, number=2)  # before the payment's own moment
    assert (1, 1, 0) == counts(check("funding-size", before, late, paid(1)))
    found = check("funding-size", before, late, paid(1, size=2))
    assert ("1", "2") == (found.findings[0].expected, found.findings[0].observed)
    assert (0, 0, 1) == counts(check("funding-size", before, paid(1, coin="ETH")))


def test_a_missing_payment_is_found_where_history_is_complete():
    history = [
        buy(1, start=0, at=T),
        *(paid(hour) for hour in (1, 2, 5)),
        sell(1, start=1, at=T + 5 * HOUR + 99),
    ]
    found = check("funding-presence", *history)
    assert (5, 3, 0) == counts(found)
    assert "2 hour(s)" in found.findings[0].text
    covers = (Covered(family="funding", since=Millis(T), until=Millis(T + 9 * HOUR)),)
    found = check("funding-presence", *history, options=checks.Options(covers=covers))
    assert (5, 3, 0) == counts(found)  # flat after the fifth
    assert (0, 0, 0) == counts(check("funding-presence", buy(1, start=0)))


def test_an_hour_without_a_published_rate_needs_no_payment():
    before = HOLES[0] - 2 * HOUR
    first = attrs.evolve(paid(0), at=HOLES[0] - HOUR)
    last = attrs.evolve(paid(0), at=HOLES[0] + HOUR)
    found = check("funding-presence", buy(1, start=0, at=before), first, last)
    assert (2, 2, 0) == counts(found)


def test_a_payment_is_cut_off_toward_zero():
    """Recorded: 15 × 25369.0 × 0.00000625 = 2.37834375, paid 2.378343."""
    known = Reference(size_places={Coin("BTC"): 5})
    event = paid(1, size=15, usdc="-2.378343", rate="0.00000625")
    assert (1, 1, 0) == counts(check("funding-amount", event, known=known))
    for wrong in ("-2.378342", "2.378343"):
        found = check("funding-amount", attrs.evolve(event, usdc=D(wrong)), known=known)
        assert (1, 0, 0) == counts(found)
    small = paid(1, size="0.001", usdc="-0.000001")
    assert (0, 0, 1) == counts(check("funding-amount", small, known=known))


@pytest.mark.parametrize(
    ("premium", "rate"),
    [("0.00029005", "0.0000125"), ("0.01", "0.0011875"), ("-0.01", "-0.0011875"), ("1", "0.04")],
)
def test_the_hourly_rate_is_an_eighth_of_the_clamped_premium(premium, rate):
    with exact():
        assert D(rate) == hourly_rate(D(premium))


def rate_set(hour, *, rate="0.0000125", premium="0.0001"):
    return ev.FundingRateSet(
        stream=market_stream(Coin("BTC")),
        at=Millis(T + hour * HOUR + 66),
        coin=Coin("BTC"),
        rate=D(rate),
        premium=None if premium is None else D(premium),
    )


def test_a_rate_off_the_rule_and_a_hole_in_the_grid_are_found():
    wrong = rate_set(4, rate="0.0000126")
    history = (rate_set(0), rate_set(1), wrong, rate_set(5, premium=None))
    assert (3, 2, 1) == counts(check("funding-rate", *history))
    found = check("funding-grid", *history)
    assert (3, 2, 0) == counts(found)
    assert "no rate for 2 hour(s)" in found.findings[0].text
    assert "warning" == found.findings[0].severity


def perp_state(*positions, raw=None, dex=""):
    summary = None
    if raw is not None:
        summary = ev.MarginSummary(
            account_value=D(0), total_notional=D(0), total_raw_usd=D(raw), total_margin_used=D(0)
        )
    return ev.PerpStateObserved(
        stream=STREAM,
        at=Millis(T + HOUR),
        dex=Dex(dex),
        positions=tuple(ev.ObservedPosition(coin=Coin(c), size=D(s)) for c, s in positions),
        summary=summary,
        cross=None,
        cross_maintenance=None,
        withdrawable=None,
    )


def test_an_observed_state_is_held_against_positions_and_money():
    history = (buy(2, start=0, fee=D(1)), buy(1, coin="ETH", start=0, fee=D(0)))
    seen = perp_state(("BTC", 2), ("SOL", 1), raw=-31)
    found = check("observed-positions", *history, seen)
    assert (2, 1, 1) == counts(found)
    assert ("1", "0") == (found.findings[0].expected, found.findings[0].observed)
    assert (1, 1, 0) == counts(check("observed-money", *history, seen))
    assert (1, 0, 0) == counts(check("observed-money", *history, perp_state(raw=-30)))
    assert (0, 0, 1) == counts(check("observed-money", perp_state(raw=-30)))


def spot_state(total, *, margin=None):
    return ev.SpotStateObserved(
        stream=STREAM,
        at=Millis(T + HOUR),
        balances=(ev.ObservedBalance(asset=Asset("HYPE"), token=150, total=D(total), hold=D(0)),),
        margin_enabled=margin,
        margin_ratio=None,
        borrow_ratios=(),
        supply_ratios=(),
        available=(),
    )


def test_an_observed_spot_balance_is_held_against_the_sum_of_postings():
    bought = buy(2, coin="HYPE/USDC", start=0, fee=D(0))
    assert (1, 1, 0) == counts(check("observed-balances", bought, spot_state(2)))
    assert (1, 0, 0) == counts(check("observed-balances", bought, spot_state(3)))
    assert (0, 0, 1) == counts(check("observed-balances", spot_state(3)))
    assert (0, 0, 1) == counts(check("observed-balances", bought, spot_state(3, margin=True)))


def test_an_observed_loan_may_be_ahead_by_an_hour_of_interest():
    known = Reference(symbols={150: Asset("HYPE")})
    common = {"stream": STREAM, "asset": Asset("HYPE")}
    history = (
        ev.ReserveOperated(
            **common, at=Millis(T), operation="supply", amount=D(5), reported_interest=None,
            tx_hash=None,
        ),
        ev.InterestAccrued(**common, at=Millis(T + 1), supply=D("0.1"), borrow=D(0)),
    )  # fmt: skip

    def seen(value):
        return ev.LendingStateObserved(
            stream=STREAM,
            at=Millis(T + 2),
            loans=(
                ev.ObservedLoan(
                    token=150,
                    borrow_basis=D(0),
                    borrow_value=D(0),
                    supply_basis=D(5),
                    supply_value=D(value),
                ),
            ),
            health="healthy",
            health_factor=None,
        )

    def judged(value):
        return counts(check("observed-lending", *history, seen(value), known=known))

    assert (1, 1, 0) == judged("5.1")
    assert (1, 1, 0) == judged("5.2")
    assert (1, 0, 0) == judged("5.21")
    assert (1, 0, 0) == judged("5.09")


def test_a_movement_whose_way_is_not_recorded_is_named():
    event = ev.DexAbstractionActivated(
        stream=STREAM, at=Millis(T), dex=Dex("flx"), asset=Asset("USDH"), amount=D(3), tx_hash=None
    )
    found = check("transfers", event, attrs.evolve(event, amount=D(0)))
    assert (2, 1, 0) == counts(found)
    assert "moves nothing" in found.findings[0].text
