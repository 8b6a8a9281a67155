"""How the command line is parsed: errors of the project's own, "did you mean", and help with examples."""

from __future__ import annotations

import argparse
import re
from difflib import get_close_matches
from typing import Any, NoReturn

from harness.errors import UsageError
from ranscore.commands import overview


class Help(argparse.HelpFormatter):
    """Help whose examples keep their lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("example"):
            return text + "\n"
        return super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError`, suggests the nearest name, and prints examples."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Help, **options})

    def format_help(self) -> str:
        """The help, with the examples of this command."""
        self.epilog = overview.epilog(self.prog.removeprefix("ranscore").strip())
        return super().format_help().rstrip() + "\n"

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting, so that every error is printed in one place."""
        if wrong := re.match(r"argument (\S+): invalid choice: '?(.*?)'? \(choose from (.*)\)$", message):
            named, known = wrong.group(2), re.findall(r"[\w.:-]+", wrong.group(3))
            what = "command" if wrong.group(1) in {"COMMAND", "NAME"} else wrong.group(1)
            message = f"there is no {what} {named!r}{_nearest(named, known)}"
        raise UsageError(f"{message}. See `{self.prog} --help`")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse unknown arguments here, so that the error names the help of this command, not of the program."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            first = unknown[0].partition("=")[0]
            several = any(action.nargs == "+" and not action.option_strings for action in self._actions)
            together = "; name all of them in one place, before the options or after" if several and not first.startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{_nearest(first, list(self._option_string_actions))}{together}")
        return found, unknown


class Top(Parser):
    """The parser of `ranscore` itself: its help shows the commands in groups."""

    def format_help(self) -> str:
        """Usage, the commands in groups, and how to get more help."""
        commands = next(action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        helps = {action.dest: action.help or "" for action in commands._choices_actions}
        start = "usage: ranscore COMMAND [OPTIONS]\n\n" + (self.description or "")
        end = "`ranscore help COMMAND` or `ranscore COMMAND --help` shows the options and an example; `ranscore --version` the version."
        return f"{start}\n{overview.grouped(helps)}\n\n{end}\n"


def _nearest(name: str, known: list[str]) -> str:
    alike = get_close_matches(name.lower(), known, 1, 0.7)
    return f" (did you mean {alike[0]}?)" if alike else ""
