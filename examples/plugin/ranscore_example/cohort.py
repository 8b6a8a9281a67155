"""A cohort: two invented patients, for `ranscore cohort build two-patients`."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cohorts import make
from harness.types import Access, Cohort, Section, Study, Text
from ranscore.commands.cohort_builders import Builder


def build(arguments: argparse.Namespace, folder: Path) -> Cohort:
    """Both patients; the folder is where films would be written."""
    studies = [Study("one", "patient-1"), Study("two", "patient-2")]
    texts = {"one": Text(findings="Small pneumothorax on the left."), "two": Text(findings="The lungs are clear.")}
    return make(
        arguments.name,
        studies,
        texts,
        section=Section.FINDINGS,
        access=Access.OPEN,
        language="en",
        source="invented, Apache-2.0",
    )


BUILDER = Builder("two invented patients", lambda parser: None, build)
