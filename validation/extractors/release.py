"""Labels of a whole cohort as a resource for others: a label file, a manifest, and a card with the error of every finding. No text."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import InputError, Problem, RefusedError
from harness.extractors.recorded import AGREEMENT
from harness.findings import RAN_21
from harness.formats import label_files
from harness.optional import asked, official
from harness.signature import digest as digest_of
from harness.storage import files
from harness.types import Access, Cohort, Extractor, Json, Labels, ReportStatus, Status
from validation.extractors.results import FEW, ExtractorResult, FindingResult, Validation

FORMAT = "ranscore-label-release"
SCHEMA = 1
CHECKED = 20
"""Reports that are labelled again, to see that the labels are those of the extractor that is named."""
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is about to be written."""

    cohort: Cohort
    labels: Mapping[str, Labels]
    extractor: Extractor
    validation: Validation | None = None
    """A validation of this extractor; None where there is none."""

    @property
    def result(self) -> ExtractorResult | None:
        """What the validation says about this extractor."""
        listed = self.validation.extractors if self.validation else ()
        return next((item for item in listed if item.digest == self.extractor.digest), None)


def permit(access: Access, agreement: str) -> None:
    """Let labels out.

    Raises:
        RefusedError: The cohort is credentialed, and the sentence was not typed.
    """
    if access is Access.CREDENTIALED and agreement != AGREEMENT:
        what = "labels of credentialed reports are themselves derived data under the data use agreement"
        raise RefusedError(Problem(what, f"If you may share them, say --agree {AGREEMENT!r}"))


def check(release: Release, file: str) -> None:
    """See that the labels belong to this cohort and to this extractor.

    Raises:
        InputError: A study is not of the cohort, none is there, or the extractor decides a report otherwise; everything at once.
        RefusedError: The validation is not of this extractor.
    """
    if release.validation and release.result is None:
        what = f"the validation {release.validation.digest[:12]} is of other extractors than {release.extractor.digest[:12]}"
        raise RefusedError(Problem(what, "Name a validation of this extractor, or leave --validation away"))
    known = release.cohort.texts
    unknown = [
        Problem("the cohort has no such study", "Release labels of one cohort", file, study=name)
        for name in release.labels
        if name not in known
    ]
    if unknown or not release.labels:
        raise InputError(unknown[:SHOWN] or Problem("it holds no labels", "Label the cohort first", file))
    drawn = random.Random(0).sample(sorted(release.labels), min(CHECKED, len(release.labels)))  # noqa: S311
    again = release.extractor.extract([release.cohort.reference(name) for name in drawn])
    other = [name for name, own in zip(drawn, again, strict=True) if plain(own) != plain(release.labels[name])]
    if other:
        remedy = "Name the extractor that made the labels, or label again"
        raise InputError([Problem(f"{release.extractor.name} decides this report otherwise", remedy, file, study=name) for name in other])


def plain(labels: Labels) -> tuple[object, ...]:
    """What a label file holds of labels."""
    values = tuple(value if status is Status.OK else None for value, status in zip(labels.values, labels.statuses, strict=True))
    return labels.report, values if labels.report is ReportStatus.OK else (), labels.statuses if labels.report is ReportStatus.OK else ()


def write(release: Release, folder: Path, agreement: str = "") -> Json:
    """Write the release: `labels.csv`, `manifest.json`, `README.md`.

    Args:
        release: What is written; see `check`.
        folder: Made where it is not there.
        agreement: The sentence `AGREEMENT`; needed for a credentialed cohort.

    Returns:
        The manifest.

    Raises:
        RefusedError: The cohort is credentialed, and the sentence was not typed.
    """
    permit(release.cohort.manifest.access, agreement)
    table = label_files.dumps(release.labels)
    manifest = _manifest(release, table)
    files.write(folder / "labels.csv", table)
    files.write(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    files.write(folder / "README.md", card(manifest))
    return manifest


def _manifest(release: Release, table: str) -> Json:
    cohort, result = release.cohort.manifest, release.result
    part = result.part("original") if result else None
    body: Json = {
        "format": FORMAT,
        "schema": SCHEMA,
        "cohort": {
            "name": cohort.name,
            "digest": cohort.digest,
            "section": cohort.section,
            "access": cohort.access,
            "source": cohort.source,
        },
        "studies": len(release.labels),
        "extractor": {
            "name": release.extractor.name,
            "digest": release.extractor.digest,
            "official": official(release.extractor),
            "by": asked(release.extractor)[0],
        },
        "validation": release.validation.digest if release.validation else "",
        "standard": asdict(release.validation.standard) if release.validation else {},
        "labels": digest_of(table),
        "findings": [_finding(release.labels, name, _of(part.findings if part else (), name)) for name in RAN_21],
    }
    return {**body, "digest": digest_of(body)}


def _of(findings: tuple[FindingResult, ...], name: str) -> FindingResult | None:
    return next((item for item in findings if item.finding == name), None)


def _finding(labels: Mapping[str, Labels], name: str, known: FindingResult | None) -> Json:
    """How common a finding is in the labels, and how wrong they are."""
    place = RAN_21.index(name)
    decided = [own.values[place] for own in labels.values() if own.report is ReportStatus.OK and own.statuses[place] is Status.OK]
    present = sum(value == 1 for value in decided)
    row: Json = {"finding": name, "decided": len(decided), "present": present, "prevalence": present / len(decided) if decided else 0.0}
    if known:
        row |= {kind: asdict(known.ratio(kind)) for kind in ("accuracy", "precision", "recall", "f1")} | {"positives": known.positives}
    return row


def card(manifest: Json) -> str:
    """The data card: what the labels are, and how wrong they are; its head tells `datasets` what to load."""
    cohort, extractor, standard = manifest["cohort"], manifest["extractor"], manifest["standard"]
    head = ["---", "configs:", "- config_name: default", "  data_files: labels.csv", "---", ""]
    by = f" ({extractor['by']})" if extractor["by"] else ""
    lines = [
        f"# Labels of {cohort['name']}",
        "",
        f"21 findings of {manifest['studies']:,} studies, labelled by `{extractor['name']}`{by}, digest `{extractor['digest']}`. "
        "There is no text of a report in this folder.",
        "",
        f"- Source of the reports: {cohort['source']}",
        f"- Cohort digest: `{cohort['digest']}`; access of its text: {cohort['access']}",
        f"- Validation: `{manifest['validation']}` against {standard['items']} reports read by people (standard `{standard['digest']}`)"
        if standard
        else "- **Not validated**: how often these labels are wrong is unknown.",
        "- A cell is 1 present, 0 absent, empty undecided, or the word of a decision that failed.",
        "",
    ]
    return "\n".join([*head, *lines, *_table(manifest)]) + "\n"


def _table(manifest: Json) -> Iterator[str]:
    yield "| finding | present | prevalence | precision | recall | F1 | positives read |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in manifest["findings"]:
        ratios = [_ratio(row.get(kind)) for kind in ("precision", "recall", "f1")]
        positives = row.get("positives", "")
        few = " (few: nothing is claimed)" if positives != "" and positives < FEW else ""
        yield f"| {row['finding']} | {row['present']:,} | {row['prevalence']:z.3f} | {' | '.join(ratios)} | {positives}{few} |"


def _ratio(value: Json | None) -> str:
    return f"{value['value']:z.3f} [{value['low']:z.3f}, {value['high']:z.3f}]" if value else "unknown"
