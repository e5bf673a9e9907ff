"""``liquidations``, ``explain L-…``, ``what-if`` and ``tape``, as a person types them."""

from __future__ import annotations

import pytest

from tests.support.margin_books import ACCOUNT


def rows(found: dict, figure: str) -> dict:
    return next(row for row in found["figures"] if row["figure"] == figure)


def test_a_liquidation_is_listed_with_the_condition_before_it(cascade):
    (table,) = cascade.json("liquidations").values()
    (row,) = table["rows"]
    assert ("L-1", "HYPE -4500", "held") == (
        row["liquidation"],
        row["taken"],
        row["condition_before"],
    )
    assert "0.9528959393" == row["ratio_before"]


def test_a_liquidation_is_explained_and_what_exceeds_the_rule_is_a_finding(cascade):
    """The venue took all of a position above 100,000 USDC, of which a fifth is sent first."""
    done = cascade("explain", ACCOUNT, "L-1", "--json")
    assert 1 == done.exit_code
    assert '"condition_held": true' in done.stdout
    text = cascade("explain", ACCOUNT, "L-1").stdout
    for said in ("What was taken", "What moved it", "Order inside", "What the outcome hangs on",
                 "the documents send 900 first"):  # fmt: skip
        assert said in text


def test_a_liquidation_that_is_not_recorded_is_named(cascade):
    done = cascade("explain", ACCOUNT, "L-7")
    assert 2 == done.exit_code
    assert "Recorded are: L-1" in done.stderr


def test_a_deposit_ten_minutes_earlier_is_carried_through(cascade):
    words = ("what-if", "--deposit", "1500 USDC@2026-08-05T14:30Z", "--all")
    found = cascade.json(*words, "--at", "2026-08-05T14:40:00.349Z")
    assert "1500" == rows(found, "balance perp USDC")["difference"]
    assert "recomputed" == rows(found, "margin: margin ratio")["how"]
    assert "unchanged" == rows(found, "size HYPE")["how"]
    assert any("the condition did not hold as supposed" in note for note in found["notes"])


def test_a_liquidation_avoided_leaves_what_nobody_recorded_unknown(cascade):
    words = ("what-if", "--deposit", "1500 USDC@2026-08-05T14:30Z", "--avoid", "--json")
    done = cascade(*words)
    assert 3 == done.exit_code
    assert '"how": "not knowable"' in done.stdout
    assert "only the supposed account has HYPE" in done.stdout


def test_a_parameter_and_a_price_are_supposed(cascade):
    at = ("--at", "2026-08-05T14:39Z")
    found = cascade.json("what-if", "--parameter", "HYPE.ltv=0.9", *at)
    assert any("with HYPE.ltv=0.9: not liquidatable" in note for note in found["notes"])
    found = cascade.json("what-if", "--price", "HYPE=29.6", *at)
    assert any("supposed" in note and "liquidatable: portfolio" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--price", "HYPE"), "is no price"),
        (("--price", "HYPE=-1"), "is no price"),
        (("--deposit", "lots"), "names no amount, token and moment"),
        (("--deposit", "-5 USDC@2026-08-05T14:30Z"), "moves nothing"),
        (("--parameter", "DOGE.ltv=0.5"), "names no token of portfolio margin"),
        (("--parameter", "luck=1"), "is no parameter"),
        (("--remove", "ffffffffffff"), "no event ffffffffffff"),
        (("--add", "{}"), "is no event"),
    ],
)
def test_what_cannot_be_supposed_is_said_clearly(cascade, words, said):
    done = cascade("what-if", *words)
    assert 2 == done.exit_code
    assert said in done.stderr


@pytest.mark.parametrize(
    ("kind", "avoids", "fails", "options"),
    [
        ("deposit", "23.415291", "23.41529", ()),
        ("price", "29.6288", "29.6287", ()),
        ("size", "13.77", "13.76", ()),
    ],
)
def test_the_smallest_change_passes_and_one_unit_less_fails(cascade, kind, avoids, fails, options):
    """The certificate is repeated by two plain what-ifs; the search may look elsewhere."""
    found = cascade.json("what-if", "--minimal", kind, *options)
    crossing = found["crossings"][0]
    if kind == "deposit":
        when = "2026-08-05T14:30:00.350Z"
        for amount, word in ((crossing["avoids_it"], "not liquidatable"),
                             (crossing["does_not"], "liquidatable: ")):  # fmt: skip
            told = cascade.json(
                "what-if", "--deposit", f"{amount} USDC@{when}", "--at", "2026-08-05T14:40:00.349Z"
            )
            (note,) = [each for each in told["notes"] if each.startswith("supposed")]
            assert word in note
    else:
        assert (avoids, fails) == (crossing["avoids_it"], crossing["does_not"])


def test_a_later_deposit_is_moved_to_where_it_helps(cascade):
    """The account paid in USDC before; the last moment at which it still helps is before 14:40."""
    history = cascade.json("history")
    paid = [row for row in history if "deposit" in row["what"]]
    done = cascade("what-if", "--minimal", "time", "--event", paid[0]["event"], "--json")
    assert done.exit_code in {0, 1}
    assert '"kind": "time"' in done.stdout


def test_the_tape_goes_forward_and_back(cascade):
    done = cascade("tape", given=b"n 3\np 3\nf\nh\nq\n")
    assert 0 == done.exit_code
    first, *_ = done.stdout.splitlines()
    assert 2 == done.stdout.count(first), "three stops on and three back is where it began"


def test_the_tape_finds_a_watch_and_a_writer(cascade):
    done = cascade("tape", "--prices", "--watch", "pmr > 0.95")
    assert "2026-08-05T14:40:00.000Z" in done.stdout
    done = cascade("tape", "--last-writer", "balance spot HYPE")
    assert "supply 100 HYPE" in done.stdout
    done = cascade("tape", "--watch", "pmr > 5")
    assert 3 == done.exit_code, "before a mode is recorded the ratio is unknown"
    assert "never, as far as it is known: unknown at 23 of 235 places" == done.stderr.strip()
    done = cascade("tape", "--watch", "balance spot USDC > 1000000")
    assert (1, "never") == (done.exit_code, done.stderr.strip())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--deposit", "15 usdc@2026-08-05T14:30Z"), "no token this book knows"),
        (("--deposit", "15 USDC@2026-08-05T14:30"), "has no time zone"),
        (("--price", "FOO=3"), "no market or token this book knows"),
        (("--price", "HYPE=3@2026-08-05T15:00Z..2026-08-05T14:00Z"), "ends before it begins"),
        (("--parameter", "HYPE.ltv=5"), "from 0 to 1"),
        (("--parameter", "trigger=-1"), "0 or more"),
        (("--rulebook", "2020"), "no rulebook is called"),
        (("--readings", "nope"), "is no reading"),
        (("--remove", "ffffffffffff"), "no event ffffffffffff"),
        (("--minimal", "deposit", "--token", "FOO"), "no token this book knows"),
        (("--minimal", "deposit", "--price", "HYPE=30"), "leave out --at, --avoid"),
    ],
    ids=str,
)
def test_what_would_change_nothing_is_refused_by_name(cascade, words, said):
    done = cascade("what-if", *words)
    assert 2 == done.exit_code
    assert said in done.stderr


def test_a_parameter_holds_under_a_rulebook_named_beside_it(cascade):
    """Of the rulebook named, the trigger alone is another one: 0.9529 is not above 0.97."""
    found = cascade.json(
        "what-if", "--parameter", "trigger=0.97", "--rulebook", "2026-08-01 backstop",
        "--at", "2026-08-05T14:40:00.349Z",
    )  # fmt: skip
    assert any("trigger=0.97: not liquidatable" in note for note in found["notes"])


def test_another_price_of_a_fill_leaves_the_sizes_alone(cascade):
    """1,200 HYPE bought at 30 in place of 39.82: 11,784 more money, the size as it was."""
    first = "60984f1f18d3"
    found = cascade.json(
        "what-if", "--change", first, "px=30", "--at", "2026-08-03T10:00Z", "--all"
    )
    assert "11784" == rows(found, "balance perp USDC")["difference"]
    assert "-11784" == rows(found, "entry notional HYPE")["difference"]
    assert "0" == rows(found, "size HYPE")["difference"]
