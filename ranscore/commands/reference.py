"""The pages `docs/commands.md` and `docs/configuration.md`, made from what the program itself reads.

`python -m ranscore.commands.reference` prints the first, `python -m ranscore.commands.reference configuration` the second.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ranscore.commands import parser

if TYPE_CHECKING:
    from harness.config.kinds import Key

INTRODUCTION = """# Commands

Every command and option of `ranscore`. This page is made by `make docs`; a test fails when it is out of date.

Exit codes: 0 done; 1 the answer is no (a record that does not verify); 2 the command line asks for something that does not exist; 3 a file or
its content is wrong; 4 weights, a model, a server or a package is not here; 5 refused, because credentialed text would leave the machine;
6 the store is damaged or newer than this program; 130 interrupted.
"""


CONFIGURATION = """# Configuration

Every table and key of `config.toml`. The file is in `RANSCORE_HOME`; the folder of a board (`--board DIR`) may have one of its own. No file is
needed: each key has a default. The file is checked as a whole whenever a part of it is read, and everything that is wrong with it is named at
once. This page is made by `make docs`; a test fails when it is out of date.
"""


def page() -> str:
    """The page of commands."""
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


def configuration() -> str:
    """The page of the configuration."""
    from harness import config

    lines = [CONFIGURATION]
    for name, table in config.SCHEMA.items():
        if not table.older:
            title = f"[[{name}]]" if table.many else "[weights.NAME]" if name == "weights" else f"[{name}]"
            lines += [f"## `{title}`\n", f"{table.help}\n", *_keys(table.keys)]
        if name == "door":
            lines += [f"{config.OPTIONS.help}\n", *_keys(config.OPTIONS.keys)]
        if name == "weights":
            lines += _weights()
    return "\n".join(lines).rstrip() + "\n"


def _weights() -> Iterator[str]:
    from harness import config

    yield "A report generator's keys are the names of its weights, which `ranscore systems check NAME` prints:\n"
    yield '```toml\n[weights.promptmrg]\ncheckpoint = "weights/promptmrg.pth"\n```\n'
    for name, keys in config.WEIGHTS.items():
        yield f"`[weights.{name}]`, also read in its older spelling `[{name}]`:\n"
        yield from _keys(keys)


def _keys(keys: Mapping[str, Key]) -> Iterator[str]:
    """A table of keys; nothing where there are none."""
    from harness.config.kinds import toml

    if not keys:
        return
    yield "| key | value | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, key in keys.items():
        default = key.shown or ("" if key.default in (None, (), {}) else f"`{toml(key.default)}`")
        example = f"; for example `{key.written}`" if key.example else ""
        yield f"| `{name}` | {key.takes} | {'must be given' if key.required else default} | {key.help}{example} |".replace("|  |", "| |")
    yield ""


if __name__ == "__main__":
    print(configuration() if sys.argv[1:] == ["configuration"] else page(), end="")
