"""Canonical JSON, digests, and the signature that every number carries."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any


def canonical(value: Any) -> bytes:
    """JSON that depends on the content alone: sorted keys, no spaces, UTF-8, floats at 12 significant digits.

    Raises:
        ValueError: A float is not finite.
    """
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _plain(value: Any) -> Any:
    """Floats as strings of 12 significant digits, so that the last bits of a sum do not decide a digest."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a float that is not finite has no canonical form")
        return format(value + 0.0, ".12g")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Signature:
    """What must be equal for two scores to be comparable, besides the cohort."""

    name: str
    version: int
    recipe: str = ""
    extractor: str = ""
    """Digest of the extractor whose labels were scored; empty for metrics on text."""
    fit: str = ""
    """Digest of what the metric froze from the cohort."""

    def __str__(self) -> str:
        parts = [self.name, f"v{self.version}"]
        if self.recipe:
            parts.append(self.recipe)
        if self.extractor:
            parts.append(f"x:{self.extractor[:12]}")
        if self.fit:
            parts.append(f"fit:{self.fit[:12]}")
        return "|".join(parts)


def kind_of(signature: str) -> str:
    """A signature's text without what the cohort and the extractor add: what is the same on every board."""
    return "|".join(part for part in signature.split("|") if not part.startswith(("x:", "fit:")))


def spec_of(signature: str) -> str:
    """`name:recipe`, as the registry of metrics takes it, from a signature's text."""
    name, _, *recipe = kind_of(signature).split("|")
    return ":".join([name, "|".join(recipe)]) if recipe else name
