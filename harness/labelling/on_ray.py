"""Labelling on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cluster import Cluster
from harness.extractors import extractor
from harness.labelling.corpus import Chunk, labelled


@dataclass(frozen=True, slots=True)
class OnRay:
    """A labeller that spreads chunks over actors."""

    name: str
    """The extractor's name."""
    options: Mapping[str, Any]
    """What its factory takes."""
    cluster: Cluster = field(default_factory=Cluster)

    def run(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, bytes]]:
        """A few chunks an actor are under way at any time."""
        share = {"share": self.cluster.actors} if self.name == "llm" else {}
        with self.cluster.pool(_Labeller, self.name, {**self.options, **share}, gpus=_gpus(self.options)) as pool:
            yield from pool.run(chunks)


class _Labeller:
    """Holds an extractor in a process of its own."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name, self._options = name, options

    def hello(self) -> str:
        """Build the extractor and say which it is."""
        self._made = extractor(self._name, **self._options)
        return self._made.digest

    def work(self, piece: Chunk) -> bytes:
        """Label one chunk."""
        return labelled(self._made, piece)


def _gpus(options: Mapping[str, Any]) -> int:
    """One GPU an actor, where the model runs in it and there are GPUs."""
    from pathlib import Path

    if options.get("endpoint") or not options.get("model") or not Path(str(options["model"])).is_dir():
        return 0
    import torch

    return 1 if torch.cuda.is_available() else 0
