"""Judge: margin of a picture in its mode, under the rulebook or rulebooks of its instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import attrs

from ledger.errors import UnclearQuestion
from ledger.money import ZERO, canonical, exact
from projections.arithmetic import Operand
from projections.margin import portfolio as pm
from projections.margin import readings as ways
from projections.margin.derivation import derivation
from projections.margin.perps import ExchangeCells, exchange_cells, exchange_margin
from projections.margin.picture import STANDARD, Input, Picture, Token, Unknown
from projections.margin.result import (
    Alternative,
    ExchangeMargin,
    Judgement,
    Margin,
    TokenMargin,
    Verdict,
)
from projections.margin.room import token_margins
from projections.margin.sheet import Cell, Sheet, exact_sheet, worked_sheet
from projections.rulebooks import CALENDAR, formulas, in_force
from projections.rulebooks.base import USDC, Rulebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from projections.margin.readings import Choice
    from projections.margin.sheet import Figure
    from projections.rulebooks.base import Status

N = TypeVar("N", bound=Operand)

TWO_MAY_HOLD: Final = "two rulebooks may hold: one documented, one already seen at work"

NOTHING_STANDS: Final = "nothing above zero stands against the requirement"


def judge(
    picture: Picture,
    rulebooks: Sequence[Rulebook] | None = None,
    *,
    readings: Iterable[str] = (),
    workings: bool = False,
    alternatives: bool = True,
    calendar: tuple[Rulebook, ...] = CALENDAR,
) -> Margin:
    """Return the margin of a picture: every figure, its rule, and the verdicts.

    Without *rulebooks* those in force at the picture's instant hold; where two do, a loan to value
    the venue recorded since the later one was seen at work decides, and without one both judge.
    *readings* are ids such as ``offset:always``; *workings* adds the derivation.

    Raises: NotInForce, when no rulebook held at the instant; UnclearQuestion, when the mode is not
    known, a rulebook says nothing of it, or a reading has no such form.
    """
    if picture.mode is None:
        raise UnclearQuestion(
            asked="the margin of the account",
            problem="has no answer while its mode is not known",
            remedy="Import an answer of userAbstraction, or name the mode",
        )
    ruled = holding(picture, calendar) if rulebooks is None else Ruled(books=tuple(rulebooks))
    wanted = tuple(readings)
    with exact():
        judgements = tuple(
            _judged(
                picture,
                book,
                ways.choice(book, wanted),
                workings=workings,
                alternatives=alternatives,
            )
            for book in ruled.books
        )
    return Margin(
        at=picture.at,
        account=picture.account,
        picture=picture,
        judgements=judgements,
        decided_by=ruled.decided_by,
        note=ruled.note,
    )


@attrs.frozen(kw_only=True)
class Ruled:
    """The rulebook that holds for a picture; two where nothing recorded decides between them."""

    books: tuple[Rulebook, ...]
    decided_by: Input | None = None
    """The recorded loan to value that decided."""
    note: str = ""


def holding(picture: Picture, calendar: tuple[Rulebook, ...] = CALENDAR) -> Ruled:
    """Return the rulebook or rulebooks in force for a picture, and what decided between two.

    Raises: NotInForce, when no rulebook held at the instant.
    """
    books = in_force(picture.at, calendar, mode=picture.mode)
    if len(books) == 1:
        return Ruled(books=books)
    books, decided_by = _decided(picture, books)
    if decided_by is None:
        return Ruled(books=books, note=TWO_MAY_HOLD)
    note = f"a recorded loan to value of {canonical(decided_by.value)} decides"
    return Ruled(books=books, decided_by=decided_by, note=note)


def _decided(
    picture: Picture, books: tuple[Rulebook, ...]
) -> tuple[tuple[Rulebook, ...], Input | None]:
    """Return the rulebook whose loan to value the venue recorded, with the record; else all."""
    documented, observed = books[0], books[-1]
    for token in picture.tokens:
        before, after = documented.terms(token.asset), observed.terms(token.asset)
        if before is None or after is None or before.ltv.value == after.ltv.value:
            continue
        recorded = token.ltv
        if not isinstance(recorded, Input) or recorded.at is None:
            continue
        if recorded.at < observed.effective_from:
            continue
        for book, terms in ((documented, before), (observed, after)):
            if terms.ltv.value == recorded.value:
                return (book,), recorded
    return books, None


def _judged(
    picture: Picture, book: Rulebook, taken: Choice, *, workings: bool, alternatives: bool
) -> Judgement:
    others = _alternatives(picture, book, taken) if alternatives else ()
    if not workings:
        return _on(exact_sheet(book, picture.at), picture, book, taken, others)
    sheet = worked_sheet(book, picture.at)
    judgement = _on(sheet, picture, book, taken, others)
    return attrs.evolve(judgement, lines=derivation(sheet.lines, judgement, book))


def _on(
    sheet: Sheet[N],
    picture: Picture,
    book: Rulebook,
    taken: Choice,
    others: tuple[Alternative, ...],
) -> Judgement:
    mode = picture.mode
    assert mode is not None, "judge() asks first"
    if book.modes is not None and mode not in book.modes:
        raise UnclearQuestion(
            asked=f"rulebook {book.id}",
            problem=f"says nothing of an account in the mode {mode}",
            remedy=f"It judges {', '.join(sorted(book.modes))}; name a later rulebook",
        )
    picture = _with_money(picture)
    cells = tuple(exchange_cells(sheet, each) for each in picture.exchanges)
    blank = Judgement(
        rulebook=book.id, mode=mode, readings=ways.named(taken), exchanges=(), tokens=(),
        ratio=None, ratio_observed=None, ratio_documented=None, borrowing_power=None, debt=None,
        health_factor=None, partial_threshold=None, full_threshold=None,
        full_threshold_printed=None, verdicts=(), alternatives=others, lines=(),
    )  # fmt: skip
    if mode in STANDARD:
        return _standard(sheet, cells, blank)
    if mode == "unifiedAccount":
        return _unified(sheet, picture, cells, book, taken, blank)
    return _portfolio(sheet, picture, cells, book, taken, blank)


def _with_money(picture: Picture) -> Picture:
    """Return the picture with every money its exchanges settle in; what it lacks is unknown."""
    if picture.mode in STANDARD:
        return picture
    names = dict.fromkeys((USDC, *(each.collateral for each in picture.exchanges)))
    absent = [name for name in names if picture.token(name) is None]
    tokens = tuple(
        Token(
            asset=name,
            total=Unknown(f"balance of {name}"),
            supplied=Unknown(f"supplied {name}"),
            borrowed=Unknown(f"borrowed {name}"),
            spot_hold=Unknown(f"spot hold of {name}"),
            price=Unknown(f"oracle price of {name}"),
        )
        for name in absent
    )
    return attrs.evolve(picture, tokens=(*picture.tokens, *tokens)) if tokens else picture


# ------------------------------------------------------------------------- standard


def _standard(sheet: Sheet[N], cells: Sequence[ExchangeCells[N]], blank: Judgement) -> Judgement:
    exchanges: list[ExchangeMargin] = []
    verdicts: list[Verdict] = []
    for each in cells:
        of, unit = each.exchange.dex or "main dex", each.exchange.collateral
        free = sheet.figure(
            "free after maintenance", formulas.free_of, each.cross_value, each.cross_maintenance,
            of=of, unit=unit,
        )  # fmt: skip
        leaves = sheet.figure(
            "withdrawable", formulas.withdrawable, each.cross_value, each.transfer,
            of=of, unit=unit, status="documented",
        )  # fmt: skip
        margin = exchange_margin(sheet, each, pool=free)
        exchanges.append(attrs.evolve(margin, withdrawable=leaves.figure))
        if any(not cross.position.is_isolated for cross in each.positions):
            verdicts.extend(
                _short(
                    sheet, "cross margin", "account value", of,
                    need=each.cross_maintenance, value=each.cross_value, unit=unit,
                )
            )  # fmt: skip
        verdicts.extend(_isolated(sheet, each))
    return attrs.evolve(blank, exchanges=tuple(exchanges), verdicts=tuple(verdicts))


def _isolated(sheet: Sheet[N], cells: ExchangeCells[N]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for each in cells.positions:
        if each.margin is None:
            continue
        verdicts.extend(
            _short(
                sheet, "isolated margin", "isolated margin", each.position.coin,
                need=each.maintenance, value=each.margin, unit=cells.exchange.collateral,
            )
        )  # fmt: skip
    return verdicts


def _short(
    sheet: Sheet[N],
    question: str,
    what: str,
    of: str,
    *,
    need: Cell[N],
    value: Cell[N],
    unit: str,
) -> list[Verdict]:
    """Return whether a value is below maintenance, and, told beside, below two thirds of it."""
    short = sheet.figure(
        "short of maintenance", formulas.free_of, need, value,
        of=of, unit=unit, status="documented",
    )  # fmt: skip
    far = sheet.figure(
        "short of the backstop", formulas.backstop_excess, need, value,
        of=of, unit=unit, status="documented",
    )  # fmt: skip
    return [
        Verdict(
            question=question, of=of, holds=_above(short.figure, strict=True),
            figure=short.figure, limit=f"{what} below maintenance", readings=(),
            status="documented",
        ),
        Verdict(
            question=f"{question}, backstop", of=of, holds=_above(far.figure, strict=True),
            figure=far.figure, limit=f"{what} below two thirds of maintenance", readings=(),
            status="documented", counts=False,
        ),
    ]  # fmt: skip


def _above(figure: Figure, *, strict: bool) -> bool | None:
    if figure.value is None:
        return None
    return figure.value > ZERO if strict else figure.value >= ZERO


# ------------------------------------------------------------------------- unified


@attrs.frozen(kw_only=True)
class _Shared(Generic[N]):
    """One balance behind all exchanges that settle in a token."""

    need: Cell[N]
    ratio: Cell[N]
    excess: Cell[N]
    verdict: Verdict


def _shared(
    sheet: Sheet[N],
    token: Token,
    cells: Sequence[ExchangeCells[N]],
    book: Rulebook,
    taken: Choice,
    *,
    status: Status,
) -> _Shared[N]:
    """Return the unified ratio toward one token, and whether it is above the trigger."""
    asset = token.asset
    strict = taken.get("trigger", "trigger:strict") == "trigger:strict"
    trigger = sheet.constant("trigger", book.trigger.value, f"rulebook {book.id}")
    net = sheet.given("net balance", token.total, of=asset, unit=asset)
    need = pm.maintenance_in(sheet, cells, asset)
    isolated = pm.isolated_in(sheet, cells, asset)
    value = sheet.figure(
        "net balance without isolated margin", formulas.free_of, net, isolated,
        of=asset, unit=asset,
    )  # fmt: skip
    ratio = sheet.figure(
        "unified ratio", formulas.unified_ratio, need, net, isolated, of=asset, status=status
    )
    excess = sheet.figure(
        "excess over the trigger", formulas.margin_excess, need, value, trigger,
        of=asset, unit=asset, status=status,
    )  # fmt: skip
    over, needs = _above(excess.figure, strict=strict), _above(need.figure, strict=True)
    verdict = Verdict(
        question="unified ratio",
        of=asset,
        holds=None if over is None or needs is None else over and needs,
        figure=excess.figure,
        limit=_limit(book, strict=strict),
        readings=_of(taken, "trigger"),
        status=status,
    )
    return _Shared(need=need, ratio=_standing(ratio, need, value), excess=excess, verdict=verdict)


def _unified(
    sheet: Sheet[N],
    picture: Picture,
    cells: Sequence[ExchangeCells[N]],
    book: Rulebook,
    taken: Choice,
    blank: Judgement,
) -> Judgement:
    tokens: list[TokenMargin] = []
    verdicts: list[Verdict] = []
    pools: dict[str, Cell[N]] = {}
    ratios: list[Cell[N]] = []
    for token in picture.tokens:
        asset = token.asset
        available = pm.available_plainly(sheet, token, cells)
        pools[asset] = available
        margin = TokenMargin(
            asset=asset,
            is_borrowable=False,
            net=sheet.given("net balance", token.total, of=asset, unit=asset).figure,
            maintenance=pm.maintenance_in(sheet, cells, asset).figure,
            available=available.figure,
        )
        if pm.settled_in(cells, asset):
            shared = _shared(sheet, token, cells, book, taken, status="documented")
            if shared.ratio.value is not None or shared.need.value != ZERO:
                ratios.append(shared.ratio)
            margin = attrs.evolve(margin, ratio=shared.ratio.figure, excess=shared.excess.figure)
            verdicts.append(shared.verdict)
        tokens.append(margin)
    for each in cells:
        verdicts.extend(_isolated(sheet, each))
    return attrs.evolve(
        blank,
        exchanges=_pooled(sheet, cells, pools),
        tokens=tuple(tokens),
        ratio=_highest([each.figure for each in ratios], "unified ratio"),
        verdicts=tuple(verdicts),
    )


def _pooled(
    sheet: Sheet[N], cells: Sequence[ExchangeCells[N]], pools: dict[str, Cell[N]]
) -> tuple[ExchangeMargin, ...]:
    """Return exchanges whose cross positions share what is available of their token."""
    return tuple(
        exchange_margin(sheet, each, pool=pools[each.exchange.collateral]) for each in cells
    )


def _limit(book: Rulebook, *, strict: bool) -> str:
    return f"ratio {'above' if strict else 'of'} {canonical(book.trigger.value)}" + (
        "" if strict else " or more"
    )


def _of(taken: Choice, *names: str) -> tuple[str, ...]:
    return tuple(taken[name] for name in names if name in taken)


def _standing(ratio: Cell[N], need: Cell[N], value: Cell[N]) -> Cell[N]:
    """Return a ratio, which does not exist where nothing above zero stands against a requirement.

    The venue's own page skips such tokens; a negative quotient would read as safe.
    """
    if need.value is None or value.value is None or value.value > ZERO:
        return ratio
    return Cell(attrs.evolve(ratio.figure, value=None, note=NOTHING_STANDS), None)


def _highest(figures: Sequence[Figure], name: str) -> Figure | None:
    """Return the highest of several ratios; None without any.

    Unknown as soon as one is. It does not exist as soon as one does not: a requirement with nothing
    against it is higher than any number.
    """
    if not figures:
        return None
    lacks = tuple(dict.fromkeys(each for figure in figures for each in figure.missing))
    if lacks:
        return attrs.evolve(figures[0], name=name, value=None, missing=lacks)
    without = next((figure for figure in figures if figure.value is None), None)
    highest = without or max(figures, key=lambda figure: figure.value or ZERO)
    return attrs.evolve(highest, name=name)


# ------------------------------------------------------------------------- portfolio margin


def _portfolio(
    sheet: Sheet[N],
    picture: Picture,
    cells: Sequence[ExchangeCells[N]],
    book: Rulebook,
    taken: Choice,
    blank: Judgement,
) -> Judgement:
    whole = pm.portfolio(sheet, picture, cells, book, taken)
    pools: dict[str, Cell[N]] = {each.asset: each.available for each in whole.towards}
    pools.update({token.asset: cell for token, cell in whole.others})
    counting = _counting(whole)
    verdicts = [_ratio_verdict(each, book, taken) for each in counting]
    # A token that cannot be borrowed has its own balance alone to stand behind its exchanges.
    verdicts.extend(
        _shared(sheet, token, cells, book, taken, status="inferred").verdict
        for token, _ in whole.others
        if pm.settled_in(cells, token.asset)
    )
    for each in cells:
        verdicts.extend(_isolated(sheet, each))
    verdicts.extend(_borrow_verdicts(sheet, whole, book, taken))
    return attrs.evolve(
        blank,
        exchanges=_pooled(sheet, cells, pools),
        tokens=token_margins(sheet, picture, cells, book, whole),
        ratio=_highest([each.ratio.figure for each in counting], "margin ratio"),
        ratio_observed=_highest(
            [each.ratio_observed.figure for each in counting], "margin ratio, observed"
        ),
        ratio_documented=_highest(
            [each.ratio_documented.figure for each in counting], "margin ratio, documented"
        ),
        borrowing_power=whole.power.figure,
        debt=whole.debt.figure,
        health_factor=whole.health.figure,
        partial_threshold=whole.partial.figure,
        full_threshold=whole.full.figure,
        full_threshold_printed=whole.printed.figure,
        verdicts=tuple(verdicts),
    )


def _counting(whole: pm.Portfolio[N]) -> list[pm.Toward[N]]:
    """Return the tokens whose ratios count: those there is anything to liquidate toward.

    Where nothing is required and nothing stands there, 0 ÷ 0 is no ratio: dust of a loan that a
    supply of the same token outweighs leaves it so.
    """
    found = [
        each
        for each in whole.towards
        if each.is_exposed
        and not (
            each.required.value == ZERO
            and each.value.value is not None
            and each.value.value <= ZERO
        )
    ]
    return found or list(whole.towards[:1])


def _passes(of: pm.Toward[N], *, strict: bool) -> bool | None:
    """Tell whether a requirement passes the trigger; nothing required never does."""
    over = _above(of.excess.figure, strict=strict)
    if over is None or of.required.value is None:
        return None
    return over and of.required.value > ZERO


def _ratio_verdict(of: pm.Toward[N], book: Rulebook, taken: Choice) -> Verdict:
    strict = taken.get("trigger", "trigger:strict") == "trigger:strict"
    return Verdict(
        question="portfolio margin ratio",
        of=of.asset,
        holds=_passes(of, strict=strict),
        figure=of.excess.figure,
        limit=_limit(book, strict=strict),
        readings=_of(taken, *ways.OF_THE_RATIO),
        status=of.required.figure.status,
    )


def _borrow_verdicts(
    sheet: Sheet[N], whole: pm.Portfolio[N], book: Rulebook, taken: Choice
) -> list[Verdict]:
    """Return whether the debt is above the thresholds of a borrow liquidation, where documented."""
    if not book.names_borrow_thresholds or whole.debt.value == ZERO:
        return []
    printed = taken.get("threshold") == "threshold:printed"
    questions = (
        ("borrow, partial", whole.partial, (), True),
        ("borrow, full", whole.full, ("threshold:exact",), not printed),
        ("borrow, full, as printed", whole.printed, ("threshold:printed",), printed),
    )
    verdicts = []
    for question, limit, names, counts in questions:
        over = sheet.figure(
            f"debt over {question}", formulas.free_of, whole.debt, limit, unit="USDC",
            status="documented",
        )  # fmt: skip
        verdicts.append(
            Verdict(
                question=question, of="", holds=_above(over.figure, strict=True),
                figure=over.figure, limit="debt above the threshold", readings=names,
                status="documented", counts=counts,
            )
        )  # fmt: skip
    return verdicts


def _alternatives(picture: Picture, book: Rulebook, taken: Choice) -> tuple[Alternative, ...]:
    """Return ratio and verdict under every combination of the readings that may change them."""
    if picture.mode != "portfolioMargin":
        return ()
    found = []
    picture = _with_money(picture)
    sheet = exact_sheet(book, picture.at)
    cells = tuple(exchange_cells(sheet, each) for each in picture.exchanges)
    without_trigger = tuple(each for each in ways.OF_THE_RATIO if each != "trigger")
    triggers = [each.id for each in book.readings_of("trigger")]
    for mixed in ways.combinations(book, taken, without_trigger):
        own = exact_sheet(book, picture.at)
        whole = pm.portfolio(own, picture, cells, book, mixed)
        counting = _counting(whole)
        ratio = _highest([each.ratio.figure for each in counting], "margin ratio")
        for trigger in triggers:
            answers = [_passes(each, strict=trigger == "trigger:strict") for each in counting]
            verdict = True if any(answers) else None if None in answers else False
            names = (*(mixed[name] for name in without_trigger if name in mixed), trigger)
            found.append(Alternative(readings=names, ratio=_value(ratio), liquidatable=verdict))
    return tuple(found)


def _value(figure: Figure | None) -> Decimal | None:
    return None if figure is None else figure.value
