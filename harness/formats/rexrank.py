"""ReXrank's JSON: its lists of studies, which carry references, and the prediction files made from them, which add `model_prediction`.

Both are one object from study id to an object. Its example files are at https://github.com/rajpurkarlab/ReXrank (MIT).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.formats.complaints import Complaints
from harness.quiet import Quiet
from harness.types import Cohort, Json, Text

LARGEST = 1 << 30
PREDICTION = "model_prediction"
_HEADINGS = re.compile(r"\s*(?:findings\s*:)?(?P<findings>.*?)(?:impression\s*:(?P<impression>.*))?", re.DOTALL | re.IGNORECASE)
_CONTEXT = re.compile(r"(?P<name>indication|comparison|history|technique)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class ReXrankStudy(Quiet):
    """One study of a list."""

    id: str
    text: Text = field(repr=False)
    films: tuple[str, ...]
    """Paths under the folder of films."""
    views: tuple[str, ...]
    """`FRONTAL` or `LATERAL` for each film; empty where the list does not say."""
    key: str
    """The frontal film that systems of one film are given."""


def sections(prediction: str) -> tuple[str, str]:
    """Findings and impression of a prediction. Without the heading `Impression:` all of it is findings, as ReXrank takes it."""
    found = _HEADINGS.fullmatch(prediction)
    assert found is not None
    return found["findings"].strip(), (found["impression"] or "").strip()


def studies(path: Path) -> dict[str, ReXrankStudy]:
    """The studies of a list, in its order.

    Raises:
        InputError: It is no such list; every problem, by study.
    """
    complaints = Complaints(str(path))
    made = {name: _study(name, value, complaints) for name, value in _object(path, complaints).items()}
    complaints.check()
    return made


def ids(path: Path) -> list[str]:
    """The study ids of a list, as MIMIC-CXR numbers them, in its order; nothing else of it is kept.

    Raises:
        InputError: It is no such list, or a key names no study of MIMIC-CXR.
    """
    complaints = Complaints(str(path))
    found = []
    for number, name in enumerate(_object(path, complaints), 1):
        study = re.fullmatch(r"(?:.*[^0-9])?s?(5\d{7})", name)
        if study is None:
            complaints.add("odd id", f"key {number} names no study of MIMIC-CXR", "Give ReXrank's list of MIMIC-CXR")
        else:
            found.append(study[1])
    complaints.check()
    return found


def listed(cohort: Cohort, wanted: Iterable[str], *, references: bool = False) -> Json:
    """A list of studies as ReXrank's programs read it.

    Args:
        wanted: Study ids.
        references: Whether the original sections are in it. A program that generates is not shown them.
    """
    by_id = {study.id: study for study in cohort.manifest.studies}
    return {name: _row(cohort, by_id[name], references) for name in wanted}


def submission(cohort: Cohort, reports: Mapping[str, str], *, references: bool) -> Json:
    """A prediction file in ReXrank's form: its fields for each study, and what the system wrote; a missing report is empty.

    Args:
        reports: By study id.
        references: Whether the original sections are in it, as in ReXrank's own examples.
    """
    rows = listed(cohort, [study.id for study in cohort.scored], references=references)
    return {name: row | {PREDICTION: reports.get(name, "")} for name, row in rows.items()}


def _row(cohort: Cohort, study: Any, references: bool) -> Json:
    text = cohort.texts[study.id]
    named = [("Indication", text.indication), ("Comparison", text.comparison)]
    key = next((image.path for image in study.images if image.id == study.frontal), "")
    side = {study.frontal: "Frontal", study.lateral: "Lateral"}
    return {
        "key_image_path": key,
        "image_path": [image.path for image in study.images],
        "report": f"Findings: {text.findings} Impression: {text.impression}" if references else "",
        "section_findings": text.findings if references else "",
        "section_impression": text.impression if references else "",
        "split": "test",
        "frontal_lateral": [side.get(image.id) or image.view.capitalize() for image in study.images],
        "context": " ".join(f"{name}: {value}" for name, value in named if value),
    }


def _object(path: Path, complaints: Complaints) -> dict[str, Any]:
    """The outermost object of a file.

    Raises:
        InputError: There is none.
    """
    remedy = "Give ReXrank's JSON: one object from study id to an object"
    try:
        if path.stat().st_size > LARGEST:
            complaints.add("too large", f"it is larger than {LARGEST:,} bytes", remedy)
        else:
            pairs: list[tuple[str, Any]] = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_Pairs).pairs
            twice = len(pairs) - len(dict(pairs))
            if twice:
                complaints.add("key twice", f"{twice} of its keys occur twice", "Keep one of each")
            if not pairs:
                complaints.add("no rows", "it names no study", remedy)
            return dict(pairs)
    except OSError as error:
        complaints.add("unreadable", f"it cannot be read ({error.strerror})", "Check the path")
    except (ValueError, RecursionError, AttributeError):
        complaints.add("broken JSON", "it is not a JSON object", remedy)
    complaints.check()
    raise InputError(f"{path}: it holds nothing")


class _Pairs:
    """A JSON object with its keys in order, repeated ones too."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: Any = None) -> Any:
        return dict(self.pairs).get(name, default)


def _study(name: str, value: Any, complaints: Complaints) -> ReXrankStudy:
    def text(key: str) -> str:
        found = value.get(key, "") if isinstance(value, _Pairs) else ""
        if isinstance(found, _Pairs):
            return "; ".join(f"{inner}: {said}" for inner, said in found.pairs if isinstance(said, str))
        if not isinstance(found, str):
            complaints.add("odd field", f"its {key} is not text", "Give the list as published", study=name)
            return ""
        return found.strip()

    def texts(key: str) -> tuple[str, ...]:
        found = value.get(key, []) if isinstance(value, _Pairs) else []
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            complaints.add("odd field", f"its {key} is not a list of texts", "Give the list as published", study=name)
            return ()
        return tuple(found)

    if not isinstance(value, _Pairs):
        complaints.add("not an object", "the study is not an object", "Give the list as published", study=name)
    films, views = texts("image_path"), tuple(view.strip().upper() for view in texts("frontal_lateral"))
    if odd := [film for film in (*films, text("key_image_path")) if film.startswith(("/", "\\")) or ".." in film.split("/")]:
        complaints.add("film", f"{len(odd)} of its films are outside the folder of films", "Give the list as published", study=name)
        films = ()
    context = _context(text("context"))
    return ReXrankStudy(
        name,
        Text(findings=text("section_findings"), impression=text("section_impression"), **context),
        films,
        views if len(views) == len(films) else (),
        text("key_image_path"),
    )


def _context(text: str) -> dict[str, str]:
    """Sections of a context by name; what it says of age and gender is a range in some lists, and is not taken."""
    plain = re.sub(r"</?context>", "", text)
    places = list(_CONTEXT.finditer(plain))
    ends = [*(place.start() for place in places[1:]), len(plain)][: len(places)]
    return {place["name"].lower(): plain[place.end() : end].strip(" ;") for place, end in zip(places, ends, strict=True)}
