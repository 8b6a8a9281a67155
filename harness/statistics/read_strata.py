"""What readers would count of decisions: each kind of the extractor's decisions is divided as readers divided those that they read.

For a finding the extractor's decisions about a pair of reports are of four kinds: true positive, false positive, false negative, true
negative. The read pairs show what readers made of each kind. So the pairs that nobody read are divided in the same
shares, and those that were read count as readers decided: a prediction-powered estimate in which lambda is tuned for each kind.

Few pairs of a kind are read where a finding is rare, so two pairs are added to each kind, divided as the system's pairs of that kind are over all
findings. This costs a small bias where a finding is read differently from the others, and takes away most of the variance: with 100 read pairs
and a system near 0.95 the interval is half as wide (docs/evidence/extractor_error.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.types import Array

KINDS = ("tp", "fp", "fn", "tn")
ADDED = 2.0
"""Pairs that are added to each kind of decision of each finding."""


@dataclass(frozen=True, slots=True)
class ReadDecisions:
    """What readers made of the extractor's decisions, by patient whose pairs were read."""

    at: NDArray[np.int64]
    """The patients' places among all patients."""
    counts: Array
    """Shape (read patients, findings, 4, 4): pairs by kind of the extractor's decision (third axis) and of the readers' (fourth)."""
    weighted: Array
    """The same, each pair with its weight; the weights have the mean 1."""


def fits(columns: Sequence[str], metric: Any) -> bool:
    """Whether a metric's rows count decisions by finding, and nothing else."""
    return tuple(columns) == tuple(f"{finding}:{kind}" for finding in getattr(metric, "findings", ()) for kind in KINDS) != ()


def decisions(extractor: Array, readers: Array, weights: Array, owners: NDArray[np.int64]) -> ReadDecisions:
    """Count the pairs that were read.

    Args:
        extractor: Shape (pairs, 4 x findings): the extractor's rows; a finding that the readers left open is 0 in both.
        readers: The same shape: the readers' rows.
        weights: Shape (pairs,): how many studies each pair represents.
        owners: The place of each pair's patient.
    """
    first, second = (side.reshape(len(side), -1, len(KINDS)) for side in (extractor, readers))
    crossed = first[..., :, None] * second[..., None, :]
    at, inverse = np.unique(owners, return_inverse=True)
    heavy = weights / weights.mean()
    tables = [np.zeros((len(at), *crossed.shape[1:])) for _ in range(2)]
    np.add.at(tables[0], inverse, crossed)
    if np.ptp(heavy) < 1e-12:
        return ReadDecisions(at, tables[0], tables[0])
    np.add.at(tables[1], inverse, crossed * heavy[:, None, None, None])
    return ReadDecisions(at, *tables)


def totals(extractor: Array, read: ReadDecisions) -> tuple[Array, Array, Array]:
    """What readers would count in all studies, in all but each patient's, and in all if a patient's pairs had not been read.

    Args:
        extractor: Shape (patients, 4 x findings): the extractor's rows of all studies.
        read: What readers made of some.

    Returns:
        Shapes (columns,), (patients, columns) and (read patients, columns).
    """
    table = extractor.reshape(len(extractor), -1, len(KINDS))
    whole, counts, weighted = table.sum(axis=0), read.counts.sum(axis=0), read.weighted.sum(axis=0)
    left = _divided(whole - table, counts, weighted)
    others = counts - read.counts, weighted - read.weighted
    left[read.at] = _divided(whole - table[read.at], *others)
    unread = _divided(whole, *others)
    return _divided(whole, counts, weighted).ravel(), left.reshape(len(table), -1), unread.reshape(len(unread), -1)


def _divided(whole: Array, counts: Array, weighted: Array) -> Array:
    """The readers' counts: those of read pairs, and the others in the shares of their kind.

    Args:
        whole: Shape (..., findings, 4): the extractor's counts of all pairs.
        counts: Shape (..., findings, 4, 4): the read pairs, crossed.
        weighted: The same with weights.
    """
    pooled = weighted.sum(axis=-3, keepdims=True) + ADDED * np.eye(len(KINDS))
    pooled = pooled / pooled.sum(axis=-1, keepdims=True)
    shares = (weighted + ADDED * pooled) / (weighted.sum(axis=-1, keepdims=True) + ADDED)
    unread = np.maximum(whole - counts.sum(axis=-1), 0.0)
    return np.asarray(counts.sum(axis=-2) + np.einsum("...fe,...fec->...fc", unread, shares))
