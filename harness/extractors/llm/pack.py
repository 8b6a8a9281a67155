"""A pack: the frozen questions of the `llm` extractor, as data.

A pack is everything that is said to a model and every rule for reading its answer, the model itself excepted (see `models`). Its digest
is part of the signature of every score made with it, so two scores with equal signatures were asked for in the same words.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path

from harness.config.home import home
from harness.errors import InputError, Problem, UsageError
from harness.findings import NO_FINDING, RAN_21
from harness.signature import digest
from harness.storage import files
from harness.types import Json

SCHEMA = 1
ASKED: tuple[str, ...] = tuple(name for name in RAN_21 if name != NO_FINDING)
"""The 20 findings that are asked for; No Finding follows from them."""
BUILT_IN = "ranscore-1"
AUTHORS = {
    "ran-2026-06": "d76c2deb96d35186e18fbc948f2ca62da97d3c50c2189cd25a97a15e100c08a8",
    "ran-2025-10": "3782ce87fac78b6ec9bef66b327d81b29dce64d40b6e3536c07a30bdd4e94550",
    "ran-2025-05": "6c84a80ba7973ec82057a5a880c031a6b26907393d631fe6877b1b24972acd6a",
}
"""By name the digest of the pack that a script of the authors gives. The names are reserved for these; a stored pack of such a name with
another digest was tampered with."""
OFFICIAL = ("ran-2026-06", "ran-2025-10")
"""Those for the paper's extractor. The third is older, for another model, and may be what the paper calls the prompts before revision."""
MODES = ("single", "joint")
PARSERS = ("first-digit", "digit", "json")
CONSTRAINTS = ("none", "choice", "schema")
FRAMINGS = ("raw", "line")
_SLOT = re.compile(r"\{(label|guidance|report|hedges)\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@dataclass(frozen=True, slots=True)
class PackQuestion:
    """What is asked about one finding."""

    finding: str
    """Its name in the vocabulary."""
    title: str
    """Its name in the prompt."""
    guidance: str


@dataclass(frozen=True, slots=True)
class AnswerDecoding:
    """How an answer is drawn from the model."""

    temperature: float | None
    """Each of these is None where nothing is said to the server about it."""
    top_p: float | None
    max_tokens: int | None
    """Room for the answer alone; a reasoning model gets its own room on top (see `models.Model`)."""
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One way of asking for the 20 findings."""

    name: str
    mode: str
    """`single`: one question a finding; `joint`: one question for all. The two are never ranked together."""
    system: str
    """The system message, with the slots {label}, {guidance}, {hedges}."""
    user: str
    """The user message, with the slots of the system message and {report}."""
    questions: tuple[PackQuestion, ...]
    """In the order in which they are asked."""
    decoding: AnswerDecoding
    thinking: bool
    """Whether a model that can choose is asked to think first; False switches it off explicitly."""
    framing: str
    """`raw`: the report as it is; `line`: see `framing.framed`."""
    strip: bool
    """Whether white space at the ends of the user message is cut."""
    parser: str
    """`first-digit`, `digit` or `json`; see `parser`."""
    constraint: str
    """What the server is asked to hold the answer to: `none`, `choice` (one of the two digits), `schema` (the JSON object)."""
    hedges: str
    """How the pack decides uncertain statements, in words."""
    no_finding: str
    """The rule for No Finding, in words."""
    model: str
    """The model it was made for: a preset's name, or any other name."""
    revision: str = ""
    source: str = ""
    """SHA-256 of the file it was imported from; empty where it was written here."""
    deviations: tuple[str, ...] = ()
    """Where asking with this program differs from the file that was imported."""
    card: Mapping[str, object] = field(default_factory=dict)
    """What is known about it (on which model it was validated); not part of the digest."""

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form: all fields but the name and the card."""
        return digest({"schema": SCHEMA, **{key: value for key, value in asdict(self).items() if key not in ("name", "card")}})

    @property
    def official(self) -> bool:
        """Whether it is one of the authors' own packs for the paper's extractor, word for word."""
        return self.digest in {AUTHORS[name] for name in OFFICIAL}

    def messages(self, question: PackQuestion | None, report: str) -> list[dict[str, str]]:
        """The chat that asks one question about one report that is already framed; `question` is None in joint mode."""
        values = {"report": report, "hedges": self.hedges, "label": "", "guidance": self._all_guidance()}
        if question is not None:
            values.update(label=question.title, guidance=question.guidance)
        user = _fill(self.user, values)
        return [
            {"role": "system", "content": _fill(self.system, values)},
            {"role": "user", "content": user.strip() if self.strip else user},
        ]

    def _all_guidance(self) -> str:
        return "\n\n".join(f"{question.title}\n{question.guidance}" for question in self.questions)


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Fill the slots in one pass, so that what is filled in is never looked at again."""
    return _SLOT.sub(lambda match: values[match[1]], template)


def load(name: str = BUILT_IN, mode: str = "") -> Pack:
    """A pack by its name.

    Args:
        name: `ranscore-1`, or a pack stored in `RANSCORE_HOME/packs`.
        mode: `single` or `joint`; empty for the pack's first.

    Raises:
        UsageError: There is no such pack, or it has no such mode.
        InputError: The stored file is damaged.
    """
    if mode and mode not in MODES:
        raise UsageError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
    if name == BUILT_IN:
        return _built_in(mode or "single")
    path = home() / "packs" / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.is_file():
        hint = "`ranscore pack import` reads it from the authors' released script" if name in AUTHORS else "`ranscore pack list` names them"
        raise UsageError(f"there is no pack {name!r} here; {hint}")
    pack = _stored(path)
    if mode and mode != pack.mode:
        raise UsageError(f"the pack {name!r} asks in the mode {pack.mode}, not {mode}")
    return pack


def names() -> list[str]:
    """The packs that are here, the built-in one first."""
    return [BUILT_IN, *sorted(path.stem for path in (home() / "packs").glob("*.json"))]


def save(pack: Pack) -> Path:
    """Store a pack in `RANSCORE_HOME/packs`.

    Raises:
        UsageError: The name is not one that a file can have, or is reserved for another content.
    """
    if not _NAME.fullmatch(pack.name) or pack.name == BUILT_IN:
        raise UsageError(f"a pack cannot be called {pack.name!r}: use lower-case letters, digits, dots and hyphens, and not {BUILT_IN}")
    if _usurped(pack):
        raise UsageError(f"the name {pack.name} is reserved for the authors' released script")
    path = home() / "packs" / f"{pack.name}.json"
    files.write(path, json.dumps({"schema": SCHEMA, "digest": pack.digest, **asdict(pack)}, ensure_ascii=False, indent=1) + "\n")
    return path


def _usurped(pack: Pack) -> bool:
    """Whether it has the name of one of the authors' packs, and another content."""
    return pack.name in AUTHORS and pack.digest != AUTHORS[pack.name]


def _stored(path: Path) -> Pack:
    """Read a stored pack and hold it to its digest."""
    try:
        pack = from_json(json.loads(path.read_text(encoding="utf-8")))
        said = json.loads(path.read_text(encoding="utf-8"))["digest"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(Problem(f"it is not a pack ({type(error).__name__})", "Import it again", str(path))) from None
    if said != pack.digest or pack.name != path.stem or _usurped(pack):
        raise InputError(Problem("its content is not the one that was stored under this name", "Import it again", str(path)))
    return pack


def from_json(data: Json) -> Pack:
    """Make a pack from the JSON of a stored one.

    Raises:
        ValueError: The content cannot be a pack.
        KeyError: A field is missing.
        TypeError: A field is of the wrong kind.
    """
    if data["schema"] != SCHEMA:
        raise ValueError("another schema")
    questions = tuple(PackQuestion(**question) for question in data["questions"])
    given = {item.name: data[item.name] for item in fields(Pack) if item.name not in ("questions", "decoding", "deviations")}
    pack = Pack(questions=questions, decoding=AnswerDecoding(**data["decoding"]), deviations=tuple(data["deviations"]), **given)
    kinds = (pack.mode in MODES, pack.parser in PARSERS, pack.constraint in CONSTRAINTS, pack.framing in FRAMINGS)
    if not all(kinds) or sorted(question.finding for question in questions) != sorted(ASKED) or "{report}" not in pack.user:
        raise ValueError("not a pack")
    return pack


def packaged(name: str) -> Json:
    """A TOML file that is part of the package."""
    return tomllib.loads((resources.files("harness.extractors.llm") / "packs" / name).read_text(encoding="utf-8"))


def _built_in(mode: str) -> Pack:
    """Put the pack that was written here together from its structured file."""
    data = packaged(f"{BUILT_IN}.toml")
    way = data[mode]
    return Pack(
        name=BUILT_IN,
        mode=mode,
        system=way["system"].strip(),
        user=way["user"].strip(),
        questions=tuple(PackQuestion(label["finding"], label["finding"], guidance_of(label)) for label in data["label"]),
        decoding=AnswerDecoding(temperature=0.0, top_p=1.0, max_tokens=way["max_tokens"], seed=42),
        thinking=data["thinking"],
        framing=data["framing"],
        strip=False,
        parser=way["parser"],
        constraint=way["constraint"],
        hedges=data["hedges"],
        no_finding=data["no_finding"],
        model=data["model"],
        card=data["card"],
    )


def guidance_of(label: Json) -> str:
    """One finding's rules as the model reads them."""
    lines = [
        f"Present means: {label['means']}.",
        f"Said with words such as: {'; '.join(label['words'])}.",
        label["signs"],
        f"Doubtful cases: {label['unclear']}",
        f"Present in: {' | '.join(label['yes'])}",
        f"Absent in: {' | '.join(label['no'])}",
    ]
    return "\n".join(lines)
