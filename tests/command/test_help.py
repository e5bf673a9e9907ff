"""Help: complete, quick, and the same on the page of commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from replay.cli import reference
from replay.cli.app import VERBS, app

ROOT = Path(__file__).resolve().parents[2]

# What a short command must not pay for.
HEAVY = {
    "attrs", "eventsourcing", "hypothesis", "ledger.book", "ledger.events", "lz4", "msgspec",
    "projections", "rich", "sqlite3", "sqlite_utils", "tabulate", "zoneinfo", "zstandard",
}  # fmt: skip

OUTSIDE_QUOTES = re.compile(r"""[|>&](?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")
"""Where the shell would take over, but for what stands in quotation marks."""


def all_verbs():
    """Yield the words of every verb, those of groups after the group's own."""
    parent = click.Context(app)
    for verb in VERBS:
        yield (verb,)
        found = app.get_command(parent, verb)
        if isinstance(found, click.Group):
            yield from ((verb, each) for each in found.list_commands(parent))


@pytest.mark.parametrize("words", list(all_verbs()), ids=" ".join)
def test_every_verb_explains_itself_with_examples(rf, words):
    long, short = rf.fine(*words, "--help"), rf.fine(*words, "-h")
    assert long == short
    assert "Examples:" in long
    assert f"rollforward {' '.join(words)}" in long.split("Examples:")[1]


@pytest.mark.parametrize("words", list(all_verbs()), ids=" ".join)
def test_every_example_parses(words):
    import shlex

    parent, command = click.Context(app, help_option_names=["-h", "--help"]), app
    for word in words:
        command = command.get_command(parent, word)
    shown = command.epilog.replace("\b", "").split("Examples:")[1]
    said = 0
    for line in shown.splitlines():
        said_so = (
            line.split("|")[-1]
            if line.strip().startswith(("zcat", "printf"))
            else OUTSIDE_QUOTES.split(line)[0]
        )
        if said_so.strip():
            begin, given = ["rollforward", *words], shlex.split(said_so.strip())
            assert begin == given[: len(begin)]
            rest = given[len(begin) :]
            with command.make_context(
                words[-1], list(rest), parent=parent, resilient_parsing=True
            ) as context:
                asked = command.get_params(context)
                known = {option for p in asked for option in (*p.opts, *p.secondary_opts)}
                assert {word for word in rest if word.startswith("--")} <= known
                assert context.command is command
            said += 1
    assert said


def test_the_list_of_verbs_says_what_each_is_for(rf):
    shown = rf.fine("--help")
    for verb, (_, line) in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(line)}$", shown, re.MULTILINE), verb


def test_no_heavy_library_is_imported_for_help():
    asked = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "replay", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rsplit("|", 1)[1].strip() for line in asked.stderr.splitlines() if "|" in line}
    assert "click" in imported
    assert set() == {name for name in imported if name in HEAVY or name.split(".")[0] in HEAVY}


def test_the_version_names_python_and_sqlite(rf):
    assert re.fullmatch(
        r"rollforward \d+\.\d+\.\d+ \(Python [\d.]+, SQLite [\d.]+\)\n", rf.fine("--version")
    )


def test_the_version_is_that_of_the_project():
    import tomllib

    from replay import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_pages_are_fresh(name):
    page = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert reference.PAGES[name]() == page, "run: python -m replay.cli.reference"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_comes_for_three_shells(rf, shell):
    assert "_ROLLFORWARD_COMPLETE" in rf.fine("completion", shell)


def test_completion_knows_the_verbs():
    asked = subprocess.run(
        [sys.executable, "-m", "replay"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "", "_PYTHON__M REPLAY_COMPLETE": "", "PYTHONPATH": str(ROOT),
             "_ROLLFORWARD_COMPLETE": "bash_complete", "COMP_WORDS": "rollforward ex",
             "COMP_CWORD": "1"},
    )  # fmt: skip
    assert "plain,explain" in asked.stdout


def test_a_misspelt_verb_names_the_nearest(rf):
    result = rf("chek")
    assert 2 == result.exit_code
    assert "Did you mean check?" in result.stderr


def test_every_exit_code_is_in_the_table_once():
    from replay.cli import exits

    named = {
        value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)
    }
    assert named == set(exits.MEANINGS)
    page = (reference.FOLDER / "exit-codes.md").read_text(encoding="utf-8")
    assert [str(code) for code in exits.MEANINGS] == re.findall(r"^\| (\d+) \|", page, re.MULTILINE)


def test_an_interrupted_command_ends_with_130(tmp_path):
    import signal
    import time

    with subprocess.Popen(
        [sys.executable, "-m", "replay", "import", "-", "--account", "0x" + "ab" * 20],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={"PYTHONPATH": str(ROOT), "PATH": ""},
        # Tests that are run in the background may ignore interrupts, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread
    ) as process:  # fmt: skip
        time.sleep(4)  # it waits for its input by then, on a busy machine, too
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert 130 == process.returncode
    assert "Traceback" not in said
    assert [] == list(tmp_path.iterdir())
