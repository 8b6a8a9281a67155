"""The Indiana University collection of Open-i: from its XML archive, or from the two CSV files that are passed around.

A study of the collection is its number (`uid`). The usual test split names its studies `CXR3030_IM-1405`: the number, then the name of its
films without their last part. The number alone is unique in the split, so the number decides which study is meant, in every copy. A study
outside the split is called `CXR` and its number, because copies differ in which film they list first.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import IO

from harness.cohorts import make
from harness.errors import InputError, Problem
from harness.formats import tabular
from harness.formats.complaints import Complaints
from harness.storage.progress import progress
from harness.types import Access, Cohort, Image, Section, Study, Text

SOURCE = "Indiana University chest X-ray collection (Open-i), text CC BY-NC-ND 4.0"
WHERE = (
    "The reports are at https://openi.nlm.nih.gov/imgs/collections/NLMCXR_reports.tgz, the films at"
    " https://openi.nlm.nih.gov/imgs/collections/NLMCXR_png.tgz; docs/cohorts.md says what else there is"
)
"""What a user is shown who has no copy yet."""
_LARGEST = 4_000_000
"""Bytes of one report's XML; the real ones have about 10,000."""
_MOST = 100_000
"""Members of an archive; the real one has 3,955."""
_SHARES = ((0.7, "train"), (0.8, "dev"), (1.0, "test"))
_FILM = re.compile(r"(?:CXR)?(\d+)(?:_\d+)?_(IM-\d+(?:-\d+)*)")
"""A film's name, `CXR1_1_IM-0001-3001` or `1_IM-0001-3001.dcm.png`: the study's number, and what names the film."""


@dataclass(frozen=True, slots=True)
class OpenICase:
    """One study as a copy has it."""

    uid: str
    text: Text
    films: tuple[str, ...] = ()
    """File names."""


def build(
    *,
    archive: Path | None = None,
    reports: Path | None = None,
    projections: Path | None = None,
    images: Path | None = None,
    section: Section = Section.FINDINGS,
    seed: int | None = None,
    name: str = "open-i-590",
    tell: Callable[[str], None] = lambda note: None,
) -> Cohort:
    """Build a cohort from a copy of the collection.

    Args:
        archive: The XML archive (`NLMCXR_reports.tgz`), or the folder that it was unpacked to.
        reports: `indiana_reports.csv`, instead of the archive.
        projections: `indiana_projections.csv`: which film is frontal. Beside the archive it is optional; without it no view is known.
        images: The folder of the films.
        section: Which section is scored.
        seed: None for the usual test split of 590 studies; else all studies are dealt to train, dev and test (70, 10, 20 %) by it.
        tell: Receives what was left out, with counts.

    Raises:
        InputError: The copy is damaged, or lacks studies of the test split; all problems at once.
    """
    source = archive or reports
    if source is None or (archive and reports):
        raise InputError(Problem("the collection is read from its archive or from its CSV files", f"Give --archive, or --reports. {WHERE}"))
    cases = read_xml(archive) if archive else _read_csv(source)
    views = _projections(projections) if projections else {}
    split = official_test()
    _check(cases, split if seed is None else {}, source, section)
    studies = []
    for uid, case in cases.items():
        part = _part(case, section, seed, uid in split)
        studies.append(_study(case, views.get(uid, {}), split.get(uid, f"CXR{uid}"), part, images))
    texts = {study.id: case.text for study, case in zip(studies, cases.values(), strict=True)}
    if empty := sum(study.part == "context" for study in studies):
        tell(f"{empty} of {len(cases)} studies have no {section.value} and belong to no part")
    if not any(study.frontal for study in studies):
        tell("no film is known to be frontal: give --projections indiana_projections.csv where generators are to be run")
    if images and (absent := sum(not (images / image.path).is_file() for study in studies for image in study.images)):
        tell(f"{absent} films are not in {images}")
    origin = "usual test split of 590; train and dev dealt with seed 0" if seed is None else f"dealt with seed {seed}"
    return make(name, studies, texts, section=section, access=Access.OPEN, language="en", source=f"{SOURCE}; {origin}", images=images)


def official_test() -> dict[str, str]:
    """The usual test split: by number of the study its id."""
    lines = (files("harness.cohorts") / "open_i_590.txt").read_text(encoding="utf-8").splitlines()
    ids = [line for line in lines if line and not line.startswith("#")]
    return {re.sub(r"CXR(\d+)_.*", r"\1", name): name for name in ids}


def _check(cases: Mapping[str, OpenICase], split: Mapping[str, str], source: Path, section: Section) -> None:
    """Every study of the test split is there and has the section."""
    problems = []
    for uid, name in split.items():
        if uid not in cases:
            problems.append(Problem("the copy lacks this study of the test split", "Use a whole copy", str(source), study=name))
        elif not _reference(cases[uid].text, section):
            what = f"the study is in the test split and has no {section.value}"
            problems.append(Problem(what, "Use an unaltered copy", str(source), study=name))
    if not cases:
        problems = [
            Problem("there is no report of the collection in it", "Name the archive, its folder or indiana_reports.csv", str(source))
        ]
    if problems:
        raise InputError(problems)


def _reference(text: Text, section: Section) -> str:
    parts = {Section.FINDINGS: text.findings, Section.IMPRESSION: text.impression, Section.BOTH: text.findings or text.impression}
    return parts[section]


def _part(case: OpenICase, section: Section, seed: int | None, listed: bool) -> str:
    """Where the study goes: by the list where there is one, else by a seeded hash of its own number, which no other study can change."""
    if listed and seed is None:
        return "test"
    if not _reference(case.text, section):
        return "context"
    number = int.from_bytes(sha256(f"{seed or 0}|{case.uid}".encode()).digest()[:8]) / 2**64
    if seed is None:
        return "train" if number < 7 / 8 else "dev"
    return next(part for share, part in _SHARES if number < share)


def _study(case: OpenICase, views: Mapping[str, str], name: str, part: str, folder: Path | None) -> Study:
    """The study with its films. The two copies name film files differently; the name that the folder has is taken."""
    by_id = {_stem(film): view for film, view in views.items()}
    images = []
    for film in sorted({_stem(film) for film in (*case.films, *views)}):
        names = [other for other in (*case.films, *views) if _stem(other) == film] + [f"{film}.png"]
        path = next((other for other in names if folder and (folder / other).is_file()), names[0])
        images.append(Image(film, path, _VIEWS.get(by_id.get(film, "").lower(), "")))
    frontal = next((image.id for image in images if image.view == "FRONTAL"), "")
    lateral = next((image.id for image in images if image.view == "LATERAL"), "")
    return Study(name, name, images=tuple(images), frontal=frontal, lateral=lateral, part=part)


_VIEWS = {"frontal": "FRONTAL", "lateral": "LATERAL"}


def _stem(film: str) -> str:
    """A film's name in either copy as one: `CXR1_IM-0001-3001`."""
    found = _FILM.match(film)
    return f"CXR{found[1]}_{found[2]}" if found else film.partition(".")[0]


def read_xml(source: Path) -> dict[str, OpenICase]:
    """All reports of the archive or of its folder, by number. Nothing is unpacked to disk, so no member can write anywhere.

    Raises:
        InputError: Reports are damaged; all at once.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException

    cases: dict[str, OpenICase] = {}
    complaints = Complaints(str(source))
    try:
        for name, data in progress(_members(source, complaints), "reports", unit="report"):
            try:
                case = _case(data)
            except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
                complaints.add("damaged", f"its member {_plain(name)} is not a report ({type(error).__name__})", "Use an unaltered copy")
                continue
            if case.uid in cases:
                complaints.add("id twice", f"study {case.uid} is in it twice", "Use an unaltered copy")
            cases[case.uid] = case
    except FileNotFoundError:
        complaints.add("archive", "there is no such file", f"Name NLMCXR_reports.tgz, or the folder that it was unpacked to. {WHERE}")
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        complaints.add("archive", f"it cannot be read to its end ({type(error).__name__})", "Download it again")
    complaints.check()
    return cases


def _members(source: Path, complaints: Complaints) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        for path in sorted(source.rglob("*.xml")):
            with path.open("rb") as stream:
                yield from _content(path.name, stream, complaints)
        return
    with tarfile.open(source, "r:*") as archive:
        for number, member in enumerate(archive):
            if number >= _MOST:
                complaints.add("members", f"it has more than {_MOST:,} members", "Use an unaltered copy")
                return
            if member.isfile() and member.name.endswith(".xml") and (packed := archive.extractfile(member)):
                yield from _content(member.name, packed, complaints)


def _content(name: str, stream: IO[bytes], complaints: Complaints) -> Iterator[tuple[str, bytes]]:
    data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        complaints.add("too large", f"its member {_plain(name)} is larger than a report can be", "Use an unaltered copy")
        return
    yield name, data


def _plain(name: str) -> str:
    """A member's name as it may be in a message."""
    return re.sub(r"[^A-Za-z0-9._/-]", "?", name)[-80:]


def _case(data: bytes) -> OpenICase:
    from defusedxml.ElementTree import fromstring

    root = fromstring(data)
    identity = root.find("uId")
    uid = re.fullmatch(r"CXR(\d+)", identity.get("id", "") if identity is not None else "")
    if uid is None:
        raise ValueError("no number")
    sections = {part.get("Label", "").upper(): " ".join("".join(part.itertext()).split()) for part in root.iter("AbstractText")}
    films = tuple(f"{film.get('id', '')}.png" for film in root.iter("parentImage") if _FILM.fullmatch(film.get("id", "")))
    names = ("findings", "impression", "indication", "comparison")
    return OpenICase(uid[1], Text(**{name: sections.get(name.upper(), "") for name in names}), films)


def _read_csv(path: Path) -> dict[str, OpenICase]:
    """`indiana_reports.csv` by number."""
    complaints = Complaints(str(path))
    cases: dict[str, OpenICase] = {}
    for line, row in _rows(path, ("uid", "findings", "impression"), complaints):
        if row["uid"] in cases:
            complaints.add("id twice", f"study {row['uid']} is in it twice", "Use an unaltered copy", line)
        names = ("findings", "impression", "indication", "comparison")
        cases[row["uid"]] = OpenICase(row["uid"], Text(**{name: row.get(name, "") for name in names}))
    complaints.check()
    return cases


def _projections(path: Path) -> dict[str, dict[str, str]]:
    """`indiana_projections.csv`: by number the study's films and their views."""
    complaints = Complaints(str(path))
    views: dict[str, dict[str, str]] = {}
    for line, row in _rows(path, ("uid", "filename", "projection"), complaints):
        if not _FILM.match(row["filename"]) or "/" in row["filename"] or "\\" in row["filename"]:
            complaints.add("film", "its file name is not that of a film of the collection", "Use an unaltered copy", line)
        elif row["projection"].lower() not in _VIEWS:
            complaints.add("projection", "its projection is neither Frontal nor Lateral", "Use an unaltered copy", line)
        else:
            views.setdefault(row["uid"], {})[row["filename"]] = row["projection"]
    complaints.check()
    return views


def _rows(path: Path, needed: tuple[str, ...], complaints: Complaints) -> Iterator[tuple[int, dict[str, str]]]:
    table = tabular.read(path, complaints)
    absent = [name for name in needed if name not in table.columns] if table.columns else []
    for name in absent:
        complaints.add("no column", f"there is no column {name}", "Use an unaltered copy", 1)
    complaints.check()
    for line, cells in table.rows:
        row = {name: str(cells.get(name) or "").strip() for name in table.columns}
        if not (row["uid"].isascii() and row["uid"].isdigit()):
            complaints.add("uid", "its uid is not a number", "Use an unaltered copy", line)
        else:
            yield line, row
