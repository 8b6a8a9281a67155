"""The documentation is held against the program."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from ranscore.commands import parser
from ranscore.commands.reference import commands, configuration, page

ROOT = Path(__file__).parents[1]


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == page(), "run `make docs`"


def test_the_page_of_the_configuration_is_up_to_date() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text() == configuration(), "run `make docs`"


def test_every_command_and_option_says_what_it_does() -> None:
    for name, command in commands(parser()):
        for action in command._actions:
            if not isinstance(action, argparse._HelpAction):
                assert action.help, f"{name} {action.dest} has no help"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_links_and_named_commands_exist(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
    known = {name for name, _ in commands(parser())}
    groups = {name.rsplit(" ", 1)[0] for name in known}
    spans = [span or line for span, line in re.findall(r"`([^`\n]+)`|^((?:\$ )?ranscore .*)$", text, re.M)]
    for words in re.findall(r"ranscore ((?:[a-z][a-z-]* ?){1,2})", "\n".join(spans)):
        first, *rest = words.split()
        names = {f"ranscore {first}", f"ranscore {first} {rest[0]}" if rest else ""}
        assert names & (known | groups), f"{path.name} names `ranscore {words.strip()}`, which does not exist"


def test_every_page_of_the_docs_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [path.name for path in pages()[1:] if f"docs/{path.name}" not in readme]
    assert missing == []
