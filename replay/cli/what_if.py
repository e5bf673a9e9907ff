"""``what-if``: the same account as supposed, side by side, and the smallest change that avoids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from replay.cli import exits
from replay.cli.common import (
    book_option,
    examples,
    instant_options,
    json_option,
    open_audit,
    put_json,
    put_tables,
    takes,
    tell,
    the_account,
)
from replay.cli.margin import MODES, asked

if TYPE_CHECKING:
    from ledger.units import Millis
    from replay.audit import AccountHistory
    from replay.dispute.minimal import Kind
    from replay.dispute.suppositions import Supposition
    from replay.margin import Question


@click.command(
    name="what-if",
    epilog=examples(
        'rollforward what-if 0x5ca1… --deposit "1500 USDC@2026-08-05T14:30Z"',
        "rollforward what-if 0x5ca1… --price HYPE=31 --at 2026-08-05T14:39Z",
        "rollforward what-if 0x5ca1… --remove 3f9a0c --avoid",
        "rollforward what-if 0x5ca1… --parameter HYPE.ltv=0.65 --at 2026-08-05T14:39Z",
        "rollforward what-if 0x5ca1… --minimal deposit",
    ),
)
@click.argument("account", required=False, metavar="[ACCOUNT]")
@takes(instant_options, book_option, json_option)
@click.option("--remove", "removed", multiple=True, metavar="EVENT", help="Without this event.")
@click.option(
    "--move", "moved", nargs=2, multiple=True, metavar="EVENT WHEN", help="With it at this moment."
)
@click.option(
    "--change", "changed", nargs=2, multiple=True, metavar="EVENT FIELD=VALUE",
    help="With another value in a field of it.",
)  # fmt: skip
@click.option(
    "--add", "added", multiple=True, metavar="LINE",
    help="With an event nobody recorded, as a canonical line, or @FILE with one a line.",
)  # fmt: skip
@click.option(
    "--deposit", "deposits", multiple=True, metavar="'AMOUNT TOKEN@WHEN'", help="Paid in then."
)
@click.option(
    "--withdraw", "withdrawals", multiple=True, metavar="'AMOUNT TOKEN@WHEN'", help="Paid out then."
)
@click.option(
    "--price", "prices", multiple=True, metavar="COIN=PX[@WHEN[..WHEN]]",
    help="At this price; COIN:mark, COIN:oracle or COIN:token for one of them alone.",
)  # fmt: skip
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=VALUE",
    help="Under another parameter: TOKEN.ltv, trigger, offset.",
)  # fmt: skip
@click.option("--rulebook", metavar="ID", help="Under this rulebook, whatever held then.")
@click.option("--readings", metavar="ID,…", help="With open texts taken so.")
@click.option(
    "--avoid", is_flag=True, help="Leave out liquidations whose condition no longer holds."
)
@click.option(
    "--all", "shows_all", is_flag=True, help="Show the figures that stay as they are, too."
)
@click.option("--mode", type=click.Choice(MODES), metavar="MODE", help="Judge in this mode.")
@click.option("--complete", is_flag=True, help="The history begins with the account.")
@click.option(
    "--minimal",
    type=click.Choice(("deposit", "price", "size", "time")),
    help="Seek the smallest change of this kind that avoids a liquidation.",
)
@click.option("--liquidation", type=int, metavar="NUMBER", help="Which [default: the last].")
@click.option("--when", metavar="WHEN", help="Of a deposit or a trade [default: 10 min before].")
@click.option("--token", default="USDC", show_default=True, help="Of a deposit.")
@click.option("--coin", metavar="MARKET", help="Of a price or a size [default: the largest].")
@click.option("--event", "event", metavar="EVENT", help="The one to be moved in time.")
def command(
    account: str | None, at: str | None, known_at: str | None, book: Path | None, *,
    as_json: bool, removed: tuple[str, ...], moved: tuple[tuple[str, str], ...],
    changed: tuple[tuple[str, str], ...], added: tuple[str, ...], deposits: tuple[str, ...],
    withdrawals: tuple[str, ...], prices: tuple[str, ...], parameters: tuple[str, ...],
    rulebook: str | None, readings: str | None, avoid: bool, shows_all: bool, mode: str | None,
    complete: bool, minimal: Kind | None, liquidation: int | None, when: str | None, token: str,
    coin: str | None, event: str | None,
) -> int:  # fmt: skip
    """Show an account as recorded and as supposed, side by side. Nothing is written.

    Everything after what is supposed is recomputed; each figure says whether it is unchanged,
    recomputed, carried over from the actual world, or not knowable.

    Ends with 1 when --minimal finds nothing that avoids the liquidation, with 3 when a figure is
    not knowable.
    """
    question = asked(readings=None, rulebook=None, mode=mode, complete=complete, stale="1h")
    with open_audit(book) as audit:
        history = audit.account(the_account(audit, account))
        position = audit.position(known_at)
        if minimal is not None:
            _alone(removed, moved, changed, added, deposits, withdrawals, prices, parameters,
                   (rulebook, readings, at, avoid))  # fmt: skip
            return _minimal(history, minimal, position, question, liquidation=liquidation,
                            when=when, token=token, coin=coin, event=event,
                            as_json=as_json)  # fmt: skip
        supposition = _supposed(
            history, position, removed, moved, changed, added, deposits, withdrawals, prices,
            parameters,
        )  # fmt: skip
        from replay.dispute.admissible import require_rule
        from replay.dispute.suppositions import Supposition
        from replay.dispute.what_if import side_by_side

        taken = tuple(each.strip() for each in (readings or "").split(",") if each.strip())
        require_rule(rulebook, taken)
        supposition |= Supposition(
            says=(*((f"under rulebook {rulebook}",) if rulebook else ()),
                  *(f"with the reading {each}" for each in taken)),
            rulebook=rulebook, readings=taken,
        )  # fmt: skip
        found = side_by_side(
            history, supposition, _instant(history, at, position), position=position,
            question=question, avoid=avoid,
        )  # fmt: skip
        if as_json:
            put_json(found.to_dict())
        else:
            tell(f"{history.account} at {found.when}, as known at position {position}")
            put_tables(found.shown(everything=shows_all))
        is_knowable = all(row.label != "not knowable" for row in found.rows)
        return exits.FINE if is_knowable else exits.INCOMPLETE


def _instant(history: AccountHistory, at: str | None, position: int) -> Millis:
    from replay.margin import Assembler, Question, last_moment
    from replay.moments import parse_moment

    if at is not None:
        return parse_moment(at)
    return last_moment(Assembler(history, position, Question()))


def _alone(*given: tuple[object, ...]) -> None:
    """Refuse to seek the smallest change in a world that is supposed already.

    Raises: UsageError, naming why.
    """
    if any(any(each) for each in given):
        message = (
            "--minimal seeks one change of the account as recorded, just before a liquidation: "
            "leave out --at, --avoid and everything supposed"
        )
        raise click.UsageError(message)


def _supposed(
    history: AccountHistory,
    position: int,
    removed: tuple[str, ...],
    moved: tuple[tuple[str, str], ...],
    changed: tuple[tuple[str, str], ...],
    added: tuple[str, ...],
    deposits: tuple[str, ...],
    withdrawals: tuple[str, ...],
    prices: tuple[str, ...],
    parameters: tuple[str, ...],
) -> Supposition:
    """Return everything that is supposed on the command line, in one."""
    from replay.dispute import suppositions as made
    from replay.dispute.admissible import require_market, target
    from replay.margin import Assembler, Question
    from replay.moments import parse_moment

    supposed = made.Supposition()
    for name in removed:
        supposed |= made.removed(target(history, name, position))
    for name, when in moved:
        event = target(history, name, position)
        supposed |= made.moved(event, parse_moment(when), history, position)
    fields: dict[str, list[str]] = {}
    for name, change in changed:
        fields.setdefault(name, []).append(change)
    for name, changes in fields.items():
        supposed |= made.changed(target(history, name, position), changes, history, position)
    for text in added:
        for line in _lines(text):
            supposed |= made.added(line, history, position)
    for text in deposits:
        supposed |= made.paid_in(text, history, position)
    for text in withdrawals:
        supposed |= made.paid_in(text, history, position, sign=-1)
    for text in prices:
        supposed |= made.priced(text)
    if prices:
        of = Assembler(history, position, Question())
        for each in supposed.prices:
            require_market(of, each.coin)
    for text in parameters:
        supposed |= made.parameter(text, supposed.calendar)
    return supposed


def _lines(text: str) -> list[str]:
    if not text.startswith("@"):
        return [text]
    path = Path(text[1:])
    if not path.is_file():
        message = f"no such file: {path}"
        raise click.UsageError(message)
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _minimal(
    history: AccountHistory, kind: Kind, position: int, question: Question, *,
    liquidation: int | None, when: str | None, token: str, coin: str | None, event: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    from ledger.units import Asset, Coin
    from replay.dispute.admissible import target
    from replay.dispute.minimal import minimal
    from replay.moments import parse_moment

    found = minimal(
        history, kind, position=position, question=question, liquidation=liquidation,
        at=None if when is None else parse_moment(when), asset=Asset(token),
        coin=None if coin is None else Coin(coin),
        event=None if event is None else target(history, event, position),
    )  # fmt: skip
    if as_json:
        put_json(found.to_dict())
    else:
        put_tables([found.table])
    return exits.FINE if found.crossings else exits.FINDING
