"""Hints: the options by which a person says what a file cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.importers import Hints

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = (
    click.option("--account", metavar="0x…", help="Whose records these are, if they do not say."),
    click.option("--zone", metavar="NAME", help="Time zone of a web export, such as Europe/Paris."),
    click.option(
        "--dates",
        type=click.Choice(["day-first", "month-first"]),
        help="Order of day and month in a web export, where both fit every row.",
    ),
    click.option(
        "--at", metavar="WHEN", help="Moment of a state that does not say its own, with its zone."
    ),
    click.option("--dex", metavar="NAME", help="Exchange an answer without its request is about."),
    click.option(
        "--token", type=int, metavar="INDEX", help="Token an answer without its request is about."
    ),
    click.option("--table", type=int, metavar="INDEX", help="Margin table an answer is about."),
)


def hint_options(verb: F) -> F:
    """Add the options by which a person answers what files leave open."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def hints_from(
    *,
    account: str | None = None,
    zone: str | None = None,
    dates: Any = None,  # noqa: ANN401 - one of the two words, checked by click
    at: str | None = None,
    dex: str | None = None,
    token: int | None = None,
    table: int | None = None,
) -> Hints:
    """Return the hints of a command line.

    Raises: click.UsageError, for an account that is no address or a zone nobody knows;
    UnclearQuestion, for a moment without zone.
    """
    from ledger.errors import MalformedRecord
    from ledger.importers import Hints
    from ledger.units import Dex, parse_address
    from replay.moments import parse_moment

    if zone is not None:
        _check_zone(zone)
    try:
        address = parse_address(account, field="--account") if account is not None else None
    except MalformedRecord as error:
        raise click.UsageError(str(error)) from error
    return Hints(
        account=address,
        zone=zone,
        dates=dates,
        at=parse_moment(at) if at is not None else None,
        dex=Dex(dex) if dex is not None else None,
        token=token,
        table=table,
    )


def _check_zone(name: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = (
            f"--zone {name}: no such time zone. Zones go by their IANA names, such as "
            f"Europe/Paris or America/New_York"
        )
        raise click.UsageError(message) from error
