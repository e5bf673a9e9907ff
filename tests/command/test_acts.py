"""``correct``, ``open``, ``verify``, ``doctor``, ``config``: what changes a book or examines it."""

from __future__ import annotations

import json

from tests.command.conftest import CASCADE
from tests.command.test_import import ACCOUNT, fill, write

STATE = {
    "assetPositions": [
        {
            "type": "oneWay",
            "position": {
                "coin": "ETH", "szi": "2.0", "entryPx": "1900.0", "positionValue": "4000.0",
                "unrealizedPnl": "200.0", "returnOnEquity": "0.5", "liquidationPx": None,
                "leverage": {"type": "cross", "value": 10}, "marginUsed": "400.0",
                "maxLeverage": 25,
                "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
            },
        }
    ],
    "marginSummary": {"accountValue": "5000.0", "totalNtlPos": "4000.0",
                      "totalRawUsd": "1000.0", "totalMarginUsed": "400.0"},
    "crossMarginSummary": {"accountValue": "5000.0", "totalNtlPos": "4000.0",
                           "totalRawUsd": "1000.0", "totalMarginUsed": "400.0"},
    "crossMaintenanceMarginUsed": "80.0", "withdrawable": "4600.0", "time": 1760000000500,
}  # fmt: skip


def two_fills(rf) -> None:
    rows = [fill(2, startPosition="2.5", sz="1.0"), fill(1, startPosition="2.0")]
    rf.fine("import", write(rf.folder, "a.json", rows), "--account", ACCOUNT)


def sizes(rf) -> dict[str, str]:
    return {row["market"]: row["size"] for row in rf.json("show")["positions"]}


def test_annulling_takes_an_event_out_and_annulling_that_brings_it_back(rf):
    two_fills(rf)
    before = rf.json("show")
    event = rf.json("history")[-1]["event"]
    told = rf.json("correct", ACCOUNT, event, "--annul", "--reason", "twice", "--as", "ada")
    assert {"ETH": "2.5"} == sizes(rf)
    assert told["state_digest_before"] == before["state_digest"] != told["state_digest_after"]
    rf.fine("correct", ACCOUNT, told["correction"], "--annul", "--reason", "no", "--as", "bob")
    assert before["state_digest"] == rf.json("show")["state_digest"]
    again = rf.json("correct", ACCOUNT, event, "--annul", "--reason", "twice", "--as", "ada")
    assert again["correction"] != told["correction"]
    assert {"ETH": "2.5"} == sizes(rf)


def test_replacing_changes_the_fields_named_and_no_other(rf):
    two_fills(rf)
    event = rf.json("history")[-1]["event"]
    rf.fine(
        "correct", ACCOUNT, event, "--replace", '{"fee": "0.5"}', "--reason", "x", "--as", "ada"
    )
    assert "0.85" == rf.json("show")["fees"][0]["charged"]
    assert {"ETH": "3.5"} == sizes(rf)
    notes = rf.json("explain", ACCOUNT, event)["notes"]
    assert any("replaced by ada" in note and note.endswith(": x") for note in notes)


def test_a_replacement_that_was_annulled_can_be_made_again(rf):
    two_fills(rf)
    event, words = rf.json("history")[-1]["event"], ("--reason", "misread", "--as", "ada")
    fields = ("--replace", '{"fee": "0.4"}')
    first = rf.json("correct", ACCOUNT, event, *fields, *words)
    rf.fine("correct", ACCOUNT, first["correction"], "--annul", *words)
    again = rf.json("correct", ACCOUNT, event, *fields, *words)
    assert first["correction"] != again["correction"]
    assert first["state_digest_after"] == again["state_digest_after"]


def test_a_dry_run_of_a_correction_writes_nothing(rf):
    two_fills(rf)
    event = rf.json("history")[-1]["event"]
    before = rf.json("show")
    rf.fine("correct", ACCOUNT, event, "--annul", "--reason", "x", "--as", "ada", "--dry-run")
    assert before == rf.json("show")


def test_a_correction_needs_a_reason_and_an_author(rf):
    two_fills(rf)
    event = rf.json("history")[-1]["event"]
    assert 2 == rf("correct", ACCOUNT, event, "--annul", "--as", "ada").exit_code
    assert 2 == rf("correct", ACCOUNT, event, "--annul", "--reason", "x").exit_code
    blank = rf("correct", ACCOUNT, event, "--annul", "--reason", " ", "--as", "ada")
    assert 2 == blank.exit_code


def test_an_opening_is_attested_and_every_figure_says_so(rf):
    rf.fine(
        "import", write(rf.folder, "b.json", [fill(2, startPosition="2.0")]), "--account", ACCOUNT
    )
    assert "derived 2" == rf.json("show")["positions"][0]["opening"]
    (rf.folder / "state.json").write_text(json.dumps(STATE))
    told = rf.json("open", ACCOUNT, "--from-state", "state.json", "--as", "ada")
    assert told["in_force"] is True
    shown = rf.json("show")
    assert {"ETH": "2.5"} == {row["market"]: row["size"] for row in shown["positions"]}
    # value 4000 less the result not yet taken, 200, plus 0.5 × 2000 bought since
    assert "4800" == shown["positions"][0]["entry_notional"]
    assert "attested 2" == shown["positions"][0]["opening"]
    amounts = {row["place"]: row["amount"] for row in shown["balances"]}
    assert "-0.35" == amounts["perp"]  # 1000 raw money less 1000 paid and the fee
    assert any("attested by ada from state.json" in note for note in shown["notes"])
    found = rf.json("explain", ACCOUNT, "balance perp USDC")
    assert any("attested by ada" in note for note in found["notes"])


def test_older_history_takes_the_place_of_an_opening_and_shows_the_difference(rf):
    rf.fine(
        "import", write(rf.folder, "b.json", [fill(2, startPosition="2.0")]), "--account", ACCOUNT
    )
    (rf.folder / "state.json").write_text(json.dumps(STATE))
    rf.fine("open", ACCOUNT, "--from-state", "state.json", "--as", "ada")
    older = [fill(0, time=1759999999000, sz="1.5", tid=5, oid=5)]
    rf.fine("import", write(rf.folder, "older.json", older), "--account", ACCOUNT)
    shown = rf.json("show")
    assert not any("attested by" in note for note in shown["notes"])
    result = rf("check", "--json")
    assert 1 == result.exit_code
    found = [f for f in json.loads(result.stdout)["findings"] if f["check"] == "opening"]
    said = {f["text"].split(":")[0]: (f["expected"], f["observed"], f["difference"]) for f in found}
    assert ("1.5", "2", "0.5") == said["position ETH"]


HOUR = 3_600_000
SPOT_STATE = {
    "balances": [
        {"coin": "USDC", "token": 0, "hold": "0.0", "total": "0.0", "entryNtl": "0.0"},
        {"coin": "HYPE", "token": 150, "hold": "0.0", "total": "7.0", "entryNtl": "210.0"},
    ]
}


def ledger_row(ago: int, delta: dict) -> dict:
    return {"time": 1760000000500 - ago * HOUR, "hash": f"0x{ago:064x}", "delta": delta}


def older_transfers(rf) -> None:
    """5,000 USDC a hundred hours before, 300 of them and 20 HYPE at hand on the spot side."""
    arrived = {"type": "spotTransfer", "token": "HYPE", "amount": "20.0", "usdcValue": "600.0",
               "user": "0x" + "cd" * 20, "destination": ACCOUNT, "fee": "0.0",
               "nativeTokenFee": "0.0", "nonce": None, "feeToken": ""}  # fmt: skip
    rows = [
        ledger_row(100, {"type": "deposit", "usdc": "5000.0"}),
        ledger_row(99, {"type": "accountClassTransfer", "usdc": "300.0", "toPerp": False}),
        ledger_row(98, arrived),
    ]
    rf.fine("import", write(rf.folder, "ledger.json", rows), "--account", ACCOUNT)


def opened_after_transfers(rf) -> dict:
    older_transfers(rf)
    rf.fine(
        "import", write(rf.folder, "b.json", [fill(2, startPosition="2.0")]), "--account", ACCOUNT
    )
    (rf.folder / "state.json").write_text(json.dumps(STATE))
    (rf.folder / "spot.json").write_text(json.dumps(SPOT_STATE))
    words = ("--from-state", "state.json", "--from-state", "spot.json", "--as", "ada")
    return rf.json("open", ACCOUNT, *words, "--at", "1760000000500")


def amounts(rf, *words: str) -> dict[tuple[str, str], str]:
    rows = rf.json("show", *words)["balances"]  # nobody recorded the sender's side of the HYPE
    return {
        (row["place"], row["asset"]): row["amount"] for row in rows if row["place"] != "in-transit"
    }


def test_an_opening_sets_what_it_names_whatever_older_transfers_lead_to(rf):
    assert opened_after_transfers(rf)["in_force"] is True
    before = {("perp", "USDC"): "4700", ("spot", "USDC"): "300", ("spot", "HYPE"): "20"}
    assert before == amounts(rf, "--at", "1760000000499")
    # 1000 raw money less 1000 paid and the fee since; no USDC and 7 HYPE at hand
    after = {("perp", "USDC"): "-0.35", ("spot", "HYPE"): "7"}
    assert after == amounts(rf)
    shown = rf.json("show")
    held = {row["market"]: (row["size"], row["opening"]) for row in shown["positions"]}
    assert {"ETH": ("2.5", "attested 2"), "spot:HYPE": ("7", "attested 7")} == held
    assert any("attested by ada" in note for note in shown["notes"])
    explained = rf.json("explain", ACCOUNT, "balance perp USDC")
    assert "-0.35" == explained["figure"]
    assert ("-3700", "1000") in {
        (row["change"], row["balance"])
        for row in rf.json("history")
        if (row["place"], row["asset"]) == ("perp", "USDC")
    }


def test_older_fills_set_the_opening_aside_and_the_difference_is_shown(rf):
    opened_after_transfers(rf)
    older = [fill(0, time=1760000000500 - 50 * HOUR, sz="1.5", tid=5, oid=5)]
    rf.fine("import", write(rf.folder, "older.json", older), "--account", ACCOUNT)
    assert not any("attested by" in note for note in rf.json("show")["notes"])
    found = [
        f for f in json.loads(rf("check", "--json").stdout)["findings"] if f["check"] == "opening"
    ]
    said = {f["text"].split(":")[0]: (f["expected"], f["observed"], f["difference"]) for f in found}
    assert ("1.5", "2", "0.5") == said["position ETH"]
    # 4700 less 1.5 × 2000 and the fee
    assert ("1699.65", "1000", "-699.65") == said["perp USDC"]
    assert ("300", "0", "-300") == said["spot USDC"]


def test_a_table_that_is_unknown_ends_show_with_3(rf):
    row = ledger_row(1, {"type": "somethingNew", "usdc": "1.0"})
    rf("import", write(rf.folder, "ledger.json", [row]), "--account", ACCOUNT)
    result = rf("show")
    assert 3 == result.exit_code
    assert "unknown from" in result.stdout
    assert 3 == rf("show", "--json").exit_code
    assert 0 == rf("show", "--at", str(1760000000499 - HOUR)).exit_code


def test_a_second_opening_of_one_moment_contradicts_the_first(rf):
    rf.fine(
        "import", write(rf.folder, "b.json", [fill(2, startPosition="2.0")]), "--account", ACCOUNT
    )
    (rf.folder / "state.json").write_text(json.dumps(STATE))
    rf.fine("open", ACCOUNT, "--from-state", "state.json", "--as", "ada")
    assert (
        "another opening" in rf("open", ACCOUNT, "--from-state", "state.json", "--as", "bob").stderr
    )
    rf.fine("open", ACCOUNT, "--from-state", "state.json", "--as", "bob", code=1)
    assert any("attested by ada" in note for note in rf.json("show")["notes"])
    rf.fine("check", code=1)


def test_an_opening_after_recorded_history_is_kept_but_not_in_force(rf):
    two_fills(rf)
    before = rf.json("show")
    (rf.folder / "state.json").write_text(json.dumps({**STATE, "time": 1760000009000}))
    told = rf("open", ACCOUNT, "--from-state", "state.json", "--as", "ada")
    assert 3 == told.exit_code
    assert "not in force" in told.stderr
    assert before["balances"] == rf.json("show")["balances"]


def test_a_dry_run_of_an_opening_writes_nothing(rf):
    two_fills(rf)
    (rf.folder / "state.json").write_text(json.dumps({**STATE, "time": 1759999999000}))
    rf.fine("open", ACCOUNT, "--from-state", "state.json", "--as", "ada", "--dry-run")
    assert not any("attested by" in note for note in rf.json("show")["notes"])


def test_a_flipped_byte_is_found_and_its_batch_named(rf):
    two_fills(rf)
    path = rf.folder / "rollforward.book"
    body = bytearray(path.read_bytes())
    packed = body.index(b"\x28\xb5\x2f\xfd", body.index(b'"schema":'))
    body[packed + 40] ^= 1
    path.write_bytes(body)
    result = rf("verify", "--json")
    assert 1 == result.exit_code
    report = json.loads(result.stdout)
    assert "broken" == report["outcome"]
    batch = next(problem for problem in report["problems"] if problem["about"] == "batch")
    assert (f"account:{ACCOUNT}", 1) == (batch["stream"], batch["batch"])
    assert (1760000001000, 1760000002000) == (batch["first_at"], batch["last_at"])
    assert 64 == len(batch["record"])
    assert 1 == rf("show").exit_code


def test_verify_tells_apart_proven_partly_and_broken(cascade):
    cascade.fine("verify", code=3)
    cascade.fine("verify", "--write-checkpoint", "kept", code=3)
    cascade.fine("verify", "--checkpoint", "kept", code=0)
    report = json.loads(cascade("verify", "--json").stdout)
    assert "partly verified" == report["outcome"]
    cascade.fine("import", write(cascade.folder, "a.json", [fill(1)]), "--account", ACCOUNT)
    cascade.fine("verify", "--checkpoint", "kept", code=0)


def test_doctor_finds_nothing_wrong_with_a_sound_book(cascade):
    lines = cascade.json("doctor")
    assert [] == [line for line in lines if line["verdict"] == "problem"]
    subjects = {line["subject"] for line in lines}
    assert {
        "Python",
        "SQLite",
        "file system",
        "free space",
        "writer",
        "remembered states",
    } <= subjects


def test_doctor_does_without_a_book(rf):
    assert 0 == rf("doctor").exit_code


def test_config_says_where_a_setting_comes_from(rf, monkeypatch):
    monkeypatch.setenv("ROLLFORWARD_SHOW_AT", "2026-01-01T00:00Z")
    rows = {row["setting"]: row for row in rf.json("config")}
    assert "environment" == rows["ROLLFORWARD_SHOW_AT"]["from"]
    assert "not set" == rows["ROLLFORWARD_BOOK"]["from"]


def test_the_bundled_history_is_where_the_documents_say(cascade):
    assert (CASCADE / "account.json").exists()


def test_an_opening_is_not_spoken_of_before_it_holds(rf):
    rf.fine(
        "import", write(rf.folder, "b.json", [fill(2, startPosition="2.0")]), "--account", ACCOUNT
    )
    (rf.folder / "state.json").write_text(json.dumps(STATE))
    rf.fine("open", ACCOUNT, "--from-state", "state.json", "--as", "ada")
    assert [] == rf.json("show", "--at", "1759999999999")["notes"]
    assert rf.json("show", "--at", "1760000000500")["notes"]


def test_metadata_that_contradicts_itself_is_a_finding_too(rf):
    def spot_meta(places: int) -> dict:
        token = {"name": "USDC", "szDecimals": 8, "weiDecimals": places, "index": 0,
                 "tokenId": "0x6d1e7cde53ba9467b783cb7c530ce054", "isCanonical": True}  # fmt: skip
        return {"tokens": [token], "universe": []}

    for number, places in enumerate((8, 9)):
        (rf.folder / f"{number}.json").write_text(json.dumps(spot_meta(places)))
        code = rf("import", f"{number}.json", "--at", "2026-02-10T13:00Z").exit_code
        assert number == code
    result = rf("check", "--json")
    assert 1 == result.exit_code
    assert ["contradicted"] == [f["check"] for f in json.loads(result.stdout)["findings"]]
