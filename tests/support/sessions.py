"""Sessions: commands in documents, with what they print.

A fenced block marked ``console`` is a session: lines behind ``$`` are run one after the other by
the shell, all those of a page in one folder, which holds the bundled history under
``fixtures/cascade`` as the repository does; what follows a line is what it must print. ``…`` stands
for anything: alone on a line for any number of lines, inside a line for any characters.

A block marked ``console-recorded`` is a session on real recordings: it is run where they are.
Run ``python -m tests.support.sessions PAGE…`` to write outputs anew where they no longer match.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {"console", "console-recorded"}
FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGING = re.compile(
    r"(?<=^last seal )[0-9a-f]{64}|(?<=^seal \d )[0-9a-f]{64}|^[0-9a-f]{64}$"
    r"|(?<=^state digest before: )\w+|(?<=^state digest after: )\w+",
    re.MULTILINE,
)
"""What depends on the moment of recording, or on how states are written."""


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    found = FENCE.findall(page.read_text(encoding="utf-8")) if page.exists() else []
    return [body for said, body in found if said == language]


def split(block: str) -> list[tuple[str, str]]:
    """Return the commands of a block, each with what it must print."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].rstrip("\n"), ""))
        elif line.startswith((">\n", "> ")) and found and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line[2:].rstrip("\n"), "")
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def commands(page: Path, language: str = "console") -> list[tuple[str, str]]:
    """Return the commands of all sessions of a page, each with what it must print."""
    return [pair for block in blocks(page, language) for pair in split(block)]


def pattern(expected: str) -> re.Pattern[str]:
    """Return what the output must match."""
    parts = []
    for line in expected.splitlines():
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"\n")
    return re.compile("".join(parts))


def prepare(folder: Path) -> Path:
    """Make a folder what the documents take for granted: our command, the bundled history."""
    (folder / "fixtures").symlink_to(ROOT / "fixtures")
    (folder / "bin").mkdir()
    command = folder / "bin" / "rollforward"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m replay "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    for name, module in (("datasette", "datasette"), ("sqlite-utils", "sqlite_utils")):
        tool = folder / "bin" / name
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
    return folder


def recorded_folder() -> Path:
    """Return where recordings are looked for, as ``tests/conftest.py`` does."""
    return (ROOT / (os.environ.get("ROLLFORWARD_RECORDED") or "../shared/recorded")).resolve()


def path_of(folder: Path) -> str:
    """Return where programs are looked for: ours, those beside the interpreter, the system's."""
    return os.pathsep.join(
        [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )


def program(name: str, folder: Path) -> str | None:
    """Return where a program is that a page names, or None."""
    return shutil.which(name, path=path_of(folder))


def run(command: str, folder: Path) -> str:
    """Return what a command prints on both streams; spaces at line ends are taken off."""
    env = {
        "PATH": path_of(folder),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "132",
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
        "ROLLFORWARD_RECORDED": str(recorded_folder()),
    }
    asked = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return "".join(line.rstrip() + "\n" for line in asked.stdout.splitlines())


def refreshed(page: Path) -> str:
    """Return a page with outputs written anew where they no longer match."""
    with tempfile.TemporaryDirectory() as name:
        folder = prepare(Path(name))

        def renew(block: re.Match[str]) -> str:
            if block.group(1) not in LANGUAGES:
                return block.group(0)
            lines = []
            for command, expected in split(block.group(2)):
                printed = run(command, folder)
                fits = pattern(expected).fullmatch(printed)
                shown = "$ " + command.replace("\n", "\n> ")
                lines += [line.rstrip() + "\n" for line in shown.splitlines()]
                lines.append(expected if fits else without_changing(printed))
            return f"```{block.group(1)}\n{''.join(lines)}```"

        return FENCE.sub(renew, page.read_text(encoding="utf-8"))


def without_changing(printed: str) -> str:
    """Return an output with what differs from place to place left open."""
    return CHANGING.sub("…", printed.replace(str(recorded_folder()), "…"))


if __name__ == "__main__":
    for given in sys.argv[1:]:
        Path(given).write_text(refreshed(Path(given)), encoding="utf-8")
