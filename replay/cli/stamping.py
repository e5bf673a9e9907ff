"""Time stamps on the command line: the options of ``pack`` and ``stamp-pack``, and what is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from replay.evidence.verifier.stamp import Stamp

F = TypeVar("F", bound="Callable[..., Any]")

HOW: Final = "RFC 3161, over http or https"


def root_option(verb: F) -> F:
    """Add ``--stamp-root``, whose certificates a stamp must be signed under to be taken."""
    return click.option(
        "--stamp-root", metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Certificates (PEM) the time stamp must be signed under, or it is not taken.",
    )(verb)  # fmt: skip


def stamp_options(verb: F) -> F:
    """Add ``--stamp``, ``--stamp-root`` and ``--stamp-optional``."""
    optional = click.option(
        "--stamp-optional", is_flag=True,
        help="Write the pack without a time stamp when none is to be had, and end with 3.",
    )  # fmt: skip
    url = click.option("--stamp", metavar="URL", help=f"Ask a time-stamp authority ({HOW}).")
    return url(root_option(optional(verb)))


def with_stamp(
    data: bytes, url: str | None, roots: Path | None, *, is_optional: bool
) -> tuple[bytes, Stamp | None, str]:
    """Return the pack as it is to be written, its stamp, and why it has none though one was asked.

    Raises: NoStamp, when none is to be had and the pack is not to go without;
    click.UsageError, for options about a stamp that is not asked for.
    """
    if url is None:
        if roots is not None or is_optional:
            message = "--stamp-root and --stamp-optional are about a time stamp: add --stamp URL"
            raise click.UsageError(message)
        return data, None, ""
    from ledger.errors import NoStamp
    from replay.evidence.stamp import stamped

    try:
        return *stamped(data, url, roots=roots), ""
    except NoStamp as error:
        if not is_optional:
            raise
        return data, None, f"{error.url}: {error.reason}"


def said(stamp: Stamp | None, missed: str) -> list[str]:
    """Return what is told about the stamp of a pack: that there is one, or why there is none."""
    if missed:
        return [f"written without a time stamp: {missed}"]
    if stamp is None:
        return []
    whose = (
        f"by {stamp.authority}" if stamp.authority else "its signature unchecked: no --stamp-root"
    )
    return [f"time stamp of {stamp.moment}, {whose}"]


def told(stamp: Stamp | None) -> dict[str, object] | None:
    """Return a stamp for programs; ``null`` stands for none."""
    if stamp is None:
        return None
    return {
        "at": stamp.moment,
        "authority": stamp.authority or None,
        "verified": bool(stamp.authority),
    }
