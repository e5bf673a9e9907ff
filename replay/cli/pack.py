"""``pack``: write an evidence pack that another party can check without this program."""

from __future__ import annotations

from pathlib import Path

import click

from replay.cli import exits
from replay.cli.claim import code_of
from replay.cli.common import (
    Written,
    book_option,
    examples,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
    the_account,
)
from replay.cli.stamping import said, stamp_options, told, with_stamp


@click.command(
    name="pack",
    epilog=examples(
        "rollforward pack 0x31ca… --claims claims.txt --key ada.key --out february.rfpack",
        "rollforward pack 0x31ca… --claims claims.txt --since 2026-02-01T00:00Z "
        "--until 2026-02-28T23:59:59.999Z --key ada.key --out february.rfpack",
        "rollforward pack 0x31ca… --claims claims.txt --key ada.key --out february.rfpack "
        "--stamp https://tsa.example/tsr --stamp-root tsa.pem",
    ),
)
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--claims", "file", required=True, metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The claims the pack is to prove, one a line.",
)  # fmt: skip
@click.option(
    "--key", "key_file", required=True, metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The private key that signs it (rollforward keys new).",
)  # fmt: skip
@click.option(
    "--out", required=True, metavar="FILE", type=Written(),
    help="The pack to be written; an existing file is replaced.",
)  # fmt: skip
@click.option("--since", metavar="WHEN", help="Begin of the report [default: the first event].")
@click.option("--until", metavar="WHEN", help="End of the report [default: the last event].")
@click.option(
    "--at",
    metavar="WHEN",
    help="Instant of claims that name none [default: the end of the report].",
)
@takes(stamp_options, book_option, json_option)
@click.pass_context
def command(
    ctx: click.Context, account: str, file: Path, key_file: Path, out: Path, since: str | None,
    until: str | None, at: str | None, stamp: str | None, stamp_root: Path | None,
    book: Path | None, *, stamp_optional: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write one file with events, raw records, proofs, claims, a report and its own verifier.

    The whole recorded history of the account goes into it: without its beginning no balance can
    be recomputed. Other accounts of the book appear as hashes alone, but a raw record goes in
    whole, whatever else it holds. Ends like claim, by the status of the claims. Nothing is written
    when a time stamp is asked for and none is to be had (5), but with --stamp-optional.
    """
    from replay.claims import claims_table, read_claims
    from replay.evidence.pack import make_pack, period
    from replay.keys import read_key
    from replay.moments import parse_moment

    key = read_key(key_file)
    claims = read_claims(file.read_text("utf-8"))
    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        asked = period(
            history,
            since=None if since is None else parse_moment(since),
            until=None if until is None else parse_moment(until),
            at=None if at is None else parse_moment(at),
        )
        made = make_pack(history, claims, asked, key)
    data, stamped, missed = with_stamp(made.data, stamp, stamp_root, is_optional=stamp_optional)
    out.write_bytes(data)
    verdict = made.verdict
    if as_json:
        put_json({
            "pack": str(out),
            "bytes": len(data),
            "key": key.verifier.text,
            "fingerprint": key.verifier.fingerprint,
            "events": verdict.events,
            "records": verdict.records,
            "root": verdict.point["root"],
            "claims": {one.name: one.status for one in made.checked},
            "stamp": told(stamped),
        })  # fmt: skip
    else:
        put_tables([claims_table(made.checked)])
        tell(
            f"{out}: {verdict.events} events in {verdict.batches} batches, {verdict.records} raw "
            f"records, {len(data)} bytes"
        )
        tell(f"signed with {key.verifier.text}; give this key to the reader by another way")
        for line in said(stamped, missed):
            tell(line)
    unchecked = any(status == "not recomputed" for _, status, _, _ in verdict.claims)
    code = code_of(made.checked)
    ctx.exit(exits.INCOMPLETE if code == exits.FINE and (unchecked or missed) else code)
