"""What real recordings say of the rules: figures of the acceptance list, each counted."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.codec import kind_of
from ledger.entries import Covered, RawRecord
from ledger.events import Event, Filled
from ledger.importers import Hints, read
from ledger.units import Address, Digest
from projections import checks, liquidations
from projections.chart import USDC
from projections.fold import fold
from projections.reference import EMPTY

pytestmark = pytest.mark.recorded

SOMEBODY = Address("0x" + "a" * 40)
GBLACK = Address("0x109a42c3ead059b041560cb6da71058516e7ba3e")
WEB = Hints(account=SOMEBODY, zone="Europe/Paris", dates="day-first")
TEN_DIGITS = checks.Options(digits=lambda event: 10)


def history(folder: Path, *names: str, hints: Hints) -> list[Event]:
    """Return the events of files in effective order; inside an instant as the files have them."""
    events: list[Event] = []
    for name in names:
        body = (folder / name).read_bytes()
        record = RawRecord(name=name, body=body, digest=Digest(sha256(body).hexdigest()))
        for part in read(record, hints).parts:
            events.extend(part.events)
    return sorted(events, key=lambda event: (event.at, kind_of(event).rank))


def result(name: str, events: list[Event], options: checks.Options | None = None):
    both = checks.CHECKS | checks.MARKET_CHECKS
    return checks.run({name: both[name]}, events, EMPTY, options)[0]


def by_account(events: list[Event]) -> list[list[Event]]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        groups[event.stream].append(event)
    return [groups[stream] for stream in sorted(groups)]


@pytest.fixture
def gblack(recorded: Path) -> list[Event]:
    return history(recorded, "gblack686/raw_fills.json", hints=Hints(account=GBLACK))


@pytest.fixture
def farmer(recorded: Path) -> list[Event]:
    names = ("funding-farmer/trade_history.csv", "funding-farmer/funding_history.csv")
    return history(recorded, *names, hints=WEB)


@pytest.fixture
def traders(recorded: Path) -> list[list[Event]]:
    name = "hl-trader-dataset/historical_data.dev.csv"
    return by_account(history(recorded, name, hints=Hints()))


def test_every_fill_of_an_answer_continues_the_one_before(gblack):
    found = result("continuity", gblack)
    assert (45, 45, 0, ()) == (found.looked_at, found.agreed, found.unknown, found.findings)


def test_positions_open_before_the_answer_are_derived_and_named(gblack):
    found = result("openings", gblack)
    named = {(one.text.split(":")[0], one.observed, one.severity) for one in found.findings}
    assert {("FARTCOIN", "2249.3", "note"), ("BTC", "0.0118", "note")} == named


def test_closed_results_are_exact_and_those_without_an_entry_unknown(gblack):
    found = result("closed-pnl", gblack)
    assert (9, 9, 17, ()) == (found.looked_at, found.agreed, found.unknown, found.findings)


def test_every_fee_is_at_one_of_three_rates(gblack):
    found = result("fee-rate", gblack)
    assert (50, 50) == (found.looked_at, found.agreed)
    assert {"0.00035": 46, "0.00045": 3, "0.0004": 1} == dict(found.tally)


def test_four_liquidation_episodes_are_named(gblack):
    episodes = fold(gblack).state(liquidations.NAME).by_key
    assert [
        "liquidation 1 at 1759894470724: BTC, XPL",
        "liquidation 2 at 1760130838189: HYPE",
        "liquidation 3 at 1760423680500: HYPE",
        "liquidation 4 at 1761021509786: HYPE",
    ] == [liquidations.name(number, episode) for number, episode in episodes.items()]
    assert [16, 1, 1, 1] == [episode.fills for episode in episodes.values()]


def test_funding_was_charged_on_the_position_rebuilt(farmer):
    found = result("funding-size", farmer)
    assert (47, 47, 0) == (found.looked_at, found.agreed, found.unknown)


def test_no_hour_with_a_position_lacks_its_payment(farmer):
    found = result("funding-presence", farmer)
    assert (47, 47, ()) == (found.looked_at, found.agreed, found.findings)


@pytest.mark.parametrize("number", range(47))
def test_any_payment_left_out_is_missed(farmer, number: int):
    """Those at either end of what is recorded cannot be missed without a claim of completeness."""
    payments = [event for event in farmer if kind_of(event).name == "funding_paid"]
    gone = payments[number]
    covers = tuple(_claims(payments))
    found = result(
        "funding-presence",
        [event for event in farmer if event is not gone],
        checks.Options(covers=covers),
    )
    assert 1 == len(found.findings)
    assert gone.coin in found.findings[0].text


def _claims(payments):
    moments = [event.at for event in payments]
    yield Covered(family="funding", since=min(moments), until=max(moments))


def test_a_web_export_states_results_within_a_tick_but_for_two_adjacent_rows(farmer):
    found = result("closed-pnl", farmer)
    assert (786, 784) == (found.looked_at, found.agreed)
    assert [1_770_568_129_000, 1_770_568_166_000] == [one.at for one in found.findings]
    assert all(one.text.startswith("MEGA") for one in found.findings)
    assert all(abs(Decimal(one.difference)) < Decimal("0.0023") for one in found.findings)


def test_a_spreadsheet_has_one_break_and_one_derived_opening(traders):
    breaks = [one for each in traders for one in result("continuity", each, TEN_DIGITS).findings]
    openings = [one for each in traders for one in result("openings", each, TEN_DIGITS).findings]
    assert ["@107"] == [one.text.split(":")[0] for one in breaks]
    assert ["-195.98118409"] == [one.difference for one in breaks]
    assert [("@107", "171.22")] == [(one.text.split(":")[0], one.observed) for one in openings]


def test_all_results_of_a_spreadsheet_hold_in_its_ten_digits(traders):
    found = [result("closed-pnl", each, TEN_DIGITS) for each in traders]
    assert 735 == sum(one.looked_at for one in found) == sum(one.agreed for one in found)
    assert 0 == sum(one.unknown for one in found)


def test_token_sales_are_at_average_cost(traders):
    found = [result("spot-closed-pnl", each, TEN_DIGITS) for each in traders]
    assert 58 == sum(one.looked_at for one in found) == sum(one.agreed for one in found)
    assert 2 == sum(one.unknown for one in found)  # a dust conversion, and the derived opening


def test_every_fee_of_a_spreadsheet_is_at_a_published_rate(traders):
    found = [result("fee-rate", each) for each in traders]
    assert 1993 == sum(one.looked_at for one in found) == sum(one.agreed for one in found)


def test_the_rate_rule_and_the_three_holes_of_the_grid(recorded):
    events = history(recorded, "funding-tracker/funding_history.BTC.csv", hints=Hints())
    rule, grid = result("funding-rate", events), result("funding-grid", events)
    assert (18_981, 18_981) == (rule.looked_at, rule.agreed)
    assert ["note"] * 3 == [one.severity for one in grid.findings]
    assert [1_688_324_400_000, 1_692_817_200_000, 1_723_723_200_000] == [
        int(one.expected.rsplit(" ", 1)[1]) for one in grid.findings
    ]


def test_a_withdrawal_takes_amount_and_fee_without_binary_noise(recorded):
    """4121239.9500000002 came to the perpetuals side, 4121238.9500000002 and a fee of 1 left it."""
    kind = "user_non_funding_ledger_updates_without_end_time.49c14992"
    name = f"hyperliquid-python-sdk/test_{kind}.json"
    events = history(recorded, name, hints=Hints())
    assert 146 == len(events)
    came = [event for event in events if str(getattr(event, "amount", "")) == "4121239.9500000002"]
    left = [event for event in events if str(getattr(event, "usdc", "")) == "4121238.9500000002"]
    assert [1, 1] == [len(came), len(left)]
    state = fold(came).state("balances").by_key
    assert Decimal("4121239.95") == state["perp:", USDC]
    assert Decimal(0) == fold(came + left).state("balances").by_key["perp:", USDC]


def test_records_of_2023_are_taken_but_not_chained(recorded):
    name = "hyperliquid-python-sdk/test_get_user_fills.7d89ebe2.json"
    events = history(recorded, name, hints=Hints())
    fills = [event for event in events if isinstance(event, Filled)]
    assert 1062 == len(fills)
    found = result("continuity", events)
    assert (0, 1062) == (found.looked_at, found.unknown)
    assert {1062} == {fee.unknown for fee in fold(events).state("fees").by_key.values()}
