"""Both engines on every recorded account: the same order of events, the same states, packs green.

rollforward import $ROLLFORWARD_RECORDED --account 0x… --zone Europe/Paris --dates month-first …
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import replay
from ledger.entries import AsOf
from ledger.signatures import new_key
from ledger.stores.form import header_line
from ledger.units import VENUE
from projections import fold
from replay.claims import read_claims
from replay.evidence.pack import make_pack, period
from replay.evidence.verifier.course import course, timeline_digest
from replay.evidence.verifier.engine import Journal, Listing
from replay.evidence.verifier.state import state_digest
from replay.evidence.verifier.verdict import verified
from tests.support.command import rollforward

pytestmark = pytest.mark.recorded

SAID = (
    "--account", "0x00000000000000000000000000000000000000aa", "--zone", "Europe/Paris",
    "--at", "2026-03-31T15:22Z", "--dates", "month-first",
)  # fmt: skip


def test_both_engines_agree_on_every_recorded_account_and_its_pack_verifies(
    recorded: Path, tmp_path: Path, figure
) -> None:
    rollforward("import", recorded, *SAID, "--book", "all.book", cwd=tmp_path)
    events = packed = 0
    key = new_key("ada", bytes(32))
    with replay.open(tmp_path / "all.book", cache=False) as audit:
        position = audit.position()
        listed = [line for batch in audit.book.batches(VENUE) for line in batch.lines]
        listing = Listing((line, json.loads(line)) for line in listed)
        accounts = audit.accounts()
        for name in accounts:
            account = audit.account(name)
            batches = [
                (json.loads(header_line(batch.header)), list(batch.lines))
                for batch in audit.book.batches(account.stream)
            ]
            rows = course(batches, position)
            as_of = AsOf(position=position)
            assert audit.engine.timeline_digest(account.stream, as_of) == timeline_digest(rows)
            states = audit.engine.states(account.stream, as_of).states
            assert fold.digest(states) == state_digest(Journal(rows, listing))
            events += len(rows)
            asked = period(account, since=None, until=None, at=None)
            claim = f"count(events, {asked.since}..{asked.until}) = {len(rows)}"
            pack = make_pack(account, read_claims(claim), asked, key)
            assert 0 == verified(pack.data, key.verifier.text)[0]
            packed += 1
    assert 0 < events
    figure(
        line="5-3",
        text="recorded accounts on which the engines agree, each in a pack that verifies",
        value=f"{packed} of {len(accounts)} accounts, {events:,} events",
    )
