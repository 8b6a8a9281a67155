"""The catalogue is well-formed, every entry of it resolves against servers with the sources' layout, and the command says what is so."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

from harness.config.home import home
from harness.errors import RefusedError, UnavailableError
from ranscore.commands import main
from ranscore.fetching import from_hub, placing
from ranscore.fetching.entries import Entry, EntryKind, catalogue
from ranscore.fetching.transfer import Transfer
from tests.fetching.models_hub import ModelsHub
from tests.fetching.models_hub import serving as serving_models
from tests.fetching.server import Files, serving

ENTRIES = catalogue()
NOW = "2026-12-01T00:00:00Z"
FILES = [name for name, entry in ENTRIES.items() if entry.files]
HUB = [name for name, entry in ENTRIES.items() if entry.hub]


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_well_formed(name: str) -> None:
    entry = ENTRIES[name]
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) and entry.name == name and entry.what and entry.licence
    assert entry.files or entry.hub or entry.how, "it is fetched, or says how a person gets it"
    assert not (entry.credentialed and (entry.files or entry.hub)), "credentialed text has no address that could be fetched"
    assert re.fullmatch(r"[0-9a-f]{40}|", entry.revision)
    assert not entry.source or "http" in entry.source or entry.kind is EntryKind.WEIGHTS
    for item in entry.files:
        address = urlsplit(item.address)
        assert address.scheme == "https" and address.hostname and not address.query and not address.fragment
        assert entry.revision in item.address and ".." not in item.address
        assert re.fullmatch(r"[0-9a-f]{64}|", item.sha256) and (item.size is None) == (not item.sha256)
        assert PurePosixPath(item.path).name == item.path and not item.path.startswith(".")
        assert "raw.githubusercontent.com" not in item.address or (entry.revision and item.sha256), "a file of a commit has a known hash"
    assert len({item.path for item in entry.files}) == len(entry.files)
    for repository in entry.hub:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+(:[\w.-]+)?", repository)


def test_every_system_and_metric_with_weights_is_in_the_catalogue() -> None:
    from generators.catalogue import catalogue as systems

    assert {name for name, system in systems().items() if system.weights} <= set(ENTRIES)
    assert {"chexbert", "bertscore", "radgraph"} <= set(ENTRIES)


@pytest.fixture
def world() -> Iterator[tuple[Files, dict[str, str]]]:
    """A file server with a file under the path of every address, and the mirrors that lead to it."""
    hosts = sorted({urlsplit(item.address).hostname or "" for entry in ENTRIES.values() for item in entry.files})
    with serving() as files:
        yield files, {f"https://{host}": f"{files.address}/{host}" for host in hosts}


@pytest.mark.parametrize("name", FILES)
def test_every_entry_with_files_resolves_on_a_server_of_that_layout(name: str, world: tuple[Files, dict[str, str]]) -> None:
    files, mirrors = world
    contents = {item.path: f"{name} {item.path}".encode() for item in ENTRIES[name].files}
    entry = with_content(ENTRIES[name], contents)
    for item in entry.files:
        address = urlsplit(item.address)
        files.content[f"/{address.hostname}{address.path}"] = contents[item.path]
    placed = placing.fetch(entry, Transfer(mirrors=mirrors), accepted=entry.licence, now=NOW)
    assert {path.name: path.read_bytes() for path in placed.paths} == contents
    assert {unquote(path) for path, _ in files.asked} == {unquote(path) for path in files.content}


def with_content(entry: Entry, contents: dict[str, bytes]) -> Entry:
    """The entry as if the sources held this content; hashes that are not known stay unknown."""
    made = [
        replace(item, size=len(contents[item.path]), sha256=sha256(contents[item.path]).hexdigest()) if item.sha256 else item
        for item in entry.files
    ]
    return replace(entry, files=tuple(made))


def test_published_content_is_refused_where_it_is_another(world: tuple[Files, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    files, mirrors = world
    inside = urlsplit(ENTRIES["moerad-iu"].files[0].address)
    files.content[f"/{inside.hostname}{inside.path}"] = b"x" * (ENTRIES["moerad-iu"].files[0].size or 0)
    (home() / "config.toml").write_text("[fetch]\nmirrors = { " + ", ".join(f'"{a}" = "{b}"' for a, b in mirrors.items()) + " }\n")
    assert main(["fetch", "moerad-iu"]) == 3
    assert "it is not the expected file" in capsys.readouterr().err
    assert not (home() / "fetched" / "moerad-iu").exists()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelsHub]:
    """A Hub of models; its cache is a folder of this test."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_XET_CACHE", str(tmp_path / "xet"))
    with serving_models(ModelsHub()) as hub:
        (home() / "config.toml").write_text(f'[hub]\nendpoint = "{hub.address}"\n')
        yield hub


@pytest.mark.parametrize("name", HUB)
def test_every_entry_of_the_hub_resolves_and_keeps_its_commit(name: str, models: ModelsHub) -> None:
    entry = ENTRIES[name]
    repositories = dict(item.partition(":")[::2] for item in entry.hub)
    for repository, only in repositories.items():
        files = {"config.json": repository.encode(), "tf_model.h5": b"unread", **({only: b"one"} if only else {})}
        models.models[repository] = {"a" * 40: files}
    first = from_hub.fetch(entry, accepted=entry.licence, now=NOW)
    for repository, only in repositories.items():
        assert sorted(path.name for path in first[repository].iterdir()) == [only or "config.json"]
        models.models[repository]["b" * 40] = {only or "config.json": b"newer"}
    assert from_hub.fetch(entry, now=NOW) == first, "the commit of the first time is fetched again"


def test_what_the_hub_refuses_is_said_with_the_way(models: ModelsHub) -> None:
    entry = ENTRIES["maira-2"]
    with pytest.raises(UnavailableError, match="the Hub has no microsoft/maira-2"):
        from_hub.fetch(entry, accepted=entry.licence, now=NOW)
    models.models["microsoft/maira-2"] = {"a" * 40: {"config.json": b"{}"}}
    models.gated.add("microsoft/maira-2")
    with pytest.raises(RefusedError, match="Accept them on its page"):
        from_hub.fetch(entry, now=NOW)
    models.gated.clear()
    from_hub.fetch(entry, now=NOW)
    models.models["microsoft/maira-2"] = {"c" * 40: {"config.json": b"{}"}}
    shutil.rmtree(constants.HF_HUB_CACHE)
    with pytest.raises(UnavailableError, match=f"has no commit {'a' * 40} any more"):
        from_hub.fetch(entry, now=NOW)
    (home() / "config.toml").write_text('[hub]\nendpoint = "http://127.0.0.1:9"\n')
    with pytest.raises(UnavailableError, match="the Hub cannot be reached"):
        from_hub.fetch(ENTRIES["chexone"], accepted=ENTRIES["chexone"].licence, now=NOW)


def test_the_list_shows_every_entry_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {re.escape(name)} ", shown, re.MULTILINE) for name in ENTRIES)
    assert main(["fetch", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(ENTRIES) and all(row["licence"] for row in rows)


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if entry.credentialed])
def test_credentialed_text_is_refused_with_the_way_to_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", name, "--accept", ENTRIES[name].licence]) == 5
    told = capsys.readouterr().err
    assert "holds text under a data-use agreement" in told and ENTRIES[name].how[1:] in told
