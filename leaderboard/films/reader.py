"""A report for one film: the generator that is configured for the page, made when the first film comes, shown one film at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from generators import catalogue
from generators.catalogue import Options, System
from harness import config
from harness.errors import UsageError
from harness.quiet import Quiet
from harness.types import Role
from leaderboard.films import sandbox
from leaderboard.films.generator import Apart

VARIABLE = "RANSCORE_GENERATOR"
"""Names the generator of a hosted page, where nobody types a command."""
SECONDS: float = config.defaults("try")["seconds"]
"""After which a generator that has not answered is ended, where the configuration gives no other number."""
SHOWN = 480
"""Pixels of the longer side of the picture that goes back to the visitor."""
EXAMPLES = 24
_SEED = 4711
"""The seed of the example films: a model that is trained on a synthetic cohort has seen them only if its cohort has this seed."""


@dataclass(frozen=True, slots=True, repr=False)
class Written(Quiet):
    """What a system wrote for a film, and the film as it was shown to it."""

    report: str = field(repr=False)
    failure: str
    """Empty where there is a report."""
    substituted: tuple[str, ...]
    picture: bytes = field(repr=False)
    """A PNG of at most `SHOWN` pixels a side."""
    size: tuple[int, int]
    """Width and height of the film in pixels."""
    caution: str = ""
    """What the system has to say beside every report of it."""
    example: bool = False
    """Whether the film is one of this page's drawn examples."""


class FilmReader:
    """One generator as the page offers it.

    Args:
        system: Its entry in the catalogue.
        options: As they were given; `auto` is resolved when the generator is made.
        note: What visitors should know of it beyond the catalogue's line.
        seconds: After which a generator that has not answered is ended.

    Raises:
        UsageError: It is no system that reads films.
    """

    def __init__(self, system: System, options: Options, note: str = "", seconds: float = SECONDS) -> None:
        if system.role is not Role.SYSTEM or "frontal" not in system.needs:
            raise UsageError(f"{system.name} reads no film, so the page cannot offer it. `ranscore systems list` shows what each needs")
        self.system, self.options, self.note = system, options, note
        self._apart = Apart(system, options, seconds)

    def check(self) -> None:
        """Whether it can be made here, without loading anything.

        Raises:
            UnavailableError: Its weights are not here, or nobody can run it.
            UsageError: It does not know a setting.
        """
        catalogue.checked(self.system, self.options)

    def read(self, content: bytes, name: str) -> Written:
        """Write a report for a film; the first call loads the generator. Nothing of the film is left when this returns.

        Args:
            content: A PNG, JPEG or DICOM file, never trusted.
            name: The file's, for messages.

        Raises:
            InputError: It is no film that can be read.
            UnavailableError: The generator cannot be made, did not answer in time, or failed in a way that it does not record itself.
        """
        clean = sandbox.cleaned(content, name)
        made, said = self._apart.write(clean)
        picture, size = _picture(clean)
        return Written(made.report, made.failure, tuple(made.substituted), picture, size, said, bool(said) and is_example(content))


def _picture(clean: bytes) -> tuple[bytes, tuple[int, int]]:
    from PIL import Image

    with Image.open(io.BytesIO(clean), formats=("PNG",)) as film:
        size = film.size
        film.thumbnail((SHOWN, SHOWN))
        stream = io.BytesIO()
        film.save(stream, "PNG")
    return stream.getvalue(), size


def configured(environment: Mapping[str, str] = os.environ) -> FilmReader | None:
    """The generator that `RANSCORE_GENERATOR` or `[try]` of the user's configuration names; None where neither does.

    Raises:
        InputError: The configuration is wrong.
        UsageError: There is no such system, or it reads no film.
    """
    table = config.table("try")
    name = environment.get(VARIABLE) or table.get("generator", "")
    if not name:
        return None
    mine = table if name == table.get("generator") else config.defaults("try")
    options = Options(
        {weights: Path(path).expanduser() for weights, path in mine["weights"].items()},
        mine["device"],
        mine["precision"],
        mine["seed"],
        {key: _spelled(value) for key, value in mine["set"].items()},
    )
    return FilmReader(catalogue.find(name), options, seconds=mine["seconds"])


def _spelled(value: Any) -> str:
    """A setting as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _cases() -> tuple[Any, ...]:
    from harness.cohorts.synthetic.cohort import invent

    return tuple(invent("test", EXAMPLES, _SEED))


@cache
def _pictures() -> frozenset[bytes]:
    return frozenset(sha256(example(number)[0]).digest() for number in range(EXAMPLES))


def is_example(content: bytes) -> bool:
    """Whether a file is one of the drawn examples, byte for byte."""
    return sha256(content).digest() in _pictures()


def example(number: int) -> tuple[bytes, str]:
    """A film that is drawn, of nobody's chest, and the report it was drawn from.

    Args:
        number: Which; after `EXAMPLES` they begin again.

    Returns:
        A PNG, and the reference in English.
    """
    from PIL import Image

    from harness.cohorts.synthetic import films
    from harness.cohorts.synthetic.cohort import report

    case = _cases()[number % EXAMPLES]
    drawn = films.film(False, case.present, dict(case.sides), f"{_SEED}/{case.study.frontal}")
    stream = io.BytesIO()
    Image.fromarray(drawn).save(stream, "PNG")
    text = report(case, "en", f"{_SEED}/{case.study.id}")
    return stream.getvalue(), " ".join(part for part in (text.findings, text.impression) if part)
