"""An extractor that says how far it is, and remembers the references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.optional import asked, official
from harness.quiet import Quiet
from harness.types import Extractor, Labels

CHUNK = 32
"""Reports between two looks at the clock."""


@dataclass(slots=True, repr=False)
class Counted(Quiet):
    """An extractor that says how far it is, and remembers what it labelled: references are read once, not once a submission."""

    inner: Extractor
    tell: Callable[[int, int], None] = lambda done, total: None
    _known: dict[str, Labels] = field(default_factory=dict, repr=False)
    remember: frozenset[str] = field(default=frozenset(), repr=False)
    """Texts whose labels are kept."""

    @property
    def name(self) -> str:
        """The inner one's."""
        return self.inner.name

    @property
    def vocabulary(self) -> str:
        """The inner one's."""
        return self.inner.vocabulary

    @property
    def digest(self) -> str:
        """The inner one's."""
        return self.inner.digest

    @property
    def official(self) -> bool:
        """The inner one's."""
        return official(self.inner)

    @property
    def by(self) -> str:
        """The inner one's."""
        return asked(self.inner)[0]

    @property
    def unnamed(self) -> int:
        """The inner one's."""
        return asked(self.inner)[1]

    def extract(self, texts: Sequence[str]) -> Sequence[Labels]:
        """Label texts, a few at a time."""
        asked = [text for text in dict.fromkeys(texts) if text not in self._known]
        found: dict[str, Labels] = {}
        for start in range(0, len(asked), CHUNK):
            part = asked[start : start + CHUNK]
            found.update(zip(part, self.inner.extract(part), strict=True))
            self.tell(min(start + CHUNK, len(asked)), len(asked))
        self._known.update({text: found[text] for text in self.remember & found.keys()})
        return [self._known.get(text) or found[text] for text in texts]
