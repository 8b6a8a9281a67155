"""The registry of extractors: a name to a factory, imported only when asked for.

An extractor is picklable or cheap to make again in another process, and says by `official` whether its labels are those that
the paper's scores were made with; one that asks a model says by `by` which pack it asks of which model. Records of different extractors
are never ranked together.
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

from harness.errors import UsageError
from harness.registry import Registry
from harness.types import Extractor

REGISTRY = Registry(
    "extractor",
    {
        "lexical": "harness.extractors.lexical:make",
        "chexbert": "harness.extractors.chexbert:make",
        "llm": "harness.extractors.llm.extractor:make",
        "recorded": "harness.extractors.recorded:make",
    },
)
"""By extractor name the factory `module:function`; a factory takes the extractor's options by keyword."""

DEFAULT = "lexical"
"""The one that needs no weights, no server and no network."""


def extractor(name: str = DEFAULT, **options: Any) -> Extractor:
    """Make the extractor of that name.

    Args:
        name: One of `REGISTRY`.
        options: What the extractor's factory takes; `lexical` takes none.

    Raises:
        UsageError: There is no such extractor, or it does not take one of the options.
        UnavailableError: It needs weights, a server or a package that is not here.
    """
    make = REGISTRY.find(name)
    known = signature(make).parameters
    strange = [option for option in options if option not in known]
    if strange and not any(item.kind is Parameter.VAR_KEYWORD for item in known.values()):
        raise UsageError(f"the extractor {name} has no option {strange[0]!r}; it has {', '.join(known) or 'none'}")
    made: Extractor = make(**options)
    return made
