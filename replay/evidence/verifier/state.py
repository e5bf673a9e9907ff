"""The state digest: one text of everything a journal says at its end, and its SHA-256."""

from __future__ import annotations

from typing import Any

from replay.evidence.verifier.canon import canonical, digest, shown
from replay.evidence.verifier.engine import Journal

STATE_VERSION = 2


def state_digest(journal: Journal) -> str:
    """Return the digest of all states after the journal's last event."""
    return digest(b"rollforward state 1\n", canonical(states(journal)))


def states(journal: Journal) -> dict[str, Any]:
    """Return every state as a sorted list of rows, numbers as text; or where it stopped."""
    sums: dict[tuple[str, str], int] = {}
    for _, place, asset, amount in journal.legs:
        sums[place, asset] = sums.get((place, asset), 0) + amount
    balances: Any = [[list(key), shown(sums[key])] for key in sorted(sums)]
    stopped = journal.stopped
    if stopped is not None:
        balances = {"at": stopped[0], "event": stopped[1], "kind": stopped[2]}
    sizes = {name: position for _, name, position in journal.sizes}
    prices = {
        (coin, measure): [shown(price), moment, via]
        for moment, coin, measure, price, via in journal.prices
    }
    return {
        "@": f"states/{STATE_VERSION}",
        "balances": balances,
        "positions": [[name, sizes[name]] for name in sorted(sizes)],
        "fees": fees_of(journal.fees),
        "funding": funding_of(journal.funding),
        "prices": [[list(key), prices[key]] for key in sorted(prices)],
        "liquidations": episodes_of(journal),
    }


def fees_of(rows: list[tuple[int, str, int | None, int]]) -> list[Any]:
    """Return by token: charged, builders' share, fills with a known fee, fills without."""
    found: dict[str, list[int]] = {}
    for _, token, fee, builder in rows:
        entry = found.setdefault(token, [0, 0, 0, 0])
        if fee is None:
            entry[3] += 1
        else:
            entry[0] += fee
            entry[1] += builder
            entry[2] += 1
    return [
        [token, [shown(found[token][0]), shown(found[token][1]), *found[token][2:]]]
        for token in sorted(found)
    ]


def funding_of(rows: list[tuple[int, str, str, int]]) -> list[Any]:
    """Return by market and token: received less paid, and how many payments."""
    found: dict[tuple[str, str], list[int]] = {}
    for _, coin, token, amount in rows:
        entry = found.setdefault((coin, token), [0, 0])
        entry[0] += amount
        entry[1] += 1
    return [[list(key), [shown(found[key][0]), found[key][1]]] for key in sorted(found)]


def episodes_of(journal: Journal) -> list[Any]:
    """Return liquidations by number."""
    return [
        [
            number,
            [
                *episode[:3],
                [[coin, shown(episode[3][coin])] for coin in sorted(episode[3])],
                shown(episode[4]),
                episode[5],
                shown(sum(episode[6])) if episode[6] else None,
            ],
        ]
        for number, episode in enumerate(journal.episodes, 1)
    ]
