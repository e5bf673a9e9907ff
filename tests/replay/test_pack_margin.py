"""Packs with claims about margin: recomputed from records, under rulebooks nobody can bend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import replay
from replay.claims import read_claims
from replay.evidence.pack import Pack, make_pack, period
from replay.evidence.verifier.container import contents
from replay.evidence.verifier.verdict import verified
from tests.support import margin_books
from tests.support.packs import ADA, signed

KEY = ADA.verifier.text
CLAIMS = (
    "fatal: margin(ratio) @ 2026-08-05T14:40:00.349Z = 0.9528959393 rounded 10\n"
    "after: margin(ratio) @ 2026-08-05T14:40:00.350Z < 0.1\n"
    "change: margin(ratio) @ 2026-08-05T14:40:00.349Z - margin(ratio) @ 2026-08-05T14:00Z > 0\n"
)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    folder = tmp_path_factory.mktemp("margin")
    with replay.open(margin_books.cascade(folder), cache=False) as audit:
        account = audit.account(margin_books.ACCOUNT)
        asked = period(account, since=None, until=None, at=None)
        yield make_pack(account, read_claims(CLAIMS), asked, ADA)


def said(data: bytes) -> tuple[int, str]:
    code, text, _ = verified(data, KEY)
    return code, text


def changed(pack: Pack, change: Any) -> tuple[int, str]:
    """Return what the verifier says when the rightful signer signs a changed manifest."""
    return said(signed(contents(pack.data), ADA, change))


def test_ratios_are_recomputed_and_proven(pack: Pack) -> None:
    code, _, verdict = verified(pack.data, KEY)
    assert 0 == code
    assert ["proven"] * 3 == [status for _, status, _, _ in verdict.claims]
    assert "0.95289593933858746597" == verdict.claims[0][2]


def test_the_pack_carries_prices_reserves_records_and_the_parameters_of_rulebooks(
    pack: Pack,
) -> None:
    files = contents(pack.data)
    streams = {
        json.loads(body.split(b"\n")[0])["stream"]
        for name, body in files.items()
        if name.startswith("batches/")
    }
    assert {"market:HYPE", "market:BTC", "market:ETH", "reserve:HYPE", "reserve:USDC"} <= streams
    (rule,) = [
        one for one in json.loads(files["manifest.json"])["rulebooks"]
        if one["id"] == "2026-08-01 backstop"
    ]  # fmt: skip
    assert "50000000" == rule["parameters"]["tokens"]["USDC"]["borrow_cap"]
    assert "0.5" == rule["parameters"]["tokens"]["HYPE"]["ltv"]


def test_who_holds_the_key_cannot_bend_a_rulebook(pack: Pack) -> None:
    def bent(manifest: Any) -> None:
        manifest["rulebooks"][0]["parameters"]["tokens"]["HYPE"]["ltv"] = "0.9"

    def dropped(manifest: Any) -> None:
        manifest["rulebooks"] = []

    assert (26, "rulebook 2026-08-01 backstop in the pack has not its parameters") == changed(
        pack, bent
    )
    code, text = changed(pack, dropped)
    assert 26 == code
    assert "2026-08-01 backstop is not in the pack" in text


def test_who_holds_the_key_cannot_state_another_ratio(pack: Pack) -> None:
    def lie(manifest: Any) -> None:
        manifest["claims"][0].update(status="proven", value="0.94")

    def doubt(manifest: Any) -> None:
        manifest["claims"][0].update(status="unknown", value="nobody knows")

    assert [29, 29] == [changed(pack, change)[0] for change in (lie, doubt)]


def test_rates_left_out_of_a_pack_change_its_ratio_which_is_seen(pack: Pack) -> None:
    files = contents(pack.data)
    for name in list(files):
        if (
            name.startswith("batches/")
            and b'"stream":"reserve:USDC"' in files[name].split(b"\n")[0]
        ):
            del files[name]
    code, text = said(signed(files, ADA))
    assert 29 == code
    assert "recomputed" in text


def test_a_ratio_under_a_rulebook_the_verifier_has_not_learned_is_never_green(pack: Pack) -> None:
    def later(manifest: Any) -> None:
        rule = json.loads(json.dumps(manifest["rulebooks"][0]))
        rule["id"] = "2026-08-05 unheard of"
        rule["parameters"]["since"] = 1_785_940_800_349
        manifest["rulebooks"].append(rule)

    data = signed(contents(pack.data), ADA, later)
    code, text, verdict = verified(data, KEY)
    assert (3, "intact; unknown or not recomputed: fatal, after, change") == (code, text)
    assert {"not recomputed"} == {status for _, status, _, _ in verdict.claims}
    assert 10 == verified(data, KEY, None, ("fatal", "after", "change"))[0]


def test_a_pack_of_the_format_before_is_not_read_as_one_of_this(pack: Pack) -> None:
    """The format before took ratios on trust."""
    assert 12 == changed(pack, lambda manifest: manifest.update(format="rollforward pack 1"))[0]


def test_another_figure_of_margin_is_refused(pack: Pack) -> None:
    def other(manifest: Any) -> None:
        manifest["claims"][0]["claim"] = "fatal: margin(room) @ 2026-08-05T14:40Z > 1"

    assert 29 == changed(pack, other)[0]
