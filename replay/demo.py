"""The demonstration: the bundled history, from files to a number and back.

``make demo`` runs it. It calls the command line's own verbs, so what it prints is what they print,
and it ends with 0 only if every step came out as it must.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from replay.cli import app, exits
from replay.cli.common import console_for

HISTORY: Final = Path(__file__).parents[1] / "fixtures" / "cascade"
BOOK: Final = "rollforward-demo.book"
CHECKPOINT: Final = f"{BOOK}-checkpoint"
CHART: Final = "rollforward-demo-margin.svg"
CLAIMS: Final = "rollforward-demo-claims.txt"
KEY: Final = "rollforward-demo.key"
PACK: Final = "rollforward-demo.rfpack"
REPORT: Final = "rollforward-demo-report.html"
VERIFIER: Final = "rollforward-demo-verify.py"

CLAIMED: Final = """\
# What the report of this dispute says, each sentence to be checked by whoever doubts it.
long: position(HYPE) @ 2026-08-05T14:40:00.349Z = 4500 HYPE
gone: position(HYPE) @ 2026-08-05T14:40:00.350Z = 0 HYPE
once: count(liquidations, 2026-08-03T00:00Z..2026-08-05T18:01Z) = 1
fees: sum(fee USDC per fill, 2026-08-03T00:00Z..2026-08-05T18:01Z) = 229.038136 USDC
owed: balance(borrowed, USDC) @ 2026-08-05T14:40:00.349Z < -4000 USDC
ratio: margin(ratio) @ 2026-08-05T14:40:00.349Z = 0.9528959393 rounded 10
"""

BEGINNING: Final = """\
rollforward replays what a venue recorded about an account, to any instant, and shows why each
figure is what it is. This is a history of three days, composed for the purpose in the venue's own
answer shapes: one portfolio-margin account with a deposit, spot and perpetual fills, funding,
lending, a loan, a falling price, and a liquidation."""

ENDING: Final = """\
The book is rollforward-demo.book in this folder, the chart rollforward-demo-margin.svg, the pack
rollforward-demo.rfpack; its report, rollforward-demo-report.html, opens in a browser.
To look at the account itself there: rollforward serve rollforward-demo.book

Ask more:

  rollforward history --asset USDC --book rollforward-demo.book
  rollforward margin 0x5ca1 --at 2026-08-05T14:40Z --explain --book rollforward-demo.book
  rollforward what-if 0x5ca1 --deposit "1500 USDC@2026-08-05T14:30Z" --book rollforward-demo.book
  rollforward statement 0x5ca1 --month 2026-08 --book rollforward-demo.book
  rollforward efficiency 0x5ca1 --at 2026-08-03T12:01Z --book rollforward-demo.book
  rollforward explain 0x5ca1 "position HYPE" --at 2026-08-05T14:39Z --book rollforward-demo.book

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

    def __init__(self) -> None:
        """Print to standard output, in color where that is a terminal."""
        self.console = console_for(sys.stdout)
        self.steps = 0
        self.failed: list[str] = []

    def say(self, text: str, style: str = "") -> None:
        """Print a paragraph."""
        self.console.print(text, style=style, soft_wrap=True)

    def step(self, why: str, *command: str, ends_with: int = exits.FINE) -> None:
        """Print why, then the command, then what it says; it must end with the code named."""
        self.steps += 1
        line = "rollforward " + " ".join(f'"{word}"' if " " in word else word for word in command)
        self.say(f"\n{'─' * 78}\n{self.steps}. {why}\n", style="bold")
        self.say(f"$ {line}\n", style="cyan")
        sys.stdout.flush()
        with contextlib.redirect_stderr(sys.stdout):
            code = app.main(list(command), prog_name="rollforward", standalone_mode=False)
        if code != ends_with:
            self.failed.append(f"step {self.steps} ended with {code}, not with {ends_with}: {line}")


def play(stage: Stage) -> None:
    """Go through the history: record, look, compare, prove, explain."""
    book = ("--book", BOOK)
    stage.step(
        "Record a folder. What each file is, is found out from its content.",
        *("import", _as_seen_from_here(HISTORY), *book),
    )
    stage.step(
        "The account on the second morning: a long position in HYPE, hedged in BTC.",
        *("show", "--at", "2026-08-04T09:00Z", *book),
    )
    stage.step(
        "A minute before the liquidation: a loan, a falling price.",
        *("show", "--at", "2026-08-05T14:39Z", *book),
    )
    stage.step(
        "The margin ratio up to the liquidation, judged at every price recorded, and drawn.",
        *("margin", "0x5ca1", "--from", "2026-08-05T13:00Z", "--to", "2026-08-05T15:00Z"),
        *("--every", "price", "--chart", CHART, *book),
    )
    stage.step(
        "That instant: which rule, which figures, and the venue's own state beside them.",
        *("margin", "0x5ca1", "--at", "2026-08-05T14:40Z", *book),
    )
    stage.step(
        "The liquidation told to the end. More was taken at once than the documents say (1).",
        *("explain", "0x5ca1", "L-1", "--from", "2026-08-05T14:30Z", *book),
        ends_with=exits.FINDING,
    )
    stage.step(
        "How little, paid in ten minutes before, would have avoided it?",
        *("what-if", "0x5ca1", "--minimal", "deposit", *book),
    )
    stage.step("Hold what the venue says against what follows from its records.", "check", *book)
    stage.step(
        "Take a checkpoint, to be kept where the book is not. Without one, a proof is partial (3).",
        *("verify", "--write-checkpoint", CHECKPOINT, *book),
        ends_with=exits.INCOMPLETE,
    )
    stage.step(
        "Prove against it that nothing has been changed since.",
        *("verify", "--checkpoint", CHECKPOINT, *book),
    )
    stage.step(
        "Why is that number what it is? Back to the very characters of the records.",
        *("explain", "0x5ca1", "balance borrowed USDC", "--at", "2026-08-04T12:30Z", *book),
    )
    hand_over(stage, book)


def hand_over(stage: Stage, book: tuple[str, str]) -> None:
    """Sign what is claimed, and check it as the other side does: without this program."""
    from replay.keys import read_key

    Path(CLAIMS).write_text(CLAIMED, encoding="utf-8")
    stage.step("Make a key to sign with.", "keys", "new", KEY)
    stage.step(
        "Evidence for whoever doubts it: events, raw records, proofs, claims, in one file.",
        *("pack", "0x5ca1", "--claims", CLAIMS, "--key", KEY, "--out", PACK, *book),
    )
    stage.steps += 1
    stage.say(
        f"\n{'─' * 78}\n{stage.steps}. The other side, with nothing but Python.\n", style="bold"
    )
    with zipfile.ZipFile(PACK) as pack:
        Path(VERIFIER).write_bytes(pack.read("verify.py"))
        Path(REPORT).write_bytes(pack.read("report.html"))
    public = read_key(Path(KEY)).verifier.text
    stage.say(f"$ python3 -I {VERIFIER} {PACK} --key {public}\n", style="cyan")
    words = [sys.executable, "-I", VERIFIER, PACK, "--key", public]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    stage.say(done.stdout.rstrip())
    if done.returncode:
        stage.failed.append(f"step {stage.steps} ended with {done.returncode}: {done.stderr}")


def _as_seen_from_here(path: Path) -> str:
    """Return a path as a person in this folder would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def clear() -> None:
    """Remove the book of an earlier demonstration; nobody else gives a book this name."""
    for end in ("", "-wal", "-shm", ".lock", ".cache", "-checkpoint"):
        Path(BOOK + end).unlink(missing_ok=True)
    for name in (CHART, CLAIMS, KEY, PACK, REPORT, VERIFIER):
        Path(name).unlink(missing_ok=True)


def main() -> int:
    """Play the demonstration in this folder and return the exit code."""
    stage = Stage()
    if not HISTORY.is_dir():
        stage.say(f"the bundled history is part of the repository; there is none in {HISTORY}")
        return exits.USAGE
    clear()
    stage.say(BEGINNING)
    play(stage)
    stage.say(f"\n{'─' * 78}\n{ENDING}\n")
    for failure in stage.failed:
        stage.say(f"NOT AS IT MUST BE: {failure}", style="bold red")
    if not stage.failed:
        stage.say(f"All {stage.steps} steps came out as they must.", style="bold green")
    return exits.FINDING if stage.failed else exits.FINE


if __name__ == "__main__":
    sys.exit(main())
