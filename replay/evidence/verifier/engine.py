"""The engine: what a course of events comes to, kept as one journal of whole numbers.

Nothing is a running total. Every event appends lines to lists (money moved, fees, funding, sizes,
prices, liquidations), each with its moment, and a figure is a scan of these lists up to a moment.
Rules: docs/spec/postings.md and docs/spec/positions.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from replay.evidence.verifier.canon import PLACES, fixed, half_even, places_of, power, times
from replay.evidence.verifier.course import Row

SIZE, LOT, GUESSED, COST, MONEY, GRAIN, RESULT, UNKNOWN, OPENING, ORIGIN, STRAY = range(11)
"""What a position is made of, in this order: signed lots, decimal places of a lot, whether these
are inferred, entry cost in grains (None when unknown), its token, decimal places of a grain, known
result in grains, closes of unknown result, lots at the opening, where that opening is from, and
lots the venue states beyond ours."""

YEAR_2024 = 1_704_067_200_000
PERP_GRAIN, SPOT_GRAIN = 6, 8


class Listing:
    """Metadata: pairs, symbols, places of sizes and balances, collateral; the latest of each."""

    def __init__(self, lines: Iterable[tuple[bytes, Any]]) -> None:
        """Read metadata events, whatever their order; others are passed over."""
        self.pairs: dict[str, tuple[str, str]] = {}
        self.lots: dict[str, int] = {}
        self.collaterals: dict[str, str] = {}
        self.wei: dict[str, int] = {}
        self.symbols: dict[int, str] = {}
        for _, _, event in sorted((event["at"], line, event) for line, event in lines):
            if event["@"] == "pair_listed/1":
                self.pairs[event["coin"]] = (event["base"], event["quote"])
            elif event["@"] == "token_listed/1":
                self.symbols[event["index"]] = event["asset"]
                if 0 <= event["wei_places"] <= 30:
                    self.wei[event["asset"]] = event["wei_places"]
            elif event["@"] == "market_listed/1":
                if 0 <= event["size_places"] <= 6:
                    self.lots[event["coin"]] = event["size_places"]
                if event["collateral"] is not None:
                    self.collaterals[event["dex"]] = event["collateral"]

    def pair(self, coin: str) -> tuple[str, str]:
        """Return the token traded and the token paid."""
        base, slash, quote = coin.partition("/")
        named = (base, quote) if slash else (coin, f"quote of {coin}")
        return self.pairs.get(coin, named)

    def collateral(self, coin: str) -> str:
        """Return the token in which a perpetual settles."""
        dex = dex_of(coin)
        return self.collaterals.get(dex, f"collateral of {dex}" if dex else "USDC")

    def settled(self, asset: str, text: str) -> int:
        """Return an amount of a token without binary noise."""
        return half_even(fixed(text), self.wei.get(asset, 8 if asset in ("USDC", "HYPE") else 10))


def dex_of(coin: str) -> str:
    """Return the exchange of a perpetual; the main one is nameless."""
    dex, colon, _ = coin.partition(":")
    return dex if colon else ""


def is_perp(coin: str) -> bool:
    """Tell perpetuals from pairs of tokens and outcome shares."""
    outcome = coin[:1] in ("+", "#") or (coin[:1] == "o" and coin[1:].isdigit())
    return bool(coin) and not (coin[0] == "@" or "/" in coin or outcome)


def usd(text: str) -> int:
    """Return USDC of a perpetuals side without binary noise."""
    return half_even(fixed(text), 6)


def value_of(event: Any) -> int:
    """Return what changed hands in a fill: price times size; an export's own sum where it sums."""
    product = times(fixed(event["px"]), fixed(event["sz"]))
    if event["notional"] is None or places_of(product) <= 8:
        return product
    return half_even(fixed(event["notional"]), 6)


class Journal:
    """Everything a course of events comes to."""

    def __init__(self, course: Iterable[Row], listing: Listing) -> None:
        """Read a course from its beginning to its end."""
        self.listing = listing
        self.legs: list[tuple[int, str, str, int]] = []
        self.fees: list[tuple[int, str, int | None, int]] = []
        self.funding: list[tuple[int, str, str, int]] = []
        self.sizes: list[tuple[int, str, list[Any]]] = []
        self.prices: list[tuple[int, str, str, int, str]] = []
        self.episodes: list[list[Any]] = []
        self.fills: list[tuple[int, Any]] = []
        self.interest: list[tuple[int, Any]] = []
        self.stopped: tuple[int, str, str] | None = None
        self.held: dict[str, list[Any]] = {}
        self.moments: list[int] = []
        for row in course:
            self.moments.append(row.at)
            self._take(row)

    def _take(self, row: Row) -> None:
        event, at = row.event, row.at
        moves = moves_of(row.kind, event, self.listing)
        if row.kind == "unrecognized" and self.stopped is None:
            self.stopped = (at, row.name, event["venue_type"])
        if row.kind == "opened":
            self._open(at, event)
        elif self.stopped is None:
            self._post(at, moves)
        if row.kind == "filled":
            self._fill(at, event)
        elif row.kind == "funding_paid":
            token = self.listing.collateral(event["coin"])
            self.funding.append((at, event["coin"], token, fixed(event["usdc"])))
        elif row.kind == "interest_accrued":
            self.interest.append((at, event))
        elif row.kind in CARRYING:
            for target, source, asset, amount in moves:
                if amount and asset != "USDC" and target != source and "spot" in (target, source):
                    self._carry(at, asset, amount if target == "spot" else -amount)
        elif row.kind == "liquidated":
            self._episode(at)[6] += [fixed(event["notional"])]
        self._price(row.kind, at, event)

    def _post(self, at: int, moves: list[tuple[str, str, str, int]]) -> None:
        for target, source, asset, amount in moves:
            if amount:
                self.legs += [(at, target, asset, amount), (at, source, asset, -amount)]

    def _price(self, kind: str, at: int, event: Any) -> None:
        if kind == "filled" and event["liquidation_mark"] is not None:
            price = fixed(event["liquidation_mark"])
            self.prices.append((at, event["coin"], "mark", price, "liquidation"))
        elif kind == "price_observed":
            price = fixed(event["px"])
            self.prices.append((at, event["coin"], event["measure"], price, event["via"]))
        elif kind == "candle_observed":
            via = f"candle {event['interval']}"
            self.prices.append((at, event["coin"], "last", fixed(event["last"]), via))
        elif kind == "reserve_observed":
            price = fixed(event["oracle_px"])
            self.prices.append((at, event["asset"], "reserve", price, "reserve"))

    # Fills

    def _fill(self, at: int, event: Any) -> None:
        self.fills.append((at, event))
        token = event["fee_asset"] or fee_token(event, self.listing)
        fee = None if event["fee"] is None else fixed(event["fee"])
        builder = fixed(event["builder_fee"]) if fee is not None and event["builder_fee"] else 0
        self.fees.append((at, token, fee, builder))
        if is_perp(event["coin"]):
            before = self.held.get(event["coin"])
            money = event["fee_asset"] or self.listing.collateral(event["coin"])
            first = flat(self.listing.lots.get(event["coin"]), money, PERP_GRAIN)
            self._keep(at, event["coin"], traded(before, first, event))
        else:
            self._swap(at, event)
        liquidated = event["liquidated_user"]
        mine = event["stream"] == f"account:{liquidated}"
        if mine if liquidated is not None else "Liquidat" in event["direction"]:
            episode = self._episode(at)
            episode[2] += 1
            signed = fixed(event["sz"]) * (1 if event["side"] == "B" else -1)
            episode[3][event["coin"]] = episode[3].get(event["coin"], 0) + signed
            episode[4] += value_of(event)
            method = event["liquidation_method"]
            if method is not None and method not in episode[5]:
                episode[5].append(method)

    def _episode(self, at: int) -> list[Any]:
        """Return the liquidation under way: what follows within thirty seconds belongs to it."""
        if not self.episodes or at - self.episodes[-1][1] > 30_000:
            self.episodes.append([at, at, 0, {}, 0, [], []])
        self.episodes[-1][1] = at
        return self.episodes[-1]

    def _swap(self, at: int, event: Any) -> None:
        """Trade one token for another."""
        base, quote = self.listing.pair(event["coin"])
        value, token = value_of(event), fee_token(event, self.listing)
        fee = fixed(event["fee"]) if event["fee"] is not None else 0
        name = f"spot:{base}"
        charged = fee if token == base else 0
        now = swapped(self.held.get(name), flat(None, quote, SPOT_GRAIN), event, charged, quote)
        self._keep(at, name, now)
        if quote != "USDC" and (event["coin"] in self.listing.pairs or "/" in event["coin"]):
            paid = fee if token == quote else 0
            self._carry(at, quote, (value if event["side"] == "A" else -value) - paid)

    def _carry(self, at: int, asset: str, amount: int) -> None:
        """Let tokens come or go without a trade: what came cost nobody knows what."""
        name = f"spot:{asset}"
        if name not in self.held and amount <= 0:
            return
        now = self.held.get(name) or flat(self.listing.wei.get(asset), "USDC", SPOT_GRAIN)
        now = finer(now, amount)
        lots, held, cost = in_lots(now, amount), now[SIZE] + now[STRAY], now[COST]
        if lots > 0:
            now[COST] = None
        elif held + lots <= 0:
            now[COST] = 0
        elif cost is not None:
            now[COST] = cost * (held + lots) // held
        now[SIZE] += lots
        self._keep(at, name, now)

    def _keep(self, at: int, name: str, position: list[Any]) -> None:
        self.held[name] = position
        self.sizes.append((at, name, list(position)))

    # Openings

    def _open(self, at: int, event: Any) -> None:
        """Set what an opening attests, whatever older events lead to."""
        set_to: dict[tuple[str, str], int] = {}
        for one in event["balances"]:
            amount = fixed(one["amount"]) * (-1 if one["place"] == "borrowed" else 1)
            key = (one["place"], one["asset"])
            set_to[key] = set_to.get(key, 0) + amount
        for one in event["positions"]:
            if is_perp(one["coin"]):
                key = (f"position:{one['coin']}", f"{one['coin']}-PERP")
                set_to[key] = set_to.get(key, 0) + fixed(one["size"])
        if self.stopped is None:
            before = {key: self.balance(*key, at=None) for key in set_to}
            moves = [(k[0], "opening", k[1], set_to[k] - (before[k] or 0)) for k in set_to]
            self._post(at, moves)
        self._open_positions(at, event)

    def _open_positions(self, at: int, event: Any) -> None:
        named = []
        for one in event["positions"]:
            coin, cost = one["coin"], one["entry_notional"]
            if is_perp(coin):
                name = coin
                now = flat(self.listing.lots.get(coin), self.listing.collateral(coin), PERP_GRAIN)
            else:
                base, quote = self.listing.pair(coin)
                name, now = f"spot:{base}", flat(None, quote, SPOT_GRAIN)
            now[COST] = None if cost is None else grains(fixed(cost), now[GRAIN])
            named.append(name)
            self._attest(at, name, now, fixed(one["size"]))
        tokens: dict[str, int] = {}
        for one in event["balances"]:
            if one["place"] in ("spot", "supplied") and one["asset"] != "USDC":
                tokens[one["asset"]] = tokens.get(one["asset"], 0) + fixed(one["amount"])
        for asset, amount in tokens.items():
            name, now = f"spot:{asset}", flat(None, "USDC", SPOT_GRAIN)
            if name not in named and (amount or name in self.held):
                now[COST] = None if amount else 0
                self._attest(at, name, now, amount)

    def _attest(self, at: int, name: str, now: list[Any], size: int) -> None:
        now = finer(now, size)
        now[SIZE] = now[OPENING] = in_lots(now, size)
        now[ORIGIN] = "attested"
        self._keep(at, name, now)

    # Questions

    def balance(self, place: str, asset: str, *, at: int | None) -> int | None:
        """Return the sum of all that came to a place less what went; None if nothing ever did."""
        found = [
            leg[3]
            for leg in self.legs
            if leg[1] == place and leg[2] == asset and (at is None or leg[0] <= at)
        ]
        return sum(found) if found else None

    def position(self, name: str, *, at: int | None) -> list[Any] | None:
        """Return a position as it was left at a moment; None before its first event."""
        found = None
        for moment, named, position in self.sizes:
            if named == name and (at is None or moment <= at):
                found = position
        return found


CARRYING = (
    "transferred", "class_transferred", "staking_transferred", "rewards_claimed",
    "genesis_received", "auction_paid", "activation_charged",
)  # fmt: skip
"""Kinds that move tokens at hand without trading them."""


def fee_token(event: Any, listing: Listing) -> str:
    """Return the token a fill is charged in: as recorded, else as the venue's rule has it."""
    if event["fee_asset"] is not None:
        return str(event["fee_asset"])
    if is_perp(event["coin"]):
        return listing.collateral(event["coin"])
    base, quote = listing.pair(event["coin"])
    return base if event["side"] == "B" else quote


# What events move: (to, from, asset, amount).


def moves_of(kind: str, event: Any, listing: Listing) -> list[tuple[str, str, str, int]]:
    """Return what an event moves, from where to where; openings apart."""
    if kind == "filled":
        return fill_moves(event, listing)
    if kind == "funding_paid":
        side = f"perp:{dex_of(event['coin'])}"
        token = listing.collateral(event["coin"])
        return [(side, "venue:funding", token, fixed(event["usdc"]))]
    if kind == "interest_accrued":
        asset = event["asset"]
        return [
            ("supplied", "venue:lending", asset, fixed(event["supply"])),
            ("venue:lending", "borrowed", asset, fixed(event["borrow"])),
        ]
    if kind == "reserve_operated":
        target, source = RESERVES[event["operation"]]
        return [(target, source, event["asset"], fixed(event["amount"]))]
    if kind == "transferred":
        return transfer_moves(event, listing)
    if kind.startswith("vault") or kind == "leader_commission_received":
        return vault_moves(kind, event)
    return cash_moves(kind, event, listing)


RESERVES = {
    "supply": ("supplied", "spot"),
    "withdraw": ("spot", "supplied"),
    "borrow": ("spot", "borrowed"),
    "repay": ("borrowed", "spot"),
}


def fill_moves(event: Any, listing: Listing) -> list[tuple[str, str, str, int]]:
    """Return size one way, money the other, and the fee."""
    coin, size, value = event["coin"], fixed(event["sz"]), value_of(event)
    fee = 0 if event["fee"] is None else fixed(event["fee"])
    if is_perp(coin):
        money = event["fee_asset"] or listing.collateral(coin)
        side, holding, thing = f"perp:{dex_of(coin)}", f"position:{coin}", f"{coin}-PERP"
        token = money
    else:
        thing, money = listing.pair(coin)
        side, holding, token = "spot", "spot", fee_token(event, listing)
    if event["side"] == "A":
        size, value = -size, -value
    return [
        (holding, "venue:trading", thing, size),
        ("venue:trading", side, money, value),
        ("venue:fees", side, token, fee),
    ]


def transfer_moves(event: Any, listing: Listing) -> list[tuple[str, str, str, int]]:
    """Return what a transfer moves: between accounts through transit, or inside this one."""
    own = event["stream"].partition(":")[2]
    sender, recipient = event["sender"], event["recipient"]
    sends = sender == own or (sender is None and recipient not in (None, own))
    receives = recipient == own or (recipient is None and sender not in (None, own))
    source, target, asset = event["source"], event["target"], event["asset"]
    if event["venue_type"] in ("internalTransfer", "subAccountTransfer"):
        amount = usd(event["amount"])
    else:
        amount = listing.settled(asset, event["amount"])
    if not sends:
        return [(target, "in-transit", asset, amount)] if receives else []
    fee_asset = event["fee_asset"] or "USDC"
    return [
        (target if receives else "in-transit", source, asset, amount),
        ("venue:fees", source, fee_asset, half_even(fixed(event["fee"]), 8)),
        ("venue:fees", "spot", "HYPE", half_even(fixed(event["native_fee"]), 8)),
    ]


def cash_moves(kind: str, event: Any, listing: Listing) -> list[tuple[str, str, str, int]]:
    """Return what the plain movements of the ledger move."""
    if kind == "deposited":
        return [("perp:", "outside", "USDC", usd(event["usdc"]))]
    if kind == "withdrawn":
        return [
            ("outside", "perp:", "USDC", usd(event["usdc"])),
            ("venue:fees", "perp:", "USDC", usd(event["fee"])),
        ]
    if kind == "class_transferred":
        side, asset, text = f"perp:{event['dex']}", event["asset"], event["amount"]
        amount = usd(text) if asset == "USDC" else listing.settled(asset, text)
        return [(side, "spot", asset, amount if event["to_perp"] else -amount)]
    if kind in CASH_PLACES:
        amount = listing.settled(event["asset"], event["amount"])
        if kind == "staking_transferred" and not event["is_deposit"]:
            amount = -amount
        target, source = CASH_PLACES[kind]
        return [(target, source, event["asset"], amount)]
    return []


CASH_PLACES = {
    "activation_charged": ("venue:fees", "spot"),
    "rewards_claimed": ("spot", "venue:rewards"),
    "genesis_received": ("spot", "venue:genesis"),
    "auction_paid": ("venue:auctions", "spot"),
    "staking_transferred": ("staking", "spot"),
}


def vault_moves(kind: str, event: Any) -> list[tuple[str, str, str, int]]:
    """Return what goes into vaults at what was paid in, and comes out with its result."""
    own = event["stream"].partition(":")[2]
    vault = event.get("vault")
    share = "venue:vaults" if vault is None else f"vault:{vault}"
    main = "perp:"
    if kind == "vault_created":
        fee = ("venue:fees", main, "USDC", usd(event["fee"]))
        return [(share, main, "USDC", usd(event["usdc"])), fee]
    if kind == "vault_deposited":
        amount = usd(event["usdc"])
        if vault == own:
            return [(main, "in-transit", "USDC", amount)]
        return [(share, main, "USDC", amount)]
    if kind == "vault_distributed":
        return [(main, share, "USDC", usd(event["usdc"]))]
    if kind == "leader_commission_received":
        return [(main, "venue:vaults", "USDC", usd(event["usdc"]))]
    if kind != "vault_withdrawn":
        return []
    net, basis = usd(event["net"]), usd(event["basis"])
    if vault == own:
        return [("in-transit", main, "USDC", net + usd(event["commission"]))]
    if event["user"] not in (None, own):
        return []
    return [(main, share, "USDC", basis), (main, "venue:vaults", "USDC", net - basis)]


# Positions: lists of whole numbers.


def flat(lot: int | None, money: str, grain: int) -> list[Any]:
    """Return a position of nothing."""
    return [0, lot or 0, lot is None, 0, money, grain, 0, 0, 0, "", 0]


def finer(position: list[Any], *amounts: int) -> list[Any]:
    """Return a position in lots fine enough to say all amounts in whole lots."""
    places = max(map(places_of, amounts))
    now = list(position)
    if places > now[LOT]:
        for field in (SIZE, OPENING, STRAY):
            now[field] *= 10 ** (places - now[LOT])
        now[LOT], now[GUESSED] = places, True
    return now


def in_lots(position: list[Any], amount: int) -> int:
    """Return an amount in lots of a position fine enough for it."""
    return amount // power(PLACES - position[LOT])


def grains(value: int, places: int) -> int:
    """Return money in whole units of so many places, cut off, without sign."""
    return abs(value) // power(PLACES - places)


def agrees(ours: int, stated: int) -> bool:
    """Tell whether a stated size is ours, exactly or in the ten digits a spreadsheet shows."""
    if ours == stated:
        return True
    digits = str(abs(stated)).rstrip("0")
    if not stated or len(digits) > 10:
        return False
    unit = power(len(str(abs(stated))) - 10)
    return abs(ours - stated) * 2 <= unit


def continued(position: list[Any], event: Any, *, first: bool) -> list[Any]:
    """Return a position held against the size which a fill states before it."""
    if event["start_position"] is None:
        return position
    start = fixed(event["start_position"])
    ours = (position[SIZE] + position[STRAY]) * 10 ** (PLACES - position[LOT])
    if agrees(ours, start):
        return position
    now = finer(position, start)
    lots = in_lots(now, start)
    if first:
        now[SIZE] = now[OPENING] = lots
        now[ORIGIN], now[COST] = "derived", None
    elif not (event["tid"] is None and event["at"] < YEAR_2024):
        now[STRAY] = lots - now[SIZE]
        now[COST] = None if lots else 0
    return now


def traded(before: list[Any] | None, empty: list[Any], event: Any) -> list[Any]:
    """Return a perpetual's position after a fill."""
    size = fixed(event["sz"])
    now = continued(before or empty, event, first=before is None)
    now = finer(now, size)
    trade = in_lots(now, size) * (1 if event["side"] == "B" else -1)
    stated, cost = now[SIZE] + now[STRAY], now[COST]
    value = grains(value_of(event), now[GRAIN])
    kept, gained = perp_cost(stated, cost or 0, trade, value)
    now[SIZE] += trade
    if cost is not None:
        now[COST] = kept
        now[RESULT] += gained
    else:
        now[COST] = kept if stated * (stated + trade) <= 0 else None
        now[UNKNOWN] += 1 if stated * trade < 0 else 0
    return now


def perp_cost(held: int, cost: int, trade: int, value: int) -> tuple[int, int]:
    """Return the entry cost after a trade, and the result of what it closed."""
    if held * trade >= 0:
        return cost + value, 0
    size, sold = abs(held), abs(trade)
    sign = 1 if held > 0 else -1
    entry = cost // size
    if sold < size:
        # The venue keeps the rest with two doubles: quotient, then product, cut off.
        rest = int(float(cost) * ((size - sold) / size))
        return rest, sign * (value - sold * entry)
    part = value * size // sold
    return value - part, sign * (part - size * entry)


def swapped(
    before: list[Any] | None,
    empty: list[Any],
    event: Any,
    charged: int,
    quote: str,
) -> list[Any]:
    """Return a token's holding after a trade, at average cost."""
    now = continued(before or empty, event, first=before is None)
    size = fixed(event["sz"])
    now = finer(now, size, charged)
    trade = in_lots(now, size) * (1 if event["side"] == "B" else -1)
    fee, held, cost = in_lots(now, charged), now[SIZE] + now[STRAY], now[COST]
    value = grains(value_of(event), now[GRAIN])
    after = held + trade - fee
    now[SIZE] += trade - fee
    if cost is None or quote != now[MONEY] or -trade > max(held, 0):
        now[COST] = None if after > 0 else 0
        now[UNKNOWN] += 1 if trade < 0 else 0
    elif trade >= 0:
        now[COST] = cost + value
    else:
        share = cost * -trade // held
        now[COST] = cost - share if after > 0 else 0
        now[RESULT] += value - share
    return now
