"""Ran Score as a metric of Hugging Face's `evaluate`: `evaluate.load(harness.hf_evaluate.FOLDER)` works offline."""

from __future__ import annotations

from pathlib import Path

FOLDER = str(Path(__file__).with_name("ran_score"))
"""What to give to `evaluate.load`; copy the folder to put the metric on the Hub."""
