"""Newer systems that are not in, each with its reason, so that nobody has to ask; `docs/baselines.md` says what it would take."""

from __future__ import annotations

from generators.catalogue import System
from harness.types import Section


def _absent(name: str, summary: str, writes: Section, paper: str, licence: str, why: str) -> System:
    return System(name=name, make="", summary=summary, writes=writes, paper=paper, licence=licence, unavailable=why)


SYSTEMS = (
    _absent(
        "mlrg",
        "MLRG: findings from several views and an earlier study",
        Section.FINDINGS,
        "https://github.com/mk-runner/MLRG",
        "code MIT",
        "a Lightning checkpoint whose code is bound to transformers 4.43.3; not rewritten here yet",
    ),
    _absent(
        "chexagent-2",
        "CheXagent-2 3B: findings from one or two films",
        Section.FINDINGS,
        "https://huggingface.co/StanfordAIMI/CheXagent-2-3b",
        "weights CC-BY-NC-4.0, code CC-BY-NC-ND",
        "its model is code of the release under a licence without derivatives; CheXOne of the same group is in",
    ),
    _absent(
        "llava-rad",
        "LLaVA-Rad: findings from a frontal film",
        Section.FINDINGS,
        "https://huggingface.co/microsoft/llava-rad",
        "",
        "a LLaVA fork of its own over Vicuna 7B; not rewritten here yet",
    ),
    _absent(
        "radialog",
        "RaDialog: findings from a frontal film and a classifier's answers",
        Section.FINDINGS,
        "https://github.com/ChantalMP/RaDialog",
        "",
        "its prompt needs a classifier that was released apart, for libraries that no longer run here",
    ),
)
