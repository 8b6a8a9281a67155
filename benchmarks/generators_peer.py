"""A system in a process of its own, asked for reports and timed by itself."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Answer:
    """One batch."""

    seconds: float
    work: float
    """Seconds of all processor cores together, which other programs on the machine hardly change."""
    reports: Sequence[Any]
    memory: float
    """Largest memory of the process so far, in GB."""


class Peer:
    """A process that runs `benchmarks.upstream.serving`."""

    def __init__(self, python: str, module: str, job: Mapping[str, Any], log: Path) -> None:
        """Start it, and wait until its weights are loaded.

        Args:
            python: Its interpreter.
            log: Takes what it says on standard error.
        """
        self.log, path = log, os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [python, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"},
            )
        said = self._say(job)
        self.loading: float = said["seconds"]
        self.versions = f"Python {said['python']}, PyTorch {said['torch']}"

    def write(self, films: Sequence[Path]) -> Answer:
        """Reports of one batch."""
        said = self._say([str(film) for film in films])
        return Answer(said["seconds"], said["work"], said["reports"], said["memory"])

    def _say(self, what: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise SystemExit(f"it stopped:\n{self.log.read_text(errors='replace')[-3000:]}")
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
