"""Recorded states held against each other, all by one command: ``rollforward reconcile book``."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.command import rollforward

pytestmark = pytest.mark.recorded

D = Decimal
HEDGER = "0xfc8b2f2b98705037ec9fa816f40c42077b237d3c"
EXCHANGES = ("rotki", "hyperliquid-python-sdk")


@pytest.fixture(scope="module")
def found(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the command says of a book of all recorded states; moments as the how-to page has."""
    folder = tmp_path_factory.mktemp("states")
    states = json.loads((recorded / "reserves" / "reserve_states.json").read_text())
    documented = {row["id"]: row["state"] for row in states}
    taken = {"docs_A1": "2026-01-27T10:48:00.000Z", "docs_A2": "2026-01-27T10:49:00.030Z"}
    for name, at in taken.items():
        (folder / f"{name}.json").write_text(json.dumps(documented[name]))
        words = ("--token", "0", "--at", at, "--book", "x.book")
        assert 0 == rollforward("import", f"{name}.json", *words, cwd=folder).code
    for hour, at in (("15", "2026-03-31T15:22:46Z"), ("22", "2026-03-31T22:07:28Z")):
        path = recorded / "portfolio-margin" / f"accounts_2026-03-31T{hour}.json"
        said = rollforward("import", path, "--at", at, "--book", "x.book", cwd=folder)
        assert 0 == said.code, said.err
    paths = [recorded / name for name in EXCHANGES]
    rollforward("import", *paths, "--book", "x.book", cwd=folder)
    said = rollforward(
        "reconcile", "book", "--pace", "0.01", "--book", "x.book", "--json", cwd=folder
    )
    assert 3 == said.code, "some of it cannot be told"
    return said.json


def test_the_protocols_tenth_between_the_documented_states(found: dict, figure) -> None:
    usdc = next(each for each in found["reserves"] if each["reserve"] == "USDC")
    pair = usdc["pairs"][0]
    assert ("0.0999978", "grew by its share") == (pair["share"], pair["verdict"])
    assert D("0.0005765603") == D(pair["growth"])
    assert D(pair["least"]) <= D("0.000576573") <= D(pair["most"])  # a tenth of 0.00576573
    figure(
        line="4-4",
        text="growth of the protocol's part by that of borrows, documented pair",
        value=pair["share"],
    )


def test_the_supply_of_usdh_lies_in_its_interval(found: dict, figure) -> None:
    """24,269 s untouched, one rate of the reserve known, at the end: 0.0089634 a year."""
    (report,) = (
        each for each in found["supplies"] if each["reserve"] == "USDH"
        and each["supplier"] == HEDGER
    )  # fmt: skip
    (share,) = report["supply"]
    assert 1 == share["states"]
    assert D("0.00010268") == D("14.88573306") - D("14.88563038") == D(share["earned"])
    assert abs(D(share["yearly_earned"]) - D("0.0089634")) < D("5e-7")
    assert ["curve", "pace"] == [each["assumption"] for each in share["bounds"]]
    for each in share["bounds"]:
        assert "inside" == each["verdict"]
        assert D(each["yearly_least"]) <= D("0.0089634") <= D(each["yearly_most"])
    curve, pace = share["bounds"]
    assert D(0) == D(curve["yearly_least"])
    # the rate at the end, 0.0089743, is off by far less than the interval is wide
    assert D("0.002") < D(pace["yearly_most"]) - D(pace["yearly_least"]) < D("0.004")
    figure(
        line="4-4",
        text="supply of USDH, 2026-03-31: earned a year, and its interval",
        value=f"{share['yearly_earned']} in {pace['yearly_least']} to {pace['yearly_most']} "
        f"(pace 0.01 per hour), 0 to {curve['yearly_most']} (curve)",
    )


def test_what_cannot_be_told_is_unknown(found: dict) -> None:
    """USDC of two accounts was moved between the recordings, and no operation is recorded."""
    moved = [each["supply"][0] for each in found["supplies"] if each["reserve"] == "USDC"]
    assert 2 == len(moved)
    for share in moved:
        assert share["earned"] is None
        assert {"unknown"} == {each["verdict"] for each in share["bounds"]}


def test_the_identities_of_every_recorded_state(found: dict, figure) -> None:
    states = [state for each in found["identities"] for state in each["states"]]
    assert 19 == len(states)
    counts = {
        name: sum(int(state[name]) for state in states)
        for name in ("positions", "agree", "within_rounding", "differ", "unknown")
    }
    assert 0 == counts["differ"]
    assert 17 == counts["positions"]
    assert 3 + 5 + 1 == counts["unknown"]
    whys = [row["verdict"] for each in found["identities"] for row in each["figures"]]
    known = {"unknown: the state leaves out the highest leverage": 5,
             "unknown: the state leaves out a position's value": 2,
             "unknown: in this mode the whole account stands behind a position, not its exchange "
             "alone": 2}  # fmt: skip
    assert known == {why: whys.count(why) for why in whys if why.startswith("unknown")}
    exchanges = [each for each in found["identities"] if each["states"][0]["at"] < "2026-03"
                 or each["states"][0]["at"] > "2026-04"]  # fmt: skip
    shown = [state for each in exchanges for state in each["states"]]
    assert 13 == len(shown)
    figure(
        line="4-4",
        text="identities of every rotki and SDK state, and of the portfolio margin ones",
        value=f"{len(shown)} and {len(states) - len(shown)} states, {counts['positions']} "
        f"positions: {counts['agree']} exact, {counts['within_rounding']} within stated rounding, "
        f"0 differ, {counts['unknown']} unknown (inputs left out)",
    )
