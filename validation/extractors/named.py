"""From the words of a command to extractors: `lexical`, `llm,pack=ranscore-2,model=qwen3-14b`, `labels.csv`, `recorded.jsonl`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UnavailableError, UsageError
from harness.extractors import REGISTRY, extractor
from harness.formats import label_files, tabular
from harness.formats.complaints import Complaints
from harness.records.store import Store
from harness.registry import near
from harness.types import Access
from validation.extractors import candidates
from validation.extractors.candidates import Candidate
from validation.extractors.reference import LABEL_FILES, Reference, reports

BESIDE = ("lexical", "chexbert")
"""Extractors that are compared with without being named, where they can run."""
OPTIONS = (
    "pack",
    "mode",
    "endpoint",
    "model",
    "dialect",
    "revision",
    "engine",
    "path",
    "protocol",
    "weights",
    "vocabulary",
    "device",
    "title",
)


@dataclass(frozen=True, slots=True)
class Named:
    """One extractor as somebody named it."""

    name: str
    """The name in the registry; `labels` for a label file."""
    options: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    file: Path | None = None


def parse(words: str, shared: Mapping[str, object] | None = None) -> Named:
    """One extractor: a name of the registry with options, or a file of labels.

    Args:
        words: `NAME`, `NAME,option=value,...`, or a path; `title=WORDS` says what tables call it.
        shared: Options for every extractor that asks a model.

    Raises:
        UsageError: There is no such extractor or file, or an option is written wrongly.
    """
    first, *more = words.split(",")
    given = dict(_options(words, more))
    title = given.pop("title", "")
    path = Path(first)
    if path.suffix.lower() in LABEL_FILES:
        if not path.is_file():
            raise UsageError(f"there is no label file {first}")
        if path.suffix.lower() == ".jsonl" and _recorded(path):
            return Named("recorded", {"path": first, **given}, title or path.stem)
        return Named("labels", given, title or path.stem, path)
    if first not in REGISTRY:
        raise UsageError(f"there is no extractor {first!r}{near(first, REGISTRY)}; there are {', '.join(REGISTRY)}, and files of labels")
    return Named(first, {**(shared if first in ("llm", "recorded") else {}), **given}, title)  # type: ignore[dict-item]


def _options(words: str, listed: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in listed:
        key, equals, value = word.partition("=")
        if not equals or key not in OPTIONS:
            raise UsageError(f"{words!r}: {word!r} is no option; write option=value with one of {', '.join(OPTIONS)}")
        yield key, value


def _recorded(path: Path) -> bool:
    """Whether a file is an export of `ranscore cache export`."""
    with path.open("rb") as stream:
        return b'"ranscore-labels"' in stream.readline(4096)


def candidates_of(chosen: Sequence[Named], reference: Reference, store: Store, *, cohort: str = "", beside: bool = True) -> list[Candidate]:
    """Label the standard's reports with every extractor.

    Args:
        chosen: The extractors that were named.
        reference: The standard.
        store: Holds generated reports.
        cohort: The cohort that holds the reports, for a standard that is a label file.
        beside: Whether to add those of `BESIDE` that can run here.

    Returns:
        The candidates in order, the floor last.

    Raises:
        UsageError: Two have the same title.
    """
    wanted, texts = list(chosen), None
    if any(item.name != "labels" for item in wanted) or (beside and (reference.study or cohort)):
        texts = reports(reference, store, cohort)
        wanted += [Named(name) for name in BESIDE if beside and name not in {item.name for item in wanted} and _runs(name)]
    listed = [one for item in wanted for one in _of(item, reference, texts)]
    titles = [one.title for one in listed]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise UsageError(f"several extractors are called {twice[0]!r}: give each a name of its own with title=WORDS")
    return [*listed, candidates.floor(reference)]


def _runs(name: str) -> bool:
    """Whether an extractor can be made here without a server."""
    if name != "chexbert":
        return True
    from harness.extractors.chexbert import check_available

    try:
        check_available()
    except UnavailableError:
        return False
    return True


def _of(item: Named, reference: Reference, texts: Mapping[str, str] | None) -> list[Candidate]:
    if item.file is not None:
        vocabulary = _vocabulary(item.file)
        labels = candidates.by_item(label_files.read(item.file, vocabulary), reference, str(item.file))
        return candidates.of_labels(labels, item.title, reference, vocabulary)
    assert texts is not None
    access = {"access": Access(reference.access).value} if item.name == "llm" else {}
    made = extractor(item.name, **{**item.options, **access})
    by = getattr(made, "by", "")
    return candidates.run(made, item.title or (f"{item.name} ({by})" if by else item.name), reference, texts)


def _vocabulary(path: Path) -> str:
    """`chexpert-14` where a label file has those columns and not all 21."""
    columns = tabular.read(path, Complaints(str(path))).columns
    return "chexpert-14" if label_files.has_columns(columns, "chexpert-14") and not label_files.has_columns(columns) else "ran-21"
