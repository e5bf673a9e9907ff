"""The demonstration: the bundled history, from files to a number and back.

``make demo`` runs it. It calls the command line's own verbs, so what it prints is what they print,
and it ends with 0 only if every step came out as it must.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from replay.cli import app, exits

HISTORY: Final = Path(__file__).parents[1] / "fixtures" / "cascade"
ACCOUNT: Final = "0x5ca1ab1e000000000000000000000000ca5cade0"

BEGINNING: Final = """\
rollforward replays what a venue recorded about an account, to any instant, and shows why each
figure is what it is. This is a history of three days, composed for the purpose in the venue's own
answer shapes: one portfolio-margin account with a deposit, spot and perpetual fills, funding,
lending, a loan, a falling price, and a liquidation."""

ENDING: Final = """\
Now with an address of your own. Save what the venue's information service answers; it needs no key:

  me=0xYOUR_ADDRESS
  ask() { curl -sS -H 'Content-Type: application/json' https://api.hyperliquid.xyz/info -d "$1"; }
  mkdir -p answers
  ask '{"type":"userFills","user":"'$me'"}' > answers/fills.json
  ask '{"type":"userFunding","user":"'$me'","startTime":0}' > answers/funding.json
  ask '{"type":"userNonFundingLedgerUpdates","user":"'$me'","startTime":0}' > answers/transfers.json
  ask '{"type":"userBorrowLendInterest","user":"'$me'","startTime":0}' > answers/interest.json
  ask '{"type":"clearinghouseState","user":"'$me'"}' > answers/state.json
  ask '{"type":"meta"}' > answers/meta.json
  ask '{"type":"spotMeta"}' > answers/spot-meta.json

and record them. Answers that do not say of what moment they are get it from --at:

  rollforward import answers --account $me --at "$(date -u +%Y-%m-%dT%H:%MZ)" --book mine.book
  rollforward show --book mine.book
  rollforward check --book mine.book

The venue hands out the last 2,000 rows of some answers and 500 of others: ask again with the time
of the last row as startTime and import that too; what is known already is not added twice.
docs/how-to/import-what-you-have.md has the rest, web exports and node files included."""


class Stage:
    """Where the steps are played: it prints each command, runs it, and keeps count."""

    def __init__(self, book: Path) -> None:
        """Play on the book at *book*."""
        self.book = book
        self.steps = 0
        self.failed: list[str] = []

    def say(self, text: str) -> None:
        """Print a paragraph between steps."""
        print(f"\n{text}\n")

    def step(self, why: str, *command: str, ends_with: int = exits.FINE) -> None:
        """Print why, then the command, then what it says; it must end with the code named."""
        self.steps += 1
        line = "rollforward " + " ".join(_quoted(word) for word in command)
        rule = "─" * 78
        print(f"\n{rule}\n{self.steps}. {why}\n\n$ {line}\n")
        sys.stdout.flush()
        with contextlib.redirect_stderr(sys.stdout):
            code = app.main([*command, "--book", str(self.book)], standalone_mode=False)
        if code != ends_with:
            self.failed.append(f"step {self.steps} ended with {code}, not with {ends_with}: {line}")


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def play(stage: Stage, checkpoint: Path) -> None:
    """Go through the history: record, look, compare, prove, explain."""
    paths = [str(path) for path in sorted(HISTORY.glob("*.json"))]
    stage.step("Record five files. What each one is, is found out from its content.",
               "import", *_from_here(paths))  # fmt: skip
    stage.step("The account on the second morning, before the price fell.",
               "show", "--at", "2026-08-04T09:00Z")  # fmt: skip
    stage.step("A minute before the liquidation: the loan, the losses.",
               "show", "--at", "2026-08-05T14:39Z")  # fmt: skip
    stage.step("After it, at the end of what is recorded.", "show")
    stage.step("Hold what the venue says against what follows from its own records.", "check")
    stage.step("Take a checkpoint, to be kept where the book is not.",
               "verify", "--write-checkpoint", str(checkpoint),
               ends_with=exits.INCOMPLETE)  # fmt: skip
    stage.step("Prove against it that nothing has been changed since.",
               "verify", "--checkpoint", str(checkpoint))  # fmt: skip
    stage.step("Why is that number what it is? Back to the characters of the record.",
               "explain", "borrowed USDC", "--at", "2026-08-04T11:00Z")  # fmt: skip


def _from_here(paths: list[str]) -> list[str]:
    """Return paths as a person in this folder would write them."""
    here = Path.cwd()
    return [
        str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
        for path in paths
    ]


def main() -> int:
    """Play the demonstration in a folder of its own and return the exit code."""
    if not HISTORY.is_dir():
        print(f"the bundled history is part of the repository; there is none in {HISTORY}")
        return exits.USAGE
    began = time.monotonic()
    print(BEGINNING)
    with tempfile.TemporaryDirectory(prefix="rollforward-demo-") as folder:
        stage = Stage(Path(folder) / "demo.book")
        play(stage, Path(folder) / "demo.checkpoint")
    print(f"\n{'─' * 78}\n{ENDING}\n")
    for failure in stage.failed:
        print(f"NOT AS IT MUST BE: {failure}")
    if not stage.failed:
        print(
            f"All {stage.steps} steps came out as they must, in {time.monotonic() - began:.1f} s."
        )
    return 1 if stage.failed else 0


if __name__ == "__main__":
    sys.exit(main())
