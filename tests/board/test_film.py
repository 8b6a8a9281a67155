"""A report for an uploaded film: the same as from the file itself, whatever the file; and nothing of it stays."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from generators import catalogue
from generators.baseline import trained
from generators.catalogue import Options
from harness.config.home import home
from harness.errors import InputError, RanscoreError, UnavailableError, UsageError
from harness.records.store import Store
from harness.types import StudyInput
from leaderboard.films import reader as film
from leaderboard.films import sandbox
from leaderboard.films.reader import FilmReader, configured
from leaderboard.page.body import Uploads
from leaderboard.views import film as view
from ranscore.commands import main
from submissions import bounded
from tests.films import ODD, dicom, drawn, model, saved

__all__ = ["model"]
pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio and Starlette warn of each other's versions


@pytest.fixture
def reader(model: Path) -> FilmReader:
    return FilmReader(trained.SYSTEM, Options({"model": model}))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, and nothing else is."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def direct(model: Path, path: Path) -> str:
    """What the generator writes for the file itself, as `ranscore generate` would let it."""
    (made,) = trained.make(Options({"model": model})).generate([StudyInput("1", frontal=path)])
    return made.report


KINDS: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved(drawn()),
    "jpeg": lambda: saved(drawn(), "JPEG"),
    "colour": lambda: saved(Image.merge("RGB", [drawn(), drawn(1), drawn(2)])),
    "palette": lambda: saved(drawn().convert("P")),
    "16 bits": lambda: saved(Image.fromarray(np.asarray(drawn()).astype(np.uint16) * 200)),
    "dicom": lambda: dicom(drawn()),
    "jpeg 2000": lambda: dicom(drawn(), "1.2.840.10008.1.2.4.90"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_upload_is_read_as_the_file_itself(reader: FilmReader, model: Path, kind: str, tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(KINDS[kind]())
    made = reader.read(path.read_bytes(), "film")
    assert made.report == direct(model, path) != ""
    assert made.size == (256, 256) and Image.open(io.BytesIO(made.picture)).size == (256, 256)
    assert list(temporary.iterdir()) == []


def test_real_films_are_read_as_the_files_themselves(reader: FilmReader, model: Path, shared: Path, temporary: Path) -> None:
    paths = sorted((shared / "images").iterdir())
    assert len(paths) == 8
    for path in paths:
        made = reader.read(path.read_bytes(), path.name)
        assert made.report == direct(model, path), path.name
        assert max(Image.open(io.BytesIO(made.picture)).size) == film.SHOWN
    assert list(temporary.iterdir()) == []


def test_a_generator_sees_pixels_and_nothing_else() -> None:
    original = dicom(drawn())
    assert b"Secret" in original
    clean = sandbox.cleaned(original, "a.dcm")
    assert b"Secret" not in clean and not Image.open(io.BytesIO(clean)).info


def bomb() -> bytes:
    return saved(Image.new("1", (14_000, 14_000)))


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file is empty (0 bytes)"),
    "text": (lambda: b"Heart size is normal.", "not a PNG, JPEG or DICOM file"),
    "pdf": (lambda: b"%PDF-1.7\n" + bytes(500), "not a PNG, JPEG or DICOM file"),
    "huge": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(sandbox.BYTES), "60,000,000 are read"),
    "bomb": (bomb, "unpacks to more than 30,000,000 pixels"),
    "large": (lambda: saved(Image.new("1", (6000, 6000))), "unpacks to more than 30,000,000 pixels"),
    "speck": (lambda: saved(Image.new("L", (400, 8))), "400 by 8 pixels"),
    "cut png": (lambda: saved(drawn())[:9000], "cut off or damaged"),
    "cut jpeg": (lambda: saved(drawn(), "JPEG")[:200], "cut off or damaged"),
    "cut dicom": (lambda: dicom(drawn())[:9000], "cut off or damaged"),
    "noise in dicom": (lambda: bytes(128) + b"DICM" + b"\xff" * 900, "cut off or damaged"),
    "frames": (lambda: dicom(drawn(), NumberOfFrames=12), "12 frames, not one film"),
    "dicom bomb": (lambda: dicom(drawn(), Rows=65_000, Columns=65_000), "unpacks to more than 30,000,000 pixels"),
    "dicom of two sizes": (lambda: dicom(drawn(), "1.2.840.10008.1.2.4.90", Rows=300), "differ in size"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_film_is_named_and_leaves_nothing(reader: FilmReader, kind: str, temporary: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, said = BAD[kind]
    with pytest.raises(InputError) as caught:
        reader.read(make(), "../../<b>evil\n.png")
    (problem,) = caught.value.problems
    assert said in problem.what and problem.remedy
    assert problem.file == "bevil.png" and str(temporary) not in str(problem)
    assert list(temporary.iterdir()) == [] and capfd.readouterr() == ("", "")


def test_a_decoder_that_takes_for_ever_or_dies_is_the_files_fault(
    reader: FilmReader, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, value, said in (("SECONDS", 0.01, r"more than 0\.01 seconds of processor time"), ("MEMORY", 150 << 20, "memory")):
        with monkeypatch.context() as patched:
            patched.setattr(sandbox, limit, value)
            with pytest.raises(InputError, match=said):
                reader.read(saved(Image.new("1", (5000, 5000))), "a.png")
    monkeypatch.setattr(bounded, "environment", lambda: {"PYTHONHOME": "nowhere"})  # the child dies before it begins
    with pytest.raises(InputError, match="cannot be unpacked within"):
        reader.read(saved(drawn()), "a.png")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("does", "said"), [("fails", r"odd failed on this film \(RuntimeError\)"), ("import", "needs the package package_that_is_not_there")]
)
def test_a_system_that_fails_says_so_without_secrets(does: str, said: str, temporary: Path) -> None:
    with pytest.raises(UnavailableError, match=said) as caught:
        FilmReader(ODD, Options(settings={"does": does})).read(saved(drawn()), "a.png")
    assert "secret" not in str(caught.value) and caught.value.problems[0].remedy
    assert list(temporary.iterdir()) == []


def test_a_generator_that_hangs_is_ended_and_the_next_film_has_another(temporary: Path) -> None:
    reader = FilmReader(ODD, Options(settings={"does": "hangs on black"}), seconds=20)
    reader.read(saved(drawn()), "a.png")  # it is up
    first = reader._apart._child
    reader._apart.seconds = 1  # of the page; the process itself would wait longer
    with pytest.raises(UnavailableError, match="odd did not answer within 1 seconds and was ended"):
        reader.read(saved(Image.new("L", (64, 64))), "black.png")
    assert first is not None and first.poll() is not None
    reader._apart.seconds = 600  # the next one has to start first
    assert reader.read(saved(drawn()), "a.png").report == "Cardiomegaly."
    assert list(temporary.iterdir()) == []


def test_a_generator_that_never_lets_go_of_python_ends_itself() -> None:
    reader = FilmReader(ODD, Options(settings={"does": "holds on black"}), seconds=6)
    with pytest.raises(UnavailableError, match="did not answer within 6 seconds"):
        reader.read(saved(Image.new("L", (64, 64))), "black.png")
    assert reader._apart._child is None


def test_a_generator_that_dies_is_not_the_pages_end(temporary: Path) -> None:
    reader = FilmReader(ODD, Options(settings={"does": "dies on black"}))
    with pytest.raises(UnavailableError, match=r"odd ended on this film \(exit code -9\)"):
        reader.read(saved(Image.new("L", (64, 64))), "black.png")
    assert reader.read(saved(drawn()), "a.png").report == "Cardiomegaly."
    assert list(temporary.iterdir()) == []


def test_what_a_generator_prints_is_no_answer() -> None:
    assert FilmReader(ODD, Options(settings={"does": "prints"})).read(saved(drawn()), "a.png").report == "Cardiomegaly."


KILLED = """
import os, sys, threading
from generators.catalogue import Options
from leaderboard.films.reader import FilmReader
from tests.films import ODD, drawn, saved
from PIL import Image
reader = FilmReader(ODD, Options(settings={"does": "hangs on black"}))
reader.read(saved(drawn()), "a.png")
print(reader._apart._child.pid, flush=True)
threading.Thread(target=reader.read, args=(saved(Image.new("L", (64, 64))), "black.png"), daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.parametrize("memory", [True, False], ids=["in memory", "in a folder"])
def test_no_film_and_no_process_is_left_when_the_page_is_killed(temporary: Path, memory: bool) -> None:
    (temporary.parent / "sitecustomize.py").write_text("" if memory else "import os\ndel os.memfd_create\n")
    paths = f"{temporary.parent}:{Path.cwd()}"
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, env=env) as page:
        assert page.stdout is not None
        generator = int(page.stdout.readline())
        wait_for(lambda: held(generator) if memory else list(temporary.glob("ranscore-film-*/film.png")))
        page.kill()
    wait_for(lambda: not Path(f"/proc/{generator}").exists())
    assert list(temporary.iterdir()) == []


def held(process: int) -> bool:
    """Whether a process has a film in memory."""
    return any("memfd:film" in os.readlink(path) for path in Path(f"/proc/{process}/fd").iterdir() if path.is_symlink())


def wait_for(done: Callable[[], object]) -> None:
    """Wait until something is so, for a minute at most."""
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_only_systems_that_read_films_are_offered(model: Path) -> None:
    for name in ("replay", "references", "constant-normal"):
        with pytest.raises(UsageError, match="reads no film"):
            FilmReader(catalogue.find(name), Options())
    with pytest.raises(UnavailableError, match="train-baseline"):
        FilmReader(trained.SYSTEM, Options()).check()
    with pytest.raises(UsageError, match="no setting colour"):
        FilmReader(trained.SYSTEM, Options({"model": model}, settings={"colour": "red"})).check()


def test_the_configuration_names_the_generator(model: Path) -> None:
    assert configured({}) is None
    config = home() / "config.toml"
    config.write_text(f'[try]\ngenerator = "trained-baseline"\nweights = {{ model = "{model}" }}\nset = {{ language = "zh" }}\n')
    found = configured({})
    assert found is not None and found.read(saved(drawn(0)), "a.png").report.startswith("肺")
    other = configured({film.VARIABLE: "medgemma-4b"} if "medgemma-4b" in catalogue.catalogue() else {film.VARIABLE: "r2gengpt"})
    assert other is not None and other.system.name != "trained-baseline" and not other.options.settings
    config.write_text('[try]\ngenerator = 3\nweigths = "x"\nweights = "y"\n')
    with pytest.raises(InputError) as caught:
        configured({})
    assert len(caught.value.problems) == 3 and "weigths" in str(caught.value)
    config.write_text('[try]\ngenerator = "trained-basline"\n')
    with pytest.raises(UsageError, match="did you mean 'trained-baseline'"):
        configured({})


def test_a_hosted_page_offers_the_generator_that_its_environment_names(
    reader: FilmReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leaderboard.page import app as page
    from leaderboard.page import try_it

    store = Store(tmp_path / "store")
    assert page.open_site(store).film is None
    monkeypatch.setenv(film.VARIABLE, "trained-baseline")
    (found, given) = (page.open_site(store).film, page.open_site(store, reader).film)
    assert found is not None and found.system is trained.SYSTEM and not try_it.able(found)  # its weights are not here
    assert given is reader and try_it.able(given)


def test_the_command_names_what_is_missing_before_it_serves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--generator", "nothing"]) == 2
    assert main(["serve", "--weights", "model=x"]) == 2 and "--generator" in capsys.readouterr().err
    assert main(["serve", "--generator", "trained-baseline"]) == 4
    assert "ranscore train-baseline" in capsys.readouterr().err


def test_the_page_starts_without_torch_even_where_its_generator_needs_it(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom generators import catalogue\nfrom generators.catalogue import Options\n"
        "from harness.records.store import Store\nfrom leaderboard.page import app, try_it\nfrom leaderboard.films.reader import FilmReader\n"
        "system = catalogue.find('promptmrg')\n"
        f"reader = FilmReader(system, Options({{item.name: Path({str(tmp_path)!r}) for item in system.weights}}, device='auto'))\n"
        f"app.app(app.open_site(Store(Path({str(tmp_path)!r}) / 'store'), reader))\n"
        "print(try_it.able(reader), 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False"]


def test_an_example_is_drawn_and_its_text_tells_of_it(reader: FilmReader) -> None:
    seen = set()
    for number in range(film.EXAMPLES):
        picture, reference = film.example(number)
        assert Image.open(io.BytesIO(picture)).size == (256, 256) and len(reference.split()) > 5
        seen.add(picture)
    assert len(seen) == film.EXAMPLES and film.example(film.EXAMPLES) == film.example(0)
    assert reader.read(film.example(0)[0], "example.png").report


# ---- the door


@pytest.fixture
def door(reader: FilmReader) -> TestClient:
    from leaderboard.page import film as page_film

    app = FastAPI()
    page_film.route(app, reader, Uploads())
    return TestClient(app)


def sent(name: str, content: bytes, reference: str = "") -> bytes:
    return json.dumps({"name": name, "reference": reference}).encode() + b"\n" + content


class Named:
    """Takes a header's word for who a visitor is."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        named = dict(scope.get("headers", ())).get(b"who", b"")
        await self.inner({**scope, "client": (named.decode(), 1)}, receive, send)


def post(door: TestClient, body: bytes, who: str = "") -> str:
    """The answer's HTML."""
    answer = door.post("/ranscore/film", content=body, headers={"content-type": "application/octet-stream", "who": who})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    return str(json.loads(answer.text.splitlines()[-1])["html"])


def test_the_door_gives_the_report_its_findings_and_scores(door: TestClient, reader: FilmReader) -> None:
    picture, reference = film.example(0)
    shown = post(door, sent('<img src=x onerror="pwned">.png', picture, reference))
    assert "<mark" in shown and "Scores of this pair" in shown and "Invented" in shown
    assert shown.count("<img") == 1 and 'src="data:image/png;base64,' in shown and "pwned&quot;" not in shown.split("<figcaption")[0]
    assert "Scores of this pair" not in post(door, sent("a.png", picture))
    unscored = post(door, sent("a.png", picture, "Guten Tag."))
    assert "<mark" in unscored and "Scores of this pair" not in unscored and "&lt;" not in unscored


def test_the_door_says_what_is_wrong(door: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    assert door.post("/ranscore/film", content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    assert "was not sent by this page" in post(door, saved(drawn()))
    assert "was not sent by this page" in post(door, b"[" * 50_000 + b"\n")
    assert "not a PNG, JPEG or DICOM file" in post(door, sent("<script>a</script>.png", b"text"))
    assert "<script" not in post(door, sent("<script>a</script>.png", b"text", "<script>b</script>"))
    assert "more than 60,000,000 bytes" in post(door, sent("a.png", bytes(sandbox.BYTES + 200_000)))
    assert door.get("/ranscore/film/-7").json()["film"] and door.get("/ranscore/film/x").status_code == 422
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("does", "said"), [("records", "the answer was cut off"), ("empty", "its report is empty"), ("x", "lateral: none")]
)
def test_what_a_system_records_is_shown(does: str, said: str) -> None:
    from leaderboard.page import film as page_film

    shown = page_film.answer(FilmReader(ODD, Options(settings={"does": does})), saved(drawn()), "a.png", "")
    assert said in shown and ("No report was written" in shown) == (does != "x")


def test_the_line_turns_away_who_comes_when_it_is_full() -> None:
    from leaderboard.page import film as page_film

    class Slow(FilmReader):
        """Reads when it is allowed to."""

        go = threading.Event()

        def read(self, content: bytes, name: str) -> film.Written:
            self.go.wait(30)
            return super().read(content, name)

    slow = Slow(ODD, Options(settings={"does": "x"}))
    app = FastAPI()
    page_film.route(app, slow, Uploads())
    answers: list[str] = []
    with TestClient(Named(app)) as client:

        def visit(who: str) -> None:
            answers.append(post(client, sent("a.png", saved(drawn())), who))

        visitors = [threading.Thread(target=visit, args=(f"10.0.0.{number}",)) for number in range(8)]
        for visitor in visitors:
            visitor.start()
        end = time.monotonic() + 20
        while len(answers) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(answers) == 2 and all("waiting already" in answer for answer in answers)
        slow.go.set()
        for visitor in visitors:
            visitor.join(60)
        assert sum("odd wrote" in answer for answer in answers) == page_film.WAITING
        assert "odd wrote" in post(client, sent("a.png", saved(drawn())))  # there is room again


def test_one_film_at_a_time_in_order_and_who_leaves_loses_the_turn() -> None:
    from leaderboard.page.film import FilmQueue

    done: list[str] = []
    inside = threading.Semaphore(1)

    def job(name: str) -> str:
        assert inside.acquire(blocking=False), "two at once"
        time.sleep(0.1)
        done.append(name)
        inside.release()
        return name

    async def scene() -> None:
        line = FilmQueue()
        first, second, third = (line.join(lambda name=name: job(name)) for name in "abc")  # type: ignore[misc]
        await asyncio.sleep(0.02)
        assert [line.ahead(task) for task in (first, second, third)] == [0, 1, 2]
        second.cancel()  # while waiting
        first.cancel()  # while its film is being read: that is finished before the next begins
        await asyncio.sleep(0)
        assert await third == "c" and done == ["a", "c"]
        assert line.ahead(third) == 0

    asyncio.run(scene())


def test_the_form_holds_whatever_a_catalogue_says_as_text() -> None:
    made = view.form("<b>x</b>", "<i>", "<u>", 60_000_000)
    assert "<b>" not in made and "<i>" not in made and "<u>" not in made and "up to 60 MB" in made and "Not for clinical use" in made
    with pytest.raises(RanscoreError) as caught:
        FilmReader(trained.SYSTEM, Options()).check()
    assert "trained-baseline needs model" in view.unavailable(caught.value.problems)


def test_beside_every_report_stands_what_the_system_learned_from(reader: FilmReader, model: Path, shared: Path, tmp_path: Path) -> None:
    from leaderboard.page import film as page_film

    example = page_film.answer(reader, film.example(3)[0], "a.png", "")
    assert "learned from drawn films alone" in example and "This film is such a drawing" in example
    assert "says nothing about a patient" not in example
    real = sorted((shared / "images").glob("*.png"))
    assert len(real) > 4
    for path in real:
        shown = page_film.answer(reader, path.read_bytes(), path.name, "")
        assert shown.index("says nothing about a patient") < shown.index("The report asserts") and 'role="alert"' in shown
        assert "such a drawing" not in shown
    # A drawing that is not one of the page's own is not taken for one.
    assert "says nothing about a patient" in page_film.answer(reader, saved(drawn()), "a.png", "")
    learned = trained.load(model)
    for told in (None, False):
        dataclasses.replace(learned, drawn=told).save(tmp_path / "model")
        shown = page_film.answer(FilmReader(trained.SYSTEM, Options({"model": tmp_path / "model"})), saved(drawn()), "a.png", "")
        assert ("does not say what it learned from" in shown) == (told is None) and ('role="alert"' in shown) == (told is None)


def test_a_system_without_a_caution_is_shown_without_one() -> None:
    from leaderboard.page import film as page_film

    shown = page_film.answer(FilmReader(ODD, Options(settings={"does": "x"})), saved(drawn()), "a.png", "")
    assert "asserts" in shown and "alert" not in shown and "drawing" not in shown
