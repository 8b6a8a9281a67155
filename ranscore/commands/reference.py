"""`python -m ranscore.commands.reference`: the page `docs/commands.md`, made from the commands themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ranscore.commands import parser

INTRODUCTION = """# Commands

Every command and option of `ranscore`. This page is made by `make docs`; a test fails when it is out of date.

Exit codes: 0 done; 1 the answer is no (a record that does not verify); 2 the command line asks for something that does not exist; 3 a file or
its content is wrong; 4 weights, a model, a server or a package is not here; 5 refused, because credentialed text would leave the machine;
6 the store is damaged or newer than this program; 130 interrupted.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *(line for name, command in commands(parser()) for line in _section(name, command))]) + "\n"


def commands(top: argparse.ArgumentParser, prefix: str = "ranscore") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that runs, with its full name."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                inner = list(commands(command, f"{prefix} {name}"))
                yield from inner or [(f"{prefix} {name}", command)]


def _section(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## `{name}`\n"
    if command.description:
        yield f"{command.description}\n"
    yield "| option | meaning |"
    yield "| --- | --- |"
    for action in command._actions:
        if not isinstance(action, argparse._HelpAction):
            yield f"| `{_spelling(action)}` | {_meaning(action)} |"
    yield ""


def _spelling(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    value = value if isinstance(value, str) else " ".join(value)
    if not action.option_strings:
        return value
    spelling = ", ".join(action.option_strings)
    return (f"{spelling} {value}" if action.nargs != 0 else spelling).replace("|", "\\|")


def _meaning(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%").replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
