"""Conventions: the ways in which an hour of interest may have been counted, each a formula.

The rule is ``RULE``: nominal yearly rates running continuously over a year of 365 days, every
operation counted from its own moment, an hour paid at its end. A convention differs from it in how
a rate is read (growth and year), where the hour is cut, where an operation inside the hour counts
from, or at which decimal place the amount is rounded. See ``docs/spec/interest.md``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import attrs

from ledger.money import ZERO, places, round_down, round_half_even, round_up
from projections.arithmetic import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projections.arithmetic import Arithmetic, N

Growth: TypeAlias = Literal["continuous", "simple", "basis", "effective"]
Rounding: TypeAlias = Literal["down", "half even", "up"]
Placement: TypeAlias = Literal["", "before", "after"]

GROWTHS: Final[tuple[Growth, ...]] = ("continuous", "simple", "basis", "effective")
YEARS: Final = (365, 360, 366)
ROUNDINGS: Final[tuple[Rounding, ...]] = ("down", "half even", "up")

DAY_MS: Final = "86400000"
FACTOR_PLACES: Final = 30
"""Decimal places of what one unit earns in a stretch of time: 10^8 tokens are right to 10^-22."""
VALUE_PLACES: Final = 24
"""Decimal places kept of a running value: sixteen more than a payout shows."""
PAID_PLACES: Final = 8
"""Decimal places of a payout as the venue prints it."""
UNIT: Final = Decimal("1e-8")
HAIR: Final = Decimal("1e-10")
"""A hundredth of the last place of a payout."""
NEGLIGIBLE: Final = Decimal("1e-5")
"""What earns nothing that shows in an hour, at whatever rate up to a hundred percent a year."""
DUST: Final = Decimal("1e-6")
"""What may be left of a value withdrawn whole: states and amounts are printed with fewer places."""

_GROWTH_NAMES: Final = {
    "continuous": "nominal continuous",
    "simple": "simple hourly",
    "basis": "simple on the basis",
    "effective": "effective yearly rate",
}
_CUT_OFFS: Final = {
    -1: "cut-off one hour early", 0: "cut-off at the hour", 1: "cut-off one hour late",
}  # fmt: skip
_ROUNDED: Final = {"down": round_down, "half even": round_half_even, "up": round_up}


# ── formulas ─────────────────────────────────────────────────────────────────────────────────────


def share_of_year(a: Arithmetic[N], rate: N, elapsed_ms: N, days: N) -> N:
    """Return rate × time ÷ year: what one unit earns at a simple rate; thirty places."""
    return a.divide_half_even(rate * elapsed_ms, days * a.lit(DAY_MS), FACTOR_PLACES)


def earned_continuously(a: Arithmetic[N], rate: N, elapsed_ms: N, days: N) -> N:
    """Return e^(rate × time ÷ year) − 1: what one unit earns at a nominal rate, continuously.

    **Source**: two recorded states of one position, 6.7 h apart (confirmed, 0.12 %).
    """
    power = share_of_year(a, rate, elapsed_ms, days)
    return a.named("earned per unit", a.exp(power, FACTOR_PLACES) - a.lit("1"))


def earned_simply(a: Arithmetic[N], rate: N, elapsed_ms: N, days: N) -> N:
    """Return rate × time ÷ year: what one unit earns when nothing compounds inside the hour."""
    return a.named("earned per unit", share_of_year(a, rate, elapsed_ms, days))


def earned_effectively(a: Arithmetic[N], rate: N, elapsed_ms: N, days: N) -> N:
    """Return (1 + rate)^(time ÷ year) − 1: what one unit earns when a year yields the rate."""
    power = share_of_year(a, a.ln(a.lit("1") + rate, FACTOR_PLACES), elapsed_ms, days)
    return a.named("earned per unit", a.exp(power, FACTOR_PLACES) - a.lit("1"))


def interest(a: Arithmetic[N], principal: N, earned: N) -> N:
    """Return principal × what one unit earns."""
    return a.named("interest", a.round_down(principal * earned, VALUE_PLACES))


# ── conventions ──────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class Convention:
    """One way to count the interest of an hour."""

    growth: Growth = "continuous"
    """How a rate is read; ``simple`` adds interest to the value once an hour, ``basis`` never."""
    days: int = 365
    """Days of the year a rate is quoted for."""
    shift: int = 0
    """The hour that is paid, counted from the one that ends: −1 is the hour before it."""
    operations: Placement = ""
    """Where operations inside an hour count from: their moment, the hour's begin, or its end."""
    rounding: Rounding | None = None
    """None: any rounding at the eighth place."""
    places: int = PAID_PLACES

    @property
    def name(self) -> str:
        """What it is called, in words; only what differs from the rule is said."""
        said = []
        if self.growth != "continuous" or (self.days == 365 and self.is_plain):
            said.append(_GROWTH_NAMES[self.growth])
        if self.days != 365:
            said.append(f"{self.days} days")
        if self.shift:
            said.append(_CUT_OFFS[self.shift])
        if self.operations:
            said.append(f"operations {self.operations} the hour")
        if self.rounding is not None:
            said.append(f"rounded {self.rounding} at {self.places} places")
        return ", ".join(said)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the reading of the rate differs from the rule."""
        return not self.shift and not self.operations and self.rounding is None

    def fits(self, paid: Decimal, due: Decimal) -> bool:
        """Tell whether an amount is what is due, at the places the convention rounds to.

        Without a rounding of its own any rounding at the eighth place will do: it then lies less
        than one unit of that place away.
        """
        if self.rounding is None:
            return abs(paid - due) < UNIT
        return paid == self.rounded(due) or (
            # What stands may be known from rounded rows: a tie may then lie a hair beside.
            abs(paid - due) <= UNIT.scaleb(PAID_PLACES - self.places) + HAIR
            and paid in {self.rounded(due - HAIR), self.rounded(due + HAIR)}
        )

    def rounded(self, due: Decimal) -> Decimal:
        """Return the amount as it would be printed; half to even at eight places where open."""
        if self.rounding is None:
            return round_half_even(due, PAID_PLACES)
        return _ROUNDED[self.rounding](due, self.places)


RULE: Final = Convention()


def changed(convention: Convention, account: Convention) -> str:
    """Return what of a convention differs from an account's own, in words."""
    said = []
    if (convention.growth, convention.days) != (account.growth, account.days):
        said.append(Convention(growth=convention.growth, days=convention.days).name)
    if convention.shift != account.shift:
        said.append(_CUT_OFFS[convention.shift])
    if convention.operations != account.operations:
        said.append(f"operations {convention.operations} the hour")
    if (convention.rounding, convention.places) != (account.rounding, account.places):
        said.append(f"rounded {convention.rounding} at {convention.places} places")
    return ", ".join(said)


def readings_of(account: Convention) -> Iterator[Convention]:
    """Yield the conventions that differ from an account's own in how the rate is read."""
    for growth in GROWTHS:
        for days in YEARS:
            if (growth, days) != (account.growth, account.days):
                yield attrs.evolve(account, growth=growth, days=days)


def roundings_of(account: Convention, amounts: Sequence[Decimal]) -> Iterator[Convention]:
    """Yield the roundings at fewer places that amounts could have: 2 places up to 7."""
    for count in range(max((places(each) for each in amounts), default=0), PAID_PLACES):
        if count >= 2:
            for rounding in ROUNDINGS:
                yield attrs.evolve(account, rounding=rounding, places=count)


# ── an hour under a convention ───────────────────────────────────────────────────────────────────


class Span(NamedTuple):
    """A stretch of an hour with one rate, and what is moved in or out at its end."""

    elapsed: int
    rate: Decimal | None
    """Yearly, as a ratio; None where it is not known."""
    change: Decimal = ZERO


class Standing(NamedTuple):
    """What one side of one reserve stands at."""

    value: Decimal
    """With interest."""
    basis: Decimal
    """Principal since the last operation."""


class Counted(NamedTuple):
    """The interest of an hour, and what the side stands at after it."""

    interest: Decimal
    after: Standing


class Factors:
    """What one unit earns in a stretch, remembered. Use it in the exact context."""

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._known: dict[tuple[Growth, int, Decimal, int], Decimal] = {}

    def of(self, convention: Convention, rate: Decimal, elapsed: int) -> Decimal:
        """Return what one unit earns at a yearly rate in some milliseconds."""
        growth: Growth = "simple" if convention.growth == "basis" else convention.growth
        asked = (growth, convention.days, rate, elapsed)
        found = self._known.get(asked)
        if found is None:
            formula = _FORMULAS[growth]
            found = formula(EXACT, rate, Decimal(elapsed), Decimal(convention.days))
            self._known[asked] = found
        return found


_FORMULAS: Final = {
    "continuous": earned_continuously,
    "simple": earned_simply,
    "effective": earned_effectively,
}


def counted(
    spans: Sequence[Span], start: Standing, convention: Convention, factors: Factors
) -> Counted | None:
    """Return the interest of an hour under a convention; its cut-off is not looked at.

    None where a rate is not known while anything stands, or where more is taken out than stands
    and its interest comes to once more.
    """
    if convention.operations:
        spans = _moved(spans, convention.operations)
    gained, value, basis = ZERO, start.value, start.basis
    for span in spans:
        principal = _principal(convention.growth, value, basis, gained)
        if span.elapsed and principal and span.rate is not None:
            each = interest(EXACT, principal, factors.of(convention, span.rate, span.elapsed))
            gained += each
            value += each
        elif span.elapsed and principal > NEGLIGIBLE:
            return None
        if span.change:
            # What is taken out may hold interest that this convention does not give.
            spare = max(DUST, value - basis)
            value += span.change
            if value < -spare:
                return None
            value = max(value, ZERO)
            basis = value
    return Counted(gained, Standing(value, basis))


def _principal(growth: Growth, value: Decimal, basis: Decimal, gained: Decimal) -> Decimal:
    if growth == "basis":
        return basis
    return max(value - gained, ZERO) if growth == "simple" else value


def _moved(spans: Sequence[Span], placement: Placement) -> list[Span]:
    """Return the spans of an hour with all that is moved at its begin or at its end."""
    change = sum((span.change for span in spans), ZERO)
    still = [Span(span.elapsed, span.rate) for span in spans]
    whole = Span(0, None, change)
    return [whole, *still] if placement == "before" else [*still, whole]
