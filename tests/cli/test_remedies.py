"""Every remedy that the program prints is tried: its commands parse, its options, extras, files and configuration keys exist."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.config import SCHEMA
from harness.errors import UsageError
from ranscore.commands import main, parser
from ranscore.commands.reference import commands

ROOT = Path(__file__).parents[2]
ROOMS = ("harness", "generators", "submissions", "validation", "leaderboard", "ranscore")
HOLE = "\0"
"""What an f-string fills in."""
FOREIGN = {"--no-compile", "--no-annotate", "--no-deps"}
"""Options of other programs."""


PARSER = parser()


def texts(tree: ast.AST) -> Iterator[str]:
    """Every string of a module that is no docstring, an f-string with its holes as one."""
    strings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings |= {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        if id(node) not in strings and (text := _text(node)):
            yield text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(_text(value) or HOLE for value in node.values) if isinstance(node, ast.JoinedStr) else ""


TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}
TEXTS = [(name, text) for name, tree in TREES.items() for text in texts(tree)]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md")
}


def typed() -> Iterator[tuple[str, str]]:
    """Every `ranscore ...` in backticks in a message, with its file; and every line of a page that begins so."""
    for name, text in TEXTS:
        yield from ((name, span) for span in re.findall(r"`(ranscore(?: [^`]*)?)`", text))
    for name, text in PAGES.items():
        if name != "docs/commands.md":
            yield from ((name, span) for span in re.findall(r"`(ranscore [^`\n]+)`", text))
            yield from ((name, line.partition("  #")[0]) for line in re.findall(r"^(?:\$ )?(ranscore .*[^\\\n])$", text, re.M))


def refused(line: str) -> str:
    """Why the parser takes no such command; empty where it does, or where only values are left out."""
    line = re.sub(r"\bCOMMAND\b", "score", line).replace("...", "").replace("…", "").replace("cohort build NAME", "cohort build synthetic")
    reasons = []
    for value in ("1", "X", "demo"):
        try:
            PARSER.parse_args(_words(line.replace(HOLE, value)))
        except UsageError as error:
            if re.match(
                r"the following arguments are required|argument .*expected (one|at least one) argument|.*invalid (int|float)", str(error)
            ):
                return ""
            reasons.append(str(error))
        except SystemExit:
            return ""
        else:
            return ""
    return reasons[0]


def _words(line: str) -> list[str]:
    words = shlex.split(line, comments=True)[1:]
    return [*words[1:], "--help"] if words[:1] == ["help"] else words or ["--help"]


def test_every_command_that_is_named_is_one() -> None:
    found = sorted(set(typed()))
    assert len(found) > 200
    wrong = [f"{name}: {line.replace(HOLE, '…')}: {reason}" for name, line in found if (reason := refused(line))]
    assert wrong == []


def test_the_check_notices_a_command_an_option_and_a_choice_that_are_not_there() -> None:
    assert "did you mean" in refused("ranscore scoer x.csv")
    assert "unrecognized arguments" in refused("ranscore score x.csv --no-such-option")
    assert "there is no" in refused("ranscore cohort build nothing")
    assert refused(f"ranscore score {HOLE} ... --store") == ""


def options_of_all() -> set[str]:
    """Every option of every command."""
    return {option for _, command in commands(parser()) for action in command._actions for option in action.option_strings}


def test_every_option_that_a_message_names_exists() -> None:
    known = options_of_all() | FOREIGN | {"--help", "--version"}
    named = {(name, option) for name, text in TEXTS for option in re.findall(r"(?<![\w-])(--[a-z][a-z-]+[a-z])(?![\w-])", text)}
    own = {
        (name, option)
        for name, option in named
        if name != "leaderboard/exports/plots.py"  # there they are CSS
    }
    assert len(own) > 100
    assert sorted((name, option) for name, option in own if option not in known) == []


def extras() -> set[str]:
    return set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def test_every_extra_that_is_named_can_be_installed() -> None:
    calls = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = {
        node.args[0].value
        for node in calls
        if getattr(node.func, "id", getattr(node.func, "attr", "")) == "pip_install" and isinstance(node.args[0], ast.Constant)
    }
    pages = "\n".join((*PAGES.values(), *(text for _, text in TEXTS)))
    lists = [*re.findall(r"pip install [^`\n]*?(?:\.|ranscore)\[([a-z,]+)\]", pages), *re.findall(r"the extra `([a-z]+)`", pages)]
    named = {name for each in lists for name in each.split(",")}
    assert asked and named and (asked | named) <= extras()


def test_every_file_that_a_message_names_is_there() -> None:
    named = {(name, path) for name, text in TEXTS for path in re.findall(r"\b((?:docs|examples|tests|benchmarks)/[\w./-]*\w)", text)}
    assert len(named) > 1
    assert sorted((name, path) for name, path in named if not (ROOT / path).exists()) == []


def test_every_key_of_the_configuration_that_is_named_is_read() -> None:
    everything = [*TEXTS, *((name, text) for name, text in PAGES.items())]
    named = {
        (name, *pair)
        for name, text in everything
        for pair in re.findall(r"\[\[?([a-z]+)\]?\] (?:`)?([a-z_]+)\b", text)
        if pair[0] in SCHEMA
    }
    keys = {table: set(item.keys) for table, item in SCHEMA.items()}
    assert len(named) > 10
    assert (
        sorted(
            each
            for each in named
            if each[2] not in keys[each[1]] | {"has", "is", "or", "and", "of", "number", "with", "in", "names", "holds"}
        )
        == []
    )


def test_a_remedy_that_is_followed_leads_on(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty folder by messages alone: each error says the next command."""
    monkeypatch.chdir(ROOT / "examples")
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path))
    assert main(["board"]) == 0
    assert "`ranscore score ... --store` adds one" in capsys.readouterr().out
    assert main(["score", "predictions.csv", "--store"]) == 2
    assert "--references FILE" in capsys.readouterr().err
    score = ["--references", "references.csv", "--open", "--metrics", "ran-score", "--store"]
    assert main(["score", "predictions.csv", *score]) == 0
    capsys.readouterr()
    assert main(["board", "--no-reported"]) == 0
    assert "Run `ranscore snapshot`" in capsys.readouterr().out
    assert main(["snapshot"]) == main(["board", "--no-reported"]) == 0
    assert "No rank" not in capsys.readouterr().out
    marked = tmp_path / "marked.csv"
    marked.write_text((ROOT / "examples" / "other.csv").read_text().replace("The ", "<b>The</b> ", 1))
    assert main(["score", str(marked), *score]) == 3
    assert "--clean" in capsys.readouterr().err
    assert main(["score", str(marked), *score, "--clean"]) == 0


def test_the_parser_of_this_test_is_that_of_the_program() -> None:
    assert isinstance(parser(), argparse.ArgumentParser) and len(options_of_all()) > 100
