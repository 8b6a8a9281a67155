"""The command `ranscore`: one file a command group, imported only to declare its options."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module, metadata

from harness.errors import InputError, RanscoreError, UnavailableError
from harness.storage.notes import printed
from ranscore.commands.parsing import Parser, Top

GROUPS: tuple[str, ...] = (
    "score",
    "rank",
    "validate",
    "board",
    "bench",
    "serve",
    "site",
    "cache",
    "compare",
    "snapshot",
    "rescore",
    "card",
    "cohort",
    "demo",
    "extractor",
    "fetch",
    "generate",
    "systems",
    "train",
    "health",
    "label",
    "labels",
    "metrics",
    "moderate",
    "pack",
    "readers",
    "rexrank",
    "submit",
    "taxonomy",
    "weights",
    "worker",
)
"""Modules of this package, in the order of the help. Each has `register(commands)` and imports only the standard library at its top."""


def parser() -> argparse.ArgumentParser:
    """The whole command line; also what the documentation test walks through."""
    top = Top(prog="ranscore", description="Ran Score for chest X-ray report generators: score, compare, rank.")
    top.add_argument("--version", action="version", version=f"ranscore {metadata.version('ranscore')}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for group in GROUPS:
        import_module(f"ranscore.commands.{group}").register(commands)
    return top


def _without_help(words: list[str]) -> list[str]:
    """`help COMMAND` is `COMMAND --help`."""
    return [*words[1:], "--help"] if words[:1] == ["help"] else words


def main(argv: Sequence[str] | None = None, begin: Callable[[], None] = lambda: None) -> int:
    """Run one command.

    Args:
        argv: What was typed after `ranscore`; of this process by default.
        begin: Called when everything is read that says what to do.

    Returns:
        The exit code: 0 done, 1 the answer is no, 2 to 6 as in `harness.errors`, 130 interrupted.
    """
    try:
        arguments = parser().parse_args(_without_help(sys.argv[1:] if argv is None else list(argv)))
        begin()
        with printed():
            code = int(arguments.run(arguments))
        sys.stdout.flush()  # a closed pipe (SIGPIPE) is noticed here, not while Python ends
        return code
    except RanscoreError as error:
        for problem in error.problems:
            print(f"ranscore: {problem}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        from harness.config.home import extra_of, pip_install

        package = (error.name or "").partition(".")[0]
        if not (extra := extra_of(package)):
            raise
        print(f"ranscore: this command needs {package}, which is not installed. Run `{pip_install(extra)}`", file=sys.stderr)
        return UnavailableError.exit_code
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(
            f"ranscore: {error.filename or 'a file'}: {error.strerror or type(error).__name__}. Check the path and its rights",
            file=sys.stderr,
        )
        return InputError.exit_code
    except UnicodeEncodeError as error:
        what = f"the encoding of this terminal ({error.encoding}) cannot name a file"
        print(f"ranscore: {what}. Set PYTHONUTF8=1 and run the command again", file=sys.stderr)
        return InputError.exit_code
    except KeyboardInterrupt:
        print("ranscore: interrupted; nothing half written was left behind", file=sys.stderr)
        return 128 + signal.SIGINT
