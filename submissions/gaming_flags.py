"""Probes for reports that were written for the score and not for the patient. They flag; a person judges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.types import Input

MANY = 0.5
"""Share of studies that may have one text."""
FEW_TEXTS = 0.05
"""Distinct texts a study, below which one text stands for many."""
EVERYTHING = 12.0
"""Mean number of findings asserted a report, of 20."""
COPIED = 0.2
"""Share of long references that may be word for word in a report."""
LONG = 15
"""Words from which an equal text is no coincidence."""
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:previous|prior|above|all|earlier|other)\b.{0,30}\b(?:instructions?|prompts?|rules|text|messages?)\b"
    r"|\byou are (?:now )?(?:a|an)\b.{0,40}\b(?:assistant|model|grader|judge|radiologist)\b|\b(?:system|assistant|user)\s*:\s"
    r"|\b(?:answer|respond|reply|output|return|print|say)\b.{0,25}(?:\b(?:yes|no|positive|negative|present|json|only)\b|[\"'\[{]|\b[01]\b)"
    r"|\[/?INST\]|<<SYS>>|###\s*(?:instruction|response|system)|忽略.{0,10}(?:指令|提示|以上)|(?:请|只)(?:回答|输出)",
    re.IGNORECASE | re.DOTALL,
)


def text_flags(reports: Mapping[str, str]) -> list[str]:
    """What the texts alone show.

    Args:
        reports: By study id; those without text are passed over.
    """
    texts = [" ".join(text.split()) for text in reports.values() if text.strip()]
    if not texts:
        return []
    flags = []
    counts = Counter(texts)
    most = counts.most_common(1)[0][1]
    if len(texts) > 3 and len(counts) == 1:
        flags.append(f"constant text: one text stands for all {len(texts)} studies")
    elif len(texts) > 3 and most > MANY * len(texts):
        flags.append(f"one text for many studies: {most} of {len(texts)}")
    elif len(texts) > 40 and len(counts) < FEW_TEXTS * len(texts):
        flags.append(f"one text for many studies: {len(counts)} texts stand for {len(texts)}")
    if told := sum(bool(_INSTRUCTION.search(text)) for text in texts):
        flags.append(f"instructions to a model: {told} reports")
    return flags


def side_flags(references: Sequence[Input], candidates: Sequence[Input]) -> list[str]:
    """What both sides with their labels show."""
    flags = []
    written = [item for item in candidates if item.text.strip()]
    asserted = [sum(value == 1 for value in item.labels["ran-21"].values[:-1]) for item in written if "ran-21" in item.labels]
    if asserted and sum(asserted) / len(asserted) > EVERYTHING:
        flags.append(f"all findings listed: {sum(asserted) / len(asserted):.1f} of 20 a report")
    own = {item.study: _words(item.text) for item in references}
    long = {study: words for study, words in own.items() if len(words.split()) >= LONG}
    same = sum(_words(item.text) == long.get(item.study) for item in written)
    every = set(long.values())
    foreign = sum(_words(item.text) in every for item in written)
    if long and same > COPIED * len(long):
        flags.append(f"references copied: {same} reports are their study's reference")
    elif long and foreign > COPIED * len(candidates):
        flags.append(f"references copied: {foreign} reports are some study's reference")
    return flags


def _words(text: str) -> str:
    """Words in lower case and nothing else: a blank or a comma more does not make a copy a text of one's own."""
    return " ".join(re.findall(r"\w+", text.lower()))
