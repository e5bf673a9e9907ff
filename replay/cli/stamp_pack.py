"""``stamp-pack``: ask for a time stamp over a pack that is already written."""

from __future__ import annotations

from pathlib import Path

import click

from replay.cli.common import Written, examples, json_option, put_json, takes, tell
from replay.cli.stamping import root_option, said, told


@click.command(
    name="stamp-pack",
    epilog=examples(
        "rollforward stamp-pack february.rfpack --stamp https://tsa.example/tsr "
        "--stamp-root tsa.pem --out stamped.rfpack",
    ),
)
@click.argument(
    "pack", metavar="PACK", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--stamp", "url", required=True, metavar="URL",
    help="The time-stamp authority (RFC 3161, over http or https).",
)  # fmt: skip
@click.option(
    "--out", required=True, metavar="FILE", type=Written(),
    help="The pack with its time stamp; an existing file is replaced.",
)  # fmt: skip
@takes(root_option, json_option)
@click.pass_context
def command(
    ctx: click.Context, pack: Path, url: str, out: Path, stamp_root: Path | None, *, as_json: bool
) -> None:
    """Add an authority's time stamp to PACK; nothing else in it changes, and no key is needed.

    For a pack that was written when no authority could be reached. A stamp that is there already
    gives way to the new one. What is no intact pack is refused with the verifier's code; nothing
    is written when no stamp is to be had (5).
    """
    from replay.evidence.stamp import INTACT, stamped
    from replay.evidence.verifier.verdict import CODES, verified

    data = pack.read_bytes()
    code, text, _ = verified(data)
    if code not in INTACT | {13}:
        click.echo(f"not stamped: {text} [{code}: {CODES[code]}]", err=True)
        ctx.exit(code)
    made, stamp = stamped(data, url, roots=stamp_root)
    out.write_bytes(made)
    if as_json:
        put_json({"pack": str(out), "bytes": len(made), "stamp": told(stamp)})
    else:
        for line in [f"{out}: {len(made)} bytes", *said(stamp, "")]:
            tell(line)
