"""RaTEScore's arithmetic: entities of two reports matched by their vectors, weighted by a matrix of types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Entity = tuple[str, str]
"""Words and type."""
TYPES = ("ABNORMALITY", "ANATOMY", "DISEASE", "NON-ABNORMALITY", "NON-DISEASE")
NO_ENTITY = 0.5
"""The score where a side has no entity."""
EQUAL = 1e-6
"""Cosines that differ by less are equal: their last digits depend on the processor."""
_LONG = (
    (0.4276119164393705, 0.6240929990607657, 0.0034478181112993847, 0.5431049700217344, 0.27005425386213877),
    (0.7487824274337533, 0.2856134859160784, 0.4592143222158069, 0.02097055139911715, 0.00013736314126696204),
    (0.8396510075734789, 0.9950209388542061, 0.8460555030578727, 0.9820689020512646, 0.3789136708096537),
    (0.16546764653692908, 0.018670610691852826, 0.719397354576018, 0.0009357166071730684, 0.0927333564267591),
    (0.7759420231214385, 0.1839139293714062, 0.10073046076318157, 0.03860183811876373, 0.34065681486566446),
)
_SHORT = (
    (0.4070293318365468, 0.6952639610605605, 0.28342529466226446, 0.9479148658006686, 0.23875064111146294),
    (0.5829759950441763, 0.7709590751917746, 0.0006059634829551632, 0.794672584951181, 0.27982942400798977),
    (0.8840397619834857, 0.9637659445696822, 0.19018958438059513, 0.6962283914800402, 0.943727057946997),
    (0.1712744286898638, 0.4485149671497294, 0.00045065329822896076, 0.0007887930317199857, 0.8555432840895761),
    (0.9555801066212176, 0.13122106162635216, 0.6072996585919443, 0.05650711141169969, 0.3214769399791204),
)


@dataclass(frozen=True, slots=True)
class Affinity:
    """The released weights of pairs of types, each row one type of the entities that are matched, and what a denial costs."""

    rows: tuple[tuple[float, ...], ...] = field(repr=False)
    denied: float

    def direction(self, ours: Sequence[str], theirs: Sequence[str], alike: Sequence[tuple[int, float]]) -> float:
        """The weighted mean of each entity's best cosine; a best match that says the opposite is multiplied by `denied`.

        Args:
            ours: Types of the entities that are matched.
            theirs: Types of those they are matched with.
            alike: The place of the best match of each of ours, and the cosine.
        """
        total = weighted = 0.0
        for kind, (place, cosine) in zip(ours, alike, strict=True):
            weight = self.rows[TYPES.index(kind)][TYPES.index(theirs[place])]
            weighted += cosine * weight * (self.denied if _opposite(kind, theirs[place]) else 1.0)
            total += weight
        return weighted / total if total else 0.0


MATRICES = {"long": Affinity(_LONG, 0.8716553966489615), "short": Affinity(_SHORT, 0.3611577852354489)}


def _opposite(one: str, other: str) -> bool:
    """Whether one is denied and the other is not."""
    return "ANATOMY" not in (one, other) and one.startswith("NON-") != other.startswith("NON-")


def score(reference: Sequence[Entity], candidate: Sequence[Entity], vectors: Mapping[str, Tensor], affinity: Affinity) -> float:
    """The harmonic mean of both directions; 0.5 where a side has no entity.

    Args:
        reference: Entities of the reference.
        candidate: Entities of the candidate.
        vectors: By words of an entity its vector.
        affinity: Weights of pairs of types.
    """
    if not reference or not candidate:
        return NO_ENTITY
    import torch

    left, right = ([kind for _, kind in side] for side in (reference, candidate))
    one, other = (
        torch.nn.functional.normalize(torch.stack([vectors[words] for words, _ in side]), dim=1) for side in (reference, candidate)
    )
    there, back = affinity.direction(left, right, best(one, other)), affinity.direction(right, left, best(other, one))
    return 2 * there * back / (there + back) if there + back else 0.0


def best(ours: Tensor, theirs: Tensor) -> list[tuple[int, float]]:
    """The best match of each vector and its cosine; of equal ones (one word with two types) the first.

    The published program takes the one that `topk` happens to give, which is another one on another processor.
    """
    cosines = ours @ theirs.T
    highest = cosines.max(dim=1, keepdim=True).values
    places = (cosines >= highest - EQUAL).int().argmax(dim=1)
    return list(zip(places.tolist(), highest[:, 0].tolist(), strict=True))


def entities(tokens: Sequence[str], tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Spans (first token, last token, type) that the tags of one sentence mean, read as the published program reads them.

    Its accidents are kept: a beginning whose next tag is of the same entity forgets what was open; an inner tag before a beginning opens an
    entity; one that is open at the end counts only where none was closed before it in the same run of entities.
    """
    spans: list[tuple[int, int, str]] = []
    start: int | None = None
    closed, kind = False, ""
    for place, (token, tag) in enumerate(zip(tokens, tags, strict=False)):
        if token in ("[CLS]", "[SEP]") or tag == "O" or place + 1 == len(tags):
            continue
        begins, following = tag.startswith("B-"), tags[place + 1][:1]
        if begins and following == "I":
            start, kind = place, tag[2:]
        elif following in ("B", "O"):
            if begins:
                spans.append((place, place, tag[2:]))
            elif start is not None:
                spans.append((start, place, kind))
            start, closed, kind = (place, True, tag[2:]) if following == "B" else (None, False, "")
    if start is not None and not closed:
        spans.append((start, len(tokens) - 2, kind))
    return spans
