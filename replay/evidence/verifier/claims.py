"""Claims: sentences about an account that can be checked; docs/spec/claims.md.

::

    balance(spot, USDC) @ 2026-02-10T13:00Z = 123.45 USDC known-at 17
    sum(fee USDC per fill, 2026-02-01T00:00Z..2026-02-28T23:59:59.999Z) <= 250 rounded 2

A claim is proven, contradicted or unknown. One that adds what cannot be added is refused.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from replay.evidence.verifier.canon import ONE, PLACES, Refused, fixed, half_even, shown
from replay.evidence.verifier.engine import (
    COST,
    GRAIN,
    LOT,
    MONEY,
    RESULT,
    SIZE,
    STRAY,
    UNKNOWN,
    Journal,
    Listing,
    fee_token,
    is_perp,
    value_of,
)  # fmt: skip
from replay.evidence.verifier.holdings import Reckoning
from replay.evidence.verifier.margin import margin_ratio
from replay.evidence.verifier.rules import Granted

CLAIM = re.compile(
    r"(?:(?P<name>[A-Za-z][\w.-]*):\s+)?(?P<left>.+?)\s*(?P<op><=|>=|!=|=|<|>)\s*"
    r"(?P<value>-?[0-9.]+)(?:\s+(?P<unit>(?!rounded\s|known-at\s)\S+))?"
    r"(?:\s+rounded\s+(?P<places>[0-9]{1,2}))?(?:\s+known-at\s+(?P<known>[0-9]{1,10}))?"
)
TERM = re.compile(r"\s*([+-]?)\s*([a-z]+)\(([^()]*)\)(?:\s*@\s*(\S+))?\s*")
SUMMED = re.compile(r"([a-z_]+)(?:\s+(?!per\s)(\S+))?\s+per\s+([a-z]+)")
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?"
    r"\s?(?:(Z)|([+-])(\d\d):?(\d\d))"
)
FIELDS = {
    "fee": "fill", "builder_fee": "fill", "notional": "fill", "size": "fill", "funding": "hour",
    "supply_interest": "hour", "borrow_interest": "hour",
}  # fmt: skip
STATES = (
    "balance",
    "position",
    "entry",
    "equity",
    "account_value",
    "ratio",
    "margin",
    "requirement",
)
ROWS = ("fills", "fundings", "liquidations", "events")
UNCHECKED = "not recomputed"

Claim = dict[str, Any]
Reckoned = Callable[[], "tuple[Reckoning, Granted]"]
"""What margin is recomputed from, made when a claim asks for it."""


def refuse(text: str, problem: str) -> Refused:
    """Return the refusal of a claim."""
    return Refused(29, f"claim {text!r} {problem}")


def moment(text: str) -> int:
    """Return milliseconds of a moment written with its zone, or in milliseconds.

    Raises: Refused.
    """
    if text.isdigit() and 12 <= len(text) <= 15:
        return int(text)
    found = MOMENT.fullmatch(text.strip())
    if found is None:
        raise refuse(text, "is no moment with its zone")
    year, month, day, hour, minute = map(int, found.groups()[:5])
    second, milli = int(found[6] or 0), int((found[7] or "0").ljust(3, "0"))
    if not (1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        raise refuse(text, "is no day")
    if hour > 23 or minute > 59 or second > 59:
        raise refuse(text, "is no time of day")
    whole = calendar.timegm((year, month, day, hour, minute, second)) * 1000 + milli
    if found[9]:
        offset = (int(found[10]) * 60 + int(found[11])) * 60_000
        whole += offset if found[9] == "-" else -offset
    return whole


def read_claim(text: str, default: int | None) -> Claim:
    """Return a claim in parts; *default* is the moment of a figure that names none.

    Raises: Refused, when it is no claim.
    """
    found = CLAIM.fullmatch(" ".join(text.split()))
    if found is None:
        raise refuse(text, "cannot be read")
    terms: list[Any] = []
    at, left = 0, found["left"]
    while at < len(left):
        term = TERM.match(left, at)
        if term is None or (bool(terms) != bool(term[1]) and term[1] != "-"):
            raise refuse(text, "has a left side that cannot be read")
        arguments = [word.strip() for word in term[3].split(",")]
        instant = moment(term[4]) if term[4] else default
        terms.append((term[2], arguments, instant, -1 if term[1] == "-" else 1))
        at = term.end()
    return {
        "name": found["name"],
        "terms": terms,
        "op": found["op"],
        "value": fixed(found["value"]),
        "unit": found["unit"],
        "places": None if found["places"] is None else int(found["places"]),
        "known": None if found["known"] is None else int(found["known"]),
        "text": text,
    }


def evaluated(claim: Claim, journal: Journal, reckoned: Reckoned) -> tuple[str, str]:
    """Return the status of a claim and the value found, ``unknown`` with its reason.

    Raises: Refused, when units or grains do not fit.
    """
    total, unit = 0, claim["unit"]
    unknown = ""
    for word, arguments, at, sign in claim["terms"]:
        if word == "margin":
            value, own, why = margin(claim["text"], reckoned, arguments, at)
        else:
            value, own, why = figure(claim, journal, word, arguments, at)
        if own is not None:
            if unit is not None and unit != own:
                raise refuse(claim["text"], f"holds {own} against {unit}: they do not add up")
            unit = own
        if value is None:
            unknown = unknown or why
        else:
            total += sign * value
    if unknown:
        return (UNCHECKED if unknown == UNCHECKED else "unknown"), unknown
    compared = total if claim["places"] is None else half_even(total, claim["places"])
    asked, op = claim["value"], claim["op"]
    holds = {
        "=": compared == asked, "!=": compared != asked, "<": compared < asked,
        "<=": compared <= asked, ">": compared > asked, ">=": compared >= asked,
    }[op]  # fmt: skip
    return ("proven" if holds else "contradicted"), f"{shown(total)} {unit or ''}".strip()


Value = tuple["int | None", "str | None", str]
"""A value, its unit, and why it is unknown."""


def figure(
    claim: Claim, journal: Journal, word: str, arguments: list[str], at: int | None
) -> Value:
    """Return one figure of a claim.

    Raises: Refused, for what is no figure.
    """
    text = claim["text"]
    if word in ("sum", "count"):
        return summed(text, journal, word, arguments)
    wanted = 2 if word == "balance" else 1
    if word not in ("balance", "position", "entry", "realized", "fee", "funding"):
        raise refuse(text, f"names no figure: {word}(…)")
    if len(arguments) != wanted or not all(arguments):
        raise refuse(text, f"gives {word}(…) not {wanted} name{'s' * (wanted - 1)}")
    if at is None:
        raise refuse(text, "names no moment")
    if not journal.moments or journal.moments[0] > at:
        unit = arguments[-1] if word in ("balance", "fee", "position") else None
        return None, unit, "nothing is recorded by then"
    if word == "balance":
        return balance(journal, arguments, at)
    if word in ("position", "entry", "realized"):
        return position(journal, word, arguments[0], at)
    if word == "fee":
        return fee(journal, arguments[0], at)
    found = [row for row in journal.funding if row[1] == arguments[0] and row[0] <= at]
    unit = journal.listing.collateral(arguments[0])
    why = "" if found else "no funding of it is recorded"
    return (sum(row[3] for row in found) if found else None), unit, why


def margin(text: str, reckoned: Reckoned, arguments: list[str], at: int | None) -> Value:
    """Return the margin ratio at an instant; it has no unit.

    Not recomputed where the pack names a rulebook this verifier does not know.

    Raises: Refused, for another figure, and for a rulebook that the pack does not name.
    """
    if arguments != ["ratio"]:
        raise refuse(text, "asks for a figure of margin that is not the ratio")
    if at is None:
        raise refuse(text, "names no moment")
    reckoning, granted = reckoned()
    if granted.is_strange(at):
        return None, None, UNCHECKED
    ratio, names = margin_ratio(reckoning, at)
    absent = sorted(set(names) - granted.names)
    if absent:
        raise Refused(26, f"{text}: the rulebook {absent[0]} is not in the pack")
    if isinstance(ratio, Fraction):
        return ratio.numerator * ONE // ratio.denominator, None, ""
    return None, None, ratio.name


def balance(journal: Journal, arguments: list[str], at: int) -> Value:
    """Return a balance: place and token."""
    named, asset = arguments
    head, _, rest = named.partition(" ")
    place = f"{head}:{rest}" if head in ("perp", "vault") else named
    if journal.stopped is not None and journal.stopped[0] <= at:
        return None, asset, "an event of unknown kind may have moved it"
    value = journal.balance(place, asset, at=at)
    return value, asset, "nothing recorded ever touched it"


def position(journal: Journal, word: str, name: str, at: int) -> Value:
    """Return the size of a position, what it cost at entry, or its result so far."""
    found = journal.position(name, at=at)
    if found is None:
        return None, name if word == "position" else None, "nothing recorded ever touched it"
    if word == "position":
        if found[STRAY]:
            return None, name, "the venue states another size than the records add up to"
        return found[SIZE] * 10 ** (PLACES - found[LOT]), name, ""
    grain, money = 10 ** (PLACES - found[GRAIN]), found[MONEY]
    if word == "entry":
        if found[COST] is None:
            return None, money, "what it cost is not recorded"
        return found[COST] * grain, money, ""
    if found[UNKNOWN]:
        return None, money, f"the result of {found[UNKNOWN]} closes is not known"
    return found[RESULT] * grain, money, ""


def fee(journal: Journal, token: str, at: int) -> Value:
    """Return all fees charged in a token so far."""
    found = [row for row in journal.fees if row[1] == token and row[0] <= at]
    missing = sum(1 for row in found if row[2] is None)
    if missing or not found:
        return None, token, f"{missing} fees are not recorded" if missing else "no fee is recorded"
    return sum(row[2] or 0 for row in found), token, ""


def summed(text: str, journal: Journal, word: str, arguments: list[str]) -> Value:
    """Return a sum or a count over the rows of a period, both ends included.

    Raises: Refused, when a field has not the grain asked for, or no one unit.
    """
    if len(arguments) not in (2, 3):
        raise refuse(text, f"gives {word}(…) not a field, a period and perhaps a market")
    since, dots, until = arguments[1].partition("..")
    if not dots:
        raise refuse(text, "gives no period SINCE..UNTIL")
    period = (moment(since), moment(until))
    if word == "count":
        return counted(text, journal, arguments, period)
    found = SUMMED.fullmatch(arguments[0])
    if found is None:
        raise refuse(text, "sums no FIELD per GRAIN")
    field, token, grain = found.groups()
    if field in STATES:
        raise refuse(text, f"sums {field}, a state of the account: it would count once per {grain}")
    if field not in FIELDS:
        raise refuse(text, f"sums {field}, which is no field of rows")
    if grain != FIELDS[field]:
        raise refuse(text, f"sums {field} per {grain}: it is recorded once per {FIELDS[field]}")
    rows = rows_of_field(journal, field, period, arguments[2] if len(arguments) == 3 else None)
    if token is not None:
        rows = [row for row in rows if row[0] == token]
    units = sorted({row[0] for row in rows})
    if len(units) > 1:
        raise refuse(text, f"adds {field} in {', '.join(units)}: name one of them")
    missing = sum(1 for row in rows if row[1] is None)
    unit = token or (units[0] if units else None)
    if missing:
        return None, unit, f"{missing} of them are not recorded"
    return sum(row[1] or 0 for row in rows), unit, ""


def rows_of_field(
    journal: Journal, field: str, period: tuple[int, int], market: str | None
) -> list[tuple[str, int | None]]:
    """Return unit and amount of every row of a field in a period."""
    since, until = period
    if field == "funding":
        return [
            (token, amount)
            for at, coin, token, amount in journal.funding
            if since <= at <= until and market in (None, coin)
        ]
    if field.endswith("_interest"):
        side = field.partition("_")[0]
        return [
            (event["asset"], fixed(event[side]))
            for at, event in journal.interest
            if since <= at <= until and market in (None, event["asset"])
        ]
    fills = [
        event
        for at, event in journal.fills
        if since <= at <= until and market in (None, event["coin"])
    ]
    return [amount_of(field, event, journal.listing) for event in fills]


def amount_of(field: str, event: Any, listing: Listing) -> tuple[str, int | None]:
    """Return unit and amount of one field of a fill."""
    coin = event["coin"]
    if field == "size":
        return coin, fixed(event["sz"])
    if field == "notional":
        return (listing.collateral(coin) if is_perp(coin) else listing.pair(coin)[1]), value_of(
            event
        )
    said = event[field]
    if field == "builder_fee" and said is None and event["fee"] is not None:
        said = "0"
    return fee_token(event, listing), None if said is None else fixed(said)


def counted(text: str, journal: Journal, arguments: list[str], period: tuple[int, int]) -> Value:
    """Return how many rows there are of one sort; a count has no unit."""
    since, until = period
    sort, market = arguments[0], arguments[2] if len(arguments) == 3 else None
    if sort not in ROWS:
        raise refuse(text, f"counts {sort!r}; rows are {', '.join(ROWS)}")
    if sort == "fills":
        found = [at for at, event in journal.fills if market in (None, event["coin"])]
    elif sort == "fundings":
        found = [row[0] for row in journal.funding if market in (None, row[1])]
    elif sort == "liquidations":
        found = [row[0] for row in journal.episodes if market is None or market in row[3]]
    else:
        found = journal.moments if market is None else []
    return ONE * sum(1 for at in found if since <= at <= until), None, ""
