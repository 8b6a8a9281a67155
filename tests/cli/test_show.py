"""Tables on the terminal."""

from __future__ import annotations

import pytest

from ranscore.commands.show import table


def test_a_narrow_terminal_leaves_out_whole_columns_and_names_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    heads, rows = ["rank", "system", "score", "evidence"], [["1 [1-2]", "maple", "0.500 [0.400, 0.600]", "scored here"]]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "46")
    table(heads, rows, "board", 2, whole=False)
    narrow = capsys.readouterr().out
    assert "0.500 [0.400, 0.600]" in narrow and "scored" not in narrow and "No room here for: evidence." in narrow
    monkeypatch.setenv("COLUMNS", "30")
    table(heads, rows, "board", 2, whole=False)
    assert "0.500" in capsys.readouterr().out, "the first score stands in any case"
    monkeypatch.setenv("COLUMNS", "80")
    table(heads, rows, "board", 2, whole=False)
    assert "scored here" in (wide := capsys.readouterr().out) and "No room" not in wide
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("COLUMNS", "30")
    table(heads, rows, "board", 2, whole=False)
    assert "scored here" in capsys.readouterr().out, "a pipe has no width"
