"""A cohort: a manifest of ids that can be shared, and text that lies in its own file.

A cohort's folder holds `manifest.json` (no text), `text.jsonl` (the sections), `labels.csv` where labels are known, and `local.json`
(where the images lie on this machine).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path

from harness import files
from harness.errors import InputError, Problem, UsageError
from harness.home import home
from harness.signature import digest
from harness.types import Access, Cohort, Image, Json, Labels, Manifest, Section, Study, Text

SCHEMA = 1


def normalised(text: str) -> str:
    """Text as it is hashed: NFC, every run of white space one blank, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def cohort_digest(studies: Iterable[Study], section: Section, access: Access, references: Mapping[str, str]) -> str:
    """SHA-256 over the scored studies: ids, patients, section, access and the hash of each normalised reference text.

    Args:
        studies: All studies; those outside the test part do not count.
        references: By study id the text of the scored section.
    """
    scored = sorted((study.id, study.patient) for study in studies if study.part == "test")
    texts = [[name, patient, sha256(normalised(references[name]).encode()).hexdigest()] for name, patient in scored]
    return digest({"section": section.value, "access": access.value, "studies": texts})


def make(
    name: str,
    studies: Iterable[Study],
    texts: Mapping[str, Text],
    *,
    section: Section,
    access: Access,
    language: str,
    source: str,
    labels: Mapping[str, Labels] | None = None,
    images: Path | None = None,
) -> Cohort:
    """Put a cohort together and compute its digest. The one way in which builders make cohorts."""
    ordered = tuple(sorted(studies, key=lambda study: study.id))
    draft = Cohort(Manifest(name, section, access, language, source, ordered, ""), texts)
    references = {study.id: draft.reference(study.id) for study in draft.scored}
    manifest = Manifest(name, section, access, language, source, ordered, cohort_digest(ordered, section, access, references))
    return Cohort(manifest, texts, labels or {}, images)


def save(cohort: Cohort, folder: Path) -> None:
    """Write a cohort's folder; the manifest last, so that a folder with a manifest is complete."""
    from harness.formats import label_files

    folder.mkdir(parents=True, exist_ok=True)
    # A data-use agreement binds one person: nobody else on the machine reads the text.
    private = cohort.manifest.access is Access.CREDENTIALED
    if private:
        files.close(folder)
    for name in ("manifest.json", "labels.csv", "local.json"):
        (folder / name).unlink(missing_ok=True)
    lines = (json.dumps({"study_id": name, **asdict(text)}, ensure_ascii=False) for name, text in sorted(cohort.texts.items()))
    files.write(folder / "text.jsonl", "\n".join(lines) + "\n", private=private)
    if cohort.labels:
        label_files.write(folder / "labels.csv", cohort.labels, private=private)
    if cohort.images is not None:
        files.write(folder / "local.json", json.dumps({"images": str(cohort.images.absolute())}))
    files.write(folder / "manifest.json", json.dumps(manifest_json(cohort.manifest), ensure_ascii=False, indent=1) + "\n")


def manifest_json(manifest: Manifest) -> Json:
    """A manifest as JSON; holds no text."""
    return {"schema": SCHEMA, **asdict(manifest)}


def load(name: str | Path) -> Cohort:
    """Load a built cohort by its name in `RANSCORE_HOME/cohorts`, or by its folder.

    Raises:
        UsageError: There is no such cohort.
        InputError: The folder is damaged, or the text is not the text of the manifest.
    """
    from harness.formats import label_files

    folder = find(name)
    manifest = load_manifest(folder / "manifest.json")
    if manifest.access is Access.CREDENTIALED:
        files.close(folder)
    texts = _load_texts(folder / "text.jsonl")
    known = label_files.read(folder / "labels.csv") if (folder / "labels.csv").is_file() else {}
    local = folder / "local.json"
    images = Path(json.loads(local.read_text(encoding="utf-8"))["images"]) if local.is_file() else None
    cohort = Cohort(manifest, texts, known, images)
    _check(cohort, folder)
    return cohort


def find(name: str | Path) -> Path:
    """The folder of a built cohort."""
    for folder in (home() / "cohorts" / name, Path(name)):
        if (folder / "manifest.json").is_file():
            return folder
    raise UsageError(
        f"there is no cohort {str(name)!r} here; `ranscore cohort build` makes one, and `ranscore cohort show` lists those that are"
    )


def load_manifest(path: Path) -> Manifest:
    """Read a manifest alone.

    Raises:
        InputError: It is not a manifest of this schema.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise InputError(
                Problem(
                    f"its schema is {data['schema']}, this program reads {SCHEMA}", "Update ranscore, or build the cohort again", str(path)
                )
            )
        studies = tuple(_study(item) for item in data["studies"])
        plain = {key: data[key] for key in ("name", "language", "source", "digest")}
        return Manifest(section=Section(data["section"]), access=Access(data["access"]), studies=studies, **plain)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"it is not a cohort's manifest ({type(error).__name__})"
        raise InputError(Problem(what, "Build the cohort again", str(path))) from None


def _study(item: Json) -> Study:
    known = {field.name for field in fields(Study)} - {"images"}
    return Study(images=tuple(Image(**image) for image in item["images"]), **{key: item[key] for key in known if key in item})


def _load_texts(path: Path) -> dict[str, Text]:
    texts = {}
    try:
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                item = json.loads(line)
                name = item.pop("study_id")
                texts[name] = Text(**item)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"it is not a cohort's text file ({type(error).__name__})"
        raise InputError(Problem(what, "Build the cohort again on this machine", str(path), len(texts) + 1)) from None
    return texts


def _check(cohort: Cohort, folder: Path) -> None:
    """Text and manifest belong together."""
    missing = [study.id for study in cohort.scored if study.id not in cohort.texts]
    if missing:
        raise InputError(
            [
                Problem(
                    "the study is in the manifest and not in the text", "Build the cohort again", str(folder / "text.jsonl"), study=name
                )
                for name in missing[:20]
            ]
        )
    references = {study.id: cohort.reference(study.id) for study in cohort.scored}
    found = cohort_digest(cohort.manifest.studies, cohort.manifest.section, cohort.manifest.access, references)
    if found != cohort.manifest.digest:
        what = f"the text gives the digest {found[:12]}, the manifest says {cohort.manifest.digest[:12]}"
        raise InputError(Problem(what, "One of the two was changed: build the cohort again", str(folder)))
