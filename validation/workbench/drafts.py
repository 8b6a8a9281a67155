"""A draft: the questions of a pack as structured text that people edit, kept as `packs/drafts/NAME.toml`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.config.home import home
from harness.errors import InputError, Problem, RefusedError, UsageError
from harness.extractors.llm import pack as packs
from harness.extractors.llm.pack import ASKED, Pack, PackQuestion
from harness.findings import by_spelling
from harness.registry import near
from harness.storage import files

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
TEXTS = ("means", "signs", "unclear")
LISTS = ("words", "yes", "no")
SAYS = {
    "means": "what the finding means",
    "words": "words with which reports say it",
    "signs": "signs that count",
    "unclear": "doubtful cases, and how they are decided",
    "yes": "sentences in which it is present",
    "no": "sentences in which it is absent",
}
"""The fields of a finding; those of the paper's three kinds of revision (words, descriptions, examples)."""
LONGEST = 20_000
"""Characters of one field; more is no guidance."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What a draft says about one finding."""

    finding: str
    means: str = ""
    words: tuple[str, ...] = ()
    signs: str = ""
    unclear: str = ""
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    guidance: str = ""
    """The whole text, where the pack that it was drafted from is not structured; it then takes the place of the other fields."""

    def text(self) -> str:
        """The guidance as the model reads it."""
        return self.guidance or packs.guidance_of({name: getattr(self, name) for name in (*TEXTS, *LISTS)})

    def sentences(self) -> tuple[str, ...]:
        """Everything that somebody wrote into it, field by field."""
        return tuple(filter(None, (self.guidance, self.means, self.signs, self.unclear, *self.words, *self.yes, *self.no)))


@dataclass(frozen=True, slots=True)
class PackDraft:
    """The questions of one pack that is not frozen yet."""

    name: str
    base: str
    """The pack that it was drafted from."""
    base_digest: str
    mode: str
    guides: tuple[Guide, ...]
    """In the order in which the pack asks."""

    def origin(self) -> Pack:
        """The pack that it was drafted from.

        Raises:
            InputError: That pack is not the same any more.
        """
        found = packs.load(self.base, self.mode)
        if found.digest != self.base_digest:
            what = f"the pack {self.base} is not the one that this draft was made from"
            raise InputError(Problem(what, "Import that pack again, or make a new draft", str(path_of(self.name))))
        return found

    def pack(self) -> Pack:
        """The draft as a pack: what a model would be asked now."""
        origin = self.origin()
        known = {guide.finding: guide for guide in self.guides}
        questions = tuple(replace(item, guidance=known[item.finding].text()) for item in origin.questions)
        if questions == origin.questions:
            return replace(origin, name=self.name, card={})
        return replace(origin, name=self.name, questions=questions, source="", deviations=(), card={})

    def guide(self, finding: str) -> Guide:
        """What it says about one finding."""
        return next(guide for guide in self.guides if guide.finding == finding)


def folder() -> Path:
    """Where drafts are."""
    return home() / "packs" / "drafts"


def path_of(name: str) -> Path:
    """A draft's file.

    Raises:
        UsageError: It is no name of a pack, or one that is reserved.
    """
    if not _NAME.fullmatch(name) or name == packs.BUILT_IN or name in packs.AUTHORS:
        raise UsageError(f"a draft cannot be called {name[:80]!r}: use lower-case letters, digits, dots and hyphens, and no reserved name")
    return folder() / f"{name}.toml"


def finding_named(words: str) -> str:
    """A finding that is asked for, by its name or its column, whatever the case.

    Raises:
        UsageError: There is none.
    """
    spelled = {spelling: name for spelling, name in by_spelling().items() if name in ASKED}
    found = spelled.get(words.strip().lower().replace("-", " "))
    if found is None:
        raise UsageError(f"there is no finding {words[:80]!r}{near(words.lower(), spelled)}; a pack asks for {', '.join(ASKED)}")
    return found


def create(name: str, base: str, mode: str = "") -> PackDraft:
    """Make a draft of a pack.

    Raises:
        UsageError: There is no such pack, or the name cannot be one.
        RefusedError: There is a draft or a frozen pack of this name.
    """
    path, origin = path_of(name), packs.load(base, mode)
    if name in packs.names():
        raise RefusedError(Problem(f"the pack {name} is frozen", "Choose another name for the draft"))
    made = PackDraft(name, base, origin.digest, origin.mode, tuple(map(structured, origin.questions)))
    if not files.create(path, dumps(made), private=True):
        raise RefusedError(Problem(f"there is a draft {name!r} already", "Edit that one, or choose another name", str(path)))
    return made


def structured(question: PackQuestion) -> Guide:
    """The fields behind a question; the whole text where it has none."""
    lines = question.guidance.split("\n")
    starts = ("Present means: ", "Said with words such as: ", "", "Doubtful cases: ", "Present in: ", "Absent in: ")
    plain = Guide(question.finding, guidance=question.guidance)
    if len(lines) != len(starts) or not all(line.startswith(start) for line, start in zip(lines, starts, strict=True)):
        return plain
    means, words, signs, unclear, yes, no = (line.removeprefix(start) for line, start in zip(lines, starts, strict=True))
    made = Guide(
        question.finding,
        means.removesuffix("."),
        _split(words.removesuffix("."), "; "),
        signs,
        unclear,
        _split(yes, " | "),
        _split(no, " | "),
    )
    return made if made.text() == question.guidance else plain


def _split(text: str, between: str) -> tuple[str, ...]:
    return tuple(text.split(between)) if text else ()


def names() -> list[str]:
    """The drafts that are here."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def load(name: str) -> PackDraft:
    """A draft by its name.

    Raises:
        UsageError: There is none.
        InputError: The file is no draft; everything that is wrong with it comes at once.
    """
    path = path_of(name)
    if not path.is_file():
        listed = f"; there are {', '.join(names())}" if names() else ""
        raise UsageError(f"there is no draft {name!r}; `ranscore pack draft {name} --from PACK` makes one{listed}")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        where = int(line[1]) if line else None
        raise InputError(Problem("it is no TOML", "Correct the line, or restore the file", str(path), where)) from None
    problems = list(_wrong(data, path))
    if problems:
        raise InputError(problems)
    by_name = {item["finding"]: item for item in data["label"]}
    guides = tuple(_guide(by_name[finding]) for finding in (item["finding"] for item in data["label"]))
    return PackDraft(name, data["from"], data["from_digest"], data["mode"], guides)


def _guide(data: dict[str, Any]) -> Guide:
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return Guide(**given)


def _wrong(data: dict[str, Any], path: Path) -> Iterator[Problem]:
    """Everything that is wrong with a draft's file."""

    def problem(what: str, remedy: str) -> Problem:
        return Problem(what, remedy, str(path))

    for key in ("from", "from_digest", "mode"):
        if not isinstance(data.get(key), str):
            yield problem(f"it does not say {key!r}", "Restore the head of the file")
    labels = data.get("label")
    if not isinstance(labels, list) or not all(isinstance(item, dict) for item in labels):
        yield problem("it has no tables [[label]]", "Write one for each finding")
        return
    for name in ASKED:
        if (count := sum(item.get("finding") == name for item in labels)) != 1:
            yield problem(f"it has {count} tables for {name}", "Write exactly one")
    for item in labels:
        title = str(item.get("finding"))[:80]
        for key, value in item.items():
            if key in LISTS and (not isinstance(value, list) or not all(isinstance(one, str) for one in value)):
                yield problem(f"{title}: {key} is no list of texts", f'Write {key} = ["...", "..."]')
            elif key in (*TEXTS, "guidance", "finding") and not (isinstance(value, str) and len(value) <= LONGEST):
                yield problem(f"{title}: {key} is no text of at most {LONGEST} characters", f'Write {key} = "..."')
            elif key not in (*LISTS, *TEXTS, "guidance", "finding"):
                yield problem(f"{title}: there is no field {key[:40]!r}", f"The fields are {', '.join(SAYS)}, or guidance alone")
        if not item.get("guidance") and not item.get("means"):
            yield problem(f"{title}: nothing says what it means", 'Write means = "..."')


def save(draft: PackDraft) -> Path:
    """Write a draft in place of the one before."""
    path = path_of(draft.name)
    files.write(path, dumps(draft), private=True)
    return path


def dumps(draft: PackDraft) -> str:
    """A draft as TOML."""
    head = ["# A draft: edit it here, or with `ranscore pack edit`. `ranscore pack try` asks again what you changed, and nothing else."]
    head += [f"# {name}: {words}" for name, words in SAYS.items()]
    head += [f"from = {_text(draft.base)}", f"from_digest = {_text(draft.base_digest)}", f"mode = {_text(draft.mode)}"]
    tables = []
    for guide in draft.guides:
        lines = ["", "[[label]]", f"finding = {_text(guide.finding)}"]
        if guide.guidance:
            lines.append(f"guidance = {_text(guide.guidance)}")
        else:
            lines += [f"{name} = {_text(getattr(guide, name))}" for name in ("means",)]
            lines += [f"words = {_list(guide.words)}", f"signs = {_text(guide.signs)}", f"unclear = {_text(guide.unclear)}"]
            lines += [f"yes = {_list(guide.yes)}", f"no = {_list(guide.no)}"]
        tables.append("\n".join(lines))
    return "\n".join([*head, *tables]) + "\n"


def _text(value: str) -> str:
    """A TOML text; JSON escapes the same characters, except for one."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_text, values)) + "]"


def change(draft: PackDraft, finding: str, edit: Callable[[Guide], Guide]) -> PackDraft:
    """A draft with another guide of one finding.

    Raises:
        UsageError: The guide is one whole text, whose fields cannot be edited one by one.
    """
    own = draft.guide(finding)
    made = edit(own)
    if own.guidance and made.guidance == own.guidance and made != own:
        raise UsageError(f"the guidance of {finding} is one text: edit it in {path_of(draft.name)}, or replace it with --guidance")
    return replace(draft, guides=tuple(made if guide.finding == finding else guide for guide in draft.guides))


def changed(draft: PackDraft, other: Sequence[PackQuestion]) -> tuple[str, ...]:
    """The findings whose guidance is not that of these questions."""
    known = {question.finding: question.guidance for question in other}
    return tuple(guide.finding for guide in draft.guides if guide.text() != known[guide.finding])
