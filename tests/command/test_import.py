"""``import`` as a person meets it."""

from __future__ import annotations

import gzip
import json

from tests.command.conftest import CASCADE

ACCOUNT = "0x" + "ab" * 20


def fill(number: int, **changed) -> dict:
    row = {
        "coin": "ETH", "px": "2000.0", "sz": "0.5", "side": "B", "dir": "Open Long",
        "time": 1760000000000 + number * 1000, "startPosition": "0.0", "closedPnl": "0.0",
        "hash": f"0x{number:064x}", "oid": 100 + number, "crossed": True, "fee": "0.35",
        "tid": 1000 + number, "feeToken": "USDC", "twapId": None,
    }  # fmt: skip
    return {**row, **changed}


def write(folder, name: str, rows: list[dict]) -> str:
    (folder / name).write_text(json.dumps(rows))
    return name


def test_the_report_counts_by_kind_and_names_the_span(rf):
    report = rf.json("import", str(CASCADE))
    assert 19 == report["kinds"]["filled/1"]["new"]
    assert 131 == report["kinds"]["funding_paid/1"]["new"]
    assert "2026-08-03T08:00:00.000Z" == report["first"]
    assert "2026-08-05T18:01:00.000Z" == report["last"]
    assert [] == report["quarantined"]
    assert 5 == len(report["files"])


def test_importing_again_adds_nothing(cascade):
    before = cascade.json("show")
    report = cascade.json("import", str(CASCADE))
    assert (0, 0) == (report["new"], report["conflicting"])
    assert before["state_digest"] == cascade.json("show")["state_digest"]


def test_the_folder_of_the_book_can_be_imported_again_and_again(rf):
    write(rf.folder, "a.json", [fill(2), fill(1)])
    for count in (2, 0):
        report = rf.json("import", ".", "--account", ACCOUNT)
        assert (count, []) == (report["new"], report["refused"])
    assert ["rollforward.book", "rollforward.book.lock"] == sorted(
        path.name for path in rf.folder.glob("*.book*") if not path.name.endswith(("-wal", "-shm"))
    )


def test_an_overlapping_export_adds_its_tail_only(rf):
    rf.fine("import", write(rf.folder, "a.json", [fill(2), fill(1)]), "--account", ACCOUNT)
    name = write(rf.folder, "b.json", [fill(3), fill(2), fill(1)])
    report = rf.json("import", name, "--account", ACCOUNT)
    assert (1, 2) == (report["new"], report["same"])


def test_a_dry_run_reports_the_same_and_writes_nothing(rf):
    write(rf.folder, "a.json", [fill(2), fill(1)])
    write(rf.folder, "b.json", [fill(3), fill(2), fill(1)])
    words = ("import", "a.json", "b.json", "--account", ACCOUNT)
    dry = rf.json(*words, "--dry-run")
    assert [] == list(rf.folder.glob("*.book*"))
    wet = rf.json(*words)
    assert {**wet, "dry_run": True} == dry
    assert (3, 2) == (dry["new"], dry["same"])


def test_a_dry_run_knows_what_the_book_holds(rf):
    rf.fine("import", write(rf.folder, "a.json", [fill(2), fill(1)]), "--account", ACCOUNT)
    position = rf.json("show")["known_at"]
    name = write(rf.folder, "b.json", [fill(3), fill(2, fee="9"), fill(1)])
    dry = rf.json("import", name, "--account", ACCOUNT, "--dry-run")
    assert (1, 1, 1) == (dry["new"], dry["same"], dry["conflicting"])
    assert position == rf.json("show")["known_at"]


def test_unreadable_rows_go_to_quarantine_and_the_rest_goes_in(rf):
    name = write(rf.folder, "a.json", [fill(2, sz="0,5"), fill(1)])
    result = rf("import", name, "--account", ACCOUNT, "--json")
    assert 3 == result.exit_code
    report = json.loads(result.stdout)
    assert 1 == report["new"]
    row = report["quarantined"][0]
    assert ("a.json", "[0]") == (row["file"], row["place"])
    assert "0,5" in row["reason"]
    listed = rf("quarantine", "--json")
    assert 3 == listed.exit_code
    assert "0,5" in json.loads(listed.stdout)[0]["text"]


def test_a_row_that_still_cannot_be_read_is_told_again_and_kept_once(rf):
    name = write(rf.folder, "a.json", [fill(2, sz="0,5"), fill(1)])
    for words in ((), ("--dry-run",), ()):
        result = rf("import", name, "--account", ACCOUNT, "--json", *words)
        assert 3 == result.exit_code
        assert 1 == len(json.loads(result.stdout)["quarantined"])
    assert 1 == len(rf.json("quarantine"))


def test_refused_input_makes_no_book(rf):
    (rf.folder / "notes.json").write_text('{"shopping": ["milk"]}')
    assert 4 == rf("import", "notes.json").exit_code
    assert [] == list(rf.folder.glob("*.book*"))


def test_one_refused_file_does_not_stop_the_others(rf):
    (rf.folder / "notes.json").write_text('{"shopping": ["milk"]}')
    write(rf.folder, "z.json", [fill(1)])
    result = rf("import", "notes.json", "z.json", "--account", ACCOUNT, "--json")
    assert 4 == result.exit_code
    report = json.loads(result.stdout)
    assert 1 == report["new"]
    assert ["notes.json"] == [item["file"] for item in report["refused"]]


def test_a_question_outranks_a_contradiction_and_names_the_flag(rf):
    result = rf("import", write(rf.folder, "a.json", [fill(1)]), "--json")
    assert 2 == result.exit_code
    assert "--account" in json.loads(result.stdout)["questions"][0]["flag"]
    assert [] == list(rf.folder.glob("*.book*"))


def test_a_contradiction_ends_with_1_and_check_shows_both(rf):
    rf.fine("import", write(rf.folder, "a.json", [fill(1)]), "--account", ACCOUNT)
    name = write(rf.folder, "b.json", [fill(1, fee="0.99")])
    rf.fine("import", name, "--account", ACCOUNT, code=1)
    findings = json.loads(rf("check", "--json").stdout)["findings"]
    found = [finding for finding in findings if finding["check"] == "contradicted"]
    assert 1 == len(found)
    assert "0.99" in found[0]["text"] + found[0]["observed"]
    assert "0.35" == rf.json("show")["fees"][0]["charged"]


def test_standard_input_and_packed_files_are_taken(rf):
    body = json.dumps([fill(1)]).encode()
    assert 0 == rf("import", "-", "--account", ACCOUNT, given=body).exit_code
    (rf.folder / "a.json.gz").write_bytes(gzip.compress(json.dumps([fill(2), fill(1)]).encode()))
    report = rf.json("import", "a.json.gz", "--account", ACCOUNT)
    assert (1, 1) == (report["new"], report["same"])


def test_the_book_is_the_one_named_the_one_in_the_environment_or_the_only_one(rf, monkeypatch):
    write(rf.folder, "a.json", [fill(1)])
    rf.fine("import", "a.json", "--account", ACCOUNT)
    assert ["rollforward.book"] == [path.name for path in rf.folder.glob("*.book")]
    rf.fine("import", "a.json", "--account", ACCOUNT, "--book", "named.book")
    assert (rf.folder / "named.book").exists()
    monkeypatch.setenv("ROLLFORWARD_BOOK", "elsewhere.book")
    rf.fine("import", "a.json", "--account", ACCOUNT)
    assert (rf.folder / "elsewhere.book").exists()


def test_progress_is_no_part_of_what_is_piped(rf):
    result = rf("import", str(CASCADE))
    assert "\x1b" not in result.output
    assert "importing" not in result.output
