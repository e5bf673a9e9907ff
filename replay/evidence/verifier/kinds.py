"""Kinds: what identifies an event, which family it is of, and its rank inside a millisecond.

One line a kind: name, rank, family, key fields, and the field without which a record has no
identity of its own. ``*`` as key stands for the whole line, ``-`` for nothing.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from replay.evidence.verifier.canon import Refused, canonical

KINDS_TABLE = """
opened 0 - - -
annulled 0 - target -
replaced 0 - * -
contradicted 0 - * -
ordered 0 - * -
quarantined 0 - record,place -
mode_changed 10 - mode -
deposited 20 transfers tx_hash tx_hash
withdrawn 20 transfers tx_hash,nonce tx_hash
class_transferred 20 transfers tx_hash,dex,asset,to_perp -
transferred 20 transfers tx_hash,nonce,venue_type,asset,sender,recipient,source,target -
activation_charged 20 transfers tx_hash,asset -
rewards_claimed 20 transfers tx_hash,asset -
genesis_received 20 transfers tx_hash,asset -
auction_paid 20 transfers tx_hash,venue_type,asset -
staking_transferred 20 transfers tx_hash,asset,is_deposit -
stake_changed 20 - tx_hash,action,validator -
dex_abstraction_activated 20 transfers tx_hash,dex,asset -
vault_created 20 transfers tx_hash,vault -
vault_deposited 20 transfers tx_hash,vault -
vault_withdrawn 20 transfers tx_hash,vault,user -
vault_distributed 20 transfers tx_hash,vault -
leader_commission_received 20 transfers tx_hash,user -
reserve_operated 20 transfers tx_hash,asset,operation -
unrecognized 20 transfers * -
interest_accrued 30 interest asset -
funding_paid 30 funding coin tx_hash
filled 40 fills coin,tid,oid,tx_hash tid
liquidated 40 transfers tx_hash -
price_observed 60 - coin,measure,via -
candle_observed 60 - coin,interval -
funding_rate_set 60 - coin -
reserve_observed 60 - asset -
margin_table_set 60 - table,dex -
market_listed 60 - coin -
token_listed 60 - asset,index -
pair_listed 60 - coin -
dex_listed 60 - dex -
perp_state_observed 80 - dex -
spot_state_observed 80 - - -
lending_state_observed 80 - - -
orders_observed 80 - - -
order_status_observed 80 - * -
sub_account_observed 80 - sub_account -
vault_equity_observed 80 - vault -
stake_observed 80 - - -
noted 80 - * -
"""

KINDS = {
    words[0]: (int(words[1]), words[2].strip("-"), words[3], words[4].strip("-"))
    for words in map(str.split, KINDS_TABLE.strip().splitlines())
}
HOUSEKEEPING = ("annulled", "replaced", "contradicted", "ordered", "quarantined")


def name_of(event: dict[str, Any]) -> str:
    """Return the kind of an event.

    Raises: Refused, for a kind or a version this verifier does not know.
    """
    name, slash, version = str(event.get("@", "")).partition("/")
    if name not in KINDS or not slash or version != "1":
        raise Refused(12, f"an event is of the kind {event.get('@')!r}, unknown to this verifier")
    return name


def identity(event: dict[str, Any], line: bytes) -> str:
    """Return what makes two records the same fact: 32 hexadecimal digits."""
    name = name_of(event)
    key, identified_by = KINDS[name][2:]
    if key == "*" or (identified_by and event[identified_by] is None):
        said = line
    else:
        fields = [] if key == "-" else key.split(",")
        said = canonical([event[field] for field in ("stream", "at", "occurrence", *fields)])
    return sha256(b"rollforward event id 1\n" + name.encode() + b"\n" + said).hexdigest()[:32]
