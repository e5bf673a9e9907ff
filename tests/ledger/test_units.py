"""Parsing at the door, and the little words about coins."""

from __future__ import annotations

import pytest

from ledger import checksum, units
from ledger.errors import MalformedRecord

LOW = "0x5ca1ab1e000000000000000000000000ca5cade0"


def test_an_address_is_kept_in_lower_case() -> None:
    assert LOW == units.parse_address(LOW) == units.parse_address(f"0x{LOW[2:].upper()}")


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_capitals_of_an_address_are_its_checksum(address: str) -> None:
    """The four examples of EIP-55, and each with one letter in the other case."""
    assert address.lower() == units.parse_address(address)
    place = next(i for i in range(41, 1, -1) if address[i].isalpha())
    wrong = address[:place] + address[place].swapcase() + address[place + 1 :]
    with pytest.raises(MalformedRecord, match="checksum"):
        units.parse_address(wrong)


def test_digests_are_the_published_ones() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert empty == checksum.keccak256(b"").hex()
    abc = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    assert abc == checksum.keccak256(b"abc").hex()


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
