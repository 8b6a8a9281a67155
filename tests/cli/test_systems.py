"""`ranscore systems`: readable at 100 columns, true about what is here, and naming where to get each file that is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generators.catalogue import catalogue
from generators.promptmrg import tiny
from harness.config.home import home
from ranscore.commands import main


def listed(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["systems", "list"]) == 0
    return capsys.readouterr().out


def test_every_system_is_listed_in_a_hundred_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = listed(capsys)
    assert max(map(len, said.split("\n"))) <= 100
    places = [said.index(f"\n  {name} ") for name in catalogue()]
    assert len(set(places)) == len(catalogue())
    ready, lacking, cannot = (said.index(title) for title in ("Ready to run here\n", "Lacking weights", "Cannot be run\n"))
    assert ready < said.index("  openai ") < lacking < said.index("  rgrg ") < cannot < said.index("  radialog ")
    assert "GB memory" in said and "GB free for weights" in said
    monkeypatch.setenv("COLUMNS", "70")
    assert max(map(len, listed(capsys).split("\n"))) <= 70


def test_what_is_here_is_known_by_home_configuration_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = home() / "weights" / "promptmrg"
    kept.mkdir(parents=True)
    tiny.write(kept)
    (home() / "config.toml").write_text(f'[weights.rgrg]\ncheckpoint = "{kept / "checkpoint"}"\nvocabulary = "{tmp_path / "gone"}"\n')
    said = listed(capsys)
    assert said.index("  promptmrg ") < said.index("Lacking weights")
    assert "clip 0.6 GB (here), annotation 0.3 GB (missing)" in said
    assert main(["systems", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rgrg = next(item for item in found["systems"] if item["name"] == "rgrg")
    assert rgrg["missing"] == ["vocabulary"] and rgrg["weights"][0]["path"] == str(kept / "checkpoint")
    assert all(item["size"] and item["source"] and item["licence"] for item in rgrg["weights"])
    assert found["machine"]["memory_gb"] > 0.5 and found["machine"]["disk_free_gb"] > 0
    assert main(["systems", "check", "rgrg"]) == 4
    assert f"{tmp_path / 'gone'}: rgrg: nothing is at the path given for vocabulary" in capsys.readouterr().err


@pytest.mark.parametrize("name", [system.name for system in catalogue().values() if system.weights and not system.unavailable])
def test_a_check_without_weights_names_where_to_get_each(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems", "check", name, "--device", "cpu"]) == 4
    loading, *said = capsys.readouterr().err.rstrip().split("\n")
    assert loading == f"Loading {name} ..."
    weights = catalogue()[name].weights
    assert len(said) == len(weights)
    for line, item in zip(said, weights, strict=True):
        assert f" {item.name}: " in line and item.size in line and f"--weights {item.name}=PATH" in line
        assert "https://" in line or name in ("replay", "trained-baseline")
        assert (f"hf download {item.repository}" in line) == bool(item.repository)


def test_what_no_system_has_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["systems", "check", "rgrg", "--weights", "chekpoint=x"]) == 2
    assert "rgrg has no weights chekpoint; it has checkpoint, vocabulary, distilbert" in capsys.readouterr().err
    assert main(["systems", "check", "constant-normal"]) == 2
    assert "ranscore floors" in capsys.readouterr().err
    assert main(["systems", "check", "radialog"]) == 4
    assert "cannot be run" in capsys.readouterr().err
