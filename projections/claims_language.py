"""Claims: sentences about an account that can be checked, read and examined before any figure.

::

    [NAME:] FIGURE [@ MOMENT] [+ FIGURE …] OP NUMBER [UNIT] [rounded N] [known-at K]

Every figure has a unit, and every field of rows a grain: what one row of it stands for. A state of
the account (a balance, a position) has no rows, so adding it up over fills would count the same
money once per fill; that, and adding unlike units, is refused before anything is looked up.
The whole language is ``docs/spec/claims.md``. Moments stay text here: their zones are read in
``replay``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, Literal, TypeAlias, cast

import attrs

from ledger.errors import MalformedRecord, UnclearQuestion
from ledger.money import parse_decimal, round_half_even

Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
Grain: TypeAlias = Literal["account", "fill", "hour"]
Word: TypeAlias = Literal[
    "balance", "position", "entry", "realized", "fee", "funding", "margin", "sum", "count"
]

GRAIN_OF: Final[dict[str, Grain]] = {
    "fee": "fill",
    "builder_fee": "fill",
    "notional": "fill",
    "size": "fill",
    "funding": "hour",
    "supply_interest": "hour",
    "borrow_interest": "hour",
}
"""Fields that are recorded row by row, and what one row stands for."""

STATES: Final = frozenset({
    "balance", "position", "entry", "equity", "account_value", "ratio", "margin", "requirement",
})  # fmt: skip
"""What an account has at an instant: never a row, and never a sum over rows."""

COUNTED: Final = ("fills", "fundings", "liquidations", "events")
"""Rows that can be counted."""

ROUNDED_MAX: Final = 18

REMEDY: Final = (
    "Write FIGURE @ MOMENT = NUMBER UNIT, such as balance(spot, USDC) @ 2026-02-10T13:00Z = 12.5 "
    "USDC; the language is in docs/spec/claims.md"
)

_NAMED: Final[dict[str, int]] = {
    "balance": 2, "position": 1, "entry": 1, "realized": 1, "fee": 1, "funding": 1, "margin": 1,
}  # fmt: skip
_CLAIM: Final = re.compile(
    r"""
    (?: (?P<name> [A-Za-z][\w.-]*) :\s+ )?
    (?P<figures> .+? ) \s*
    (?P<operator> <=|>=|!=|=|<|> ) \s*
    (?P<number> -?[0-9.]+ )
    (?: \s+ (?P<unit> (?!rounded\s|known-at\s) \S+ ) )?
    (?: \s+ rounded \s+ (?P<rounded> [0-9]{1,2} ) )?
    (?: \s+ known-at \s+ (?P<known> \S+ ) )?
    """,
    re.VERBOSE,
)
_FIGURE: Final = re.compile(r"\s*([+-]?)\s*([a-z]+)\(([^()]*)\)(?:\s*@\s*(\S+))?\s*")
_FIELD: Final = re.compile(r"([a-z_]+)(?:\s+(?!per\s)(\S+))?\s+per\s+([a-z]+)")


@attrs.frozen(kw_only=True)
class Figure:
    """One figure of a claim, added or taken off."""

    word: Word
    names: tuple[str, ...] = ()
    """What stands in brackets of a state: place and token, a market, a token."""
    moment: str | None = None
    """Instant of a state, as it was written; None for that of the claims' file."""
    field: str = ""
    """What is summed or counted."""
    token: str | None = None
    """The token to which a sum is limited."""
    market: str | None = None
    """The market to which a sum or count is limited."""
    period: tuple[str, str] | None = None
    """First and last instant of a sum or count, as written; both belong to it."""
    sign: Literal[1, -1] = 1

    @property
    def grain(self) -> Grain:
        """What one row of the figure stands for; a state stands for the account itself."""
        return GRAIN_OF.get(self.field, "account") if self.word == "sum" else "account"


@attrs.frozen(kw_only=True)
class Claim:
    """A sentence that can be checked."""

    text: str
    name: str | None
    figures: tuple[Figure, ...]
    operator: Operator
    number: Decimal
    unit: str | None
    rounded: int | None
    """Decimal places to which the found value is rounded, half to even; None compares exactly."""
    known: str | None
    """Position of the book, or moment of recording, as written."""

    def holds(self, found: Decimal) -> bool:
        """Tell whether a found value satisfies the claim."""
        value = found if self.rounded is None else round_half_even(found, self.rounded)
        order = (value > self.number) - (value < self.number)
        return {
            "=": order == 0,
            "!=": order != 0,
            "<": order < 0,
            "<=": order <= 0,
            ">": order > 0,
            ">=": order >= 0,
        }[self.operator]


def parse_claim(text: str) -> Claim:
    """Return the claim of a sentence, its units and grains examined as far as words go.

    Raises: UnclearQuestion, for what is no claim, what sums a state, or a field at another grain
    than its own; the message says which.
    """
    said = " ".join(text.split())
    found = _CLAIM.fullmatch(said)
    if found is None:
        raise UnclearQuestion(asked=said, problem="is no claim", remedy=REMEDY)
    try:
        number = parse_decimal(found["number"])
    except MalformedRecord as error:
        problem = f"compares with {found['number']}, which is no number in plain digits"
        raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY) from error
    rounded = None if found["rounded"] is None else int(found["rounded"])
    if rounded is not None and rounded > ROUNDED_MAX:
        problem = f"rounds to {rounded} places, more than {ROUNDED_MAX}"
        raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
    claim = Claim(
        text=said,
        name=found["name"],
        figures=_figures(said, found["figures"]),
        operator=cast("Operator", found["operator"]),
        number=number,
        unit=found["unit"],
        rounded=rounded,
        known=found["known"],
    )
    _examine_units(claim)
    return claim


def _figures(said: str, text: str) -> tuple[Figure, ...]:
    figures: list[Figure] = []
    place = 0
    while place < len(text):
        found = _FIGURE.match(text, place)
        if found is None or (figures and not found[1]) or (not figures and found[1] == "+"):
            problem = f"has no figure at {text[place:].strip()!r}"
            raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
        figures.append(_figure(said, found))
        place = found.end()
    return tuple(figures)


def _figure(said: str, found: re.Match[str]) -> Figure:
    sign: Literal[1, -1] = -1 if found[1] == "-" else 1
    word, moment = found[2], found[4]
    names = tuple(name.strip() for name in found[3].split(","))
    if word in {"sum", "count"}:
        if moment is not None:
            problem = f"gives {word}(…) a moment; it has a period"
            raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
        return attrs.evolve(_aggregate(said, word, names), sign=sign)
    if word not in _NAMED:
        problem = f"names {word}(…); figures are {', '.join(_NAMED)}, sum and count"
        raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
    if len(names) != _NAMED[word] or not all(names):
        problem = f"gives {word}(…) {len(names)} names; it takes {_NAMED[word]}"
        raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
    if word == "margin" and names != ("ratio",):
        problem = "asks for a figure of margin that is not the ratio"
        raise UnclearQuestion(asked=said, problem=problem, remedy="Write margin(ratio)")
    return Figure(word=cast("Word", word), names=names, moment=moment, sign=sign)


def _aggregate(said: str, word: str, names: tuple[str, ...]) -> Figure:
    """Return a sum or a count, its field and grain examined."""
    since, dots, until = names[1].partition("..") if len(names) in {2, 3} else ("", "", "")
    if not dots or not since or not until:
        problem = f"gives {word}(…) no period SINCE..UNTIL behind what is to be taken"
        raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
    period = (since.strip(), until.strip())
    market = names[2] if len(names) == 3 else None
    if word == "count":
        if names[0] not in COUNTED:
            problem = f"counts {names[0]!r}; what can be counted is {', '.join(COUNTED)}"
            raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
        if names[0] == "events" and market is not None:
            problem = "counts events of a market; only fills, fundings and liquidations have one"
            raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
        return Figure(word="count", field=names[0], period=period, market=market)
    found = _FIELD.fullmatch(names[0])
    field, token, grain = found.groups() if found else (names[0], None, "")
    _examine_grain(said, field, grain)
    return Figure(word="sum", field=field, token=token, period=period, market=market)


def _examine_grain(said: str, field: str, grain: str) -> None:
    if field in STATES:
        problem = (
            f"sums {field} over rows: it is a state of the account, and every {grain or 'row'} "
            f"would count the same money again"
        )
        remedy = f"Ask for it at one instant: {field}(…) @ MOMENT"
        raise UnclearQuestion(asked=said, problem=problem, remedy=remedy)
    own = GRAIN_OF.get(field)
    if own is None:
        problem = f"sums {field!r}; fields are {', '.join(GRAIN_OF)}"
        raise UnclearQuestion(asked=said, problem=problem, remedy=REMEDY)
    if grain != own:
        problem = f"sums {field} per {grain or 'nothing'}; it is recorded once per {own}"
        raise UnclearQuestion(asked=said, problem=problem, remedy=f"Write {field} per {own}")


def _examine_units(claim: Claim) -> None:
    """Refuse to add what the words alone show to be of different units."""
    units: dict[str, str] = {} if claim.unit is None else {claim.unit: "the number compared with"}
    for figure in claim.figures:
        unit = unit_in_words(figure)
        if unit is not None:
            units.setdefault(unit, f"{figure.word}({', '.join(figure.names) or figure.field})")
    add_up(claim, units)


def add_up(claim: Claim, units: dict[str, str]) -> None:
    """Refuse units that differ; *units* names for each what has it.

    Raises: UnclearQuestion.
    """
    if len(units) > 1:
        told = " and ".join(f"{unit} ({what})" for unit, what in units.items())
        raise UnclearQuestion(
            asked=claim.text,
            problem=f"puts together {told}, which do not add up",
            remedy="Claim each by itself, in its own unit",
        )


def unit_in_words(figure: Figure) -> str | None:
    """Return the unit of a figure as far as its words say it; None when only records do."""
    if figure.word in {"balance", "fee", "position"}:
        return figure.names[-1]
    if figure.word == "sum":
        if figure.token is not None:
            return figure.token
        if figure.field == "size" or figure.field.endswith("_interest"):
            return figure.market
    return None
