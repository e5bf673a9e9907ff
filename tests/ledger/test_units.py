"""Parsing at the door, and the little words about coins."""

from __future__ import annotations

import pytest

from ledger import units
from ledger.errors import MalformedRecord

LOW = "0x5ca1ab1e000000000000000000000000ca5cade0"


def test_an_address_is_kept_in_lower_case() -> None:
    assert LOW == units.parse_address("0x5CA1ab1e000000000000000000000000Ca5cAde0")


@pytest.mark.parametrize(
    "text",
    [LOW[:-1], LOW + "0", LOW + "\n", LOW.replace("5", "５"), "0X" + LOW[2:], "mtiz", None, 7],
)
def test_anything_else_is_no_address(text: object) -> None:
    with pytest.raises(MalformedRecord):
        units.parse_address(text)


@pytest.mark.parametrize("value", [-1, 10**15, True, 1.0, "1e3", "", None])
def test_a_time_is_whole_milliseconds(value: object) -> None:
    with pytest.raises(MalformedRecord):
        units.parse_millis(value)


@pytest.mark.parametrize(
    ("coin", "spot", "outcome", "dex"),
    [
        ("BTC", False, False, ""),
        ("xyz:NVDA", False, False, "xyz"),
        ("@107", True, False, ""),
        ("HYPE/USDC", True, False, ""),
        ("+12", False, True, ""),
        ("o12", False, True, ""),
        ("ondo", False, False, ""),
    ],
)
def test_a_coin_says_what_kind_of_market_it_is(
    coin: str, spot: bool, outcome: bool, dex: str
) -> None:
    assert (spot, outcome, dex) == (
        units.is_spot(units.Coin(coin)),
        units.is_outcome(units.Coin(coin)),
        units.dex_of(units.Coin(coin)),
    )
