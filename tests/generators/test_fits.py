"""What fits on a machine, by the memory that the catalogue states."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from generators.catalogue import catalogue, find
from generators.running.fits import MachineSpeed, fit, needs
from ranscore.commands import main

LAPTOP = MachineSpeed("processors", 16.0, 20.0, 4)
CARD = MachineSpeed("a GPU", 24.0, 900.0, 0)


def test_every_stated_memory_is_read_by_precision() -> None:
    assert needs("32 GB in float32, 18 GB in bfloat16 or float16") == {"float32": 32.0, "bfloat16": 18.0}
    assert needs("about 16 GB in bfloat16, 30 GB in float32") == {"bfloat16": 16.0, "float32": 30.0}
    assert needs("4 GB") == {"": 4.0} and needs("twice its parameters in bytes") == {}
    stated = [system for system in catalogue().values() if any(letter.isdigit() for letter in system.memory)]
    assert len(stated) > 10 and all(needs(system.memory) for system in stated)


def test_a_place_holds_what_leaves_it_a_tenth_and_half_precision_is_for_what_is_too_large() -> None:
    maira = replace(find("maira-2"), memory="30 GB in float32, 16 GB in bfloat16")
    assert fit(maira, LAPTOP) == replace(fit(maira, LAPTOP), precision="", needed=16.0, hours=0.0)  # type: ignore[type-var]
    found = fit(maira, CARD)
    assert found and found.precision == "bfloat16" and found.needed == 16.0
    assert found.hours == pytest.approx(3000 * 150 * 16 / 900 / 3600)
    wide = fit(maira, replace(LAPTOP, memory=64.0))
    assert wide and wide.precision == "float32" and wide.needed == 30.0


def test_a_measured_time_goes_before_an_estimate_on_processors() -> None:
    found = fit(find("rgrg"), LAPTOP)
    assert found and found.measured and found.hours == pytest.approx(3000 * 7.1 / 3600)
    assert (shown := fit(find("rgrg"), CARD)) and not shown.measured


def test_the_list_of_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems", "list", "--fits", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    here = told["places"][0]
    assert here["memory"] > 1 and here["bandwidth"] > 0.01
    assert told["systems"]["rgrg"]["processors"]["needed"] == 4.0
    assert main(["systems", "list", "--fits"]) == 0
    shown = capsys.readouterr().out
    assert "What fits on this machine" in shown and "rgrg" in shown
