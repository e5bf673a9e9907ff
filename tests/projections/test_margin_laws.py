"""Laws every judgement keeps: unknown by name, never zero; one text in two readings; directions."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.money import exact
from projections.margin import Input, Judgement, Picture, Unknown, judge
from projections.margin.picture import Given
from projections.rulebooks.base import USDC
from tests.support.pictures import exchange, picture, position, token

D = Decimal
MODES = ("disabled", "unifiedAccount", "portfolioMargin")
SOMETHING = "what is taken away"


def amounts(low: int, high: int, places: int = 4) -> st.SearchStrategy[Decimal]:
    return st.integers(low * 10**places, high * 10**places).map(
        lambda number: D(number).scaleb(-places)
    )


@st.composite
def positions(draw, coin: str):
    size = draw(amounts(-50, 50).filter(bool))
    isolated = draw(st.sampled_from([None, None, None, "margin"]))
    mark = draw(amounts(1, 5000))
    with exact():
        margin = draw(amounts(0, 500)) - size * mark
    return position(
        coin,
        size=size,
        mark=mark,
        entry=draw(amounts(1, 5000)),
        leverage=draw(st.integers(1, 40)),
        max_leverage=draw(st.sampled_from([3, 5, 10, 20, 25, 40])),
        isolated_raw=None if isolated is None else margin,
    )


@st.composite
def pictures(draw, mode: str | None = None) -> Picture:
    """Draw a picture of any mode; its numbers need not fit together."""
    debt = draw(st.one_of(st.just(D(0)), amounts(0, 30_000)))
    names = draw(st.lists(st.sampled_from(["BTC", "ETH", "HYPE", "SOL"]), unique=True, max_size=3))
    held = [draw(positions(name)) for name in names]
    return picture(
        token("USDC", total=draw(amounts(-30_000, 60_000)), borrowed=debt),
        token("USDT0", total=draw(amounts(-100, 900)), price=D("0.9991")),
        token("HYPE", total=5, supplied=draw(amounts(0, 900)), price=draw(amounts(1, 90))),
        token("UBTC", total=1, supplied=draw(amounts(0, 1)), price=draw(amounts(1, 90_000, 2))),
        at=draw(st.sampled_from(["2026-02-01", "2026-06-10", "2026-07-01", "2026-08-20"])),
        mode=mode or draw(st.sampled_from(MODES)),
        exchanges=(exchange(*held, raw=draw(amounts(-90_000, 90_000))),),
    )


def only(shown: Picture, **options) -> Judgement:
    (judgement,) = judge(shown, **options).judgements
    return judgement


def inputs(shown: Picture) -> list[tuple[str, int, int | None, str]]:
    """Return where every input of a picture stands."""
    found: list[tuple[str, int, int | None, str]] = []
    for number, each in enumerate(shown.tokens):
        found += [("tokens", number, None, name) for name in _givens(each)]
    for number, each in enumerate(shown.exchanges):
        found += [("exchanges", number, None, name) for name in _givens(each)]
        for place, one in enumerate(each.positions):
            found += [("exchanges", number, place, name) for name in _givens(one)]
    return found


def _givens(holder: attrs.AttrsInstance) -> list[str]:
    names = attrs.fields_dict(type(holder))
    return [name for name in names if isinstance(getattr(holder, name), Input)]


def without(shown: Picture, place: tuple[str, int, int | None, str]) -> Picture:
    """Return a picture in which one input is unknown."""
    kind, number, inner, name = place
    lost: Given = Unknown(SOMETHING)
    holders = list(getattr(shown, kind))
    if inner is None:
        holders[number] = attrs.evolve(holders[number], **{name: lost})
    else:
        within = list(holders[number].positions)
        within[inner] = attrs.evolve(within[inner], **{name: lost})
        holders[number] = attrs.evolve(holders[number], positions=tuple(within))
    return attrs.evolve(shown, **{kind: tuple(holders)})


def said(judgement: Judgement) -> dict[tuple[str, str, int], object]:
    """Return every figure by name, subject and occurrence."""
    found: dict[tuple[str, str, int], object] = {}
    for each in judgement.figures():
        count = sum(1 for name, of, _ in found if (name, of) == (each.name, each.of))
        found[each.name, each.of, count] = each
    return found


@given(st.data())
def test_what_is_missing_makes_a_figure_unknown_by_name_or_leaves_it_as_it_is(data):
    """A figure may keep its value, or lose it and name what it lacks; it never takes another."""
    shown = data.draw(pictures())
    place = data.draw(st.sampled_from(inputs(shown)))
    full = only(shown, alternatives=False)
    poorer = only(without(shown, place), alternatives=False)
    names = {(each.name, each.of) for each in full.figures()}
    for each in poorer.figures():
        if SOMETHING in each.missing:
            assert each.value is None
        elif (each.name, each.of) in names:
            values = {
                other.value
                for other in full.figures()
                if (other.name, other.of) == (each.name, each.of)
            }
            assert each.value in values, (place, each)
    if poorer.liquidatable is not None:
        assert full.liquidatable is poorer.liquidatable, place


@given(pictures())
def test_with_workings_every_figure_is_the_same(shown: Picture):
    plain, worked = only(shown), only(shown, workings=True)
    assert plain == attrs.evolve(worked, lines=())
    assert worked.lines


@given(pictures())
def test_every_line_of_a_derivation_states_its_result(shown: Picture):
    for line in only(shown, workings=True, alternatives=False).lines:
        assert line.name
        assert line.rule or line.source
        assert (line.value is None) == line.source.startswith("unknown")


@given(pictures("portfolioMargin"), amounts(0, 10_000))
def test_more_usdc_never_makes_an_account_liquidatable(shown: Picture, more: D):
    usdc = shown.tokens[0]
    with exact():
        richer = attrs.evolve(usdc, total=Input(usdc.total.value + more, "composed"))
    before = only(shown, alternatives=False)
    after = only(attrs.evolve(shown, tokens=(richer, *shown.tokens[1:])), alternatives=False)
    assert not (after.liquidatable and not before.liquidatable)
    with exact():
        assert after.token(USDC).excess.value <= before.token(USDC).excess.value


@given(pictures("portfolioMargin"))
def test_documented_requirements_are_never_below_observed_ones(shown: Picture):
    """The page adds to maintenance what recorded answers do not show, where debt is gross."""
    judgement = only(shown, alternatives=False)
    for each in judgement.tokens:
        if each.requirement_documented is None or each.net.value < 0:
            continue
        assert each.requirement_observed.value <= each.requirement_documented.value


@given(pictures("portfolioMargin"))
def test_the_choice_is_one_of_the_alternatives(shown: Picture):
    judgement = only(shown)
    own = [each for each in judgement.alternatives if set(each.readings) <= {*judgement.readings}]
    assert 1 == len(own)
    assert judgement.ratio.value == own[0].ratio
    ratio_verdicts = [
        each.holds for each in judgement.verdicts if each.question == "portfolio margin ratio"
    ]
    assert any(ratio_verdicts) == own[0].liquidatable


@settings(max_examples=30)
@given(pictures())
def test_a_judgement_is_the_same_every_time(shown: Picture):
    assert judge(shown) == judge(shown)
