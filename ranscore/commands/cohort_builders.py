"""The cohorts that `ranscore cohort build` knows: each with its own few options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UnavailableError, UsageError
from harness.registry import Registry

if TYPE_CHECKING:
    from harness.types import Cohort


@dataclass(frozen=True, slots=True)
class Builder:
    """One kind of cohort that can be built."""

    help: str
    declare: Callable[[argparse.ArgumentParser], None]
    """Adds the builder's own options."""
    build: Callable[[argparse.Namespace, Path], Cohort]
    """Builds from the options; the path is the folder that the cohort will be in."""


def usual_name(arguments: argparse.Namespace) -> str:
    """What a cohort is called where the user does not say: its kind, and each choice that departs from the usual one."""
    parts = [arguments.cohort]
    if arguments.cohort == "table":
        parts = [arguments.file.stem]
    if arguments.cohort == "synthetic" and arguments.language != "en":
        parts.append(arguments.language)
    if (draw := getattr(arguments, "draw", "test")) not in ("test", 0):
        parts.append(str(draw))
    if (section := getattr(arguments, "section", None)) and section != _USUAL_SECTION.get(arguments.cohort):
        parts.append(section)
    if getattr(arguments, "ids", None) and arguments.cohort != "rexrank-mimic":
        parts.append(arguments.ids.stem)
    elif getattr(arguments, "seed", 0):
        parts.append(f"seed-{arguments.seed}")
    return "-".join(parts)


_USUAL_SECTION = {
    "mimic-cxr-test": "both",
    **dict.fromkeys(("open-i", "open-i-590", "rexrank-iu", "rexrank-mimic", "chexpert-plus", "rexgradient"), "findings"),
}


def tell(note: str) -> None:
    """Say on standard error what was left out; never report text."""
    print(f"ranscore: {note}", file=sys.stderr)


def _mimic_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--physionet",
        metavar="DIR",
        type=Path,
        required=True,
        help="the folder of your PhysioNet download: reports, metadata, split, films",
    )
    parser.add_argument(
        "--images", choices=("auto", "jpg", "dicom", "none"), default="auto", help="which films to link (default: those that are there)"
    )
    parser.add_argument("--ids", metavar="FILE", type=Path, help="study ids or image ids, one a line, that take the place of the draw")
    parser.add_argument("--patients", metavar="FILE", type=Path, help="MIMIC-IV's patients.csv.gz, for age and sex")


def _draw_options(parser: argparse.ArgumentParser) -> None:
    _mimic_options(parser)
    parser.add_argument(
        "--draw",
        choices=("test", "development", "taxonomy"),
        default="test",
        help="which of the three cohorts that share no patient (default: test)",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="decides which patients and studies are drawn (default: 0)")
    parser.add_argument(
        "--sizes", metavar="T,D,X", default="3000,300,3000", help="patients in test, development and taxonomy (default: 3000,300,3000)"
    )


def _official_options(parser: argparse.ArgumentParser) -> None:
    _mimic_options(parser)
    _section(parser, "both")


def _section(parser: argparse.ArgumentParser, default: str | None) -> None:
    said = default or "what the file has"
    parser.add_argument(
        "--section", choices=("findings", "impression", "both"), default=default, help=f"which section is scored (default: {said})"
    )


def _rexrank_iu_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--list", metavar="FILE", type=Path, help="ReXRank_IUXray_test.json (default: the one that `ranscore fetch rexrank-iu` brought)"
    )
    parser.add_argument("--images", metavar="DIR", type=Path, help="the folder of ReXrank's films")
    _section(parser, "findings")


def _rexrank_mimic_options(parser: argparse.ArgumentParser) -> None:
    _mimic_options(parser)
    parser.add_argument(
        "--list",
        metavar="FILE",
        type=Path,
        required=True,
        help="ReXRank_MIMICCXR_test.json of your own clone of ReXrank; only the ids are read",
    )
    _section(parser, "findings")


def _hospital_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", metavar="DIR", type=Path, help="the folder of the films")
    parser.add_argument(
        "--draw",
        metavar="N",
        type=int,
        default=0,
        help="draw so many patients, one study each (default: score the release's own test part)",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="decides which are drawn (default: 0)")
    parser.add_argument("--open", action="store_true", help="the text is public; without this it is treated as credentialed")
    _section(parser, "findings")


def _chexpert_plus_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", metavar="CSV", type=Path, required=True, help="df_chexpert_plus_240401.csv")
    _hospital_options(parser)


def _rexgradient_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--test", metavar="FILE", type=Path, required=True, help="the table of the test split (JSON, JSON Lines, CSV, Parquet)"
    )
    parser.add_argument("--train", metavar="FILE", type=Path, help="the table of the training split, for --draw and earlier studies")
    parser.add_argument("--validation", metavar="FILE", type=Path, help="the table of the validation split, likewise")
    _hospital_options(parser)


def _open_i_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--archive", metavar="FILE|DIR", type=Path, help="NLMCXR_reports.tgz, or the folder that it was unpacked to")
    parser.add_argument("--reports", metavar="CSV", type=Path, help="indiana_reports.csv, instead of --archive")
    parser.add_argument("--projections", metavar="CSV", type=Path, help="indiana_projections.csv: which films are frontal")
    parser.add_argument("--images", metavar="DIR", type=Path, help="the folder of the films")
    _section(parser, "findings")


def _open_i_seed_options(parser: argparse.ArgumentParser) -> None:
    _open_i_options(parser)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="deals the studies to train, dev and test (default: 0)")


COLUMN_KEYS = ("id", "patient", "report", "findings", "impression", "indication", "history", "technique", "comparison", "image", "view", "age", "sex", "part", "prior")  # fmt: skip
"""The keys of `harness.cohorts.table.COLUMNS`, written out so that the help needs no import."""


def _table_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--file",
        metavar="FILE",
        type=Path,
        required=True,
        help="CSV, JSON Lines, JSON or Parquet with study_id and report, or findings and impression",
    )
    _section(parser, None)
    parser.add_argument("--open", action="store_true", help="the text is public; without this it is treated as credentialed")
    parser.add_argument("--language", metavar="CODE", default="", help="ISO 639-1 code (default: zh where most letters are Han, else en)")
    parser.add_argument("--images", metavar="DIR", type=Path, help="the folder that image paths are relative to")
    for key in COLUMN_KEYS:
        parser.add_argument(f"--{key}-column", metavar="NAME", help=f"what the file calls the column {key}")
    group = parser.add_argument_group("replace what could name a patient")
    group.add_argument(
        "--deidentify",
        metavar="DIR",
        type=Path,
        help="replace dates, names, numbers, places and ids; key and lists are kept in DIR, which must not be the cohort's folder",
    )
    group.add_argument("--checked", metavar="SENTENCE", default="", help="that a person read the lists in DIR; without it nothing is built")


def _synthetic_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--studies", metavar="N", type=int, default=590, help="scored studies (default: 590)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="the same seed gives the same cohort (default: 0)")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the reports (default: en)")
    parser.add_argument("--images", choices=("png", "none"), default="png", help="whether to draw the films (default: png)")


def _mimic(arguments: argparse.Namespace, section: str, draw: str, whole: bool = True) -> Cohort:
    from harness.cohorts.mimic import cohort as mimic
    from harness.types import Section

    return mimic.build(
        arguments.physionet,
        draw=draw,
        section=Section(section),
        seed=getattr(arguments, "seed", 0),
        sizes=_sizes(getattr(arguments, "sizes", "3000,300,3000")),
        ids=arguments.ids,
        whole=whole,
        images=arguments.images,
        patients=arguments.patients,
        name=arguments.name,
        tell=tell,
    )


def _rexrank_iu(arguments: argparse.Namespace) -> Cohort:
    from harness.cohorts import rexrank
    from harness.types import Section
    from ranscore.fetching import placing
    from ranscore.fetching.entries import find

    fetched = placing.folder(find("rexrank-iu")) / "ReXRank_IUXray_test.json"
    if arguments.list is None and not fetched.is_file():
        raise UnavailableError("ReXrank's list is not here. Run `ranscore fetch rexrank-iu`, or give --list FILE")
    return rexrank.build(arguments.list or fetched, section=Section(arguments.section), images=arguments.images, name=arguments.name)


def _rexrank_mimic(arguments: argparse.Namespace) -> Cohort:
    if arguments.ids is not None:
        raise UsageError("give --list or --ids, not both: `mimic-cxr` takes --ids")
    arguments.ids = arguments.list
    return _mimic(arguments, arguments.section, "official", whole=False)


def _hospital(arguments: argparse.Namespace, tables: dict[str, Path | None]) -> Cohort:
    from harness.cohorts import hospitals
    from harness.types import Access, Section

    if arguments.draw < 0:
        raise UsageError("--draw is a number of patients")
    return hospitals.build(
        hospitals.CHEXPERT_PLUS if arguments.cohort == "chexpert-plus" else hospitals.REXGRADIENT,
        {split: path for split, path in tables.items() if path},
        section=Section(arguments.section),
        draw=arguments.draw,
        seed=arguments.seed,
        images=arguments.images,
        name=arguments.name,
        access=Access.OPEN if arguments.open else Access.CREDENTIALED,
        tell=tell,
    )


def _sizes(text: str) -> dict[str, int]:
    numbers = text.split(",")
    if len(numbers) != 3 or not all(number.strip().isdecimal() for number in numbers):
        raise UsageError(f"--sizes takes three numbers, such as 3000,300,3000, not {text!r}")
    return dict(zip(("test", "development", "taxonomy"), map(int, numbers), strict=True))


def _open_i(arguments: argparse.Namespace, seed: int | None) -> Cohort:
    from harness.cohorts import openi
    from harness.types import Section

    return openi.build(
        archive=arguments.archive,
        reports=arguments.reports,
        projections=arguments.projections,
        images=arguments.images,
        section=Section(arguments.section),
        seed=seed,
        name=arguments.name,
        tell=tell,
    )


def _table(arguments: argparse.Namespace, folder: Path) -> Cohort:
    from harness.cohorts.table import from_table
    from harness.types import Access, Section

    columns = {key: name for key in COLUMN_KEYS if (name := getattr(arguments, f"{key}_column"))}
    cohort = from_table(
        arguments.file,
        section=Section(arguments.section) if arguments.section else None,
        access=Access.OPEN if arguments.open else Access.CREDENTIALED,
        name=arguments.name,
        language=arguments.language,
        columns=columns,
        images=arguments.images,
        tell=tell,
    )
    if arguments.deidentify is None:
        if arguments.checked:
            raise UsageError("--checked belongs to --deidentify")
        return cohort
    from harness.cohorts.deidentified import deidentify

    kept = arguments.deidentify.absolute()
    if kept == folder.absolute() or folder.absolute() in kept.parents:
        raise UsageError(f"{arguments.deidentify} is in the cohort's folder; the key must be kept apart from it")
    return deidentify(cohort, arguments.deidentify, arguments.checked, tell)


def _synthetic(arguments: argparse.Namespace, folder: Path) -> Cohort:
    from harness.cohorts.synthetic import cohort as synthetic

    images = folder / "images" if arguments.images == "png" else None
    cohort = synthetic.build(arguments.studies, arguments.seed, arguments.language, images)
    return replace(cohort, manifest=replace(cohort.manifest, name=arguments.name))


BUILDERS: dict[str, Builder] = {
    "mimic-cxr": Builder(
        "the paper's cohorts, drawn from your own copy of MIMIC-CXR; findings and impression are scored",
        _draw_options,
        lambda arguments, folder: _mimic(arguments, "both", arguments.draw),
    ),
    "mimic-cxr-findings": Builder(
        "the same studies as mimic-cxr; the findings section is scored",
        _draw_options,
        lambda arguments, folder: _mimic(arguments, "findings", arguments.draw),
    ),
    "mimic-cxr-test": Builder(
        "the whole official test split of MIMIC-CXR, several studies a patient",
        _official_options,
        lambda arguments, folder: _mimic(arguments, arguments.section, "official"),
    ),
    "open-i-590": Builder(
        "the Indiana collection with its usual test split of 590 studies; open text",
        _open_i_options,
        lambda arguments, folder: _open_i(arguments, None),
    ),
    "open-i": Builder(
        "the Indiana collection, dealt to train, dev and test by a seed; open text",
        _open_i_seed_options,
        lambda arguments, folder: _open_i(arguments, arguments.seed),
    ),
    "rexrank-iu": Builder(
        "ReXrank's Indiana list: the studies of open-i-590 as ReXrank prints them; open text",
        _rexrank_iu_options,
        lambda arguments, folder: _rexrank_iu(arguments),
    ),
    "rexrank-mimic": Builder(
        "ReXrank's 2,347 test studies, from your own copy of MIMIC-CXR",
        _rexrank_mimic_options,
        lambda arguments, folder: _rexrank_mimic(arguments),
    ),
    "chexpert-plus": Builder(
        "CheXpert Plus, a second hospital, from your own copy; credentialed",
        _chexpert_plus_options,
        lambda arguments, folder: _hospital(arguments, {"": arguments.file}),
    ),
    "rexgradient": Builder(
        "ReXGradient-160K, from your own copy; credentialed",
        _rexgradient_options,
        lambda arguments, folder: _hospital(
            arguments, {"test": arguments.test, "train": arguments.train, "validation": arguments.validation}
        ),
    ),
    "table": Builder("a table of reports, in any language", _table_options, _table),
    "synthetic": Builder("invented patients with reports, films and labels that are right by construction", _synthetic_options, _synthetic),
}
"""The cohorts of this project that `ranscore cohort build` knows."""


def builders() -> dict[str, Builder]:
    """Every cohort that can be built: those of this project, then those of other packages, whose entry points name a `Builder`.

    One that cannot be imported is listed with the reason and fails when it is asked for.
    """
    added = Registry("cohort", dict.fromkeys(BUILDERS, ""))
    return BUILDERS | {name: _added(added, name) for name in added.added}


def _added(registry: Registry, name: str) -> Builder:
    try:
        found: Builder = registry.find(name)
    except UnavailableError as error:
        failure = error

        def refuse(arguments: argparse.Namespace, folder: Path) -> Cohort:
            raise failure

        return Builder(f"cannot be built here: {failure.problems[0].what}", lambda parser: None, refuse)
    return found
