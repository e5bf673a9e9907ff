"""Events: everything that can be recorded, in the words of the venue and of accountants.

One class per fact, past tense, frozen. What a field means stands in its annotation; the event
reference, the column types and the column heads are made from there. An event never holds a
number we derived: what the venue derived and told us is named ``reported_…``. Amounts carry the
sign the record gives them; which way money moved is said once, in ``projections/postings.py``.

The closed set of events is the union ``Event``; a ``match`` over it ends in ``assert_never``.
"""

from typing import TypeAlias

from ledger.events.base import Fact
from ledger.events.cash import (
    ActivationCharged,
    AuctionPaid,
    ClassTransferred,
    Deposited,
    DexAbstractionActivated,
    GenesisReceived,
    LeaderCommissionReceived,
    RewardsClaimed,
    StakeChanged,
    StakingTransferred,
    Transferred,
    VaultCreated,
    VaultDeposited,
    VaultDistributed,
    VaultWithdrawn,
    Withdrawn,
)
from ledger.events.desk import (
    BreakApproved,
    BreakAssigned,
    BreakCandidate,
    BreakCarried,
    BreakClosed,
    BreakDesk,
    BreakExplained,
    BreakOpened,
    BreakVanished,
    GroupDefined,
    GroupMember,
    PeriodClosed,
    Reconciled,
    Resolution,
    Role,
)
from ledger.events.housekeeping import (
    Annulled,
    Contradicted,
    Noted,
    Opened,
    OpeningBalance,
    OpeningPosition,
    Ordered,
    Quarantined,
    Replaced,
    Unrecognized,
)
from ledger.events.lending import InterestAccrued, ReserveOperated
from ledger.events.market import (
    CandleObserved,
    DexListed,
    FundingRateSet,
    MarginTableSet,
    MarketListed,
    PairListed,
    PriceObserved,
    ReserveObserved,
    Tier,
    TokenListed,
)
from ledger.events.observations import (
    LendingStateObserved,
    MarginSummary,
    ModeChanged,
    ObservedBalance,
    ObservedLoan,
    ObservedOrder,
    ObservedPosition,
    OrdersObserved,
    OrderStatusObserved,
    PerpStateObserved,
    SpotStateObserved,
    StakeObserved,
    SubAccountObserved,
    TokenFigure,
    VaultEquityObserved,
)
from ledger.events.trading import Filled, FundingPaid, Liquidated, LiquidatedPosition

CashEvent: TypeAlias = (
    Deposited | Withdrawn | ClassTransferred | Transferred | ActivationCharged | RewardsClaimed
    | GenesisReceived | AuctionPaid | StakingTransferred | StakeChanged | DexAbstractionActivated
    | VaultCreated | VaultDeposited | VaultWithdrawn | VaultDistributed | LeaderCommissionReceived
)  # fmt: skip
TradingEvent: TypeAlias = Filled | FundingPaid | Liquidated
LendingEvent: TypeAlias = ReserveOperated | InterestAccrued
MarketEvent: TypeAlias = (
    PriceObserved | CandleObserved | FundingRateSet | ReserveObserved | MarginTableSet
    | MarketListed | TokenListed | PairListed | DexListed
)  # fmt: skip
Observation: TypeAlias = (
    ModeChanged | PerpStateObserved | SpotStateObserved | LendingStateObserved | OrdersObserved
    | OrderStatusObserved | SubAccountObserved | VaultEquityObserved | StakeObserved
)  # fmt: skip
Correction: TypeAlias = Annulled | Replaced
Housekeeping: TypeAlias = Correction | Contradicted | Ordered | Quarantined
BreakEvent: TypeAlias = (
    BreakOpened | BreakVanished | BreakAssigned | BreakExplained | BreakApproved | BreakClosed
    | BreakCarried
)  # fmt: skip
DeskEvent: TypeAlias = Reconciled | BreakEvent | PeriodClosed | GroupDefined
Event: TypeAlias = (
    CashEvent | TradingEvent | LendingEvent | MarketEvent | Observation
    | Opened | Noted | Unrecognized | Housekeeping | DeskEvent
)  # fmt: skip

__all__ = [
    "ActivationCharged",
    "Annulled",
    "AuctionPaid",
    "BreakApproved",
    "BreakAssigned",
    "BreakCandidate",
    "BreakCarried",
    "BreakClosed",
    "BreakDesk",
    "BreakEvent",
    "BreakExplained",
    "BreakOpened",
    "BreakVanished",
    "CandleObserved",
    "CashEvent",
    "ClassTransferred",
    "Contradicted",
    "Correction",
    "Deposited",
    "DeskEvent",
    "DexAbstractionActivated",
    "DexListed",
    "Event",
    "Fact",
    "Filled",
    "FundingPaid",
    "FundingRateSet",
    "GenesisReceived",
    "GroupDefined",
    "GroupMember",
    "Housekeeping",
    "InterestAccrued",
    "LeaderCommissionReceived",
    "LendingEvent",
    "LendingStateObserved",
    "Liquidated",
    "LiquidatedPosition",
    "MarginSummary",
    "MarginTableSet",
    "MarketEvent",
    "MarketListed",
    "ModeChanged",
    "Noted",
    "Observation",
    "ObservedBalance",
    "ObservedLoan",
    "ObservedOrder",
    "ObservedPosition",
    "Opened",
    "OpeningBalance",
    "OpeningPosition",
    "OrderStatusObserved",
    "Ordered",
    "OrdersObserved",
    "PairListed",
    "PeriodClosed",
    "PerpStateObserved",
    "PriceObserved",
    "Quarantined",
    "Reconciled",
    "Replaced",
    "ReserveObserved",
    "ReserveOperated",
    "Resolution",
    "RewardsClaimed",
    "Role",
    "SpotStateObserved",
    "StakeChanged",
    "StakeObserved",
    "StakingTransferred",
    "SubAccountObserved",
    "Tier",
    "TokenFigure",
    "TokenListed",
    "TradingEvent",
    "Transferred",
    "Unrecognized",
    "VaultCreated",
    "VaultDeposited",
    "VaultDistributed",
    "VaultEquityObserved",
    "VaultWithdrawn",
    "Withdrawn",
]
