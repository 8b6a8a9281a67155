"""No object that holds report text shows it: not in `repr`, not in a notebook, not in an error, not in a pickled error."""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
import json
import pickle
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from generators.catalogue import Options, find
from generators.catalogue import make as make_system
from generators.running import loop
from generators.running.batching import LocalGenerator
from generators.running.loop import Plan
from harness import cohorts
from harness.cohorts import table
from harness.cohorts.synthetic.cohort import build
from harness.extractors import extractor
from harness.formats import label_files, reports
from harness.formats.written_by import sidecar
from harness.labelling import corpus
from harness.scoring import scorer
from harness.storage.report_lines import canonical
from harness.types import Access, Cohort, SystemCard, Text
from submissions import board_folder as board_folders
from submissions import intake
from submissions.worker import Worker
from tests.extractors.servers import Faulty
from tests.extractors.test_leaks import echo

PACKAGES = [
    name for name in ("harness", "generators", "submissions", "leaderboard", "ranscore", "validation") if importlib.util.find_spec(name)
]
MARK = "zimbelkraut"
SENTENCE = f"The heart is enlarged with a {MARK} of the left lung."
BEARS_TEXT = re.compile(
    r"_?(prior_)?(text|texts|report|reports|reply|raw|content|findings|impression|indication|history|comparison|technique"
    r"|references?|candidates?|sentences?|cells|known|buffer|picture|documents)"
)
"""Names of fields that hold the words of a report, or the question about one."""
CAN_HOLD_TEXT = re.compile(r"\b(str|bytes|bytearray|Any|Json)\b")
HOLDS_NONE = {
    "Lexicon.known": "words of the lexicon",
    "Stored.reports": "a digest",
    "Kept.reports": "a digest",
    "Item.text": "a keyed hash",
    "ListenAddress.known": "names of hosts",
    "BoardRow.cells": "numbers",
    "Prompt.text": "a template",
    "LookCache._text": "counts and times",
    "RoundHistory.findings": "numbers by finding",
    "BenchWords.comparison": "words of the project",
}


def modules() -> Iterator[Any]:
    """Every module of the project."""
    for package in map(importlib.import_module, PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


@functools.cache
def classes() -> tuple[type, ...]:
    """Every class that the project defines."""
    return tuple(
        item for module in modules() for item in vars(module).values() if inspect.isclass(item) and item.__module__ == module.__name__
    )


def test_a_field_that_holds_text_is_never_in_a_repr() -> None:
    held, wrong = 0, []
    for item in classes():
        for field in dataclasses.fields(item) if dataclasses.is_dataclass(item) else ():
            kind = str(field.type)
            if not BEARS_TEXT.fullmatch(field.name) or not CAN_HOLD_TEXT.search(kind):
                continue
            if (field.name == "findings" and kind.startswith("tuple[str")) or f"{item.__qualname__}.{field.name}" in HOLDS_NONE:
                continue  # names of findings, or something that holds no text
            held += 1
            if field.repr:
                wrong.append(f"{item.__module__}.{item.__qualname__}.{field.name}: {kind}")
    assert held > 30 and wrong == []


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every object of the project's classes that is made while the test runs."""
    seen: list[object] = []

    def watched(item: type, name: str, old: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(old)
        def call(self: Any, *given: Any, **named: Any) -> Any:
            found = old(self, *given, **named)
            seen.append(self if name == "__init__" else found)
            return found

        return call

    for item in classes():
        name = "__new__" if issubclass(item, tuple) else "__init__"
        if name in vars(item) and not issubclass(item, Enum) and not getattr(item, "_is_protocol", False):
            monkeypatch.setattr(item, name, watched(item, name, getattr(item, name)))
    return seen


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """A credentialed cohort whose every section holds the marker."""
    drawn = build(studies=8, seed=2, train=0, dev=0, images=tmp_path / "films")
    texts = {name: Text(*(f"{section}. {SENTENCE}" for section in dataclasses.astuple(text))) for name, text in drawn.texts.items()}
    old = drawn.manifest
    return cohorts.make(
        "hidden",
        old.studies,
        texts,
        section=old.section,
        access=Access.CREDENTIALED,
        language="en",
        source="invented",
        labels=drawn.labels,
        images=drawn.images,
    )


def written(cohort: Cohort) -> dict[str, str]:
    return {study.id: f"{SENTENCE} Study {study.id}." for study in cohort.scored}


def shown(item: object) -> Iterator[str]:
    """Whatever prints, logs, notebooks and crash reports take of an object."""
    yield repr(item)
    yield str(item)
    yield f"{item}"
    for name in ("_repr_html_", "_repr_markdown_", "_repr_pretty_", "_repr_mimebundle_"):
        if hasattr(item, name):
            yield str(getattr(item, name)())
    if isinstance(item, BaseException):
        yield "".join(traceback.format_exception(item))
        yield pickle.dumps(item).decode("latin-1")
        yield repr(item.args) + repr(vars(item))


def check(made: list[object], *wanted: str) -> None:
    """None of them shows the marker, and those that are known to hold text were among them."""
    names = {type(item).__qualname__ for item in made}
    assert names >= set(wanted), set(wanted) - names
    telling = {type(item).__qualname__ for item in list(made) if any(MARK in text for text in shown(item))}
    assert telling == set()


def test_scoring_makes_nothing_that_shows_a_report(made: list[object], cohort: Cohort, tmp_path: Path) -> None:
    file = tmp_path / "reports.jsonl"
    file.write_text("".join(json.dumps({"study_id": name, "report": text}) + "\n" for name, text in written(cohort).items()))
    metrics = ["ran-score", "bleu", "rouge-l", "cider", "cider-d", "meteor-nltk:stem|lower"]
    found = scorer.score(predictions=file, references=cohort, metrics=metrics)
    assert any(SENTENCE in item.text for item in found.sides.candidates) and len(repr(found)) < 600
    check(
        made,
        "Input",
        "Text",
        "Cohort",
        "Manifest",
        "ReportSet",
        "Sides",
        "Evaluation",
        "Row",
        "Table",
        "_Check",
        "Scorer",
        "Labels",
        "Cider",
    )


def test_a_table_of_references_makes_nothing_that_shows_one(made: list[object], tmp_path: Path) -> None:
    rows = "".join(f'a{number},"{SENTENCE}","{SENTENCE}","{SENTENCE}"\n' for number in range(3))
    (tmp_path / "r.csv").write_text("study_id,findings,impression,indication\n" + rows)
    cohort = table.from_table(tmp_path / "r.csv")
    cohorts.save(cohort, tmp_path / "kept")
    assert cohorts.load(tmp_path / "kept") == cohort
    check(made, "Cohort", "Manifest", "Text", "Row", "Table")


def test_questions_to_a_model_and_its_answers_show_no_report(made: list[object], tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f'study_id,report\ns1,"{SENTENCE}"\n')
    with Faulty(echo) as server:
        model = extractor("llm", endpoint=server.url, model="tiny", access="credentialed")
        corpus.label(tmp_path / "in.csv", tmp_path / "out.csv", model, corpus.LocalLabeller(model))
        assert MARK in json.dumps(server.bodies)
    check(made, "Ask", "Answer", "ModelReply", "Told", "Chunk", "LLM")


PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"study_id": asked["study_id"], "report": asked["indication"] + asked["prior_report"]}), flush=True)
"""


def test_generators_and_what_they_look_at_show_no_report(made: list[object], cohort: Cohort, tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(PROGRAM)
    settings = {"run": f"{sys.executable} {tmp_path / 'p.py'}", "needs": "frontal,indication,prior_report"}
    generator = make_system(find("command"), Options({}, settings=settings, access=Access.CREDENTIALED))
    plan = Plan("command", generator.digest, cohort.manifest.digest, tuple(study.id for study in cohort.scored), "cpu", "float32")
    outcome = loop.run(LocalGenerator(generator, 2), cohort, cohort.scored, tmp_path / "out.jsonl", plan)
    assert outcome.written == len(cohort.scored) and MARK in (tmp_path / "out.jsonl").read_text()
    with Faulty(echo) as server:
        settings = {"endpoint": server.url, "model": "tiny", "prompt": "Describe it. {indication}", "side": "64"}
        served = make_system(find("openai"), Options({}, settings=settings, access=Access.CREDENTIALED))
        loop.run(LocalGenerator(served, 2), cohort, cohort.scored[:2], tmp_path / "served.jsonl", replace(plan, studies=plan.studies[:2]))
        assert MARK in json.dumps(server.bodies)
    check(made, "StudyInput", "Generated", "Program", "Command", "ChatRequest", "OpenAIServer")


def test_what_is_handed_in_is_never_shown(made: list[object], cohort: Cohort, tmp_path: Path) -> None:
    cohorts.save(cohort, tmp_path / "board" / "cohorts" / "hidden")
    board_folder = board_folders.at(tmp_path / "board")
    card = SystemCard("Birch", open_weights="no")
    upload = intake.Upload(canonical(written(cohort)), "b.jsonl", "hidden", card, "local:ann", agreed=True, looked=True)
    intake.submit(board_folder, upload)
    worker = Worker(board_folder)
    done = worker.step()
    assert done is not None and done.state.value in ("scored", "listed")
    made += [board_folder, upload, worker]
    check(made, "Upload", "Findings", "Checked", "Receipt", "Counted", "Cohort", "Input", "Worker")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and everything that a traceback shows below it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_no_error_about_content_hangs_on_another_one() -> None:
    """A decoding error carries what it could not decode, and goes wherever the error goes that was raised from it."""
    loads_code = {"harness.registry"}  # reads no data
    about_places = {"ImportError", "ModuleNotFoundError", "OSError", "FileNotFoundError", "PermissionError"}
    handlers, wrong = 0, []
    for module in modules():
        for handler in ast.walk(ast.parse(inspect.getsource(module) or "")):
            if not isinstance(handler, ast.ExceptHandler) or handler.type is None:
                continue
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            raises = [item for item in ast.walk(handler) if isinstance(item, ast.Raise) and isinstance(item.cause, ast.Name)]
            handlers += 1
            if raises and module.__name__ not in loads_code and {ast.unparse(kind).rpartition(".")[2] for kind in kinds} - about_places:
                wrong += [f"{module.__name__}:{item.lineno}: write `from None`" for item in raises]
    assert handlers > 100 and wrong == []


CELL = f'"{SENTENCE}"'
BROKEN: dict[str, bytes] = {
    "columns exchanged.csv": f"report,study_id\ns1,{CELL}\n".encode(),
    "wrong columns.csv": f"{SENTENCE},{MARK}\ns1,{CELL}\n".encode(),
    "not closed.csv": f'study_id,report\ns1,"{SENTENCE}\n'.encode(),
    "twice.csv": f"study_id,report\n{MARK},{CELL}\n{MARK},{CELL}\n".encode(),
    "latin.csv": f"study_id,report\ns1,{CELL} caf\xe9\n".encode("latin-1"),
    "cut.jsonl": f'{{"study_id": "s1", "report": "{SENTENCE}'.encode(),
    "no object.jsonl": f'"{SENTENCE}"\n'.encode(),
    "no text.json": f'[{{"study_id": "s1", "report": {{"{MARK}": ["{SENTENCE}"]}}}}]'.encode(),
    "key twice.json": f'{{"s1": "{SENTENCE}", "s1": "{SENTENCE}"'.encode(),
    "not parquet.parquet": b"PAR1" + SENTENCE.encode() + b"PAR1",
    "surrogate.json": f'{{"s1": "{SENTENCE} \\ud800"}}'.encode(),
    "words.npz": SENTENCE.encode(),
}


def _loaded_texts(path: Path) -> object:
    """A cohort whose text file is replaced by the broken one."""
    folder = path.parent / "cohort"
    cohorts.save(build(studies=4, train=0, dev=0), folder)
    (folder / "text.jsonl").write_bytes(path.read_bytes())
    return cohorts.load(folder)


def _continued_run(path: Path) -> object:
    """A run that is to be continued, with the broken file's first line in it."""
    plan = Plan("x", "0", "0", ("s1",), "cpu", "float32")
    out = path.with_name("run.jsonl")
    sidecar(out).write_text(json.dumps(plan.as_json()))
    out.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    return loop.begin(out, plan)


READERS: dict[str, Callable[[Path], object]] = {
    "reports": lambda path: reports.read(path, ["s1", "s2"]),
    "labels": lambda path: label_files.read(path),
    "table": lambda path: table.from_table(path),
    "corpus": lambda path: corpus.label(path, path.with_name("out.csv"), extractor("lexical")),
    "cohort": _loaded_texts,
    "run": _continued_run,
    "replay": lambda path: make_system(find("replay"), Options({"reports": path}, settings={"writes": "findings"})),
    "medkit": lambda path: make_system(find("cxr-report-gen"), Options({"predictions": path})),
    "record": lambda path: importlib.import_module("harness.records.record").load(path),
    "snapshot": lambda path: importlib.import_module("harness.records.snapshot").load(path),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", BROKEN)
def test_no_error_about_a_file_holds_its_words(reader: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    path.write_bytes(BROKEN[kind])
    try:
        READERS[reader](path)
    except Exception as error:
        texts = [text for item in chain(error) for text in shown(item)]
        assert texts and not [text for text in texts if MARK in text]
