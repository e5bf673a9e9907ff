"""The naive desk: a log of what was accepted, read from the start for every question.

Written from the table of ``docs/spec/breaks.md`` and importing nothing of ours. A break is a word,
its numbers are any value, people are names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class NaiveDesk:
    """What was done, in order: (word, break, who, what)."""

    log: list[tuple[str, str, str, Any]] = field(default_factory=list)

    # ------------------------------------------------------------------------------ questions

    def about(self, name: str) -> list[tuple[str, str, str, Any]]:
        return [done for done in self.log if done[1] == name]

    def since_opened(self, name: str) -> list[tuple[str, str, str, Any]]:
        """What was done since a run last opened it."""
        past = self.about(name)
        last = max(i for i, done in enumerate(past) if done[0] == "opened")
        return past[last:]

    def names(self) -> list[str]:
        return sorted({done[1] for done in self.log})

    def numbers(self, name: str) -> Any:
        return self.since_opened(name)[0][3]

    def owner(self, name: str) -> str | None:
        given = [done[3] for done in self.about(name) if done[0] == "assign"]
        return given[-1] if given else None

    def is_gone(self, name: str) -> bool:
        seen = [done[0] for done in self.about(name) if done[0] in {"opened", "seen", "gone"}]
        return seen[-1] == "gone"

    def status(self, name: str) -> str:
        words = [done[0] for done in self.since_opened(name)]
        if any(word.startswith("close") for word in words):
            return "closed"
        if (
            "approve" in words
            and "explain" not in words[len(words) - words[::-1].index("approve") :]
        ):
            return "approved"
        moves = [word for word in words if word in {"assign", "explain", "carry"}]
        if moves and moves[-1] == "carry":
            return "carried"
        if "explain" in moves:
            return "explained"
        return "open" if self.owner(name) is None else "assigned"

    def approver(self, name: str) -> str | None:
        """Who approved the latest explanation, whether or not it is closed by now."""
        by = None
        for word, _, who, _ in self.since_opened(name):
            by = who if word == "approve" else None if word == "explain" else by
        return by

    def is_looked_for(self, name: str) -> bool:
        return self.status(name) != "closed" and not self.is_gone(name)

    def count(self, name: str, word: str) -> int:
        return sum(done[0] == word for done in self.about(name))

    # ------------------------------------------------------------------------------ what is done

    def run(self, found: dict[str, Any], over: set[str], who: str) -> None:
        """A run that found some breaks, and would have found all of *over*."""
        for name in sorted(over | set(found)):
            known = name in self.names()
            if name in found and (not known or found[name] != self.numbers(name)):
                self.log.append(("opened", name, who, found[name]))
            elif name in found and self.status(name) == "closed":
                if "close gone" in [done[0] for done in self.since_opened(name)]:
                    self.log.append(("opened", name, who, found[name]))
            elif name in found and self.is_gone(name):
                self.log.append(("seen", name, who, None))
            elif name not in found and known and self.is_looked_for(name):
                self.log.append(("gone", name, who, None))

    def may(self, word: str, name: str, who: str, what: Any = None) -> bool:
        """Whether somebody may do that now; and does it, if so."""
        if name not in self.names() or self.status(name) == "closed":
            return False
        status = self.status(name)
        if word in {"assign", "carry"} and status == "approved":
            return False
        if word == "approve":
            past = self.since_opened(name)
            own = {same(done[2]) for done in past if done[0] == "explain"}
            if not own or status == "approved":
                return False
            if self.owner(name) is not None:
                own.add(same(self.owner(name) or ""))
            if same(who) in own:
                return False
        if word == "close":
            if status == "approved":
                word = "close approved"
            elif self.is_gone(name):
                word = "close gone"
            elif what == "force":
                word = "close forced"
            else:
                return False
        self.log.append((word, name, who, what))
        return True


def same(name: str) -> str:
    """A name without blanks and capitals."""
    return name.replace(" ", "").replace("\u00a0", "").lower()
