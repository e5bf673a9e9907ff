"""Statements by hand: small histories whose every figure can be checked on paper."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ledger.events import (
    DexAbstractionActivated,
    LeaderCommissionReceived,
    LendingStateObserved,
    ObservedLoan,
    Opened,
    OpeningBalance,
    OpeningPosition,
    RewardsClaimed,
    VaultDeposited,
    VaultWithdrawn,
)
from ledger.units import Address, Asset, Coin, Dex, Millis, account_stream
from replay.papers.sheets import terms
from replay.periods import Period, month
from replay.statement import question, statement
from tests.support.histories import deposited, filled, funded
from tests.support.statement_books import audit_of, defined

A, V = Address("0x" + "a" * 40), Address("0x" + "b" * 40)
SINCE, UNTIL = 1_000_000, 2_000_000
D = Decimal


def asked(histories, prices, *, name=A, since=SINCE, until=UNTIL, more=(), **how):
    audit = audit_of(histories, prices, more=more)
    period = Period(since=Millis(since), until=Millis(until))
    return statement(audit, question(audit, name, period, position=audit.position(), **how))


def told(found) -> dict[str, Decimal | None]:
    return {name: term.value for name, term in terms(found.total) if term.value != 0}


def perp(at, tid, side, sz, px, start):
    return filled(at, tid, side=side, sz=D(sz), px=px, start=start, fee=D(0), fee_asset="USDC")


def test_trades_are_valued_at_the_closing_price_and_what_was_held_by_its_change():
    """2 long at 100 are there at the opening; 1 is bought at 130; marks are 110, then 150."""
    found = asked(
        {A: [deposited(1, "1000"), perp(2, 1, "B", 2, "100", 0),
             perp(SINCE + 5, 2, "B", 1, "130", 2)]},
        {"BTC": [(0, D(110)), (SINCE + 9, D(150))]},
    )  # fmt: skip
    assert {
        "opening equity": D(1000 + 2 * 10),
        "trading": D(150 - 130),
        "price change": D(2 * (150 - 110)),
        "closing equity": D(1000 + 2 * 50 + 20),
    } == told(found)


def test_what_came_in_is_worth_what_it_was_then_and_the_rest_is_price_change():
    reward = RewardsClaimed(
        stream=account_stream(A), at=Millis(SINCE + 5), asset=Asset("HYPE"), amount=D(10),
        tx_hash="0x01",
    )  # fmt: skip
    found = asked({A: [reward]}, {"@107": [(0, D(30)), (SINCE + 6, D(33))]})
    assert {"rewards": D(300), "price change": D(30), "closing equity": D(330)} == told(found)
    (line,) = (each for each in found.then if each.thing[1] == "HYPE")
    assert ("@107 mark (marks)",) == line.sources
    assert SINCE + 5 == line.oldest_ms


def test_a_reward_without_a_price_is_unknown_and_the_quantity_is_not():
    reward = RewardsClaimed(
        stream=account_stream(A), at=Millis(SINCE + 5), asset=Asset("MAX"), amount=D(10),
        tx_hash="0x01",
    )  # fmt: skip
    found = asked({A: [reward, deposited(SINCE + 6, "5")]}, {})
    assert None is found.total.closing.value
    assert None is found.total.of("rewards").value
    assert D(5) == found.total.of("deposits").value
    assert [D(10), D(5)] == [row.closing for row in found.totals]
    assert ("price of MAX when it moved (rewards)", "price of MAX at the closing") == tuple(
        sorted(found.missing, reverse=True)
    )
    assert not found.is_complete


def test_a_position_opened_and_closed_needs_no_price():
    found = asked(
        {A: [perp(SINCE + 1, 1, "B", 1, "100", 0), perp(SINCE + 2, 2, "A", 1, "107", 1)]}, {}
    )
    assert {"trading": D(7), "closing equity": D(7)} == told(found)


def test_an_opening_inside_the_period_is_its_own_line_and_what_it_sets_is_unexplained():
    opening = Opened(
        stream=account_stream(A), at=Millis(SINCE + 5), author="ada", source="a page",
        balances=(
            OpeningBalance(place="perp:", asset=Asset("USDC"), amount=D(70)),
            OpeningBalance(place="spot", asset=Asset("USDC"), amount=D(3)),
        ),
        positions=(OpeningPosition(coin=Coin("BTC"), size=D(1), entry_notional=D(100)),),
    )  # fmt: skip
    found = asked({A: [deposited(1, "50"), opening]}, {"BTC": [(0, D(100))]})
    assert {
        "opening equity": D(50),
        "opening attested": D(3 + 100),
        "unexplained": D(20),
        "closing equity": D(173),
    } == told(found)
    assert any("20 USDC of perp is unexplained: an opening set" in each for each in found.findings)


def test_a_size_the_venue_states_and_nobody_recorded_is_unexplained_at_the_closing_price():
    found = asked(
        {A: [perp(SINCE + 1, 1, "A", 1, "100", 4)]}, {"BTC": [(0, D(100)), (SINCE + 2, D(110))]}
    )
    assert {
        "trading": D(100 - 110),
        "unexplained": D(4 * 110),
        "closing equity": D(100 + 3 * 110),
    } == told(found)
    assert D(3) == next(row.closing for row in found.totals if row.asset == "BTC-PERP")


def test_fees_and_directions_that_are_not_recorded_are_named():
    moved = DexAbstractionActivated(
        stream=account_stream(A), at=Millis(SINCE + 7), dex=Dex("xyz"), asset=Asset("USDC"),
        amount=D(1), tx_hash="0x02",
    )  # fmt: skip
    bare = filled(SINCE + 1, 1, side="B", sz=D(1), px="1", start=0)
    found = asked({A: [bare, moved]}, {"BTC": [(0, D(1))]})
    assert ["fee not recorded", "direction not recorded"] == [gap.kind for gap in found.gaps]
    assert not found.is_complete


def test_in_another_money_prices_are_quotients_and_the_money_itself_is_worth_one():
    found = asked(
        {A: [deposited(SINCE + 1, "90"), funded(SINCE + 2, usdc="-9")]},
        {"@107": [(0, D(30)), (SINCE + 3, D(27))]},
        money=Asset("HYPE"),
    )
    third = D("0.03333333333333333333")
    assert 90 * third == found.total.of("deposits").value
    assert -9 * third == found.total.of("funding").value
    assert 81 * D("0.03703703703703703704") == found.total.closing.value
    assert D(0) == found.total.unexplained.value


def test_of_two_prices_the_first_that_is_young_holds_and_its_age_is_told():
    hour = 3_600_000
    found = asked(
        {A: [perp(1, 1, "B", 1, "100", 0)]},
        {"BTC": [(0, D(100))]},
        since=SINCE,
        until=SINCE + 3 * hour,
    )
    (end,) = (each for each in found.prices if each.end == "closing" and each.thing[1] != "USDC")
    assert SINCE + 3 * hour == end.age_ms
    assert D(100) == end.quote.px


# --------------------------------------------------------------------------- vaults in groups


def vault_story():
    """A puts 1,000 into its own vault V; V makes 100; A takes half out and 5 as its leader."""
    of_a, of_v = account_stream(A), account_stream(V)
    put = VaultDeposited(stream=of_a, at=Millis(SINCE + 1), vault=V, usdc=D(1000), tx_hash="0xaa")
    taken = VaultWithdrawn(
        stream=of_a, at=Millis(SINCE + 9), vault=V, user=A, requested=D(550), commission=D(5),
        closing_cost=D(0), basis=D(500), net=D(545), tx_hash="0xbb",
    )  # fmt: skip
    share = LeaderCommissionReceived(
        stream=of_a, at=Millis(SINCE + 9), user=A, usdc=D(5), tx_hash="0xbb"
    )
    gained = attrs.evolve(funded(SINCE + 5, usdc="100"), stream=of_v)
    return {
        A: [deposited(1, "2000"), put, taken, share],
        V: [attrs.evolve(put, stream=of_v), gained, attrs.evolve(taken, stream=of_v)],
    }


def test_a_share_in_a_vault_of_the_group_is_eliminated_with_what_went_in_and_out():
    group = defined("fund", {A: "master", V: "vault"})
    found = asked(vault_story(), {}, name="fund", more=[group])
    assert {
        "opening equity": D(2000),
        "funding": D(100),
        "closing equity": D(2100),
    } == told(found)
    assert () == found.findings
    assert all(pair.is_whole for pair in found.pairs)
    assert 2 == len(found.pairs)
    (share,) = (row for row in found.rows if row.is_eliminated)
    assert (D(0), D(500)) == (share.opening, share.closing)


def test_a_vault_outside_stands_at_what_was_paid_in():
    found = asked(vault_story(), {})
    assert D(2000 + 45 + 5) == found.total.closing.value
    assert D(50) == found.total.of("vault results").value


def test_a_withdrawal_the_vault_does_not_know_of_is_a_finding():
    histories = vault_story()
    histories[V].pop()
    group = defined("fund", {A: "master", V: "vault"})
    found = asked(histories, {}, name="fund", more=[group])
    (pair,) = (pair for pair in found.pairs if not pair.is_whole)
    assert D(550) == pair.remainder
    assert D(550) == found.total.of("inside the group").value
    assert any("received and sent by nobody" in each for each in found.findings)


def test_a_month_is_one_of_utc():
    august = month("2026-08")
    assert (1_785_542_400_000, 1_788_220_799_999) == (august.since, august.until)
    assert "2026-08" == august.name
    assert month("2026-12").until + 1 == month("2027-01").since


def test_a_loan_the_venue_shows_and_nobody_recorded_is_named():
    state = LendingStateObserved(
        stream=account_stream(A), at=Millis(SINCE + 1), health="healthy", health_factor=None,
        loans=(ObservedLoan(token=150, borrow_basis=D(0), borrow_value=D(0), supply_basis=D(7),
                            supply_value=D(8)),),
    )  # fmt: skip
    found = asked({A: [state]}, {})
    assert ["HYPE supplied"] == [gap.about for gap in found.gaps]
    assert not found.is_complete
