"""``verify-pack``: check an evidence pack with the verifier that this program carries."""

from __future__ import annotations

from pathlib import Path

import click

from replay.cli.common import examples, json_option, put_json, takes
from replay.cli.stamping import told


@click.command(
    name="verify-pack",
    epilog=examples(
        "rollforward verify-pack february.rfpack --key ada+5f8e0d2c+AQ…",
        "rollforward verify-pack february.rfpack --key ada.pub --checkpoint kept.checkpoint",
        "rollforward verify-pack february.rfpack --key ada.pub --accept ratio",
    ),
)
@click.argument(
    "pack", metavar="PACK", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--key", metavar="KEY", help="The signer's public key, or a file with it.")
@click.option(
    "--checkpoint", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint of the book that you kept: the pack must continue it.",
)  # fmt: skip
@click.option(
    "--accept", metavar="CLAIM", multiple=True,
    help="A claim, by name, that may stay unknown or not recomputed. Repeat for several.",
)  # fmt: skip
@click.option(
    "--stamp-root", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates (PEM) of the time-stamp authority you trust: the pack must bear its stamp.",
)  # fmt: skip
@click.option("--print-verifier", is_flag=True, help="Write verify.py to standard output instead.")
@takes(json_option)
@click.pass_context
def command(
    ctx: click.Context, pack: Path, key: str | None, checkpoint: Path | None,
    accept: tuple[str, ...], stamp_root: Path | None, *, print_verifier: bool, as_json: bool,
) -> None:  # fmt: skip
    """Check signature, proofs, records and figures of PACK, and recompute every claim.

    This is the text of verify.py, run from this program and not from the pack, so a verifier
    that was changed in the pack has no say. Without --key, or a checkpoint that pins the book, a
    pack is never green. Of a time stamp, moment and hash are read; who signed it is checked only
    with --stamp-root. Ends with the verifier's own codes, 10 to 32, one per cause.
    """
    from replay.evidence.assemble import assembled
    from replay.evidence.verifier.verdict import CODES, closing, said, verified

    if print_verifier:
        click.echo(assembled(), nl=False)
        return
    pinned = Path(key).read_text("utf-8").strip() if key and Path(key).is_file() else key
    held = None if checkpoint is None else checkpoint.read_text("utf-8")
    data = pack.read_bytes()
    code, text, verdict = verified(data, pinned, held, accept)
    if stamp_root is not None:
        from replay.evidence.stamp import vouched

        code, text = vouched(data, stamp_root, (code, text, verdict))
    if as_json:
        put_json({
            "verified": code == 0,
            "code": code,
            "meaning": CODES[code],
            "text": text,
            "pinned_by": verdict.pinned_by,
            "events": verdict.events,
            "batches": verdict.batches,
            "records": verdict.records,
            "stamp": told(verdict.stamp),
            "claims": [
                {"claim": name, "status": status, "sentence": sentence, "found": value}
                for name, status, value, sentence in verdict.claims
            ],
        })  # fmt: skip
    else:
        for line in said(verdict):
            click.echo(line)
        click.echo(closing(code, text, verdict))
    ctx.exit(code)
