"""What the page shows: what the command line and Python say, from every figure to its record."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import attrs
import pytest
from click.testing import CliRunner

import replay
from ledger import book as books
from ledger.codec import event_id
from projections import fold
from replay.cli import app
from replay.dispute.liquidation import explained
from replay.explain import explain
from replay.margin_report import shown
from replay.web import answers, pages, pages_liquidations, pages_state, pages_why
from replay.web.room import Room
from tests.support.books import ACCOUNT as SMALL
from tests.support.books import small_book
from tests.support.margin_books import ACCOUNT, book_of, cascade
from tests.support.web import Browser, Got, seen

BEFORE = "2026-08-05T14:39:00.000Z"
AFTER = "2026-08-05T14:41:00.000Z"
OF = f"/a/{ACCOUNT}"


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    return cascade(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def browser(book):
    with Browser(book) as browser:
        yield browser.open()


def at(when: str, known: int = 482) -> str:
    return f"at={quote(when)}&known-at={known}"


def words(got: Got) -> str:
    """The words of a page, single spaces between them."""
    assert 200 == got.status, got.text
    return " ".join(" ".join(seen(got.text).text).split())


def links(got: Got, part: str) -> list[str]:
    return [link for link in seen(got.text).links if part in link]


# ------------------------------------------------------------------------- the same digits


def test_command_python_and_page_give_the_same_digits(book, browser, monkeypatch, figure):
    compared = 0
    for when in ("2026-08-04T09:00:00.000Z", BEFORE, AFTER):
        for known in (482, 300):
            asked = ["--at", when, "--known-at", str(known), "--book", str(book), "--json"]
            by_command = json.loads(CliRunner().invoke(app, ["show", ACCOUNT, *asked]).stdout)
            margin = json.loads(CliRunner().invoke(app, ["margin", ACCOUNT, *asked]).stdout or "{}")
            with replay.open(book, cache=False) as audit:
                by_python = audit.account(ACCOUNT).at(when, known)
                tables = {"balances": by_python.balances, "positions": by_python.positions,
                          "fees": by_python.fees, "funding": by_python.funding}  # fmt: skip
                digest = by_python.digest
            by_page = browser.get(f"{OF}/state.json?{at(when, known)}").json
            rows = list(
                csv.reader(io.StringIO(browser.get(f"{OF}/state.csv?{at(when, known)}").text))
            )
            page = words(browser.get(f"{OF}?{at(when, known)}"))
            for name, table in tables.items():
                assert table.to_dicts() == by_command[name] == by_page[name]
                for row in table.rows:
                    assert [table.title, *(cell or "" for cell in row)] in rows
                    for column, cell in zip(table.columns, row, strict=True):
                        if column in table.numbers and cell:
                            assert cell in page
                            compared += 1
            assert ["state_digest", digest] in rows
            assert digest == by_command["state_digest"] == by_page["state_digest"]
            if margin:
                assert figures_of(margin) == figures_of(by_page["margin"])
                compared += len(figures_of(margin))
    assert compared > 300
    figure(line="6-3", text="figures by command, Python and page, the same", value=compared)


def figures_of(margin: dict) -> list[tuple[str, ...]]:
    return [
        (judgement["rulebook"], each["figure"], each["of"], str(each["value"]))
        for judgement in margin["judgements"]
        for each in judgement["figures"]
    ]


@pytest.mark.parametrize(
    "when", [BEFORE, AFTER, "2026-08-03T08:00:00.001Z", "1999-01-01T00:00:00.000Z"]
)
def test_every_answer_of_an_account_has_the_digest_of_a_fold_from_nothing(book, browser, when):
    with replay.open(book, cache=False) as audit:
        engine, history = audit.engine, audit.account(ACCOUNT)
        until = replay.moments.parse_moment(when)
        events = engine.events(history.stream, 482, until)
        wanted = fold.digest(fold.fold(events, engine.reference(482)))
    for page in ("", "/state", "/state.json", "/state.csv", "/lanes.json", "/liquidations",
                 "/breaks", "/coverage"):  # fmt: skip
        got = browser.get(f"{OF}{page}?{at(when)}")
        assert (200, wanted) == (got.status, got.header("x-state-digest")), page
        assert wanted in got.text


def test_in_json_nothing_is_a_number_that_a_browser_could_round(browser):
    def numbers(value: object) -> list[object]:
        if isinstance(value, dict):
            return [found for held in value.values() for found in numbers(held)]
        if isinstance(value, list):
            return [found for held in value for found in numbers(held)]
        return [] if value is None or isinstance(value, (str, bool)) else [value]

    told = browser.get(f"{OF}/state.json?{at(BEFORE)}").json
    assert [] == numbers(told)
    drawn = browser.get(f"{OF}/lanes.json?{at(BEFORE)}").json
    assert isinstance(drawn["known_at"], str)
    for lane in drawn["lanes"]:
        for name in ("lowest", "highest", "last"):
            assert name not in lane or isinstance(lane[name]["value"], str)


# ------------------------------------------------------------------------- both times


def test_an_address_without_both_times_leads_to_one_with_them(browser):
    for page in ("", "/liquidations", "/breaks", "/coverage", "/liquidations/L-1"):
        got = browser.get(f"{OF}{page}")
        asked = parse_qs(urlsplit(got.header("location")).query)
        assert 307 == got.status
        assert {"at": ["2026-08-05T18:01:00.000Z"], "known-at": ["482"]} == asked
        assert 200 == browser.get(got.header("location")).status
    short = browser.get("/a/0x5CA1?known-at=300")
    assert short.header("location").startswith(f"{OF}?at=")
    figure = quote("position HYPE")
    assert f"figure={figure}" in browser.get(f"{OF}/why?figure={figure}").header("location")


def test_every_link_of_an_account_keeps_both_times(browser):
    pages = [f"{OF}{page}?{at(BEFORE, 300)}" for page in ("", "/state", "/liquidations", "/breaks")]
    pages.append(f"{OF}/why?{at(BEFORE, 300)}&figure={quote('balance spot USDC')}")
    for page in pages:
        text = browser.get(page).text
        found = [link for link in seen(text).links if link.startswith("/a/") and "?" in link]
        assert found
        for link in found:
            asked = parse_qs(urlsplit(link).query)
            assert ["300"] == asked["known-at"], link
            assert 1 == len(asked["at"])


def test_a_deep_link_shows_the_same_after_more_is_recorded(tmp_path):
    book = book_of(tmp_path, *(Path("fixtures/cascade") / f"{name}.json" for name in first_files()))
    with Browser(book) as browser:
        position = browser.open().get("/a/0x5ca1").header("location").rpartition("=")[2]
        link = f"{OF}/state?{at(BEFORE, int(position))}"
        then = browser.get(link)
    book_of(tmp_path, *sorted(Path("fixtures/cascade").glob("*.json")))
    with Browser(book) as browser:
        again = browser.open().get(link)
        now = browser.get(f"{OF}/state?{at(BEFORE)}")
    assert then.header("x-state-digest") == again.header("x-state-digest")
    assert then.header("x-state-digest") != now.header("x-state-digest")


def first_files() -> tuple[str, ...]:
    """Some of the bundled files: what was known of the account at first."""
    names = sorted(path.stem for path in Path("fixtures/cascade").glob("*.json"))
    return tuple(name for name in names if name != "account") or tuple(names[:1])


def test_the_instants_beside_are_the_events_beside(book, browser):
    with replay.open(book) as audit:
        events = audit.engine.events(audit.account(ACCOUNT).stream, 482)
        moments = sorted({event.at for event in events})
    middle = moments[len(moments) // 2]
    text = browser.get(f"{OF}?{at(str(middle))}").text
    place = moments.index(middle)
    for other in (moments[place - 1], moments[place + 1]):
        assert quote(replay.moments.iso(other)) in text


# ------------------------------------------------------------------------- from figures to records


def test_every_balance_opens_the_events_it_sums_up(book, browser):
    front = browser.get(f"{OF}?{at(BEFORE)}")
    opened = set(links(front, "/why?"))
    with replay.open(book) as audit:
        balances = audit.account(ACCOUNT).at(BEFORE, 482).balances.to_dicts()
    for row in balances:
        link = f"{OF}/why?{at(BEFORE)}&figure={quote('balance {place} {asset}'.format(**row))}"
        assert unescape(link) in opened, row
        assert f"{row['place']} {row['asset']} = {row['amount']}" in words(browser.get(link))


def test_of_a_long_history_the_last_events_come_to_the_same_sum(book, browser, monkeypatch):
    with replay.open(book) as audit:
        history = audit.account(ACCOUNT)
        held = history.at(AFTER, 482).balances.to_dicts()
        names = [f"balance {row['place']} {row['asset']}" for row in held]
        until = replay.moments.parse_moment(AFTER)
        for name in (*names, "position HYPE", "position BTC", "fee USDC", "funding HYPE"):
            whole = history.explain(name, AFTER, 482)
            for last in (1, 7, 300):
                part = explain(history, name, until=until, position=482, last=last)
                assert whole.figure == part.figure, (name, last)
                assert len(part.evidence) <= len(whole.evidence)
    monkeypatch.setattr(pages_why, "EVENTS_MAX", 100)
    monkeypatch.setattr(pages_why, "LAST", 50)
    page = words(browser.get(f"{OF}/why?{at(AFTER)}&figure={quote('balance spot USDC')}"))
    assert "earlier events, taken together" in page
    assert "rollforward explain" in page
    assert f"spot USDC = {whole_of(book)}" in page


def whole_of(book: Path) -> str:
    """The balance of USDC after the liquidation, folded from nothing."""
    with replay.open(book, cache=False) as audit:
        held = audit.account(ACCOUNT).at(AFTER, 482).balances
    return str(held.only(place="spot", asset="USDC").to_dicts()[0]["amount"])


def test_from_the_ratio_to_the_very_characters_of_a_record(book, browser):
    """The way a person goes: ratio, requirement, maintenance, mark, the event of it, its record."""
    front = browser.get(f"{OF}?{at(BEFORE)}")
    with replay.open(book) as audit:
        margin = audit.account(ACCOUNT).at(BEFORE, 482).margin
    ratio = margin.margin.judgements[0].ratio
    assert ratio is not None
    link = next(
        link
        for link in links(front, "/why?")
        if link.endswith(quote("margin margin ratio of USDC"))
    )
    got = browser.get(link)
    assert shown(ratio.value) in words(got)
    for figure in ("requirement, observed of USDC", "cross maintenance of main dex",
                   "maintenance of HYPE", "position value of HYPE"):  # fmt: skip
        link = next(
            link for link in links(got, "/why?") if link.endswith(quote(f"margin {figure}"))
        )
        got = browser.get(link)
    assert "133623" in words(got)
    event = next(iter(links(got, "/event/")))
    found = browser.get(event)
    assert "29.694" in words(found)
    assert "metaAndAssetCtxs" in words(found) or "assetPositions" in words(found)


def test_every_figure_of_margin_opens(browser):
    front = browser.get(f"{OF}?{at(BEFORE)}")
    found = sorted(set(links(front, "figure=margin")))
    assert len(found) > 40
    for link in found:
        assert 200 == browser.get(link).status, link


def test_an_event_shows_its_record_as_received(book, browser):
    with replay.open(book) as audit:
        history = audit.account(ACCOUNT)
        events = list(audit.engine.events(history.stream, 482))
        for event in events[:: len(events) // 6]:
            identity = event_id(event)
            entry = audit.find(identity)
            assert entry.record is not None
            text = audit.row_text(entry.record, entry.place)
            got = browser.get(f"{OF}/event/{identity[:14]}?{at(BEFORE)}")
            page = "".join(seen(got.text).text)
            assert text in page
            assert text.encode() in audit.book.record(entry.record).body
            assert entry.record in page
            assert audit.record_name(entry.record) in page


def test_what_was_recorded_later_than_asked_for_says_so(book, browser):
    with replay.open(book) as audit:
        history = audit.account(ACCOUNT)
        last = [event_id(event) for event in audit.engine.events(history.stream, 482)]
        late = next(each for each in reversed(last) if audit.find(each).position > 100)
    got = browser.get(f"{OF}/event/{late}?{at(BEFORE, 100)}")
    assert "after what this page takes as known" in words(got)


# ------------------------------------------------------------------------- the other pages


def test_the_card_says_what_the_command_says(book, browser):
    said = json.loads(
        CliRunner().invoke(app, ["explain", ACCOUNT, "L-1", "--book", str(book), "--json"]).stdout
    )
    page = words(browser.get(f"{OF}/liquidations/L-1?{at(AFTER)}"))
    assert said["heading"] in page
    for title, table in said.items():
        if isinstance(table, dict) and "rows" in table:
            for row in table["rows"]:
                for cell in row.values():
                    assert not cell or " ".join(cell.split()) in page, (title, cell)


def test_what_the_documents_allow_unknown_is_not_said_to_be_kept(book):
    with replay.open(book) as audit:
        (taken,) = explained(audit.account(ACCOUNT), 1, position=482).taken
    fine = attrs.evolve(taken, allowed=taken.at_once)
    unknown = attrs.evolve(taken, allowed=None)
    for expected, parts in (
        (True, [taken]), (True, [unknown, taken]), (False, [fine]), (False, [fine, fine]),
        (None, [unknown]), (None, [fine, unknown]), (None, []),
    ):  # fmt: skip
        assert expected is pages_liquidations.more_than_allowed(parts), parts


def test_the_smallest_change_is_sought_when_asked_for(book, browser):
    asked = ["what-if", ACCOUNT, "--minimal", "deposit", "--book", str(book), "--json"]
    said = json.loads(CliRunner().invoke(app, asked).stdout)
    page = words(browser.get(f"{OF}/liquidations/L-1?{at(AFTER)}&minimal=deposit"))
    for row in said["crossings"]:
        assert row["avoids_it"] in page


def test_the_coverage_map_has_every_family_and_day(book, browser):
    with replay.open(book) as audit:
        found = audit.account(ACCOUNT).coverage(known_at=482)
    got = browser.get(f"{OF}/coverage?{at(AFTER)}")
    page = words(got)
    for word in (*found.families, *found.lines()):
        assert word in page
    days = found.by_day.to_dicts()
    assert 3 == len(days)
    for day in days:
        assert str(day["day"]) in got.text
        for family in found.families:
            # a table of the command says in a word what holds for a whole day
            assert str(day[family]).partition(" ")[0] in got.text


def test_the_verify_page_says_partly_and_what_is_missing(book, browser):
    with replay.open(book) as audit:
        root = audit.book.checkpoint().splitlines()[2]
        last = audit.book.seals()[-1]
    page = words(browser.get("/verify"))
    for word in ("partly verified", "made anew as a whole", "--checkpoint", last.digest, root):
        assert word in page
    assert 'data-verdict="unknown"' in browser.get("/verify").text, "no sign of a full proof"


def test_a_damaged_book_is_said_to_be_broken(tmp_path):
    path = tmp_path / "x.book"
    small_book(path)
    body = bytearray(path.read_bytes())
    place = body.find(b"userFunding")
    assert place > 0, "the name of an answer stands in the file as it is"
    body[place] ^= 1
    path.write_bytes(bytes(body))
    verdict = books.verify(path)
    assert "broken" == verdict.outcome
    with Browser(path) as browser:
        page = words(browser.open().get("/verify"))
    assert "broken" in page
    assert verdict.problems[0].text in page


def test_where_rulebooks_differ_no_verdict_stands_on_top(book):
    room = Room.open(book)
    asked = room.asked(ACCOUNT, {"at": "2026-08-11T12:00:00Z", "known-at": "482"})
    shown = pages_state.state(room, asked)
    page = pages.of_account(room, asked, "Timeline", "timeline")
    first, second = shown.margin.branches
    assert shown.margin.agrees, "two versions may have held, and say the same"

    def verdict(margin) -> str:
        state = attrs.evolve(shown, margin=margin)
        got = answers.page("state", {"page": page, "state": state}).body.decode()
        aloud = re.search('data-say="([^"]*)"', got)[1]
        sign = re.search('id="verdict" data-verdict="([a-z]+)"', got)[1]
        assert f"{first.rulebook.id} or {second.rulebook.id}" in got
        return f"{sign}: {aloud.partition(', ')[2]}"

    assert f"fine: {first.verdict}" == verdict(shown.margin)
    other = attrs.evolve(second, liquidatable=True, verdict="liquidatable: ratio")
    both = attrs.evolve(shown.margin, branches=(first, other), agrees=False)
    assert "unknown: verdict unknown: rulebooks differ" == verdict(both)
    room.close()


def test_an_account_without_a_mode_has_no_margin_and_says_why(tmp_path):
    path = tmp_path / "x.book"
    small_book(path)
    with Browser(path) as browser:
        got = browser.open().get(browser.get(f"/a/{SMALL}").header("location"))
        page = words(got)
        told = browser.get(f"/a/{SMALL}/state.json").json
    assert "no mode is recorded" in page
    assert "no mode is recorded" in told["margin"]["unknown"]
    assert "96" in page, "as many payments"


def test_errors_say_where_what_and_what_to_do(browser):
    wrong = {
        "/a/0x00": (404, "no account 0x00"),
        f"{OF}?at=2026-08-05T14:39": (400, "has no time zone"),
        f"{OF}?at=2026-08-05": (400, "is a day, which has many moments"),
        f"{OF}?known-at=soon": (400, "is no moment"),
        f"{OF}/why?{at(BEFORE)}": (400, "is not named"),
        f"{OF}/why?{at(BEFORE)}&figure=balance": (400, "is neither an event nor a figure"),
        f"{OF}/why?{at(BEFORE)}&figure=margin+luck": (404, "no figure luck"),
        f"{OF}/event/{'ab' * 16}?{at(BEFORE)}": (404, "no event"),
        f"{OF}/event/xyz?{at(BEFORE)}": (404, "no event"),
        f"{OF}/liquidations/L-9?{at(BEFORE)}": (404, "no liquidation L-9"),
        f"{OF}/liquidations/L-1?{at(BEFORE)}&minimal=luck": (400, "is no kind of change"),
        f"{OF}/breaks?{at(BEFORE)}&break=B-ab": (404, "no break"),
        "/no/such": (404, "There is no such page"),
    }
    for path, (status, text) in wrong.items():
        got = browser.get(path)
        assert status == got.status, path
        page = " ".join(" ".join(seen(got.text).text).split())
        assert text in page
        assert "Accounts" in page, "there is a way on"
    told = browser.get(f"{OF}/state.json?at=x")
    assert (400, "application/json") == (told.status, told.header("content-type"))
    assert {"kind", "message", "do"} == set(told.json["error"])


def test_an_empty_book_says_how_to_begin(tmp_path):
    from ledger.book import Book

    path = tmp_path / "x.book"
    Book.create(path).close()
    with Browser(path) as browser:
        assert "rollforward import" in words(browser.open().get("/"))
        assert 200 == browser.get("/verify").status


def test_amounts_that_begin_a_formula_are_text_in_csv(tmp_path):
    from replay.tables import Table
    from replay.web.answers import as_csv

    table = Table(title="x", columns=("what", "amount"), numbers=frozenset({"amount"}),
                  rows=(("=1+1", "-2.5"), ("@SUM(A1)", "+3"), ("-2-3", None)))  # fmt: skip
    rows = list(csv.reader(io.StringIO(as_csv([table], ()).body.decode())))
    assert [["x", "'=1+1", "-2.5"], ["x", "'@SUM(A1)", "+3"], ["x", "'-2-3", ""]] == rows[1:]


def test_what_is_shown_of_an_instant_is_what_was_known_then(browser):
    early = browser.get(f"{OF}/state.json?{at(BEFORE, 2)}").json
    late = browser.get(f"{OF}/state.json?{at(BEFORE, 482)}").json
    assert ("2", "482") == (early["known_at"], late["known_at"])
    assert early["state_digest"] != late["state_digest"]
