"""Reading weights: nothing is executed, everything wrong is named."""

from __future__ import annotations

import argparse
import enum
import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import InputError, UnavailableError
from harness.networks import checkpoints
from ranscore.commands import main

WEIGHTS = OrderedDict((f"module.layer.{number}", torch.full((2, 3), float(number))) for number in range(3))
NAMES = ["layer.0", "layer.1", "layer.2"]


class Settings(dict[str, int]):
    """A configuration class of somebody's training script."""


class Level(enum.Enum):
    HIGH = 1


class Attack:
    """Unpickled carelessly, it makes a folder."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("attacked",)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "beside", [{"epoch": 1}, argparse.Namespace(lr=1), Settings(lr=1), Level.HIGH, Path("here"), Attack(), {"step": [len, torch.float16]}]
)
def test_weights_are_read_beside_whatever_the_training_script_left_and_nothing_is_executed(
    beside: object, new: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": WEIGHTS, "config": beside}, "a.pth", _use_new_zipfile_serialization=new)
    found = checkpoints.read(Path("a.pth"))
    assert list(found) == NAMES
    assert found["layer.2"].tolist() == [[2.0] * 3] * 2
    assert not Path("attacked").exists()


@pytest.mark.parametrize("whole", [WEIGHTS, {"state_dict": WEIGHTS}, {"model_state_dict": WEIGHTS, "epoch": 3}])
def test_weights_may_lie_bare_or_under_a_key(whole: object, tmp_path: Path) -> None:
    torch.save(whole, tmp_path / "a.pt")
    assert list(checkpoints.read(tmp_path / "a.pt")) == NAMES


def test_module_is_taken_off_only_where_every_name_has_it() -> None:
    mixed = {"module.a": torch.ones(1), "b": torch.ones(1)}
    assert list(checkpoints.unwrapped(mixed)) == ["module.a", "b"]


def test_a_program_a_text_and_a_torn_file_are_refused_by_name(tmp_path: Path) -> None:
    program, text, torn, empty = (tmp_path / name for name in ("program.pt", "text.pth", "torn.pth", "empty.safetensors"))
    with pytest.warns(DeprecationWarning, match="jit"):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), program)
    text.write_text("Sign in to download")
    torch.save(WEIGHTS, torn, _use_new_zipfile_serialization=False)
    torn.write_bytes(torn.read_bytes()[:300])
    empty.write_bytes(b"\x00" * 4)
    for file, what in ((program, "TorchScript"), (text, "not a PyTorch checkpoint"), (torn, "damaged"), (empty, "cut off")):
        with pytest.raises(InputError, match=what) as error:
            checkpoints.read(file)
        assert file.name in str(error.value)
    with pytest.raises(UnavailableError, match="no such file"):
        checkpoints.read(tmp_path / "absent.pth")


def test_a_layout_names_every_missing_unexpected_and_misshapen_tensor() -> None:
    expected = {"a": (2, 3), "b": (1,), "c": (4,)} | {f"d{number}": (1,) for number in range(30)}
    with pytest.raises(InputError) as error:
        checkpoints.check({"a": torch.ones(3, 2), "c": torch.ones(4), "e": torch.ones(1)}, expected, "w.pth")
    missing, unexpected, misshapen = (str(problem) for problem in error.value.problems)
    assert "w.pth: 31 missing tensors: b, d0, d1," in missing and "and 11 more" in missing
    assert "1 unexpected tensors: e." in unexpected
    assert "1 tensors of another shape: a is [3, 2], not [2, 3]." in misshapen


def test_a_conversion_keeps_every_value_and_the_digest_and_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"model": WEIGHTS, "optimizer": {"m": torch.ones(1000)}}, tmp_path / "in.pth")
    arguments = ["weights", "convert", str(tmp_path / "in.pth"), str(tmp_path / "out.safetensors")]
    assert main(arguments) == 0
    before, after = checkpoints.read(tmp_path / "in.pth"), checkpoints.read(tmp_path / "out.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in NAMES) and set(after) == set(NAMES)
    assert checkpoints.tensors_digest(before) == checkpoints.tensors_digest(after)
    assert checkpoints.tensors_digest(after)[:12] in capsys.readouterr().out
    assert main(arguments) == 5
    assert main([*arguments[:3], str(tmp_path / "out.bin")]) == 2
    assert main([*arguments[:3], str(tmp_path / "new.safetensors"), "--layout", "chexbert"]) == 3
    assert "227 missing tensors" in capsys.readouterr().err


def test_a_digest_changes_with_a_name_a_shape_a_type_and_a_value() -> None:
    tensor = torch.arange(6.0).reshape(2, 3)
    others = [{"b": tensor}, {"a": tensor.reshape(3, 2)}, {"a": tensor.half()}, {"a": tensor + 1}]
    assert len({checkpoints.tensors_digest(table) for table in [{"a": tensor}, *others]}) == 5
