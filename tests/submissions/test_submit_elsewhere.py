"""`ranscore submit --to ADDRESS`: what crosses the wire, to the real page and to servers that mean harm."""

from __future__ import annotations

import json
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from harness import cohorts
from harness.config.home import home
from harness.types import Cohort
from ranscore.commands import main
from submissions import board_folder as board_folders
from submissions.board_folder import BoardFolder
from submissions.events import State
from tests.hub.test_foreign import recording
from tests.submissions.conftest import credentialed

Out = pytest.CaptureFixture[str]
MARK = "quxmarker"
# Gradio and its client leave sockets and event loops to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@dataclass
class Wire:
    """The real page, and every byte that was sent to it."""

    board_folder: BoardFolder
    address: str = ""
    asked: list[str] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)

    def clear(self) -> None:
        self.asked.clear()
        self.sent.clear()


@pytest.fixture(scope="module")
def wire(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A board with an open and a credentialed cohort."""
    import uvicorn

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = tmp_path_factory.mktemp("wire") / "board"
        patch.setenv("RANSCORE_HOME", str(root))
        from leaderboard.page import app as page

        cohorts.save(cohort, root / "cohorts" / "synthetic")
        credentialed(cohort, root)
        (root / "config.toml").write_text("[door]\nper_day = 0\nin_all = 0\nmax_bytes = 200000\n")
        found = Wire(board_folders.at(root))
        app = page.app(page.open_site(found.board_folder.store))

        async def recorded(scope: Any, receive: Any, send: Any) -> None:
            async def receiving() -> Any:
                message = await receive()
                found.sent.extend(message.get("body", b""))
                return message

            if scope["type"] == "http":
                found.asked.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
                found.sent.extend(str(scope["headers"]).encode())
            await app(scope, receiving, send)

        server = uvicorn.Server(uvicorn.Config(recorded, host="127.0.0.1", port=0, log_level="critical"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        found.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield found
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def file(wire: Wire, cohort: Cohort, tmp_path: Path) -> Path:
    """Reports that carry a mark, for the cohort."""
    wire.clear()
    path = tmp_path / "marked.jsonl"
    write(path, {study.id: f"The lungs are clear. {MARK}" for study in cohort.scored})
    return path


def write(path: Path, reports: dict[str, str]) -> None:
    path.write_text("".join(json.dumps({"study_id": name, "report": text}) + "\n" for name, text in reports.items()))


def handed(wire: Wire, path: Path, *more: str, cohort: str = "synthetic") -> int:
    return main(["submit", str(path), "--to", wire.address, "--cohort", cohort, "--name", "Birch", *more])


def test_reports_of_a_credentialed_cohort_stay_until_its_sentence_is_agreed_to(wire: Wire, file: Path, capsys: Out) -> None:
    assert handed(wire, file, cohort="hidden") == 5
    said = capsys.readouterr().err
    assert "nothing was sent" in said and "data-use agreement" in said and "--data-use" in said
    for more in ([], ["--data-use"], ["--data-use", "--harmless"]):
        assert handed(wire, file, "--dry-run", *more, cohort="hidden") == 0
        assert "It was checked on this machine alone; nothing was sent" in capsys.readouterr().out
    assert MARK.encode() not in wire.sent and not any(line.startswith("POST") for line in wire.asked)
    assert handed(wire, file, "--data-use", "--json", cohort="hidden") == 0
    name = json.loads(capsys.readouterr().out)["id"]
    assert MARK.encode() in wire.sent and wire.board_folder.ledger.state().submissions[name].state is State.RECEIVED


def test_an_open_cohort_is_checked_here_and_there(wire: Wire, file: Path, capsys: Out) -> None:
    assert handed(wire, file, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reports"] == 40
    assert handed(wire, file) == 0
    assert "Submitted: receipt" in capsys.readouterr().out


def test_a_file_that_is_wrong_is_not_sent(wire: Wire, file: Path, cohort: Cohort, tmp_path: Path, capsys: Out) -> None:
    ids = [study.id for study in cohort.scored]
    text = wire.board_folder.root / "cohorts" / "synthetic" / "text.jsonl"
    write(tmp_path / "other.jsonl", dict.fromkeys(["x1", *ids[1:]], f"Clear. {MARK}"))
    write(tmp_path / "some.jsonl", dict.fromkeys(ids[1:], f"Clear. {MARK}"))
    write(tmp_path / "large.jsonl", dict.fromkeys(ids, f"Clear. {MARK} " * 500))
    write(tmp_path / "named.jsonl", dict.fromkeys(ids, f"Clear. {MARK} Discussed with Dr. Miller on 03/14/2019."))
    write(tmp_path / "formula.jsonl", dict.fromkeys(ids, f"=1+1 {MARK}"))
    cases = [
        (text, [], "synthetic", 3, "the study is not one"),
        (file, [], "nowhere", 2, "this board has no cohort 'nowhere'"),
        (tmp_path / "other.jsonl", [], "synthetic", 3, "the study is not one"),
        (tmp_path / "other.jsonl", ["--data-use"], "hidden", 3, "not those of the 40 studies of 'hidden'"),
        (tmp_path / "some.jsonl", ["--data-use"], "hidden", 3, "not those of the 40 studies of 'hidden'"),
        (tmp_path / "large.jsonl", [], "synthetic", 3, "200,000 are allowed"),
        (tmp_path / "named.jsonl", [], "synthetic", 5, "may name patients, and nothing was sent"),
        (tmp_path / "named.jsonl", ["--data-use"], "hidden", 5, "may name patients, and nothing was sent"),
        (tmp_path / "formula.jsonl", [], "synthetic", 3, "formula"),
        (file, ["--name", "<b>"], "synthetic", 3, "markup"),
        (file, ["--anonymous-until", "2001-01-01"], "synthetic", 3, "anonymous"),
        (tmp_path / "nowhere.jsonl", [], "synthetic", 3, "nowhere.jsonl: the file cannot be read"),
        (tmp_path, [], "synthetic", 3, "the file cannot be read"),
    ]
    for path, more, name, code, message in cases:
        for dry in ([], ["--dry-run"]):
            if dry and "named" in path.name:
                continue
            assert handed(wire, path, *more, *dry, cohort=name) == code, path
            assert message in capsys.readouterr().err, path
    assert MARK.encode() not in wire.sent and not any(line.startswith("POST") for line in wire.asked)


def test_a_cohort_that_is_built_here_is_checked_by_its_own_ids(wire: Wire, file: Path, cohort: Cohort, tmp_path: Path, capsys: Out) -> None:
    credentialed(cohort, home())
    ids = [study.id for study in cohort.scored]
    write(tmp_path / "some.jsonl", dict.fromkeys(ids[1:], "Clear."))
    assert handed(wire, tmp_path / "some.jsonl", "--dry-run", cohort="hidden") == 0
    assert "Nothing was kept" in capsys.readouterr().out


def facts(made: Cohort, **changes: object) -> bytes:
    """What a page says of a cohort."""
    ids = sorted(study.id for study in made.scored)
    found = {
        "cohorts": ["synthetic"],
        "login": False,
        "max_bytes": 8_000_000,
        "cohort": "synthetic",
        "digest": made.manifest.digest,
        "access": "open",
        "section": "both",
        "studies": len(ids),
        "ids_sha256": sha256("".join(f"{name}\n" for name in ids).encode()).hexdigest(),
        "ids": ids,
        "data_use": "",
    }
    return json.dumps({**found, **changes}).encode()


def test_a_page_that_calls_a_credentialed_cohort_open_gets_nothing(cohort: Cohort, file: Path, capsys: Out) -> None:
    hidden = credentialed(cohort, home())
    for changes in ({"digest": hidden.manifest.digest}, {"cohort": "hidden"}, {}):
        with recording(200, {"content-type": "application/json"}, facts(cohort, **changes)) as page:
            assert main(["submit", str(file), "--to", page.address, "--cohort", "hidden", "--name", "Birch"]) == 5
            assert main(["submit", str(file), "--to", page.address, "--cohort", "hidden", "--name", "Birch", "--dry-run"]) == 0
            assert MARK.encode() not in b"".join(sent for _, _, sent in page.asked) and len(page.asked) == 2
        assert "credentialed, and nothing was sent" in capsys.readouterr().err


HOSTILE: tuple[bytes, ...] = (
    b"",
    b"<html>",
    b"null",
    b"[]",
    b"1",
    b"[" * 200_000,
    b'{"a": ' * 50_000 + b"1" + b"}" * 50_000,
    b'{"access": "open"}',
    b'{"problems": [{}], "lines": "x"}',
    b'{"problems": [{"what": 5}]}',
    b'{"problems": "no"}',
    b'{"problems": [{"what": "\\u001b[2J\\u0007gone\\nranscore: all is well", "remedy": "\\u202e", "file": "", "line": null, "study": ""}]}',
    b'{"id": 5, "lines": [1]}',
    b'{"id": "\\ud800"}',
    b"\xff\xfe\x00",
)


@pytest.mark.parametrize("status", [200, 302, 307, 403, 422, 500])
def test_whatever_a_server_answers_is_a_message_without_control_characters(cohort: Cohort, file: Path, capsys: Out, status: int) -> None:
    with recording() as elsewhere, recording(status, {"location": f"{elsewhere.address}/ranscore/door"}) as page:
        bodies = [*HOSTILE, facts(cohort)] if status != 200 else HOSTILE
        for page.body in bodies:
            for command in (
                ["submit", str(file), "--cohort", "synthetic", "--name", "Birch"],
                ["receipt", "a" * 16],
                ["withdraw", "a" * 16],
            ):
                assert main([*command, "--to", page.address]) in ({0, 2, 3, 4, 5} if status == 200 else {2, 3, 4, 5})
            said = "".join(capsys.readouterr())
            assert "Traceback" not in said and not any(sign in said for sign in "\x1b\x07\u202e") and "\nranscore: all is well" not in said
        assert elsewhere.asked == [] and MARK.encode() not in b"".join(sent for _, _, sent in page.asked)


def test_facts_of_another_kind_send_nothing(cohort: Cohort, file: Path, capsys: Out) -> None:
    values: tuple[object, ...] = ({}, 5.5, -1, [1])
    odd = [{key: value} for key in ("access", "section", "studies", "ids", "max_bytes", "digest") for value in values]
    with recording(200) as page:
        for page.body in [facts(cohort, **changes) for changes in odd]:
            assert main(["submit", str(file), "--to", page.address, "--cohort", "synthetic", "--name", "Birch"]) in (3, 4, 5)
        assert MARK.encode() not in b"".join(sent for _, _, sent in page.asked)
    assert "Traceback" not in capsys.readouterr().err


def test_a_token_goes_to_a_space_alone(cohort: Cohort, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    token = "hf_" + "x" * 30
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.chdir(file.parent)
    answer = {"content-type": "application/json"}
    with recording(200, answer, facts(cohort)) as page:
        main(["submit", str(file), "--to", page.address, "--cohort", "synthetic", "--dry-run"])
        assert page.asked and not any(token in str(headers) for _, headers, _ in page.asked)
        page.asked.clear()
        space = json.dumps(
            {"id": "lab/board", "host": page.address, "subdomain": "x", "sha": "a", "runtime": {"stage": "RUNNING"}}
        ).encode()
        with recording(200, answer, space) as hub:
            monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
            # A host that is neither of the Hub's nor of a Hub that the user named.
            main(["submit", str(file), "--to", "lab/board", "--cohort", "synthetic", "--dry-run"])
            assert page.asked and not any(token in str(headers) for _, headers, _ in page.asked)
            monkeypatch.setenv("HF_ENDPOINT", hub.address)
            page.asked.clear()
            main(["submit", str(file), "--to", "lab/board", "--cohort", "synthetic", "--dry-run"])
            assert page.asked and all(headers.get("authorization") == f"Bearer {token}" for _, headers, _ in page.asked)
    assert token not in "".join(capsys.readouterr())
