"""The embedded extractor: how right, how fast, in how much memory; beside a page of regular expressions in the same run.

`python -m benchmarks.extraction REPORTS.csv [STUDIES]` reads `uid`, `findings`, `impression` and the finding columns of a CSV with manual codes,
then labels that many synthetic reports (default: 227,835, the size of MIMIC-CXR) through `ranscore label` in a process of its own.
"""

from __future__ import annotations

import csv
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from harness.cohorts.synthetic import cohort
from harness.extractors.lexical import Lexical
from harness.findings import RAN_21
from harness.types import Array, ReportStatus

COVERED = [
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Fracture",
    "Lung Lesion",
    "No Finding",
    "Pleural Effusion",
    "Lung Opacity",
    "Support Devices",
    "Emphysema",
    "Interstitial Lung Disease",
    "Calcification",
    "Pulmonary Vascular Abnormal",
]
"""The findings that the collection's codes cover well."""
NAIVE = {
    "Atelectasis": r"atelecta|collapse|volume loss",
    "Cardiomegaly": r"cardiomegaly|(heart|cardiac silhouette)[^.]*enlarged|enlarged (heart|cardiac)",
    "Consolidation": r"consolidation|air ?space disease",
    "Edema": r"edema",
    "Fracture": r"fracture|compression deform",
    "Lung Lesion": r"nodule|mass\b|cavit|fibrosis",
    "Pleural Effusion": r"effusion|blunt",
    "Lung Opacity": r"opacit|infiltrate|consolidation|air ?space disease",
    "Support Devices": r"catheter|tube|pacemaker|clips|sternotomy|\bport\b|picc|\bline\b",
    "Emphysema": r"emphysem|copd|hyperinflat|hyperexpan|flatten",
    "Interstitial Lung Disease": r"interstitial|fibrosis|reticul",
    "Calcification": r"calcif|granuloma",
    "Pulmonary Vascular Abnormal": r"congestion|engorge|enlarged pulmonary arter|pulmonary hypertension",
}
"""The peer: what one writes in ten minutes. Negation is "no", "not", "without" or "free of" before the word in its sentence."""
NEGATED = re.compile(r"\b(no|not|without|free of|negative for)\b")
JUNK = {
    "one letter": "a" * 20_000,
    "blanks": " " * 20_000,
    "lines": "\n \n" * 6_600,
    "negations": "no " * 6_600,
    "negated findings": "no effusion " * 1_600,
    "degrees": "no mild, mild, " * 1_300,
    "hedges": "may or and effusion, " * 950,
    "places": "heart " * 3_300,
    "pairs": "heart enlarged and " * 1_050,
    "not seen": "effusion and pneumothorax not seen and " * 510,
    "headings": "indication:\n" * 1_660,
    "brackets": "(" * 20_000,
    "dashes": " - " * 6_600,
    "unknown words": " ".join(f"qu{chr(97 + a)}{chr(97 + b)}{chr(97 + c)}ctal" for a in range(13) for b in range(13) for c in range(13)),
    "Chinese": "未见、" * 6_600,
    "one character": "肺" * 20_000,
    "questions": "is it? " * 2_800,
    "ordinals": "1. " * 6_000,
    "boxes": "[ ] " * 5_000,
    "capitals": "The heart The heart " * 1_000,
    "drawn lines": ("-" * 200 + "\n") * 100,
    "headings on one line": "findings: impression: " * 900,
}
"""Texts of 10,000 to 20,000 characters that are no report, each made to cost much."""
TESTS = Path(__file__).parent.parent / "tests" / "extractors" / "data"


def naive(texts: Sequence[str]) -> Array:
    """The peer's decisions, a row a report."""
    patterns = {RAN_21.index(name): re.compile(pattern) for name, pattern in NAIVE.items()}
    said = np.zeros((len(texts), len(RAN_21)))
    for row, text in zip(said, texts, strict=True):
        for sentence in re.split(r"[.\n]", text.lower()):
            for index, pattern in patterns.items():
                match = pattern.search(sentence)
                if match and not NEGATED.search(sentence[: match.start()]):
                    row[index] = 1
        row[RAN_21.index("No Finding")] = not row.any()
    return said


def lexical(texts: Sequence[str]) -> Array:
    """The embedded extractor's decisions; a report that is not read asserts nothing."""
    return np.array([[value == 1 for value in labels.values] for labels in Lexical().extract(texts)], dtype=float)


def f1(truth: Array, said: Array) -> Array:
    """F1 of each finding over the reports whose code is decided (not NaN)."""
    hit, false, missed = (
        np.nansum(cells, axis=0) for cells in (truth * said, np.where(np.isnan(truth), 0, 1 - truth) * said, truth * (1 - said))
    )
    found: Array = 2 * hit / np.maximum(2 * hit + false + missed, 1)
    return found


def accuracy(path: Path) -> list[str]:
    """Print the scores on real reports; give their texts back."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = np.array([[float(row[name]) if row[name] else np.nan for name in RAN_21] for row in rows])
    texts = [row["findings"] + "\n" + row["impression"] for row in rows]
    fold, keep = np.array([int(row["uid"]) for row in rows]) % 10, [RAN_21.index(name) for name in COVERED]
    ours, peer = lexical(texts), naive(texts)
    ours_f1, peer_f1 = f1(truth, ours), f1(truth, peer)
    print(f"{len(rows)} reports: F1 of lexical, of the page of regular expressions, positives")
    for index in keep:
        print(f"  {RAN_21[index]:30s} {ours_f1[index]:.3f}  {peer_f1[index]:.3f}  {int(np.nansum(truth[:, index])):4d}")
    print(f"  macro over these {len(keep):13d}  {ours_f1[keep].mean():.3f}  {peer_f1[keep].mean():.3f}")
    without = [f1(truth[fold % 5 != left], ours[fold % 5 != left])[keep].mean() for left in range(5)]
    print(f"  macro without each fifth: {min(without):.3f} to {max(without):.3f}")
    return texts


def rewritten(path: Path) -> None:
    """Print the macro F1 on English paraphrases and Chinese translations of real reports, where they are beside them."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = np.array([[float(row[name]) if row[name] else np.nan for name in RAN_21] for row in rows])
    keep = [RAN_21.index(name) for name in COVERED]
    late = np.array([int(row["uid"]) % 5 > 2 for row in rows])
    for language in ("english", "chinese"):
        said = lexical([row[language] for row in rows])
        whole, unread = f1(truth, said)[keep].mean(), f1(truth[late], said[late])[keep].mean()
        print(f"{len(rows)} rewritten reports, {language}: macro F1 {whole:.3f}; on the two fifths whose errors nobody read {unread:.3f}")


def chinese() -> None:
    """Print the macro F1 on the Chinese sentences, and how many probes are right."""
    made = Lexical()
    with (TESTS / "chinese_sentences.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = np.array([[name in row["findings"].split(";") for name in RAN_21] for row in rows], dtype=float)
    print(f"{len(rows)} Chinese sentences: macro F1 over 21 {f1(truth, lexical([row['text'] for row in rows])).mean():.3f}")
    with (TESTS / "lexical_probes.csv").open(encoding="utf-8", newline="") as stream:
        probes = list(csv.DictReader(stream))
    labels = [made.label(probe["text"]) for probe in probes]
    right = sum(
        item.report is ReportStatus.OK and item.values[RAN_21.index(probe["finding"])] == int(probe["present"])
        for item, probe in zip(labels, probes, strict=True)
    )
    print(f"{len(probes)} probes, {right} right")


def speed(texts: Sequence[str]) -> None:
    """Print reports a second, CPU time on one core, best of five; the extractor begins with an empty memory each time."""
    ours, peer = (best(lambda read=read: read(texts)) for read in (lexical, naive))  # type: ignore[misc]
    print(f"lexical {len(texts) / ours:,.0f} reports/s, page of regular expressions {len(texts) / peer:,.0f} reports/s")


def best(work: Callable[[], object], times: int = 5) -> float:
    """CPU seconds of the fastest run."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def corpus(studies: int) -> None:
    """Print time and memory of `ranscore label` over synthetic reports."""
    with tempfile.TemporaryDirectory() as folder:
        path, lengths = Path(folder, "reports.csv"), []
        with path.open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(("study_id", "report"))
            for case in cohort.invent("test", studies, 1):
                written = cohort.report(case, "en", f"1/{case.study.id}")
                text = f"{written.findings}\n{written.impression}"
                lengths.append(len(text.split()))
                out.writerow((case.study.id, text))
        command = [sys.executable, "-m", "ranscore", "label", str(path), "-o", str(Path(folder, "labels.csv")), "--open"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(command, check=True, env=os.environ | {"RANSCORE_HOME": folder}, stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"ranscore label: {studies:,} synthetic reports, median {statistics.median(lengths):.0f} words:", end=" ")
    print(f"{wall:.0f} s, {cpu:.0f} CPU s, at most {after.ru_maxrss / 2**20:.2f} GiB in one process")


def junk() -> None:
    """Print how much longer twice the junk takes; a pattern that backtracks or a quadratic scope takes four times and more."""
    ratios = {}
    for name, text in JUNK.items():
        half, whole = (best(lambda part=part: Lexical().label(part)) for part in (text[: len(text) // 2], text))  # type: ignore[misc]
        ratios[name] = whole / half
    worst = max(ratios, key=lambda name: ratios[name])
    print(
        f"{len(JUNK)} kinds of junk, 10,000 to 20,000 characters: twice as much takes at most {ratios[worst]:.1f} times as long ({worst})"
    )


def main(path: str, studies: int = 227_835) -> None:
    texts = accuracy(Path(path))
    rewritten(Path(path).with_name("reports_dev_paraphrased.csv"))
    chinese()
    speed(texts)
    junk()
    if studies:
        corpus(studies)


if __name__ == "__main__":
    main(sys.argv[1], *(int(value) for value in sys.argv[2:]))
