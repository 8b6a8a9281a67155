"""A credentialed cohort: no word of a report in the coordinator's files, in what is said, in a server's log, in errors or on the tab."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import cohorts
from harness.config.home import home
from harness.records.store import Store
from harness.types import Access, Text
from leaderboard import static_site
from leaderboard.content import BoardContent
from leaderboard.html.addresses import Live
from leaderboard.views import router
from ranscore.commands import main
from tests.boards import demo_store
from tests.validation.readers.conftest import Made, cohort_of, study_of
from tests.validation.readers.test_commands import saved
from tests.validation.readers.test_server import Client
from validation.readers import page, practise, sheets, standard, texts
from validation.readers.sheets import Reply

__all__ = ["demo_store"]
WORDS = ("quixotrophe", "zimbelkraut", "vorpalgestein")


@pytest.fixture
def secret() -> Made:
    """Thirty credentialed reports, each with words that occur nowhere else."""
    made = cohort_of(30, "made")
    marked = {
        name: Text(findings=f"{text.findings} {WORDS[0].title()} {WORDS[1]} effusion.", impression=WORDS[2])
        for name, text in made.texts.items()
    }
    cohort = cohorts.make(
        "hidden",
        made.manifest.studies,
        marked,
        section=made.manifest.section,
        access=Access.CREDENTIALED,
        language="en",
        source="test",
        labels=made.labels,
    )
    cohorts.save(cohort, home() / "cohorts" / "hidden")
    return study_of(cohort, "hidden")


def leaking(folder: Path) -> list[str]:
    """Files with a word of a report, except the cohort itself and the sheets that were asked for."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        if any(word.encode() in content or word in str(path).lower() for word in WORDS):
            found.append(str(path.relative_to(folder)))
    return sorted(name for name in found if not name.startswith(("cohorts/", "readers/hidden/forms/")))


def said_word(text: str) -> bool:
    return any(word in text.lower() for word in WORDS)


def test_no_command_and_no_file_of_a_study_holds_a_word_of_a_report(
    secret: Made, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.basicConfig(level=1, force=True)
    agreed = ["--agree", texts.AGREEMENT]
    files = saved(secret.folder, tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text(
        json.dumps(
            json.loads(files[0].read_text()) | {"reader": f"{WORDS[0]} {WORDS[1]}", "answers": {WORDS[2]: {"values": {WORDS[0]: 1}}}}
        )
    )
    swapped = tmp_path / "swapped.csv"
    swapped.write_text(f"study_id,reader,question,value\n{WORDS[0]} {WORDS[1]},{WORDS[2]},{WORDS[0]},{WORDS[1]}\n")
    steps: list[tuple[list[str], int]] = [
        (["sheets", "hidden"], 5),
        (["sheets", "hidden", *agreed], 0),
        (["take", "hidden", str(broken)], 3),
        (["import", "hidden", str(swapped)], 3),
        (["take", "hidden", *map(str, files[:5])], 0),
        (["status", "hidden"], 0),
        (["agree", "hidden"], 5),
        (["agree", "hidden", "--interim"], 0),
        (["take", "hidden", str(files[5])], 0),
        (["agree", "hidden", "--json"], 0),
        (["settle", "hidden"], 0),
        (["check", "hidden"], 0),
        (["export", "hidden", "-o", str(home() / "out")], 0),
        (["export", "hidden", "--format", "doccano", "-o", str(home() / "out")], 0),
        (["export", "hidden", "--format", "label-studio", "--text", "-o", str(home() / "out")], 5),
        (["new", "again", "--cohort", "hidden", "--draw", "rare", "--items", "300"], 2),
        (["new", "rare", "--cohort", "hidden", "--draw", "rare", "--items", "29"], 0),
    ]
    for words, code in steps:
        assert main(["readers", *words]) == code, words
    # A text that was changed since: named by its id, not by its words.
    path = home() / "cohorts" / "hidden" / "text.jsonl"
    path.write_text(path.read_text().replace(WORDS[1], WORDS[1] + "x"))
    assert main(["readers", "sheets", "hidden", *agreed]) == 3
    assert main(["readers", "check", "hidden"]) == 1
    said = "".join(capfd.readouterr())
    assert len(said) > 2000 and not said_word(said)
    for path in (broken, swapped):
        path.unlink()
    assert leaking(home()) == [] == leaking(tmp_path)
    forms = list((secret.folder.path / "forms").glob("*.html"))
    assert len(forms) == 6 and all(said_word(path.read_text()) for path in forms), "the search finds what is there"


def test_no_object_shows_text_and_no_traceback_does(secret: Made) -> None:
    view = page.of_reader("hidden", secret.study, "reader-1", secret.texts)
    secret.hand_in()
    standard.write(secret.folder, standard.settle(secret.study, secret.folder.counting(), 0))
    exercise = practise.exercise(secret.folder, secret.texts, 3, "x")
    sheet = sheets.Sheet(study="x", reader="reader-1", replies={1: Reply({"remark": WORDS[0]})})
    for thing in (view, exercise, sheet, secret.study, secret.folder):
        assert not said_word(repr(thing)) and not said_word(str(thing))


def test_a_server_says_nothing_of_what_it_serves(secret: Made, tmp_path: Path) -> None:
    program = "import logging, sys; logging.basicConfig(level=1); from ranscore.commands import main; sys.exit(main())"
    words = [sys.executable, "-X", "dev", "-c", program, "readers", "serve", "hidden", "--port", "0", "--agree", texts.AGREEMENT]
    environment = {**os.environ, "RANSCORE_HOME": str(home()), "PYTHONUNBUFFERED": "1", "PYTHONASYNCIODEBUG": "1", "TMPDIR": str(tmp_path)}
    with (tmp_path / "log").open("w+") as log, subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=environment) as process:
        try:
            address = None
            for _ in range(2000):
                if address := re.search(r"reader-1\s+http://127\.0\.0\.1:(\d+)(/\S+)/", (tmp_path / "log").read_text()):
                    break
                assert process.poll() is None
                time.sleep(0.03)
            assert address
            client = Client(int(address[1]), address[2])
            assert said_word(json.dumps(client.state()["reports"]))
            remark = {"study": secret.study.digest, "answers": {"1": {"values": {"remark": " ".join(WORDS)}}}}
            for method, path, body in (
                ("POST", "/answers", remark),
                ("POST", "/answers", {"answers": " ".join(WORDS)}),
                ("POST", f"/{WORDS[0]}", remark),
                ("GET", f"/{WORDS[1]}?{WORDS[2]}=1", None),
                ("POST", "/submission", {"attested": WORDS[0]}),
                ("POST", "/answers", f'{{"{WORDS[0]}": '.encode()),
            ):
                status, answer, headers = client.ask(method, path, body)
                assert status >= 400 and not said_word(answer.decode() + json.dumps(headers)), (method, path)

            with socket.create_connection(("127.0.0.1", int(address[1]))) as raw:
                raw.sendall(f"{WORDS[0]} {WORDS[1]} HTTP/9\r\n{WORDS[2]}\r\n\r\n".encode())
                raw.settimeout(10)
                assert raw.recv(4000)
        finally:
            process.terminate()
            process.wait(20)
        log.seek(0)
        said = log.read()
    assert "reader-6" in said and not said_word(said), [line for line in said.splitlines() if said_word(line)][:3]
    (tmp_path / "log").unlink()
    assert leaking(tmp_path) == [] == leaking(home())


def test_the_tab_of_a_credentialed_standard_holds_no_word(secret: Made, demo_store: Store, tmp_path: Path) -> None:
    secret.hand_in()
    standard.write(secret.folder, standard.settle(secret.study, secret.folder.counting(), 0))
    # The running page beside another board, and the static site of a store that has none: both draw every part of the tab.
    (tmp_path / "readers.html").write_text(str(router.render(BoardContent(demo_store), "readers", {}, Live())))
    static_site.write(BoardContent(Store(tmp_path / "empty")), tmp_path / "site")
    for name in ("readers.html", "site/index.html"):
        assert "hidden" in (tmp_path / name).read_text()
    assert leaking(tmp_path) == []
