"""Any entrant of ReXrank as a system: its `inference.py` is run by that board's contract, in the environment that the user names.

The program gets a JSON list of studies, a folder of films, and the name of the file in which it writes its predictions.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from generators.catalogue import Options, System
from harness.errors import Problem, UnavailableError, UsageError
from harness.formats.report_text import MAX_CHARACTERS
from harness.formats.rexrank import PREDICTION, sections
from harness.signature import digest
from harness.storage import files
from harness.types import Generated, Json, Section, StudyInput

WAYS: Mapping[str, Sequence[str]] = {
    "named": ("--input_json_file", "{input}", "--save_json_file", "{output}", "--img_root_dir", "{films}"),
    "positional": ("{input}", "{output}", "{films}"),
}
"""How the files are named on the command line: as most entrants' scripts take them, and as the board's tutorial writes it."""
TRIES = 20
"""At how many studies the program may end before the rest is given up."""
MOST = 1 << 30
"""Bytes of an output file; more is not read."""


@dataclass(frozen=True, slots=True)
class ReXrankProgram:
    """The system."""

    words: tuple[str, ...]
    way: Sequence[str]
    directory: Path
    """Where it is started: the entrant's clone."""
    folder: Path | None
    """Where input, films and output are kept; a folder of its own for each call without one."""
    timeout: float
    errors: Path | None
    writes: Section
    digest: str
    needs: frozenset[str] = frozenset({"frontal", "lateral", "indication", "comparison"})
    name: str = "rexrank"
    exact_batches: bool = True
    started: list[bool] = field(default_factory=list, repr=False)
    """Not empty once the program has written a prediction."""

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Run the program over the studies that its output does not hold yet.

        Raises:
            UnavailableError: It cannot be started, an earlier run of it has not ended, or it ended without a single prediction.
        """
        with self._place() as place, _alone(place) as lock:
            plan = digest([self.digest, [[study.id, str(study.frontal), str(study.lateral)] for study in studies]])
            _renewed(place, plan)
            found, ended, given_up = self._continued(studies, place, lock)
        if found:
            self.started.append(True)
        if not found and not self.started:
            what = f"{self.words[0]} {ended or 'ended'} and wrote no prediction"
            raise UnavailableError(Problem(what, "Try it alone; --set errors=FILE keeps what it says on standard error"))
        return [self._answer(study.id, found, given_up.get(study.id, ended)) for study in studies]

    def _continued(self, studies: Sequence[StudyInput], place: Path, lock: tuple[int, ...]) -> tuple[dict[str, Any], str, dict[str, str]]:
        """Run the program until it has answered every study, or ends without an answer; a study at which it ends is left out of the next run."""
        found, ended = predictions(place / "output.json"), ""
        given_up: dict[str, str] = {}
        while left := [study for study in studies if study.id not in found and study.id not in given_up]:
            files.write(
                place / "input.json", json.dumps(self._input([s for s in studies if s.id not in given_up], place / "films")), private=True
            )
            ended, before = self._run(place, lock), len(found)
            found = predictions(place / "output.json")
            if len(found) > before:
                continue
            if not ended or not (found or self.started) or len(given_up) == TRIES:
                break
            given_up[left[0].id] = ended
        return found, ended, given_up

    @contextmanager
    def _place(self) -> Iterator[Path]:
        if self.folder is None:
            with tempfile.TemporaryDirectory(prefix="rexrank-") as made:
                yield Path(made)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield self.folder

    def _input(self, studies: Sequence[StudyInput], films: Path) -> Json:
        """The list of studies; the films are links in a folder of ReXrank's layout, so that no path of this machine is in it."""
        shutil.rmtree(films, ignore_errors=True)
        listed: Json = {}
        for number, study in enumerate(studies):
            shown = [(film, side) for film, side in ((study.frontal, "Frontal"), (study.lateral, "Lateral")) if film]
            paths = [f"{number}/{place}{film.suffix}" for place, (film, _) in enumerate(shown)]
            for path, (film, _) in zip(paths, shown, strict=True):
                (films / path).parent.mkdir(parents=True, exist_ok=True)
                (films / path).symlink_to(film.absolute())
            said = [("Indication", study.indication), ("Comparison", study.comparison)]
            listed[study.id] = {
                "key_image_path": paths[0] if paths else "",
                "image_path": paths,
                "frontal_lateral": [side for _, side in shown],
                "context": " ".join(f"{name}: {text}" for name, text in said if text),
                "split": "test",
                "report": "",
                "section_findings": "",
                "section_impression": "",
            }
        return listed

    def _run(self, place: Path, lock: tuple[int, ...]) -> str:
        """Run the program to its end; why it ended otherwise than well, else empty."""
        names = {"input": place / "input.json", "output": place / "output.json", "films": place / "films"}
        words = [*self.words, *(word.format(**{name: str(path.absolute()) for name, path in names.items()}) for word in self.way)]
        with (self.errors or Path("/dev/null")).open("ab") as stream:
            try:
                done = subprocess.run(
                    words,
                    cwd=self.directory,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stream,
                    timeout=self.timeout,
                    pass_fds=lock,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"was ended after {self.timeout:.0f} s"
            except OSError as error:
                raise UnavailableError(f"{words[0]} cannot be started in {self.directory} ({type(error).__name__})") from error
        return f"ended with code {done.returncode}" if done.returncode else ""

    def _answer(self, name: str, found: Mapping[str, Any], ended: str) -> Generated:
        if name not in found:
            return Generated(name, failure=f"the program {ended}" if ended else "the program wrote nothing for it")
        text = found[name].get(PREDICTION) if isinstance(found[name], dict) else found[name]
        if not isinstance(text, str):
            return Generated(name, failure=f"the program wrote no text as {PREDICTION}")
        findings, impression = sections(text)
        parts = {Section.FINDINGS: findings, Section.IMPRESSION: impression}
        report = parts.get(self.writes, "\n".join(filter(None, (findings, impression))))
        return Generated(name, report) if len(report) <= MAX_CHARACTERS else Generated(name, failure="what the program wrote is no report")


def predictions(path: Path) -> dict[str, Any]:
    """What an output file holds by study; empty where there is none, or a kill cut it short."""
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= MOST:
            found = json.loads(path.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
    return {}


def _renewed(place: Path, plan: str) -> None:
    """Take away what another program, version or list of studies has left; what cannot be read would stop the program."""
    note, output = place / "plan", place / "output.json"
    if not note.is_file() or note.read_text(encoding="utf-8") != plan or not predictions(output):
        output.unlink(missing_ok=True)
    files.write(note, plan)


@contextmanager
def _alone(place: Path) -> Iterator[tuple[int, ...]]:
    """Hold a lock that the program inherits: while it lives, nobody starts it again in this folder, or changes what it reads there.

    Raises:
        UnavailableError: An earlier run of it has not ended.
    """
    try:
        import fcntl
    except ImportError:
        yield ()
        return
    with (place / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = "an earlier run of the program is still writing into its folder"
            raise UnavailableError(Problem(what, "Wait until it has ended, then run the command again", str(place))) from None
        yield (stream.fileno(),)


def make(options: Options) -> ReXrankProgram:
    """Prepare the program; it is started with the first studies.

    Raises:
        UsageError: No command is given, or a setting has no such value.
    """
    settings = options.settings
    try:
        words = tuple(shlex.split(settings.get("run", "")))
    except ValueError as error:
        raise UsageError(f"--set run: {error}") from None
    way, writes = settings.get("arguments", "named"), settings.get("writes", "findings")
    directory = Path(settings.get("directory", ".")).expanduser()
    if not words:
        raise UsageError("rexrank needs --set run='/env/bin/python inference.py'")
    if way not in WAYS or writes not in set(Section):
        raise UsageError(f"arguments is {' or '.join(WAYS)}, and writes {', '.join(Section)}")
    if not directory.is_dir():
        raise UsageError(f"directory is the entrant's clone; there is no folder {directory}")
    scripts = [directory / word for word in words[1:] if (directory / word).is_file()]
    made_of = [*words, *(sha256(path.read_bytes()).hexdigest() for path in scripts), settings.get("version", ""), way, writes]
    folder = Path(settings["folder"]).expanduser() if "folder" in settings else None
    errors = Path(settings["errors"]).expanduser() if "errors" in settings else None
    timeout = float(options.number("timeout", 86_400))
    return ReXrankProgram(words, WAYS[way], directory, folder, timeout, errors, Section(writes), digest(["rexrank", 1, *made_of]))


SYSTEM = System(
    name="rexrank",
    make="generators.adapters.rexrank:make",
    summary="any entrant of ReXrank: its inference.py, run by that board's contract",
    writes=Section.FINDINGS,
    needs=frozenset({"frontal", "lateral", "indication", "comparison"}),
    settings={
        "run": "the program with its arguments, without those of the contract: '/env/bin/python inference.py'",
        "directory": "the entrant's clone, in which it is started (default: this folder)",
        "arguments": "named (default: --input_json_file, --save_json_file, --img_root_dir) or positional (input, output, folder)",
        "folder": "where input and output are kept, so that the program continues after a kill (default: none)",
        "writes": "findings (default), impression or both: what is taken of its predictions",
        "timeout": "seconds for all studies of a batch (default: 86400)",
        "errors": "a file for what it says on standard error (default: thrown away, it may repeat reports)",
        "version": "raise it when the program or its weights changed in a way that its command does not show",
    },
)
