"""Market answers: what is traded, in which units, and at what prices.

Snapshots over many markets go to the venue's stream, candles to the stream of their market.
None of these answers but candles carries a moment: it is the moment of the asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ledger.errors import MalformedRecord, NeedsHint
from ledger.events import (
    CandleObserved,
    DexListed,
    MarginTableSet,
    MarketListed,
    PairListed,
    PriceObserved,
    Tier,
    TokenListed,
)
from ledger.importers import door
from ledger.importers.answers import (
    Answer,
    AnswerKind,
    Found,
    first_row,
    in_effective_order,
    joined,
    part,
    read_rows,
    symbol,
    unreadable_row,
)
from ledger.units import (
    MAIN_DEX,
    VENUE,
    Asset,
    Coin,
    Dex,
    Millis,
    dex_of,
    is_spot,
    market_stream,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from ledger.entries import Unreadable
    from ledger.events import Event
    from ledger.importers.base import Json

    Figure = Callable[[Mapping[str, Json], str], Decimal]

Measure = Literal["mark", "oracle", "mid"]

_MEASURES: Final[tuple[tuple[Measure, str], ...]] = (
    ("mark", "markPx"),
    ("oracle", "oraclePx"),
    ("mid", "midPx"),
)


def _listed(answer: Answer, path: str, rows: Json, make: Callable[[Json], Event]) -> Found:
    """Return rows of one list inside an answer, as a part of the venue's stream."""
    events, numbers, unreadable = read_rows(answer, door.array(rows, path), make)
    full = answer.path + path
    located = tuple(_elsewhere(row, answer.path, full) for row in unreadable)
    return Found(parts=part(answer, VENUE, events, numbers, path=full), unreadable=located)


def _elsewhere(row: Unreadable, path: str, full: str) -> Unreadable:
    return type(row)(place=full + row.place[len(path) :], reason=row.reason, text=row.text)


# ------------------------------------------------------------------------- perpetuals


def market_listed(
    row: Mapping[str, Json], *, at: Millis, dex: Dex, collateral: Asset | None
) -> MarketListed:
    """Return the metadata of one perpetual market. Raises: MalformedRecord."""
    coin = Coin(door.text(row, "name"))
    return MarketListed(
        stream=VENUE,
        at=at,
        coin=coin,
        dex=dex_of(coin) or dex,
        collateral=collateral,
        size_places=door.integer(row, "szDecimals"),
        max_leverage=door.optional(door.integer, row, "maxLeverage"),
        margin_table=door.optional(door.integer, row, "marginTableId"),
        only_isolated=door.optional(door.flag, row, "onlyIsolated") or False,
        delisted=door.optional(door.flag, row, "isDelisted") or False,
    )


def margin_table(row: Mapping[str, Json], *, table: int, at: Millis, dex: Dex) -> MarginTableSet:
    """Return one margin table. Raises: MalformedRecord."""
    tiers = [
        Tier(
            lower_bound=door.decimal(door.record(tier), "lowerBound"),
            max_leverage=door.integer(door.record(tier), "maxLeverage"),
        )
        for tier in door.array(door.required(row, "marginTiers"), "marginTiers")
    ]
    return MarginTableSet(
        stream=VENUE,
        at=at,
        table=table,
        dex=dex,
        description=door.optional(door.text, row, "description") or "",
        tiers=tuple(sorted(tiers, key=lambda tier: tier.lower_bound)),
    )


def read_meta(answer: Answer, row: Mapping[str, Json], *, path: str, dex: Dex) -> Found:
    """Return the markets and margin tables of one exchange's metadata."""
    at = answer.moment
    token = door.optional(door.integer, row, "collateralToken")
    collateral = None if token is None else symbol(token)

    def market(value: Json) -> Event:
        return market_listed(door.record(value), at=at, dex=dex, collateral=collateral)

    def table(value: Json) -> Event:
        if not (isinstance(value, list) and len(value) == 2):
            raise MalformedRecord(
                field="marginTables", found=door.as_text(value), expected="a pair"
            )
        number = door.integer({"marginTables": value[0]}, "marginTables")
        return margin_table(door.record(value[1]), table=number, at=at, dex=dex)

    tables = [] if row.get("marginTables") is None else row["marginTables"]
    return joined(
        (
            _listed(answer, f"{path}.universe", row.get("universe"), market),
            _listed(answer, f"{path}.marginTables", tables, table),
        )
    )


def _dex_in(row: Mapping[str, Json]) -> Dex:
    """Return the exchange that the names of the markets carry; the main one carries none."""
    name = first_row(row.get("universe")).get("name")
    return dex_of(Coin(name)) if isinstance(name, str) else MAIN_DEX


def _read_meta(answer: Answer) -> Found:
    row = door.record(answer.value)
    dex = answer.asked_dex
    return read_meta(answer, row, path="", dex=_dex_in(row) if dex is None else dex)


def _is_meta(value: Json) -> bool:
    return isinstance(value, dict) and "universe" in value and "tokens" not in value


def _read_all_metas(answer: Answer) -> Found:
    return joined(
        [
            read_meta(
                answer, row := door.record(item, "meta"), path=f"[{number}]", dex=_dex_in(row)
            )
            for number, item in enumerate(door.array(answer.value))
        ]
    )


def _is_all_metas(value: Json) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "universe" in item for item in value)
    )


def _read_margin_table(answer: Answer) -> Found:
    asked = answer.request.get("id")
    table = asked if type(asked) is int else answer.hints.table
    if not isinstance(table, int):
        raise NeedsHint(
            name=answer.name,
            question="it is a margin table that does not say its number",
            flag="--table 52",
        )
    row = door.record(answer.value)
    event = margin_table(row, table=table, at=answer.moment, dex=answer.asked_dex or MAIN_DEX)
    return Found(parts=part(answer, VENUE, (event,), (0,)))


def _is_margin_table(value: Json) -> bool:
    return isinstance(value, dict) and "marginTiers" in value


def _read_dexes(answer: Answer) -> Found:
    """Read the exchanges; the first place is the main one's and holds null."""
    at = answer.moment
    rows = [(number, row) for number, row in enumerate(door.array(answer.value)) if row is not None]

    def make(value: Json) -> Event:
        row = door.record(value)
        return DexListed(
            stream=VENUE,
            at=at,
            dex=Dex(door.text(row, "name")),
            full_name=door.text(row, "fullName"),
            deployer=door.optional(door.address, row, "deployer"),
        )

    events, numbers, unreadable = read_rows(answer, [row for _, row in rows], make)
    places = [rows[number][0] for number in numbers]
    return Found(parts=part(answer, VENUE, events, places), unreadable=tuple(unreadable))


def _is_dexes(value: Json) -> bool:
    return first_row(value).keys() >= {"name", "fullName", "deployer"}


# ------------------------------------------------------------------------- spot


def _read_spot_meta(answer: Answer) -> Found:
    return read_spot_meta(answer, door.record(answer.value), path="")


def read_spot_meta(answer: Answer, row: Mapping[str, Json], *, path: str) -> Found:
    """Return the tokens and the spot markets of the venue."""
    at = answer.moment
    names: dict[int, Asset] = {}

    def token(value: Json) -> Event:
        item = door.record(value)
        index, name = door.integer(item, "index"), Asset(door.text(item, "name"))
        names[index] = name
        return TokenListed(
            stream=VENUE,
            at=at,
            asset=name,
            index=index,
            size_places=door.integer(item, "szDecimals"),
            wei_places=door.integer(item, "weiDecimals"),
        )

    def pair(value: Json) -> Event:
        item = door.record(value)
        indices = door.array(item.get("tokens"), "tokens")
        known = [names[index] for index in indices if isinstance(index, int) and index in names]
        if len(known) != 2 or len(indices) != 2:
            found = door.as_text(indices)
            raise MalformedRecord(field="tokens", found=found, expected="two tokens listed here")
        coin = Coin(door.text(item, "name"))
        return PairListed(stream=VENUE, at=at, coin=coin, base=known[0], quote=known[1])

    tokens = _listed(answer, f"{path}.tokens", row.get("tokens"), token)
    pairs = _listed(answer, f"{path}.universe", row.get("universe"), pair)
    return joined((tokens, pairs))


def _is_spot_meta(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() >= {"universe", "tokens"}


# ------------------------------------------------------------------------- prices


def read_contexts(
    answer: Answer,
    rows: Json,
    *,
    names: Sequence[Json],
    path: str,
    via: str,
    figure: Figure = door.decimal,
) -> Found:
    """Return the prices of a list of contexts; *names* tells the market of those that do not."""
    at = answer.moment
    events: list[Event] = []
    numbers: list[int] = []
    unreadable: list[Unreadable] = []
    for number, value in enumerate(door.array(rows, path)):
        try:
            row = door.record(value)
            name = names[number] if number < len(names) else None
            coin = Coin(door.text(row if "coin" in row else {"coin": name}, "coin"))
            prices = [
                _price(coin, measure, figure(row, field), at, via)
                for measure, field in _MEASURES
                if row.get(field) is not None
            ]
        except MalformedRecord as error:
            unreadable.append(
                _elsewhere(
                    unreadable_row(answer, number, value, str(error)),
                    answer.path,
                    answer.path + path,
                )
            )
        else:
            events.extend(prices)
            numbers.extend([number] * len(prices))
    parts = part(answer, VENUE, events, numbers, path=answer.path + path)
    return Found(parts=parts, unreadable=tuple(unreadable))


def _price(coin: Coin, measure: Measure, px: Decimal, at: Millis, via: str) -> PriceObserved:
    return PriceObserved(stream=VENUE, at=at, coin=coin, measure=measure, px=px, via=via)


def _names(meta: Mapping[str, Json]) -> list[Json]:
    universe = door.array(meta.get("universe"), "universe")
    return [row.get("name") if isinstance(row, dict) else None for row in universe]


def _halves(answer: Answer) -> tuple[Mapping[str, Json], Json]:
    halves = door.array(answer.value)
    if len(halves) != 2:
        raise MalformedRecord(field="answer", found=len(halves), expected="metadata and contexts")
    return door.record(halves[0], "meta"), halves[1]


def _read_meta_and_contexts(answer: Answer) -> Found:
    meta, contexts = _halves(answer)
    dex = answer.asked_dex
    via = "metaAndAssetCtxs"
    return joined(
        (
            read_meta(answer, meta, path="[0]", dex=_dex_in(meta) if dex is None else dex),
            read_contexts(answer, contexts, names=_names(meta), path="[1]", via=via),
        )
    )


def _read_spot_meta_and_contexts(answer: Answer) -> Found:
    meta, contexts = _halves(answer)
    via = "spotMetaAndAssetCtxs"
    # Contexts of spot markets name their market, so the order of the universe is not needed.
    return joined(
        (
            read_spot_meta(answer, meta, path="[0]"),
            read_contexts(answer, contexts, names=(), path="[1]", via=via),
        )
    )


def _is_halves(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], list)


def _is_meta_and_contexts(value: Json) -> bool:
    return isinstance(value, list) and _is_halves(value) and _is_meta(value[0])


def _is_spot_meta_and_contexts(value: Json) -> bool:
    return isinstance(value, list) and _is_halves(value) and _is_spot_meta(value[0])


def _read_mids(answer: Answer) -> Found:
    at = answer.moment
    row = door.record(answer.value)

    def make(value: Json) -> Event:
        name = door.text({"coin": value}, "coin")
        return _price(Coin(name), "mid", door.decimal(row, name), at, "allMids")

    events, numbers, unreadable = read_rows(answer, list(row), make)
    return Found(parts=part(answer, VENUE, events, numbers), unreadable=tuple(unreadable))


def _is_mids(value: Json) -> bool:
    """Tell whether an object is prices by market: figures alone, under names of markets."""
    if not (isinstance(value, dict) and value):
        return False
    return all(
        isinstance(price, str) and price[:1].isdigit() and (key[:1].isalnum() or is_spot(Coin(key)))
        for key, price in value.items()
    )


def _read_candles(answer: Answer) -> Found:
    """Read candles that are closed; one still open would say other things when asked again.

    Where the moment of the asking is not known, the newest candle counts as open.
    """
    rows = door.array(answer.value)

    def make(value: Json) -> Event:
        row = door.record(value)
        coin = Coin(door.text(row, "s"))
        return CandleObserved(
            stream=market_stream(coin),
            at=door.millis(row, "T"),
            coin=coin,
            interval=door.text(row, "i"),
            opened=door.millis(row, "t"),
            first=door.decimal(row, "o"),
            highest=door.decimal(row, "h"),
            lowest=door.decimal(row, "l"),
            last=door.decimal(row, "c"),
            volume=door.decimal(row, "v"),
            trades=door.integer(row, "n"),
        )

    events, numbers, unreadable = read_rows(answer, rows, make)
    events, numbers = in_effective_order(events, numbers, newest_first=False)
    limit = answer.at if answer.at is not None else max((event.at for event in events), default=0)
    closed = [index for index, event in enumerate(events) if event.at < limit]
    founds = [Found(unreadable=tuple(unreadable))]
    if left := len(events) - len(closed):
        founds.append(Found(notes=(f"{left} candle that may not have been closed is left out",)))
    for stream in dict.fromkeys(events[index].stream for index in closed):
        own = [index for index in closed if events[index].stream == stream]
        founds.append(
            Found(
                parts=part(
                    answer,
                    stream,
                    [events[index] for index in own],
                    [numbers[index] for index in own],
                )
            )
        )
    return joined(founds)


def _is_candles(value: Json) -> bool:
    return first_row(value).keys() >= {"t", "T", "s", "i", "o", "c", "h", "l", "v", "n"}


def _kind(name: str, fits: Callable[[Json], bool], read: Callable[[Answer], Found]) -> AnswerKind:
    return AnswerKind(name=name, types=frozenset({name}), fits=fits, read=read)


KINDS: Final = (
    _kind("metaAndAssetCtxs", _is_meta_and_contexts, _read_meta_and_contexts),
    _kind("spotMetaAndAssetCtxs", _is_spot_meta_and_contexts, _read_spot_meta_and_contexts),
    _kind("spotMeta", _is_spot_meta, _read_spot_meta),
    _kind("meta", _is_meta, _read_meta),
    _kind("allPerpMetas", _is_all_metas, _read_all_metas),
    _kind("marginTable", _is_margin_table, _read_margin_table),
    _kind("perpDexs", _is_dexes, _read_dexes),
    _kind("candleSnapshot", _is_candles, _read_candles),
    _kind("allMids", _is_mids, _read_mids),
)
