"""The desk on the command line: a break from the run that finds it to its closing."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import stat
from pathlib import Path

import pytest

from tests.command.conftest import CASCADE, Command

PAYOUTS = CASCADE.parent / "payouts"
ACCOUNT = "0x5ca1ab1e000000000000000000000000ca5cade0"
ETH_SALE = "88fbe45fd24d95f262bac61fe1264262"
"""15 ETH sold on 3 August 18:31; without it size and money of the next state differ."""

ANNULMENT = "78a1a5a46802e323a4e298e9f60db722"
"""Identity of the correction that takes it away for Dan's reason."""

DAY = 86_400_000


def reconciled(rf, by: str = "Ana", code: int = 1):
    result = rf("reconcile", "state", "--record", "--as", by)
    assert code == result.exit_code, result.output
    return result


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """A book with two open breaks: the size of ETH, and the money of its sale."""
    folder = tmp_path_factory.mktemp("begun")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        rf = Command(folder)
        rf.fine("import", str(CASCADE))
        rf.fine("correct", ACCOUNT, ETH_SALE, "--annul", "--reason", "to see", "--as", "Dan")
        reconciled(rf)
    return next(folder.glob("*.book"))


@pytest.fixture
def desk(rf, begun):
    """The command beside a copy of that book."""
    shutil.copy(begun, rf.folder)
    return rf


@pytest.fixture
def eth(desk) -> str:
    return named(desk, "size ETH")


def named(rf, subject: str) -> str:
    rows = rf.json("breaks", "--all")["breaks"]
    return next(row["break"] for row in rows if row["subject"] == subject)


def one(rf, name: str) -> dict:
    return rf.json("breaks", "show", name)


def test_a_run_opens_breaks_and_the_list_shows_them(desk, eth):
    said = desk.fine("breaks")
    assert re.search(
        rf"^{eth} +\| size ETH +\| 2026-08-03T12:01Z \| .*\| +-15 \| open *$", said, re.MULTILINE
    )
    assert "note: 2 live, 0 closed in this book" in said
    row = next(row for row in desk.json("breaks")["breaks"] if row["break"] == eth)
    assert ("15", "0", "-15", "differs", "state", ACCOUNT) == tuple(
        row[name] for name in ("expected", "observed", "difference", "class", "desk", "account")
    )


def test_the_whole_life_of_a_break(desk, eth):
    assert "assigned; next: its owner" in desk.fine(
        "breaks", "assign", eth[:6], "--to", "Ana", "--as", "Lea"
    )
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "the sheet missed a sale")
    refused = desk("breaks", "approve", eth, "--as", "A N A")
    assert 4 == refused.exit_code
    assert "it is A N A's own" in refused.stderr
    assert "explained" == one(desk, eth)["status"]
    desk.fine("breaks", "approve", eth, "--as", "Ben")
    desk.fine("breaks", "close", eth, "--as", "Lea", "--because", "explained")
    found = one(desk, eth)
    assert ("closed", "Ana", 0) == (found["status"], found["owner"], found["closed_by_force"])
    assert ["Ana", "Lea", "Ana", "Ben", "Lea"] == [act["by"] for act in found["history"]]
    assert [] == found["findings"]
    # a further run finds it as it was closed and leaves it so
    assert "0 breaks opened, 0 with new figures, 2 known" in reconciled(desk).stderr
    assert "closed" == one(desk, eth)["status"]


def test_the_name_can_stand_in_the_environment(desk, eth, monkeypatch):
    missing = desk("breaks", "explain", eth, "--because", "late")
    assert 2 == missing.exit_code
    assert "--as" in missing.stderr
    monkeypatch.setenv("ROLLFORWARD_AS", "Ana")
    desk.fine("breaks", "explain", eth, "--because", "late")
    assert "Ana" == one(desk, eth)["history"][-1]["by"]
    settings = {row["setting"]: row["value"] for row in desk.json("config")}
    assert "Ana" == settings["ROLLFORWARD_AS"]
    # a reconciliation that records nothing needs no name, and minds none
    assert 1 == desk("reconcile", "state").exit_code
    assert "2 known" in desk("reconcile", "state", "--record").stderr


def test_other_numbers_open_it_again_and_void_the_approval(desk, eth):
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    desk.fine("breaks", "approve", eth, "--as", "Ben")
    desk.fine("breaks", "close", eth, "--as", "Ben", "--because", "done")
    sales = [
        row["event"]
        for row in desk.json("history", "--to", "2026-08-03T20:00Z")
        if "ETH" in (row["what"] or "") and "Open Long" in row["what"]
    ]
    desk.fine("correct", ACCOUNT, sales[-1], "--annul", "--reason", "to see", "--as", "Dan")
    reconciled(desk)
    found = one(desk, eth)
    assert ("open", 1) == (found["status"], found["opened_again"])
    assert found["difference"] != "-15"


def test_what_is_no_longer_found_can_be_closed_so(desk, eth):
    refused = desk("breaks", "close", eth, "--as", "Ana", "--because", "gone")
    assert 4 == refused.exit_code
    undo(desk)
    assert "2 no longer found" in reconciled(desk, code=0).stderr
    assert {eth, named(desk, "perp money")} == {
        row["break"] for row in desk.json("breaks", "--gone")["breaks"]
    }
    desk.fine("breaks", "close", eth, "--as", "Ana", "--because", "the sale stands again")
    assert "closed as no longer found: the sale stands again" in desk.fine("breaks", "show", eth)


def undo(rf) -> None:
    """Take the annulment back."""
    rf.fine("correct", ACCOUNT, ANNULMENT, "--annul", "--reason", "back", "--as", "Dan")


def test_a_break_is_carried_to_a_moment_to_come(desk, eth):
    words = ("breaks", "carry", eth, "--as", "Ana", "--because", "asked", "--to")
    done = desk(*words, "2026-08-06T00:00Z")
    assert 4 == done.exit_code
    assert "would be looked at again at 2026-08-06T00:00:00.000Z, which is past" in done.stderr


def test_force_and_carrying_are_shown_for_ever(desk, eth):
    money = named(desk, "perp money")
    desk.fine("breaks", "carry", money, "--as", "Ana", "--because", "asked the venue",
              "--to", "2036-09-30T00:00Z")  # fmt: skip
    desk.fine("breaks", "close", eth, "--as", "Ana", "--force", "--because", "not pursued")
    listed = desk.fine("breaks", "--all")
    assert re.search(rf"^{eth} .*closed by force *$", listed, re.MULTILINE)
    assert re.search(rf"^{money} .*carried 1x *$", listed, re.MULTILINE)
    shown = desk.fine("breaks", "show", eth)
    assert "CLOSED BY FORCE, approved by nobody: not pursued" in shown
    assert "carried forward to 2036-09-30T00:00Z: asked the venue" in desk.fine(
        "breaks", "show", money
    )
    for words in (
        ("close", "--because", "x"),
        ("carry", "--because", "x"),
        ("assign", "--to", "x"),
    ):
        result = desk("breaks", words[0], eth, *words[1:], "--as", "Ana", "--json")
        assert 4 == result.exit_code
        told = json.loads(result.stderr)["error"]
        assert ("RefusedAct", words[0], eth) == (told["kind"], told["act"], told["subject"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), {"perp money"}),
        (("--all",), {"perp money", "size ETH"}),
        (("--status", "closed"), {"size ETH"}),
        (("--status", "assigned", "--status", "closed"), {"perp money", "size ETH"}),
        (("--owner", "A na"), {"perp money"}),
        (("--owner", "ben"), set()),
        (("--all", "--owner", ""), {"size ETH"}),
        (("--desk", "pool"), set()),
        (("--desk", "state"), {"perp money"}),
        (("--account", ACCOUNT[:8]), {"perp money"}),
        (("--older", "0"), {"perp money"}),
        (("--older", "100000"), set()),
        (("--gone",), set()),
    ],
)
def test_the_list_is_limited_to_what_is_asked_for(desk, eth, words, expected):
    desk.fine("breaks", "assign", named(desk, "perp money"), "--to", "ana", "--as", "Lea")
    desk.fine("breaks", "close", eth, "--as", "Ana", "--force", "--because", "not pursued")
    assert expected == {row["subject"] for row in desk.json("breaks", *words)["breaks"]}


def test_ages_are_counted_from_the_value_date_at_the_instant_asked_for(desk):
    value_date = desk.json("breaks")["breaks"][0]["value_date"]
    now = desk.json("breaks")["at"]
    later = value_date + (((now - value_date) // DAY) + 1000) * DAY
    (first, second) = desk.json("breaks", "--at", str(later))["breaks"]
    assert (later - value_date) // DAY == first["days"] == second["days"]
    assert "over 90 days" == first["age"]
    assert [] == desk.json("breaks", "--at", str(value_date))["breaks"]


def test_the_desk_as_it_was_known(desk, eth):
    before = desk.json("breaks")["position"]
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    known = desk.json("breaks", "show", eth, "--known-at", str(before))
    assert ("open", before) == (known["status"], known["position"])
    assert "explained" == one(desk, eth)["status"]
    opened = known["history"][0]["recorded"]
    assert opened == desk.json("breaks", "--known-at", str(opened))["at"]
    assert [] == desk.json("breaks", "--known-at", str(opened - 1))["breaks"]


def test_acts_of_a_clock_ahead_of_ours_are_shown(desk, eth):
    from ledger.book import Book
    from ledger.units import Millis
    from replay.desk import explain

    ahead = Millis(desk.json("breaks")["at"] + DAY)
    with Book.open(next(desk.folder.glob("*.book")), write=True) as book:
        explain(book, eth, because="late", by="Ana", now=ahead)
    assert "explained" == one(desk, eth)["status"]
    desk.fine("breaks", "approve", eth, "--as", "Ben")
    assert "approved" == one(desk, eth)["status"]


def test_the_list_as_csv(desk, eth):
    rows = list(csv.DictReader(io.StringIO(desk.fine("breaks", "--csv"))))
    assert {"break": eth, "difference": "-15", "status": "open", "owner": ""}.items() <= next(
        row for row in rows if row["break"] == eth
    ).items()


def test_the_events_a_break_rests_on_are_named(desk, eth):
    said = desk.fine("breaks", "show", eth)
    assert "perp state observed" in said
    assert "states.json" in said
    assert 2 == len(one(desk, eth)["events"])


def test_runs_are_listed_with_their_parameters(desk):
    assert "Reconciliations" in desk.fine("breaks", "--runs")
    (run,) = desk.json("breaks")["runs"]
    assert ("state", "2", "Ana") == (run["desk"], run["found"], run["by"])
    assert json.loads(run["parameters"])


@pytest.mark.parametrize("verb", ["show", "explain", "close", "carry", "approve"])
def test_a_break_nobody_opened_is_named(desk, verb):
    words = () if verb == "show" else ("--as", "Ana", "--because", "late")
    result = desk("breaks", verb, "B-ffffff", *words)
    assert 2 == result.exit_code
    assert "no break B-ffffff in this book" in result.stderr


def test_the_book_may_be_named_before_or_behind_the_verb(desk, eth):
    (path,) = desk.folder.glob("*.book")
    path.rename(desk.folder / "other.store")
    before = desk.fine("breaks", "--book", "other.store", "show", eth)
    behind = desk.fine("breaks", "show", eth, "--book", "other.store")
    assert before.splitlines()[1:] == behind.splitlines()[1:]


def test_no_act_touches_what_an_account_had(desk, eth):
    position = desk.json("breaks")["position"]
    before = desk.json("show"), desk.json("history")
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    assert position < desk.json("breaks")["position"]
    after = desk.json("show"), desk.json("history")
    assert digests(before[0]) == digests(after[0])
    assert before[1] == after[1]


def digests(shown: dict) -> list[str]:
    found = re.findall(r'"\w*digest\w*": "([0-9a-f]{64})"', json.dumps(shown))
    assert found
    return found


def test_what_a_statement_shows_is_kept_apart_from_what_the_venue_paid(rf):
    rf.fine("import", str(PAYOUTS / "account.json"), str(PAYOUTS / "reserves.json"))
    month = ("reconcile", "interest", "--month", "2026-08", "--record", "--as", "Ana")
    assert "0 known, 0 no longer found" in rf(*month).stderr
    venue = {row["break"] for row in rf.json("breaks")["breaks"]}
    habit = named(rf, "USDT0 supply")
    assert re.search(r"^360 days +\|", rf.fine("breaks", "show", habit), re.MULTILINE)
    statement = rf(*month, "--against", str(PAYOUTS / "statement.csv")).stderr
    assert "0 with new figures, 0 known, 0 no longer found" in statement
    rows = rf.json("breaks")["breaks"]
    assert venue == {row["break"] for row in rows if row["against"] == "venue"}
    assert venue < {row["break"] for row in rows}
    assert (
        f"0 breaks opened, 0 with new figures, {len(venue)} known, 0 no longer" in rf(*month).stderr
    )


# ------------------------------------------------------------------------------- signatures


@pytest.fixture
def signed(desk, eth):
    """The ETH break, approved with Ben's key; the line that pins it is in the file ``pins``."""
    made = desk.json("keys", "new", "ben.key")
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    desk.fine("breaks", "approve", eth, "--as", "Ben", "--key", "ben.key", "--because", "seen")
    (desk.folder / "pins").write_text(f"Ben={made['key']}\n", encoding="utf-8")
    return desk


def worth(rf, name: str, *words: str, code: int = 0) -> str:
    result = rf("breaks", "show", name, "--json", *words)
    assert code == result.exit_code, result.output
    approvals = [act for act in json.loads(result.stdout)["history"] if "signature" in act]
    return approvals[-1]["signature"]["worth"]


def test_a_signature_is_shown_with_what_it_is_worth(signed, eth, monkeypatch):
    (line,) = (signed.folder / "pins").read_text().splitlines()
    assert "key not pinned" == worth(signed, eth)
    assert "valid" == worth(signed, eth, "--pin", line)
    assert "valid" == worth(signed, eth, "--pins", "pins")
    monkeypatch.setenv("ROLLFORWARD_PINS", "pins")
    assert "valid" == worth(signed, eth)
    shown = signed.fine("breaks", "show", eth)
    assert re.search(
        r"^signature +\| valid: signed by the key pinned to Ben; SHA256:", shown, re.MULTILINE
    )


def test_a_wrong_signature_is_a_finding_of_the_list_and_of_the_break(signed, eth):
    other = signed.json("keys", "new", "other.key")["key"]
    assert "invalid" == worth(signed, eth, "--pin", f"ben={other}", code=1)
    result = signed("breaks", "--pin", f"ben={other}")
    assert 1 == result.exit_code
    assert f"error desk-signature: the approval of {eth} by Ben" in result.stderr


def test_the_signed_note_is_verified_by_the_library_alone(signed, eth):
    """As another program would: the statement, the line and the key, and nothing of ours."""
    from base64 import b64decode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    said = one(signed, eth)["history"][-1]["signature"]
    name, _, key = said["key"].split("+", 2)
    dash, who, blob = said["line"].split(" ")
    assert ("—", name) == (dash, who)
    public = Ed25519PublicKey.from_public_bytes(b64decode(key)[1:])
    public.verify(b64decode(blob)[4:], said["statement"].encode())
    for words in (f"break {eth}\n", "by Ben\n", "because seen\n"):
        assert words in said["statement"]


def test_unsigned_approvals_are_said_to_be_so(desk, eth):
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    desk.fine("breaks", "approve", eth, "--as", "Ben")
    assert "unsigned" == worth(desk, eth)


def test_keys_are_made_once_and_kept_from_others(rf):
    first = rf.json("keys", "new", "ben.key", "--name", "ben-2026")
    assert 0o600 == stat.S_IMODE((rf.folder / "ben.key").stat().st_mode)
    assert first == rf.json("keys", "show", "ben.key")
    again = rf("keys", "new", "ben.key")
    assert 4 == again.exit_code
    assert "a key is never overwritten" in again.stderr
    assert (rf.folder / "ben.key").read_text().strip() not in rf.fine("keys", "show", "ben.key")


def test_a_key_others_can_read_is_named(desk, eth):
    desk.fine("keys", "new", "ben.key")
    (desk.folder / "ben.key").chmod(0o644)
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    result = desk("breaks", "approve", eth, "--as", "Ben", "--key", "ben.key")
    assert 0 == result.exit_code
    assert "ben.key can be read by others" in result.stderr


def test_a_file_that_is_no_key_signs_nothing(desk, eth):
    (desk.folder / "bad.key").write_text("x")
    desk.fine("breaks", "explain", eth, "--as", "Ana", "--because", "late")
    result = desk("breaks", "approve", eth, "--as", "Ben", "--key", "bad.key")
    assert 4 == result.exit_code
    assert "explained" == one(desk, eth)["status"]
