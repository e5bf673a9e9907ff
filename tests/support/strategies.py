"""Hypothesis strategies: any event of any kind, and whole histories of an account.

What an event may hold is read off its annotations, so that a new class, or a new field of an old
one, is covered without a line here. A type that nothing here knows stops the tests.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from ledger.events import Event
from ledger.kinds import KINDS
from ledger.money import FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX, parse_decimal
from ledger.units import Address, Asset, Coin, Dex, Digest, EventId, Millis, Stream
from tests.support.venue import Venue, history

T = TypeVar("T")

SAFE_INTEGER_MAX = 2**53 - 1  # what RFC 8785 can write without loss

# Text as JSON can hold it: everything but halves of surrogate pairs. Quotes, controls and signs
# beyond the basic plane come often, because escapes are where encoders differ.
texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from('"\\/\x00\x08\t\n\x1f\x7f\u2028\ufeff😀'),
    max_size=24,
)
digits = st.text("0123456789", min_size=1, max_size=12)
hexadecimal = st.text("0123456789abcdef", min_size=1)


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    """Numbers as the venue may write them, short ones and the longest alike."""
    longest = draw(st.sampled_from((3, 8, INTEGER_DIGITS_MAX)))
    whole = draw(st.text("0123456789", min_size=1, max_size=longest)).lstrip("0") or "0"
    finest = draw(st.sampled_from((0, 6, 10, FRACTION_DIGITS_MAX)))
    fraction = draw(st.text("0123456789", max_size=finest))
    # There is no minus zero: the venue never writes one, and it is refused at the door.
    is_zero = not (whole + fraction).strip("0")
    sign = "" if is_zero else draw(st.sampled_from(("", "", "-")))
    return parse_decimal(f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}")


addresses = st.builds(Address, st.from_regex(r"\A0x[0-9a-f]{40}\Z"))
assets = st.builds(Asset, st.sampled_from(("USDC", "HYPE", "USDH", "+12")) | texts)
coins = st.builds(
    Coin, st.sampled_from(("BTC", "ENA", "flx:CRCL", "@107", "HYPE/USDC", "+12", "#7")) | texts
)
dexes = st.builds(Dex, st.sampled_from(("", "xyz", "flx")))
moments = st.builds(Millis, st.integers(0, 10**15 - 1))
streams = st.builds(
    Stream,
    addresses.map("account:{}".format)
    | coins.map("market:{}".format)
    | assets.map("reserve:{}".format)
    | addresses.map("desk:{}".format)
    | st.sampled_from(("venue", "book", "desk")),
)
event_ids = st.builds(EventId, st.from_regex(r"\A[0-9a-f]{32}\Z"))
sha_digests = st.builds(Digest, st.from_regex(r"\A[0-9a-f]{64}\Z"))

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Decimal: decimals(),
    bool: st.booleans(),
    int: st.integers(-SAFE_INTEGER_MAX, SAFE_INTEGER_MAX) | st.integers(0, 9),
    str: texts,
    type(None): st.none(),
    Address: addresses,
    Asset: assets,
    Coin: coins,
    Dex: dexes,
    Millis: moments,
    Stream: streams,
    EventId: event_ids,
    Digest: sha_digests,
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return what a field with this annotation may hold."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return values(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {Union, types.UnionType}:
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[values(argument) for argument in arguments])
    if isinstance(hint, type) and attrs.has(hint):
        return instances(hint)
    raise TypeError(f"no strategy for the annotation {hint!r}; add it to tests/support/strategies")


@cache
def instances(cls: Callable[..., T]) -> st.SearchStrategy[T]:
    """Return any value of an attrs class, every field drawn."""
    hints = get_type_hints(cls, include_extras=True)
    fields = {field.name: values(hints[field.name]) for field in attrs.fields(cls)}
    if "occurrence" in fields:
        fields["occurrence"] = st.integers(0, 3)
    return st.builds(cls, **fields)


def events() -> st.SearchStrategy[Event]:
    """Return any event of any registered kind, all kinds alike often."""
    return st.sampled_from(sorted(KINDS)).flatmap(lambda tag: instances(KINDS[tag].event_class))


def histories(*, most: int = 60, **traits: Any) -> st.SearchStrategy[Venue]:
    """Return whole histories of the simulated venue; shrinks toward few steps."""
    return st.builds(
        lambda steps, seed: history(seed, steps, **traits),
        st.integers(0, most),
        st.integers(0, 2**32 - 1),
    )
