"""The command line helps: groups, examples that can be typed, the nearest name, `ranscore help`."""

from __future__ import annotations

import shlex

import pytest

from harness.errors import UsageError
from ranscore.commands import main, overview, parser
from ranscore.commands.reference import commands

NAMES = [name.removeprefix("ranscore ") for name, _ in commands(parser())]


def test_every_command_has_an_example_that_parses() -> None:
    assert [name for name in NAMES if name not in overview.EXAMPLES and not name.startswith(("moderate ", "cohort build "))] == []
    for name, lines in overview.EXAMPLES.items():
        for line in lines:
            words = shlex.split(line)
            assert words[: len(name.split()) + 1] == ["ranscore", *name.split()]
            parser().parse_args(words[1:])


def test_every_command_is_in_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "score reports:\n  score " in shown and "\nmore:" not in shown
    assert all(f"\n  {name.split()[0]} " in shown for name in NAMES)


def test_help_of_a_command_ends_with_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["help", "validate"])
    assert capsys.readouterr().out.endswith("example:\n  ranscore validate predictions.csv --references references.csv\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("scroe x.csv", "score"),
        ("bord", "board"),
        ("cohort buidl x", "build"),
        ("score x.csv --referenecs y.csv", "--references"),
        ("cohort build tabel --file x", "table"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean {meant}"):
        parser().parse_args(typed.split())
