"""Recorded histories by the command line alone, one command each after the import."""

from __future__ import annotations

from decimal import Decimal

import pytest

pytestmark = pytest.mark.recorded

ANYBODY = "0x" + "11" * 20


def agreed(rf, *words: str) -> dict[str, tuple[int, int]]:
    report = rf.json("check", *words)
    return {each["check"]: (each["agreed"], each["looked_at"]) for each in report["checks"]}


def test_funding_was_charged_on_what_the_fills_lead_to(rf, recorded):
    told = (str(recorded / "funding-farmer"), "--account", ANYBODY)
    rf.fine("import", *told, "--zone", "Europe/Paris", code=2)
    rf.fine("import", *told, "--zone", "Europe/Paris", "--dates", "day-first")
    found = agreed(rf)
    assert (47, 47) == found["funding-size"]
    assert found["funding-presence"][0] == found["funding-presence"][1] >= 47


def test_a_liquidated_account_is_named_with_its_episodes(rf, recorded):
    file = recorded / "gblack686" / "raw_fills.json"
    account = "0x109a42c3ead059b041560cb6da71058516e7ba3e"
    rf.fine("import", str(file), "--account", account)
    report = rf.json("check")
    found = {each["check"]: each for each in report["checks"]}
    assert (45, 45) == (found["continuity"]["agreed"], found["continuity"]["looked_at"])
    assert (9, 9, 17) == tuple(
        found["closed-pnl"][name] for name in ("agreed", "looked_at", "unknown")
    )
    assert {"0.00035": 46, "0.00045": 3, "0.0004": 1} == found["fee-rate"]["seen"]
    assert 4 == len(report["liquidations"][account])
    shown = {row["market"]: row for row in rf.json("show")["positions"]}
    # the first fill of BTC in the file states 0.0118 before it
    assert "derived 0.0118" == shown["BTC"]["opening"]


def test_an_opening_from_a_portfolio_margin_state_leaves_nothing_at_hand(rf, recorded):
    """There the total of USDC is the value of the perpetuals less what is borrowed."""
    state = recorded / "portfolio-margin" / "pm_borrow_2026-09-14.json"
    rf.fine("import", str(recorded / "gblack686" / "raw_fills.json"), "--account", "0x" + "22" * 20)
    told = rf.json("open", ANYBODY, "--from-state", str(state), "--as", "ada")
    attested = dict(line.rsplit(" ", 1) for line in told["attested"] if "cost" not in line)
    assert "0" == attested["spot USDC"]
    # quoted from the file: borrowed 4466.517471414 USDC, supplied 10.3764959147 UBTC
    assert Decimal("4466.517471414") == Decimal(attested["borrowed USDC"])
    assert Decimal("10.3764959147") == Decimal(attested["supplied UBTC"])
    shown = rf.json("show", ANYBODY)
    amounts = {(row["place"], row["asset"]): row["amount"] for row in shown["balances"]}
    assert "-4466.517471414" == amounts["borrowed", "USDC"]
