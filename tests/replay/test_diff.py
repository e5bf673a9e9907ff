"""Why a figure changed: every kind of cause, on small books and on the bundled history."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs
import msgspec
import pytest
from click.testing import CliRunner

import replay
from ledger.book import Book
from ledger.codec import event_id
from ledger.errors import NotFound, NotInForce, UnclearQuestion
from ledger.events import PairListed, Unrecognized
from ledger.units import VENUE, Asset, Coin, Millis
from projections.valuation import observed_prices
from replay import closing
from replay.cli import app
from replay.diff import asked, diff
from replay.knowledge import Knowledge
from replay.moments import parse_moment
from replay.periods import Period
from replay.reports import Made
from replay.statement import question, statement
from replay.worth import Market
from tests.support.believing import ACCOUNT, acted, appended, audit_of, exported, opened, told
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    covered,
    deposited,
    filled,
    part,
)

CASCADE = Path(__file__).resolve().parents[2] / "fixtures" / "cascade"
BUNDLED = "0x5ca1ab1e000000000000000000000000ca5cade0"
BEFORE_IT_FELL = "2026-08-05T12:00Z"


def between(writes, known_at, *figures, as_of=START + 10_000, **asked):
    audit = audit_of(told(writes))
    return audit.account(ACCOUNT).diff(known_at, as_of, figures, **asked)


def kinds(change):
    return [(cause.kind, share.amount) for share in change.shares for cause in share.causes]


def test_a_late_event_is_the_cause_with_its_identity_and_its_record():
    early, late = deposited(START, 5), deposited(START + 1, 7, "0x02")
    found = between([appended(part([early]), name="a.json"),
                     appended(part([late]), name="b.json")], "1..2")  # fmt: skip
    change = found.change("balance perp USDC")
    (share,) = change.shares
    (cause,) = share.causes
    assert {"balance perp USDC", "equity USDC"} == {each.figure for each in found.changes}
    assert Decimal(7) == change.difference
    assert ("new events", 2, (event_id(late),)) == (cause.kind, cause.position, cause.events)
    assert "b.json" == found.record_names[cause.record]


def test_an_event_after_the_instant_is_no_cause():
    writes = [appended(part([deposited(START, 5)]), name="a"),
              appended(part([deposited(START + 9, 7, "0x02")]), name="b")]  # fmt: skip
    assert () == between(writes, "1..", as_of=START + 1).changes


def test_a_correction_names_who_and_why():
    event = deposited(START, 5)
    writes = [appended(part([event]), name="a"),
              acted(annulled(event, target=event_id(event), reason="entered twice"))]  # fmt: skip
    change = between(writes, "1..").change("balance perp USDC")
    assert [("correction", Decimal(-5))] == kinds(change)
    assert change.shares[0].causes[0].text.startswith("auditor annuls")
    assert change.shares[0].causes[0].text.endswith("entered twice")


def test_a_row_of_an_export_that_a_better_source_supersedes_moves_nothing_but_the_fee():
    row = exported(filled(START, None, sz=2, px="10"))
    event = filled(START + 17, 1, sz=2, px="10", start=0, fee=Decimal("0.5"),
                   fee_asset=Asset("USDC"))  # fmt: skip
    answer = part([event], covers=(covered("fills", START, START + 999),))
    writes = [appended(part([row], source="web"), name="trades.csv"),
              appended(answer, name="fills.json")]  # fmt: skip
    found = between(writes, "1..")
    moved = {change.figure: change.difference for change in found.changes}
    assert Decimal("-0.5") == moved["balance perp USDC"]
    assert "position BTC size" not in moved


def test_a_claim_to_be_whole_takes_out_the_row_it_does_not_explain():
    row = exported(filled(START, None, sz=2, px="10"))
    answer = part([filled(START + 17, 1, sz=1, px="11", start=0)],
                  covers=(covered("fills", START, START + 999),))  # fmt: skip
    writes = [appended(part([row], source="web"), name="trades.csv"),
              appended(answer, name="fills.json")]  # fmt: skip
    change = between(writes, "1..").change("position BTC size")
    assert [Decimal(1), Decimal(-2)] == [share.amount for share in change.shares]
    assert "shows every record of fills" == change.shares[1].causes[0].text


def test_an_opening_that_steps_back_is_part_of_what_the_older_fill_did():
    writes = [acted(opened(START + 10, 1)),
              appended(part([filled(START, 1, sz=1, px="10", start=0)]), name="a")]  # fmt: skip
    found = between(writes, "0..")
    money = found.change("balance perp USDC")
    assert [("correction", Decimal(100)), ("new events", Decimal(-110))] == kinds(money)


def test_a_second_record_that_says_more_is_a_correction():
    bare = filled(START, 1, sz=1, px="10", start=0)
    full = attrs.evolve(bare, fee=Decimal("0.25"), fee_asset=Asset("USDC"))
    writes = [appended(part([bare]), name="a"), appended(part([full]), name="b")]
    change = between(writes, "1..").change("fee USDC")
    assert ("unknown", Decimal("0.25"), None) == (change.before, change.after, change.difference)
    assert "correction" == change.shares[0].causes[0].kind


def test_learning_what_a_pair_is_is_metadata():
    listed = PairListed(stream=VENUE, at=Millis(START), coin=Coin("@107"), base=Asset("HYPE"),
                        quote=Asset("USDC"))  # fmt: skip
    page = attrs.evolve(part([listed]), stream=VENUE)
    writes = [appended(part([filled(START, 1, coin="@107", sz=2, px="10")]), name="a"),
              appended(page, name="spotMeta.json")]  # fmt: skip
    change = between(writes, "1..").change("balance spot HYPE")
    assert [("metadata", Decimal(2))] == kinds(change)


def test_between_two_unknowns_nothing_is_guessed():
    strange = Unrecognized(stream=STREAM, at=Millis(START), venue_type="riddle", body="{}",
                           tx_hash=None)  # fmt: skip
    writes = [appended(part([deposited(START, 5)]), name="a"), appended(part([strange]), name="b"),
              appended(part([deposited(START + 1, 7, "0x02")]), name="c"),
              acted(annulled(strange, target=event_id(strange)))]  # fmt: skip
    change = between(writes, "1..").change("balance perp USDC")
    (share,) = change.shares
    assert (Decimal(7), Decimal(7)) == (change.difference, share.amount)
    assert [2, 3, 4] == [cause.position for cause in share.causes]
    assert not between(writes, "1..3").is_known


def test_event_by_event_the_shares_are_those_of_each_event():
    page = [deposited(START + number, number + 1, f"0x{number}") for number in range(5)]
    writes = [appended(part(page), name="a")]
    whole = between(writes, "0..").change("balance perp USDC")
    each = between(writes, "0..", detail=True).change("balance perp USDC")
    assert [Decimal(15)] == [share.amount for share in whole.shares]
    assert [Decimal(number) for number in range(1, 6)] == [share.amount for share in each.shares]
    assert [event_id(event) for event in page] == [s.causes[0].events[0] for s in each.shares]


def test_pages_in_the_order_of_time_are_folded_once():
    count, pages = 300, 8
    events = [deposited(START + n, 1, f"0x{n:04x}") for n in range(count * pages)]
    writes = [appended(part(events[n * count : (n + 1) * count]), name=str(n))
              for n in range(pages)]  # fmt: skip
    audit = audit_of(told(writes))
    knowledge = Knowledge(audit.engine, STREAM, None)
    headers = audit.engine.headers(STREAM, pages)
    reference = audit.engine.reference(0)
    for known in range(1, pages + 1):
        states = knowledge.states(headers[:known], reference)
        assert known * count == states.events
    assert count * pages == knowledge.folded


def test_beyond_the_budget_neighbors_are_taken_together_and_the_sum_stays():
    page = [deposited(START + n, n + 1, f"0x{n:04x}") for n in range(40)]
    writes = [appended(part([deposited(START + 900, 1)]), name="late"),
              appended(part(page), name="a"),
              appended(part([deposited(START + 50, 3)]), name="b")]  # fmt: skip
    account = audit_of(told(writes)).account(ACCOUNT)
    question = asked(account, known_at="1..", as_of=START + 1000, detail=True)
    whole = diff(account, question).change("balance perp USDC")
    short = diff(account, attrs.evolve(question, budget=700)).change("balance perp USDC")
    assert (41, Decimal(823)) == (len(whole.shares), whole.difference)
    assert 1 < len(short.shares) < 41
    assert whole.difference == short.difference == sum(share.amount for share in short.shares)
    assert "events of position 2, taken together" in short.shares[0].causes[0].text


def test_what_was_asked_wrongly_is_said():
    writes = [appended(part([deposited(START, 5)]), name="a")]
    with pytest.raises(UnclearQuestion, match="does not name two states of knowledge"):
        between(writes, "1")
    with pytest.raises(UnclearQuestion, match="goes back"):
        between(writes, (1, 0))
    with pytest.raises(UnclearQuestion, match="is no figure of this account"):
        between(writes, "0..", "balance moon CHEESE")
    with pytest.raises(UnclearQuestion, match="is no price source"):
        between(writes, "0..", price_source="rumor")
    with pytest.raises(NotFound, match="no closed period C-12"):
        between(writes, "C-12..")


# ------------------------------------------------------------------- the bundled history


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    book = tmp_path_factory.mktemp("book") / "x.book"
    result = CliRunner().invoke(app, ["import", str(CASCADE), "--book", str(book)])
    assert 0 == result.exit_code, result.output
    return book


@pytest.fixture
def history(path):
    with replay.open(path) as audit:
        yield audit.account(BUNDLED)


def test_another_price_source_is_a_cause_of_its_own(history):
    end = history.audit.position()
    found = history.diff((end, end), BEFORE_IT_FELL, ["equity"], price_source="mark..oracle")
    change = found.change("equity USDC")
    assert change.before == change.after == "unknown"  # no oracle price of HYPE but its reserve's
    found = history.diff((end, end), BEFORE_IT_FELL, ["equity"], price_source="..reserve")
    assert "unknown" == found.change("equity USDC").after  # a reserve prices no position
    assert ["price source"] == [
        cause.kind for share in found.change("equity USDC").shares for cause in share.causes
    ]


def test_equity_is_known_once_prices_are(history):
    change = history.diff("0..", BEFORE_IT_FELL, ["equity"]).change("equity USDC")
    assert (Decimal(0), "prices") == (change.before, change.shares[-1].causes[-1].kind)
    assert change.difference == sum(share.amount for share in change.shares)


def test_many_causes_together_are_counted_in_the_table_and_named_for_programs(history):
    found = history.diff("0..", BEFORE_IT_FELL, ["equity"])
    (share,) = found.change("equity USDC").shares
    figures, causes = found.tables
    (hidden,) = (row["what"] for row in causes if "more causes" in (row["what"] or ""))
    assert f"{len(share.causes) - 4} more causes, which --json names" == hidden
    assert len(share.causes) == len(found.to_dict()["figures"][0]["shares"][0]["causes"])
    assert "equity is the sum of what is recorded" in figures.notes[0]
    assert "<table" in found._repr_html_()


def test_the_last_prices_are_those_of_reading_every_line(history):
    engine, position = history.audit.engine, history.audit.position()
    until = parse_moment(BEFORE_IT_FELL)
    market = Market(engine, until, position)
    priced = 0
    for info in history.audit.book.streams():
        if info.stream.startswith(("market:", "reserve:")) or info.stream == VENUE:
            count = len(engine.headers(info.stream, position))
            events = engine.events(info.stream, position, until)
            every = {key: series[-1] for key, series in observed_prices(events).items()}
            assert every == market.latest(info.stream, count)
            priced += len(every)
    assert priced > 6


def test_equity_is_what_a_statement_that_ends_there_closes_with(history):
    until = parse_moment(BEFORE_IT_FELL)
    position = history.audit.position()
    change = history.diff((0, position), until, ["equity"]).change("equity USDC")
    period = Period(since=Millis(until - 1), until=until)
    closing_equity = statement(
        history.audit, question(history.audit, BUNDLED, period, position=position)
    ).total.closing.value
    assert closing_equity == change.after


def test_another_rulebook_is_the_last_cause_of_a_margin_figure(history):
    end = history.audit.position()
    found = history.diff((end, end), BEFORE_IT_FELL, ["margin"],
                         rules=(None, "2026-03-14 alpha"))  # fmt: skip
    moved = [change for change in found.changes if change.before != change.after]
    assert any(change.difference for change in moved)
    for change in moved:
        assert ["rule"] == [cause.kind for share in change.shares for cause in share.causes]
        if change.difference is not None:
            assert change.difference == sum(share.amount for share in change.shares)
    with pytest.raises(NotInForce, match="no rulebook is called"):
        history.diff((end, end), BEFORE_IT_FELL, ["margin"], rules=(None, "2031"))


def test_margin_goes_step_by_step_too(history):
    change = history.diff("0..", BEFORE_IT_FELL, ["margin"]).change("margin health factor")
    assert "unknown" == change.before
    assert isinstance(change.after, Decimal)
    numbers = [share.amount for share in change.shares if share.amount is not None]
    first = next(share for share in change.shares if isinstance(share.after, Decimal))
    assert change.after - first.after == sum(numbers)


def test_figures_pinned_otherwise_than_this_program_makes_them_are_the_code(tmp_path, path):
    book = tmp_path / "y.book"
    book.write_bytes(path.read_bytes())
    with replay.open(book) as audit:
        position = 4
        period = Period(since=Millis(0), until=Millis(1785931200000))
        asked, made = closing.made_report(
            audit, BUNDLED, period, position=position, name="show", parameters={}
        )
        end = audit.position()
        known = audit.account(BUNDLED).diff((position, end), 1785931200000)
    document = msgspec.json.decode(made.body)
    document["figures"]["fee USDC"] = "1"
    other = Made(body=msgspec.json.encode(document, order="sorted") + b"\n")
    event = closing.closing(asked, other, name="show", by="ada", because="", now=Millis(START))
    event = attrs.evolve(event, versions=("rollforward 0.0.9", *event.versions[1:]))
    with Book.open(book, write=True) as written:
        closing.record_closing(written, event, other, now=Millis(START))
    with replay.open(book) as audit:
        found = audit.account(BUNDLED).diff(f"{closing.name_of(event)}..{end}")
        fee = found.change("fee USDC")
        assert ("code", "168.083958") == (fee.shares[0].causes[0].kind, str(fee.shares[0].amount))
        assert Decimal(1) == fee.before
        assert "version of the product: rollforward 0.0.9 then" in fee.shares[0].causes[0].text
        rest = {c.figure: c.difference for c in found.changes if c.figure != "fee USDC"}
        assert {c.figure: c.difference for c in known.changes
                if c.figure not in {"fee USDC", "equity USDC"}} == {
                    name: value for name, value in rest.items() if name != "equity USDC"
                }  # fmt: skip
