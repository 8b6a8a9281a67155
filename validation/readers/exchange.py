"""Answers in the forms of other programs: CSV, Label Studio's JSON, doccano's JSONL; out and in again without loss."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError, Problem, UsageError
from harness.findings import by_spelling
from harness.formats import label_files, tabular
from harness.formats.complaints import Complaints
from harness.types import Status
from validation.readers.questions import Question, Value
from validation.readers.sheets import Reply, Sheet
from validation.readers.study import Item, ReadingStudy
from validation.readers.texts import Texts

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
        items = [item for item in self.by_study.get(row.study, ()) if row.system in ("", item.system_name)]
        if row.reader not in self.study.orders:
            known = ", ".join(self.study.readers)
            self.complaints.add(
                "reader", "it names no reader of this study", f"Use {known}, or --reader for a file of one reader", row.line
            )
        elif len(items) != 1:
            self.complaints.add("study", "the study is not among those that are read", "Remove the row", row.line, row.study)
        elif question is None or not question.takes(row.value):
            what = "the question is none of this study" if question is None else "the answer is none of those that were offered"
            self.complaints.add("answer", what, "Write one that `ranscore readers export` writes", row.line, row.study)
        else:
            places = self.study.repeats(row.reader) if row.second else self.study.first_showings(row.reader)
            at = places.get(items[0].id)
            if at is None:
                self.complaints.add("second", "this reader reads the study once", "Remove the row", row.line, row.study)
            else:
                self.values.setdefault(row.reader, {}).setdefault(at, {})[row.question] = row.value  # type: ignore[assignment]


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
                second = data.get("showing") == 2
                rows.append(
                    AnswerRow(
                        who,
                        str(data.get("study_id", "")),
                        str(data.get("system", "")),
                        str(result.get("from_name")),
                        answer,
                        number,
                        second,
                    )
                )
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
        rows.append(
            AnswerRow(who, str(item.get("study_id", "")), str(item.get("system", "")), identity, answer, line, item.get("showing") == 2)
        )
    return rows


def _by_label(question: Question, word: Any) -> Value | None:
    """The value of an answer in words: those of the study, or the number itself."""
    if question.type == "text":
        return str(word)
    text = str(word).strip()
    named = {label: value for value, label in question.choices.items()}
    if text in named:
        return named[text]
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 4 else None


def write(study: ReadingStudy, counting: Mapping[str, Sheet], kind: str, texts: Texts | None = None) -> dict[str, str]:
    """All submissions that count, in another program's form; with texts also what nobody answered yet, to be answered there.

    Args:
        study: The study.
        counting: By reader her submission.
        kind: Of `FORMATS`.
        texts: By item its texts, to be written beside the answers; None writes none.

    Returns:
        By name of the file its content.

    Raises:
        UsageError: There is no such format.
    """
    if kind not in FORMATS:
        raise UsageError(f"there is no format {kind!r}; there are {', '.join(FORMATS)}")
    if kind == "csv":
        return {"answers.csv": _csv(study, counting)}
    documents = [
        document
        for reader in study.readers
        if texts is not None or reader in counting
        for document in _documents(study, reader, counting.get(reader), texts, {"label-studio": _task, "doccano": _document}[kind])
    ]
    if kind == "doccano":
        return {"answers.jsonl": "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in documents)}
    return {"answers.json": json.dumps(documents, ensure_ascii=False, indent=1) + "\n", "labels.xml": _interface(study)}


def _showings(study: ReadingStudy, reader: str, sheet: Sheet | None) -> list[tuple[int, str, int, Mapping[str, Value]]]:
    """Position, item, which showing, answers."""
    first, replies = study.first_showings(reader), sheet.replies if sheet else {}
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


def _documents(
    study: ReadingStudy,
    reader: str,
    sheet: Sheet | None,
    texts: Texts | None,
    make: Callable[[ReadingStudy, dict[str, Any], Mapping[str, Value]], dict[str, Any]],
) -> Sequence[dict[str, Any]]:
    found = []
    for at, name, showing, values in _showings(study, reader, sheet):
        item = study.item(name)
        facts: dict[str, Any] = {"study_id": item.study, "system": item.system_name, "reader": reader, "showing": showing}
        if texts is not None:
            shown = tuple(reversed(texts[name])) if study.orders[reader][at - 1].swapped else texts[name]
            facts["text"] = "\n\n".join(shown)
        found.append(make(study, facts, values))
    return found


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
