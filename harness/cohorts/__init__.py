"""A cohort: a manifest of ids that can be shared, and text that is in its own file.

A cohort's folder holds `manifest.json` (no text), `text.jsonl` (the sections), `labels.csv` where labels are known, and `local.json`
(where the images are on this machine).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from harness.config.home import home
from harness.errors import InputError, Problem, UsageError
from harness.signature import digest
from harness.storage import files
from harness.storage.shaped import build
from harness.storage.stored import Source, exists, lines, parse, read_object, reading, seal, shaped
from harness.types import Access, Cohort, Json, Labels, Manifest, Section, Study, Text

SCHEMA = 1
BUILD = "Build the cohort again, or restore it from a backup"


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
    draft = Cohort(Manifest(name=name, section=section, access=access, language=language, source=source, studies=ordered, digest=""), texts)
    references = {study.id: draft.reference(study.id) for study in draft.scored}
    manifest = Manifest(
        name=name,
        section=section,
        access=access,
        language=language,
        source=source,
        studies=ordered,
        digest=cohort_digest(ordered, section, access, references),
    )
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
    written = (json.dumps({"study_id": name, **asdict(text)}, ensure_ascii=False) for name, text in sorted(cohort.texts.items()))
    files.write(folder / "text.jsonl", "\n".join(written) + "\n", private=private)
    if cohort.labels:
        label_files.write(folder / "labels.csv", cohort.labels, private=private)
    if cohort.images is not None:
        files.write(folder / "local.json", json.dumps({"images": str(cohort.images.absolute())}))
    files.write(folder / "manifest.json", json.dumps(manifest_json(cohort.manifest), ensure_ascii=False, indent=1) + "\n")


def manifest_json(manifest: Manifest) -> Json:
    """A manifest as sealed JSON; holds no text."""
    return seal({"schema": SCHEMA, **asdict(manifest)})


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
    known = label_files.read(_file(folder / "labels.csv")) if exists(folder / "labels.csv") else {}
    cohort = Cohort(manifest, texts, known, _images(folder / "local.json"))
    _check(cohort, folder)
    return cohort


def _file(path: Path) -> Path:
    if not path.is_file():
        raise InputError(Problem("it is not a file", BUILD, str(path)))
    return path


@dataclass(frozen=True, slots=True)
class _Local:
    images: str


def _images(path: Path) -> Path | None:
    """Where the films are; None where there are none on this machine."""
    if not exists(path):
        return None
    source = Source(str(path), "the place of the films", BUILD, InputError)
    return Path(shaped(_Local, read_object(path, source), source).images)


def find(name: str | Path) -> Path:
    """The folder of a built cohort."""
    for folder in (home() / "cohorts" / name, Path(name)):
        if exists(folder / "manifest.json"):
            return folder
    raise UsageError(
        f"there is no cohort {str(name)!r} here; `ranscore cohort build` makes one, and `ranscore cohort show` lists those that are"
    )


def manifests(root: Path) -> list[Path]:
    """The files of the manifests of all cohorts in a folder, damaged ones too, sorted by name."""
    paths = [folder / "manifest.json" for folder in sorted(root.glob("*")) if not folder.name.startswith(".")]
    return [path for path in paths if exists(path)]


def load_manifest(path: Path) -> Manifest:
    """Read a manifest alone.

    Raises:
        InputError: It is not a manifest of this schema.
    """
    source = Source(str(path), "the cohort's manifest", BUILD, InputError)
    data = read_object(path, source)
    if data.get("schema") != SCHEMA:
        what = f"its schema is {str(data.get('schema'))[:20]}, this program reads {SCHEMA}"
        raise InputError(Problem(what, "Update ranscore, or build the cohort again", str(path)))
    return shaped(Manifest, {name: value for name, value in data.items() if name != "schema"}, source)


def _load_texts(path: Path) -> dict[str, Text]:
    source = Source(str(path), "the cohort's text file", "Build the cohort again on this machine", InputError)
    texts: dict[str, Text] = {}
    for number, line in enumerate(lines(path, source), 1):
        at = replace(source, file=f"{path}:{number}")
        with reading(at):
            item = dict(parse(line, at))
            name = item.pop("study_id")
            texts[name] = build(Text, item)
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
