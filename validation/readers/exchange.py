"""Answers in the forms of other programs: CSV, Label Studio's JSON, doccano's JSONL; out and in again without loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, UsageError
from harness.findings import by_spelling
from harness.formats import label_files, tabular
from harness.formats.complaints import Complaints
from harness.types import Status
from validation.readers import page, questions
from validation.readers.questions import Question, Value
from validation.readers.sheets import Reply, Sheet
from validation.readers.study import Item, ReadingStudy
from validation.readers.texts import Texts
from validation.readers.texts import shown as shown_to

FORMATS = {"csv": "csv", "label-studio": "json", "doccano": "jsonl"}
"""By format the ending of its files."""
_FORMULA = tuple("=+-@\t\r")


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer of one reader, wherever it came from."""

    reader: str
    study: str
    system: str
    question: str
    value: object
    line: int
    second: bool = False
    """Whether it is the answer at the second showing."""
    position: int = 0
    """The place on the reader's sheet, where the file names that instead of the study; else 0."""


@dataclass(slots=True)
class _Collected:
    """Answers by reader and position, while they are read."""

    study: ReadingStudy
    complaints: Complaints
    by_study: Mapping[str, Sequence[Item]]
    values: dict[str, dict[int, dict[str, Value]]] = field(default_factory=dict)

    def add(self, row: AnswerRow) -> None:
        """Take an answer, or note why it is none."""
        question = self.study.form.question(row.question)
        items = _meant(self.by_study.get(row.study, ()), row.system)
        if row.reader not in self.study.orders:
            known = ", ".join(self.study.readers)
            self.complaints.add(
                "reader", "it names no reader of this study", f"Use {known}, or --reader for a file of one reader", row.line
            )
        elif not row.position and len(items) != 1:
            self.complaints.add("study", "the study is not among those that are read", "Remove the row", row.line, row.study)
        elif question is None or not question.takes(row.value):
            what = "the question is none of this study" if question is None else "the answer is none of those that were offered"
            self.complaints.add("answer", what, "Write one that `ranscore readers export` writes", row.line, row.study)
        elif (at := self._place(row, items)) is None:
            what = "the sheet has no such position" if row.position else "this reader reads the study once"
            self.complaints.add("place", what, "Remove the row", row.line, row.study)
        else:
            self.values.setdefault(row.reader, {}).setdefault(at, {})[row.question] = row.value  # type: ignore[assignment]

    def _place(self, row: AnswerRow, items: Sequence[Item]) -> int | None:
        """The position on the reader's sheet; None where there is none."""
        if row.position:
            return row.position if 1 <= row.position <= len(self.study.orders[row.reader]) else None
        places = self.study.repeats(row.reader) if row.second else self.study.first_showings(row.reader)
        return places.get(items[0].id)


def _meant(items: Sequence[Item], system: str) -> Sequence[Item]:
    """The items of a study that a row means: those of the system that it names, else the original, else all."""
    return [item for item in items if item.system_name == system] or ([] if system else items)


def read(path: Path, study: ReadingStudy, reader: str = "", rest_absent: bool = False) -> tuple[Sheet, ...]:
    """Answers that another program collected, as one sheet a reader.

    Args:
        path: CSV (long, or one row a study for one reader), Label Studio's JSON or doccano's JSONL; distinguished by content.
        study: Whose items they answer.
        reader: Whose answers they are, where the file does not say.
        rest_absent: What a file of positive labels alone does not name is absent; recorded as the act "the rest is absent".

    Raises:
        InputError: Anything is wrong with the file; all of it at once.
    """
    complaints = Complaints(str(path))
    items: dict[str, list[Item]] = {}
    for item in study.items:
        items.setdefault(item.study, []).append(item)
    collected = _Collected(study, complaints, items)
    for row in _rows(path, study, reader, complaints):
        collected.add(row)
    complaints.check()
    if not collected.values:
        raise InputError(Problem("it holds no answer", "Give a file that `ranscore readers export` could have written", str(path)))
    made = []
    for name, positions in sorted(collected.values.items()):
        replies = {at: _reply(study, values, rest_absent) for at, values in positions.items()}
        made.append(Sheet(study=study.digest, reader=name, replies=replies, source="import"))
    return tuple(made)


def _reply(study: ReadingStudy, values: Mapping[str, Value], rest_absent: bool) -> Reply:
    added = tuple(item.id for item in study.form.questions if rest_absent and item.rest and item.id not in values)
    return Reply({**values, **dict.fromkeys(added, 0)}, added)


def _rows(path: Path, study: ReadingStudy, reader: str, complaints: Complaints) -> list[AnswerRow]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"it cannot be read ({type(error).__name__})", "Name a file in UTF-8", str(path))) from None
    head = text.lstrip()[:1]
    if head == "[":
        return _from_label_studio(_loaded(text, path), study, reader)
    if head == "{":
        lines = [(number, _loaded(line, path)) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        return [row for number, item in lines for row in _from_doccano(item, number, study, reader)]
    return _from_csv(path, study, reader, complaints)


def _loaded(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(Problem("it is not JSON", "Export it again", str(path))) from None


def _from_csv(path: Path, study: ReadingStudy, reader: str, complaints: Complaints) -> list[AnswerRow]:
    """Long (study_id, reader, question, value), or a label file of one reader."""
    table = tabular.read(path, complaints)
    complaints.check()
    if {"question", "value"} <= set(table.columns):
        return [_long(row.cells, row.line, study, reader) for row in table.rows]
    spelled, rows = by_spelling(), []
    for row in table.rows:
        for column, cell in row.cells.items():
            name = spelled.get(column)
            if name is None or study.form.question(name) is None or cell in (None, ""):
                continue
            value, status = label_files.decision(cell)
            who = str(row.cells.get("reader") or reader)
            rows.append(
                AnswerRow(who, tabular.study_id(row.cells.get("study_id")), "", name, value if status is Status.OK else None, row.line)
            )
    return rows


def _long(cells: Mapping[str, Any], line: int, study: ReadingStudy, reader: str) -> AnswerRow:
    name = str(cells.get("question") or "")
    question = study.form.question(name)
    value: object = cells.get("value")
    if question and question.type == "text" and isinstance(value, str) and value[:1] == "'" and value[1:2] in _FORMULA:
        value = value[1:]
    elif question and question.type != "text" and isinstance(value, str):
        value = int(value) if value.strip().removeprefix("-").isdecimal() and len(value) < 4 else None
    who, system = str(cells.get("reader") or reader), str(cells.get("system") or "")
    return AnswerRow(who, tabular.study_id(cells.get("study_id")), system, name, value, line, str(cells.get("showing")) == "2")


def _from_label_studio(tasks: Any, study: ReadingStudy, reader: str) -> list[AnswerRow]:
    """Tasks with annotations: a choice for each question, named by its id; the annotator's name is not read."""
    rows = []
    for number, task in enumerate(tasks if isinstance(tasks, list) else (), 1):
        data = task.get("data", {}) if isinstance(task, dict) else {}
        for annotation in task.get("annotations", ()) if isinstance(task, dict) else ():
            who = str(data.get("reader") or reader)
            for result in annotation.get("result", ()):
                question = study.form.question(str(result.get("from_name")))
                value = result.get("value", {})
                given = (value.get("choices") or value.get("text") or [None])[0] if isinstance(value, dict) else None
                answer = _by_label(question, given) if question else None
                rows.append(_row(data, who, str(result.get("from_name")), answer, number))
    return rows


def _from_doccano(item: Any, line: int, study: ReadingStudy, reader: str) -> list[AnswerRow]:
    """One document with labels `Finding: answer`, or the bare name of a finding for one that is present."""
    rows: list[AnswerRow] = []
    if not isinstance(item, dict) or not isinstance(item.get("label"), list):
        return [AnswerRow(reader, "", "", "", None, line)]
    for label in item["label"]:
        name, _, word = str(label).partition(": ")
        question = study.form.question(by_spelling().get(name.lower(), name))
        answer: Value | None = None
        if question is not None:
            answer = _by_label(question, word) if word else (1 if 1 in question.choices else None)
        who = str(item.get("reader") or reader)
        identity = question.id if question else name
        rows.append(_row(item, who, identity, answer, line))
    return rows


def _row(facts: Mapping[str, Any], reader: str, question: str, answer: Value | None, line: int) -> AnswerRow:
    """An answer about what a task or document says of itself."""
    study, system, position = str(facts.get("study_id", "")), str(facts.get("system", "")), facts.get("position")
    at = position if isinstance(position, int) and not isinstance(position, bool) else 0
    return AnswerRow(reader, study, system, question, answer, line, facts.get("showing") == 2, at)


def _by_label(question: Question, word: Any) -> Value | None:
    """The value of an answer in words: those of the study, or the number itself."""
    if question.type == "text":
        return str(word)
    text = str(word).strip()
    named = {label: value for value, label in question.choices.items()}
    if text in named:
        return named[text]
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 4 else None


def write(study: ReadingStudy, counting: Mapping[str, Sheet], kind: str) -> dict[str, str]:
    """All submissions that count, in another program's form.

    Args:
        study: The study.
        counting: By reader the submission that counts.
        kind: One of `FORMATS`.

    Returns:
        By name of the file its content.

    Raises:
        UsageError: There is no such format.
    """
    if kind not in FORMATS:
        raise UsageError(f"there is no format {kind!r}; there are {', '.join(FORMATS)}")
    if kind == "csv":
        return {"answers.csv": _csv(study, counting)}
    answered = [one for reader in study.readers if reader in counting for one in _answered(study, reader, counting[reader], kind)]
    return {f"answers.{FORMATS[kind]}": _written(answered, kind)}


def tasks(study: ReadingStudy, kind: str, texts: Texts) -> dict[str, str]:
    """The reports, to be answered in another program: a file for each reader, as blind as a sheet.

    A task names the reader and the position on the sheet, and neither study nor system nor that something is read twice.

    Args:
        study: The study.
        kind: One of `FORMATS`, except CSV.
        texts: By item its texts.

    Returns:
        By name of the file its content.

    Raises:
        UsageError: There are no tasks in this format.
    """
    if kind not in FORMATS or kind == "csv":
        raise UsageError("--text writes tasks for --format label-studio or doccano; a CSV file holds answers alone")
    heads = page.sides(study, questions.words(study.form.language)["sides"])
    files = {}
    for reader in study.readers:
        shown = [
            {"reader": reader, "position": at, "text": "\n\n".join(f"{head}\n{text}" for head, text in zip(heads, parts, strict=True))}
            for at, parts in enumerate(shown_to(texts, study, reader), 1)
        ]
        files[f"tasks.{reader}.{FORMATS[kind]}"] = _written([_made(study, facts, {}, kind) for facts in shown], kind)
    return files | ({"labels.xml": _interface(study)} if kind == "label-studio" else {})


def _written(documents: Sequence[Mapping[str, Any]], kind: str) -> str:
    if kind == "doccano":
        return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in documents)
    return json.dumps(documents, ensure_ascii=False, indent=1) + "\n"


def _showings(study: ReadingStudy, reader: str, sheet: Sheet) -> list[tuple[int, str, int, Mapping[str, Value]]]:
    """Position, item, which showing, answers."""
    first, replies = study.first_showings(reader), sheet.replies
    return [
        (at, shown.item, 1 if first[shown.item] == at else 2, replies[at].values if at in replies else {})
        for at, shown in enumerate(study.orders[reader], 1)
    ]


def _csv(study: ReadingStudy, counting: Mapping[str, Sheet]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study_id", "system", "reader", "showing", "question", "value"])
    for reader, sheet in sorted(counting.items()):
        for _, name, showing, values in _showings(study, reader, sheet):
            item = study.item(name)
            writer.writerows([item.study, item.system_name, reader, showing, question, _safe(value)] for question, value in values.items())
    return stream.getvalue()


def _safe(value: Value) -> Value:
    """A remark that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


def _answered(study: ReadingStudy, reader: str, sheet: Sheet, kind: str) -> Iterator[dict[str, Any]]:
    for _, name, showing, values in _showings(study, reader, sheet):
        item = study.item(name)
        yield _made(study, {"study_id": item.study, "system": item.system_name, "reader": reader, "showing": showing}, values, kind)


def _made(study: ReadingStudy, facts: dict[str, Any], values: Mapping[str, Value], kind: str) -> dict[str, Any]:
    return _task(study, facts, values) if kind == "label-studio" else _document(study, facts, values)


def _task(study: ReadingStudy, facts: dict[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    results = []
    for name, value in values.items():
        question = study.form.question(name)
        text = question is not None and question.type == "text"
        content = {"text": [value]} if text else {"choices": [_word(question, value)]}
        results.append({"from_name": name, "to_name": "text", "type": "textarea" if text else "choices", "value": content})
    return {"data": facts, "annotations": [{"result": results}] if results else []}


def _document(study: ReadingStudy, facts: dict[str, Any], values: Mapping[str, Value]) -> dict[str, Any]:
    return {**facts, "label": [f"{name}: {_word(study.form.question(name), value)}" for name, value in values.items()]}


def _word(question: Question | None, value: Value) -> str:
    return question.choices.get(value, str(value)) if question and isinstance(value, int) else str(value)


def _interface(study: ReadingStudy) -> str:
    """Label Studio's labelling interface for this study."""
    from xml.sax.saxutils import quoteattr

    lines = ["<View>", '  <Text name="text" value="$text"/>']
    for question in study.form.questions:
        lines.append(f"  <Header value={quoteattr(question.name)}/>")
        if question.type == "text":
            lines.append(f'  <TextArea name={quoteattr(question.id)} toName="text"/>')
            continue
        words = question.choices.values() if question.type == "choice" else map(str, range(10))
        choices = "".join(f"<Choice value={quoteattr(word)}/>" for word in words)
        lines.append(f'  <Choices name={quoteattr(question.id)} toName="text" choice="single" required="true">{choices}</Choices>')
    return "\n".join([*lines, "</View>"]) + "\n"
