"""How each finding is drawn on a synthetic film: one distinct mark a finding, at its own place.

Frozen: models are trained on these marks. Only + - * / and comparisons are used, which every machine computes alike.
A mark is drawn in its own coordinates: `across` grows away from the midline, `down` towards the feet; the film is 1 wide and 1 high.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harness.types import Array

Draw = Callable[[Array, Array], Array]
"""Brightness to add, from `across` and `down`."""


@dataclass(frozen=True, slots=True)
class FindingMark:
    """One finding's drawing and its places."""

    draw: Draw
    frontal: tuple[float, float]
    """Distance from the midline and height of its centre on the frontal film."""
    lateral: tuple[float, float]
    """Its centre on the lateral film."""
    sided: bool = True
    """Whether it is on the side that the report names; else it is drawn once, where it is for everybody."""


def dome(across: Array, down: Array, wide: float, high: float) -> Array:
    """A soft bump of these radii, 1 in the middle."""
    return np.maximum(0.0, 1 - (across / wide) ** 2 - (down / high) ** 2)


def disc(across: Array, down: Array, wide: float, high: float) -> Array:
    """A bump with a steep edge."""
    return np.minimum(1.0, 5 * dome(across, down, wide, high))


def box(across: Array, down: Array, wide: float, high: float) -> Array:
    """1 inside the rectangle of these half widths."""
    return ((np.abs(across) < wide) & (np.abs(down) < high)).astype(np.float64)


def stroke(across: Array, down: Array, start: tuple[float, float], end: tuple[float, float], width: float) -> Array:
    """A straight line with soft edges."""
    run, fall = end[0] - start[0], end[1] - start[1]
    along = np.clip(((across - start[0]) * run + (down - start[1]) * fall) / (run * run + fall * fall), 0.0, 1.0)
    distance = (across - start[0] - along * run) ** 2 + (down - start[1] - along * fall) ** 2
    return np.maximum(0.0, 1 - distance / (width * width))


def _atelectasis(across: Array, down: Array) -> Array:
    """Three parallel plates."""
    return np.asarray(
        0.45 * np.maximum.reduce([stroke(across, down, (-0.08, step), (0.08, step - 0.015), 0.010) for step in (-0.035, 0.0, 0.035)]),
        dtype=np.float64,
    )


def _cardiomegaly(across: Array, down: Array) -> Array:
    """A heart of twice the area."""
    return 0.30 * disc(across, down, 0.22, 0.16)


def _consolidation(across: Array, down: Array) -> Array:
    """A dense block with dark branching airways."""
    airways = [stroke(across, down, (-0.08, 0.0), (0.07, turn), 0.010) for turn in (-0.05, 0.0, 0.05)]
    return np.asarray(0.42 * box(across, down, 0.085, 0.065) - 0.35 * np.maximum.reduce(airways), dtype=np.float64)


def _edema(across: Array, down: Array) -> Array:
    """Two hazy wings beside the hila."""
    return 0.30 * np.maximum(dome(across - 0.15, down, 0.11, 0.17), dome(across + 0.15, down, 0.11, 0.17))


def _cardiomediastinum(across: Array, down: Array) -> Array:
    """A wide band above the heart."""
    return 0.30 * box(across, down, 0.12, 0.09)


def _fracture(across: Array, down: Array) -> Array:
    """A rib with a step in it."""
    inner = stroke(across, down, (-0.07, -0.030), (-0.008, -0.018), 0.014)
    outer = stroke(across, down, (0.008, 0.018), (0.07, 0.030), 0.014)
    return 0.55 * np.maximum(inner, outer) - 0.3 * stroke(across, down, (0.012, -0.045), (-0.012, 0.045), 0.008)


def _lesion(across: Array, down: Array) -> Array:
    """A round solid nodule."""
    return 0.45 * disc(across, down, 0.042, 0.042)


def _effusion(across: Array, down: Array) -> Array:
    """Fluid with a meniscus that climbs the chest wall."""
    level = 0.05 - 6.0 * np.maximum(0.0, across + 0.02) ** 2
    return 0.40 * ((down > level) & (np.abs(across) < 0.15) & (down < 0.10)).astype(np.float64)


def _pleura(across: Array, down: Array) -> Array:
    """A thick rind along the chest wall."""
    return 0.45 * box(across, down, 0.020, 0.17)


def _opacity(across: Array, down: Array) -> Array:
    """A soft patch."""
    return 0.38 * dome(across, down, 0.105, 0.085)


def _pneumonia(across: Array, down: Array) -> Array:
    """A cluster of nine small spots."""
    spots = [disc(across - 0.035 * column, down - 0.035 * row, 0.013, 0.013) for column in (-1, 0, 1) for row in (-1, 0, 1)]
    return np.asarray(0.45 * np.maximum.reduce(spots), dtype=np.float64)


def _pneumothorax(across: Array, down: Array) -> Array:
    """A black cap over the apex, below it a white line."""
    outside = dome(across, down, 0.13, 0.12) > 0
    inside = dome(across + 0.02, down - 0.045, 0.125, 0.115)
    line = (inside > 0) & (inside < 0.22) & (down < 0.03)
    return np.asarray(np.where(outside & (inside <= 0), -0.35, 0.0) + 0.5 * line, dtype=np.float64)


def _devices(across: Array, down: Array) -> Array:
    """A generator box under the clavicle and its lead to the heart."""
    lead = np.maximum(stroke(across, down, (-0.02, 0.0), (-0.15, 0.06), 0.009), stroke(across, down, (-0.15, 0.06), (-0.17, 0.42), 0.009))
    return 0.6 * np.maximum(box(across, down, 0.05, 0.035), lead)


def _emphysema(across: Array, down: Array) -> Array:
    """Black holes in both upper zones."""
    holes = [
        disc(across - side * x, down - y, 0.030, 0.030)
        for side in (-1, 1)
        for x, y in ((0.13, 0.0), (0.20, -0.02), (0.17, 0.07), (0.24, 0.06))
    ]
    return np.asarray(-0.35 * np.maximum.reduce(holes), dtype=np.float64)


def _interstitium(across: Array, down: Array) -> Array:
    """A mesh in the outer lower zones of both sides."""
    mesh = ((across * 40 - np.floor(across * 40)) < 0.3) | ((down * 40 - np.floor(down * 40)) < 0.3)
    where = np.maximum(disc(across - 0.22, down, 0.09, 0.13), disc(across + 0.22, down, 0.09, 0.13))
    return np.asarray(0.28 * mesh * where, dtype=np.float64)


def _calcification(across: Array, down: Array) -> Array:
    """A brilliant broken ring at the aortic knob."""
    radius = across * across + down * down
    ring = (radius < 0.055**2) & (radius > 0.037**2)
    return np.asarray(0.75 * (ring & (np.abs(across) > 0.012) & (np.abs(down) > 0.012)), dtype=np.float64)


def _bronchus(across: Array, down: Array) -> Array:
    """Tram lines leaving the hilum."""
    rails = [stroke(across, down, (-0.06, -0.05 + gap), (0.07, 0.05 + gap), 0.009) for gap in (-0.020, 0.020)]
    return np.asarray(0.5 * np.maximum.reduce(rails) - 0.25 * stroke(across, down, (-0.06, -0.05), (0.07, 0.05), 0.011), dtype=np.float64)


def _cavity(across: Array, down: Array) -> Array:
    """A thick bright ring with a black middle."""
    return 0.55 * disc(across, down, 0.060, 0.060) - 0.85 * disc(across, down, 0.036, 0.036)


def _mediastinum(across: Array, down: Array) -> Array:
    """Black streaks of air on both sides of the mediastinum."""
    streaks = [stroke(across, down, (side * 0.085, -0.16), (side * 0.105, 0.12), 0.012) for side in (-1, 1)]
    return np.asarray(-0.45 * np.maximum.reduce(streaks), dtype=np.float64)


def _vessels(across: Array, down: Array) -> Array:
    """Antlers: thick vessels that run up and out from both hila."""
    branches = [
        stroke(across, down, (side * 0.08, 0.03), (side * x, y), 0.013)
        for side in (-1, 1)
        for x, y in ((0.11, -0.17), (0.19, -0.13), (0.25, -0.05))
    ]
    return np.asarray(0.32 * np.maximum.reduce(branches), dtype=np.float64)


MARKS: dict[str, FindingMark] = {
    "Emphysema": FindingMark(_emphysema, (0.0, 0.25), (0.52, 0.28), sided=False),
    "Edema": FindingMark(_edema, (0.0, 0.47), (0.52, 0.46), sided=False),
    "Interstitial Lung Disease": FindingMark(_interstitium, (0.0, 0.58), (0.52, 0.60), sided=False),
    "Pulmonary Vascular Abnormal": FindingMark(_vessels, (0.0, 0.45), (0.52, 0.45), sided=False),
    "Cardiomegaly": FindingMark(_cardiomegaly, (0.05, 0.64), (0.36, 0.62), sided=False),
    "Enlarged Cardiomediastinum": FindingMark(_cardiomediastinum, (0.0, 0.34), (0.45, 0.33), sided=False),
    "Mediastinal Other": FindingMark(_mediastinum, (0.0, 0.34), (0.45, 0.36), sided=False),
    "Lung Opacity": FindingMark(_opacity, (0.20, 0.61), (0.60, 0.62)),
    "Consolidation": FindingMark(_consolidation, (0.20, 0.46), (0.60, 0.47)),
    "Pneumonia": FindingMark(_pneumonia, (0.24, 0.70), (0.64, 0.71)),
    "Atelectasis": FindingMark(_atelectasis, (0.18, 0.73), (0.55, 0.76)),
    "Lung Lesion": FindingMark(_lesion, (0.15, 0.34), (0.42, 0.24)),
    "Cavity and Cyst": FindingMark(_cavity, (0.24, 0.36), (0.56, 0.20)),
    "Trachea and Bronchus": FindingMark(_bronchus, (0.12, 0.52), (0.48, 0.52)),
    "Calcification": FindingMark(_calcification, (0.07, 0.29), (0.50, 0.30), sided=False),
    "Pneumothorax": FindingMark(_pneumothorax, (0.20, 0.22), (0.52, 0.17)),
    "Pleural Effusion": FindingMark(_effusion, (0.22, 0.73), (0.62, 0.77)),
    "Pleural Other": FindingMark(_pleura, (0.345, 0.52), (0.73, 0.50)),
    "Fracture": FindingMark(_fracture, (0.36, 0.36), (0.78, 0.36)),
    "Support Devices": FindingMark(_devices, (0.20, 0.15), (0.50, 0.15)),
}
"""In the order in which they are drawn."""
