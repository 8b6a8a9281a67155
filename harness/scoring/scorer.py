"""The one way from files to a record: what the command `score`, the Python function and the worker all do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.errors import UnavailableError, UsageError
from harness.metrics import profiles
from harness.metrics.sending import Asks
from harness.records.record import CohortCard
from harness.scoring import evaluation, inputs
from harness.scoring.evaluation import Evaluation
from harness.types import Access, Cohort, Extractor, Grade, Labels, Metric, ReportSet, Section, SystemCard

LABEL_METRICS = {"ran-21": "ran-score", "chexpert-14": "chexbert-f1"}
"""By vocabulary the metric that label files are scored with."""


def score(
    *,
    predictions: Any,
    references: Any,
    access: Access | str = Access.CREDENTIALED,
    section: Section | str | None = None,
    extractor: Extractor | str = "lexical",
    options: Mapping[str, Any] | None = None,
    metrics: Sequence[str | Metric] | None = None,
    profile: str = "",
    card: SystemCard | None = None,
    grade: Grade = Grade.SELF_SCORED,
    created: str = "",
    cleaned: bool = False,
    columns: Mapping[str, str] | None = None,
) -> Evaluation:
    """Score a system's reports.

    Args:
        predictions: A reports file, a dict `{study_id: report}`, a list of rows, a table of pandas with `study_id` and `report`, or a
            list of reports where the references are a list too.
        references: The same, or a cohort, or the name or folder of a built one.
        access: Whether the text of `references` is `open`; a cohort says it itself. Credentialed text is sent to no other machine.
        section: Which section of `references` is scored: `findings`, `impression` or `both`; None for what is there.
        extractor: Who labels both sides.
        options: What the extractor's factory takes (pack, mode, endpoint, model).
        metrics: Names, `name:recipe`, or objects with the members of `harness.types.Metric`; by default Ran Score and the text metrics of the profile.
        profile: Whose recipes the text metrics follow; empty for the board's default.
        card: Who made the reports; by default the system that the run's plan beside the file names, else the file's name.
        grade: How good the evidence is.
        created: UTC time for the record; by default none.
        cleaned: Take stray markup and control characters out of the reports; the record counts the reports that this changed.
        columns: By `study_id` and `report` what the reports file calls them, where that differs.

    Raises:
        InputError: The file is wrong; every problem is named.
        UnavailableError: The extractor, or a metric that was asked for by name alone, is not here.
    """
    inputs.check_pairs(predictions=predictions, references=references)
    cohort = inputs.cohort_of(references, access=access, section=section)
    reports = inputs.reports_of(predictions, cohort, cleaned=cleaned, columns=columns)
    who = card or SystemCard(inputs.system_name(predictions))
    made = scorer(cohort, extractor=extractor, options=options, metrics=metrics, profile=profile)
    return made.score(reports, who, grade, created)


@dataclass(frozen=True, slots=True)
class Scorer:
    """What scores the systems of one cohort: metrics and extractors, loaded once."""

    cohort: Cohort
    metrics: tuple[Metric, ...]
    """The first is the one that ranks."""
    extractors: tuple[Extractor, ...]
    unavailable: Mapping[str, str]
    """Metrics that were asked for and cannot be computed here: spec to reason."""
    _labelled: dict[str, tuple[Labels, ...]] = field(default_factory=dict, repr=False)
    """By vocabulary the labels of the references, once they were read."""

    def score(self, reports: ReportSet, card: SystemCard, grade: Grade = Grade.SELF_SCORED, created: str = "") -> Evaluation:
        """Score one system; see the function `score`."""
        sides = evaluation.from_reports(self.cohort, reports, self.extractors, self._labelled)
        return evaluation.evaluate(sides, self.metrics, card=card, grade=grade, created=created, unavailable=self.unavailable)


def scorer(
    cohort: Cohort,
    *,
    extractor: Extractor | str = "lexical",
    options: Mapping[str, Any] | None = None,
    metrics: Sequence[str | Metric] | None = None,
    profile: str = "",
) -> Scorer:
    """Load metrics and extractors for a cohort; arguments and errors as for `score`."""
    made, unavailable = make_metrics(metrics, profile, cohort.manifest.language)
    made = [one.permitted(cohort.manifest.access) if isinstance(one, Asks) else one for one in made]
    labelled_by = extractors_for(made, extractor, cohort.manifest.access, options or {})
    return Scorer(cohort, tuple(made), tuple(labelled_by), unavailable)


def score_labels(
    *,
    predictions: Path,
    references: Path,
    access: Access = Access.CREDENTIALED,
    section: Section = Section.BOTH,
    card: SystemCard | None = None,
    created: str = "",
) -> Evaluation:
    """Score label files of the 21 findings or of CheXpert's 14. The cohort is named after the reference labels' file."""
    from harness.formats import label_files

    read = label_files.read_both(predictions=predictions, references=references)
    sides = evaluation.from_labels(
        predictions=read.predictions,
        references=read.references,
        vocabulary=read.vocabulary,
        name=references.stem,
        warnings=read.warnings,
    )
    sides = replace(sides, cohort=replace(sides.cohort, access=access, section=section))
    return evaluation.evaluate(sides, label_metrics(read.vocabulary), card=card or SystemCard(predictions.stem), created=created)


def score_decisions(
    *,
    predictions: Mapping[str, Labels],
    references: Mapping[str, Labels],
    cohort: CohortCard,
    card: SystemCard,
    grade: Grade = Grade.SELF_SCORED,
    created: str = "",
    vocabulary: str = "ran-21",
    warnings: tuple[str, ...] = (),
) -> Evaluation:
    """Score decisions that are at hand on both sides, of a cohort that is known."""
    sides = evaluation.from_labels(predictions=predictions, references=references, cohort=cohort, vocabulary=vocabulary, warnings=warnings)
    return evaluation.evaluate(sides, label_metrics(vocabulary), card=card, grade=grade, created=created)


def label_metrics(vocabulary: str) -> list[Metric]:
    """What can be computed from labels alone: Ran Score of the 21 findings, CheXbert F1 of CheXpert's 14."""
    from harness.metrics import metric

    return [metric(LABEL_METRICS[vocabulary])]


def make_metrics(names: Sequence[str | Metric] | None, profile: str = "", language: str = "en") -> tuple[list[Metric], dict[str, str]]:
    """Make the metrics that were asked for; one that this machine cannot compute is named with its reason and skipped.

    Raises:
        UnavailableError: None of them can be computed.
    """
    from harness.extractors.chexbert import check_available
    from harness.metrics import metric

    made, unavailable = [], {}
    for spec in chosen_metrics(names, profile, language) if names else default_metrics(profile, language):
        try:
            one = metric(spec) if isinstance(spec, str) else spec
            if "chexpert-14" in one.reads:
                check_available()
            made.append(one)
        except UnavailableError as error:
            unavailable[str(spec)] = str(error)
    if not made:
        raise UnavailableError("; ".join(unavailable.values()) or "no metric was asked for")
    return made, unavailable


def default_metrics(profile: str, language: str = "en") -> list[str]:
    """Ran Score first, then the text metrics of a profile; CheXbert F1 joins the board's own where the language is English.

    Args:
        profile: Empty for the board's own.
        language: The language of the cohort.
    """
    specs = ["ran-score", *profiles.profile(profile or profiles.default_for(language))]
    return specs if profile or language != "en" else [*specs, "chexbert-f1"]


def every_metric(language: str = "en") -> list[str]:
    """The default ones first, then every recipe of every profile of the language and every other metric there is."""
    from harness.metrics import REGISTRY

    chinese = set(profiles.profile("zh"))
    recipes = [spec for spec in profiles.profile("all") if (spec in chinese) == (language == "zh")]
    named = {spec.partition(":")[0] for spec in recipes}
    # The profiles' METEOR of NLTK wants WordNet's data; this one wants nothing. Chinese has no metric beyond its recipes.
    others = ["meteor-nltk:stem|lower", *(name for name in REGISTRY if name not in named)] if language == "en" else []
    return list(dict.fromkeys([*default_metrics("", language), *recipes, *others]))


def chosen_metrics(names: Sequence[str | Metric], profile: str = "", language: str = "en") -> list[str | Metric]:
    """The metrics that were named, each name without a recipe by the recipes that the profile has for it.

    Args:
        names: Names, `name:recipe`, or metrics themselves, which stay as they are.
        profile: Empty for the board's own.
        language: The language of the cohort; it decides the profile where none is named.

    Raises:
        UsageError: There is no such profile, or the one that was asked for has no recipe for a text metric.
    """
    specs = profiles.profile(profile or profiles.default_for(language))
    found: list[str | Metric] = []
    for name in names:
        if not isinstance(name, str):
            found.append(name)
            continue
        name = name.strip()
        recipes = [spec for spec in specs if spec.partition(":")[0] == name]
        if profile and not recipes and name in profiles.ways():
            raise UsageError(f"the profile {profile!r} has no {name}; it has {', '.join(specs)}. Name a recipe, as in bleu:coco|ptb")
        found += recipes or [name]
    return [one for number, one in enumerate(found) if one not in found[:number]]


def extractors_for(
    metrics: Sequence[Metric], chosen: Extractor | str, access: Access, options: Mapping[str, Any] | None = None
) -> list[Extractor]:
    """One extractor for each vocabulary that the metrics read.

    Raises:
        UsageError: The chosen extractor speaks another vocabulary.
        UnavailableError: An extractor's weights or server are not here.
    """
    from harness.extractors import extractor

    read = {vocabulary for metric in metrics for vocabulary in metric.reads} & {"ran-21", "chexpert-14"}
    found = []
    for vocabulary in sorted(read, reverse=True):
        if vocabulary == "chexpert-14":
            found.append(extractor("chexbert"))
            continue
        guarded = {"access": access} if chosen == "llm" else {}
        one = extractor(chosen, **guarded, **(options or {})) if isinstance(chosen, str) else chosen
        if one.vocabulary != vocabulary:
            raise UsageError(f"the extractor {one.name} gives {one.vocabulary}, Ran Score reads {vocabulary}")
        found.append(one)
    return found
