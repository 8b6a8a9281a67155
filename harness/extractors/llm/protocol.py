"""Which model answers, and the protocol: a pack asked of a model, which is what a digest stands for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from harness.config import DIALECTS as DIALECTS
from harness.errors import UsageError
from harness.extractors.llm.pack import Pack, PackQuestion, packaged
from harness.signature import digest
from harness.types import Json

QUESTION = "question:"
"""Begins the digest of a question, so that it is never taken for that of a protocol."""
REPORT = "\0report\0"
"""Takes the place of a report in the digest of a question."""
PARSER_VERSION = 2
"""Raise it when `parser` or `framing` would read or frame the same text differently."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model as an extractor."""

    name: str
    id: str
    """What servers call it."""
    revision: str = ""
    """Which weights; empty where only the server knows."""
    thinking: str = "never"
    """`never`, `switchable`, `always`."""
    reasoning_tokens: int = 0
    """Room for thoughts on top of the answer's."""
    dialect: str = "openai"
    """How a server of this model is asked to hold an answer to a set."""
    request: Json = field(default_factory=dict)
    """What goes along with every question."""


def presets() -> dict[str, Model]:
    """The models that the paper compared, by name."""
    return {item["name"]: Model(**item) for item in packaged("models.toml")["model"]}


def find(name: str, revision: str = "") -> Model:
    """The preset of that name or id, else a model that is only a name: any switch for its thoughts is sent, as for Qwen3."""
    for preset in presets().values():
        if name in (preset.name, preset.id):
            return preset if not revision else Model(**{**asdict(preset), "revision": revision})
    return Model(name, name, revision, "switchable", 0, "vllm", {"chat_template_kwargs": {"enable_thinking": False}})


@dataclass(frozen=True, slots=True)
class Protocol:
    """A pack asked of a model: whatever can change a decision."""

    pack: Pack
    model: Model
    constraint: str
    """What the server can hold the answer to: the pack's, or `none` where the server's dialect has no words for it."""

    @property
    def digest(self) -> str:
        """SHA-256 over pack, model, decoding, constraint and parser."""
        model = {key: value for key, value in asdict(self.model).items() if key not in ("name", "dialect")}
        return digest({"pack": self.pack.digest, "model": model, "constraint": self.constraint, "parser": PARSER_VERSION})

    def question_digest(self, asked: str) -> str:
        """SHA-256 over whatever decides the answer to one question of the mode `single`.

        That is the text that the model reads about this finding, the model, decoding, constraint and parser. Equal questions of different
        packs have equal digests.

        Returns:
            Empty for the one question of the mode `joint`: everything is part of it, so its digest is the protocol's.
        """
        if asked == "*":
            return ""
        pack = self.pack
        model = {key: value for key, value in asdict(self.model).items() if key not in ("name", "dialect")}
        how = {"decoding": asdict(pack.decoding), "thinking": pack.thinking, "framing": pack.framing, "strip": pack.strip}
        said = {"finding": asked, "messages": self.messages(asked, REPORT), **how, "read": pack.parser}
        return QUESTION + digest({**said, "model": model, "constraint": self.constraint, "parser": PARSER_VERSION})

    @property
    def official(self) -> bool:
        """Whether one of the authors' own packs is asked of the model that it was made for."""
        return self.pack.official and self.model.id == find(self.pack.model).id

    @property
    def by(self) -> str:
        """Which pack is asked of which model, in words for records and boards."""
        model = self.model.id.rpartition("/")[2] if self.model.id.startswith("/") else self.model.id
        return f"{self.pack.name} asked of {model}"

    @property
    def asked(self) -> tuple[str, ...]:
        """What one report is asked: the findings one by one, or everything at once."""
        return tuple(question.finding for question in self.pack.questions) if self.pack.mode == "single" else ("*",)

    def question(self, finding: str) -> PackQuestion:
        """The question of a finding."""
        return next(question for question in self.pack.questions if question.finding == finding)

    def messages(self, asked: str, report: str) -> list[dict[str, str]]:
        """The chat that asks about a finding, or about all of them (`*`)."""
        return self.pack.messages(None if asked == "*" else self.question(asked), report)

    def body(self, asked: str, report: str, served_as: str = "") -> Json:
        """The request for one question about one framed report, without the words of a dialect."""
        body: Json = {"model": served_as or self.model.id, "messages": self.messages(asked, report)}
        return {**body, **self.decoding, **self.model.request}

    @property
    def decoding(self) -> Json:
        """What is said about decoding: the pack's, with the model's room for thoughts; nothing where the pack says nothing."""
        said = asdict(self.pack.decoding)
        if said["max_tokens"] is not None:
            said["max_tokens"] += self.model.reasoning_tokens
        return {name: value for name, value in said.items() if value is not None}

    def schema(self) -> Json:
        """The JSON schema of an answer about all findings, keys in the order in which they are asked."""
        keys = [question.title for question in self.pack.questions]
        values = {key: {"type": "integer", "enum": [0, 1]} for key in keys}
        return {"type": "object", "properties": values, "required": keys, "additionalProperties": False}


def protocol(pack: Pack, model: Model, dialect: str = "") -> Protocol:
    """Put a pack and a model together.

    Args:
        dialect: How the server speaks, where it is not how the model is usually served.

    Raises:
        UsageError: There is no such dialect, or the model cannot do what the pack asks for.
    """
    dialect = dialect or model.dialect
    if dialect not in DIALECTS:
        raise UsageError(f"there is no dialect {dialect!r}; there are {', '.join(DIALECTS)}")
    if pack.thinking and not model.reasoning_tokens:
        raise UsageError(f"the pack {pack.name} lets a model think first, and {model.name} has no room for thoughts")
    constraint = "none" if pack.constraint == "choice" and dialect == "openai" else pack.constraint
    return Protocol(pack, model, constraint)


def constrained(protocol: Protocol, dialect: str) -> Json:
    """What a server of a dialect is sent so that it holds the answer to the protocol's set."""
    if protocol.constraint == "schema":
        return {
            "response_format": {"type": "json_schema", "json_schema": {"name": "findings", "strict": True, "schema": protocol.schema()}}
        }
    if protocol.constraint == "choice":
        said: dict[str, Json] = {
            "vllm": {"structured_outputs": {"choice": ["0", "1"]}},
            "sglang": {"regex": "[01]"},
            "llama.cpp": {"grammar": 'root ::= "0" | "1"'},
        }
        return said[dialect]
    return {}
