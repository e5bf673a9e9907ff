"""A statement of payouts: columns by name, a zone for every time, and refusals that say where."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger.errors import RefusedFile
from replay.moments import parse_moment
from replay.reconcile.payout_statement import read_statement


def read(text, **more):
    return [
        (row.at, row.asset, row.side, row.amount, row.place)
        for row in read_statement("s.csv", text.encode(), **more)
    ]


def test_both_sides_in_columns_and_zeros_passed_over():
    found = read("Time,Token,Supply,Borrow,Note\n2026-08-01T01:00Z,USDC,0.5,0,x\n")
    at = parse_moment("2026-08-01T01:00Z")
    assert [(at, "USDC", "supply", Decimal("0.5"), "line 2")] == found


def test_a_side_and_an_amount_with_semicolons_and_exponents():
    found = read("time;token;side;amount\n1785546000000;HYPE;Borrow;5.5e-7\n")
    assert [(1785546000000, "HYPE", "borrow", Decimal("0.00000055"), "line 2")] == found


def test_times_without_a_zone_take_the_one_that_is_said():
    text = "time,token,side,amount\n2026-08-01 03:00:00,USDC,supply,0.5\n"
    (found,) = read(text, zone="Europe/Paris")
    assert parse_moment("2026-08-01T01:00Z") == found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when,token,supply,borrow\n", "its columns are borrow, supply, token, when"),
        ("time,token,supply,borrow\n2026-08-01T01:00,USDC,1,0\n", "line 2: .*no time zone"),
        ("time,token,supply,borrow\n2026-08-01,USDC,1,0\n", "line 2: .*is a day"),
        ('time,token,supply,borrow\n2026-08-01T01:00Z,USDC,"0,5",0\n', "line 2: .*0,5"),
        ("time,token,side,amount\n2026-08-01T01:00Z,USDC,lent,1\n", "line 2: .*lent"),
        ("time,token,side,amount\n2026-08-01T01:00Z,,supply,1\n", "line 2: .*token"),
        ("", "its columns are none"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text, said):
    with pytest.raises(RefusedFile, match=said):
        read(text)


def test_an_hour_that_happened_twice_is_refused():
    text = "time,token,side,amount\n2026-10-25 02:30:00,USDC,supply,0.5\n"
    with pytest.raises(RefusedFile, match="happened twice"):
        read(text, zone="Europe/Paris")


def test_an_unknown_zone_is_refused():
    text = "time,token,side,amount\n2026-10-25 02:30:00,USDC,supply,0.5\n"
    with pytest.raises(RefusedFile, match="is no time zone"):
        read(text, zone="Europe/Atlantis")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(RefusedFile, match="byte 0 is no UTF-8"):
        read_statement("s.csv", b"\xff\xfe")
