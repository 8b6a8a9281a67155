"""RGRG's first half: a film in, a feature vector for each of 29 anatomical regions out.

A Faster R-CNN on a ResNet-50, as plain tensor arithmetic. The two operations that torchvision compiles, suppression of overlapping
boxes and pooling of a box's features, are short in plain torch; so is the rest, and no build of torchvision has to match torch's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from generators.rgrg.layout import DETECTOR, POOL, REGIONS, RGRGShape

SIZES = (20, 40, 60, 80, 100, 120, 140, 160, 180, 300)
"""Sizes of the anchor boxes, in pixels of the 512 by 512 film."""
RATIOS = (0.2, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.3, 1.5, 2.1, 2.6, 3.0, 5.0, 8.0)
"""Height by width of the anchor boxes."""
PROPOSALS = 1000
"""Boxes kept before and after suppression."""
OVERLAP = 0.7
"""Intersection over union above which the less likely box goes."""
SMALLEST = 1e-3
LARGEST_STEP = math.log(1000 / 16)
"""A box grows by no more than this in one step, as torchvision's box coder has it."""
SAMPLES = 2
"""Points a cell and direction when a box's features are pooled."""


@dataclass(frozen=True, slots=True)
class Regions:
    """What the detector sees in one film, by region in the published order."""

    features: Tensor
    """Shape (29, width). Where a region was not detected, it is the first box's, and means nothing."""
    detected: Tensor
    """Shape (29,): whether some box takes this region for the likeliest."""


class Detector:
    """The weights of the detector on a device."""

    def __init__(self, tensors: Mapping[str, Tensor], shape: RGRGShape, device: str = "cpu") -> None:
        self.shape = shape
        kept = {name.removeprefix(DETECTOR): tensor for name, tensor in tensors.items() if name.startswith(DETECTOR)}
        self._tensors = {name: tensor.to(device, torch.float32) for name, tensor in kept.items()}
        # One matrix for each cell of a box; see `_looked_at`.
        first = self._tensors["roi_heads.box_head.fc6.weight"].view(shape.width, shape.channels, POOL**2)
        self._tensors["roi_heads.box_head.fc6.weight"] = first.permute(2, 0, 1).reshape(-1, shape.channels)

    @torch.inference_mode()
    def __call__(self, film: Tensor) -> Regions:
        """Find the regions of one film.

        Args:
            film: Shape (1, 1, side, side), normalised.
        """
        features = self.backbone(film)
        boxes = self.propose(features, film.shape[-1])
        means, shares = self._looked_at(features[0], boxes, features.shape[-1] / film.shape[-1])
        # Each box votes for its likeliest region, background aside; a region is what its most certain voter shows.
        votes = F.one_hot(shares.argmax(1), REGIONS)
        best = (shares * votes).max(0).indices
        return Regions(self._linear("roi_heads.dim_reduction", means[best]), votes.any(0))

    def backbone(self, film: Tensor) -> Tensor:
        """ResNet-50 without its last two layers; one channel in, stride 32 out."""
        state = F.relu(self._norm("backbone.1", F.conv2d(film, self._tensors["backbone.0.weight"], stride=2, padding=3)))
        state = F.max_pool2d(state, 3, 2, 1)
        for stage, count in enumerate(self.shape.blocks):
            for block in range(count):
                state = self._block(f"backbone.{stage + 4}.{block}", state, 2 if stage and not block else 1)
        return state

    def _block(self, stem: str, state: Tensor, stride: int) -> Tensor:
        new = F.relu(self._norm(f"{stem}.bn1", F.conv2d(state, self._tensors[f"{stem}.conv1.weight"])))
        new = F.relu(self._norm(f"{stem}.bn2", F.conv2d(new, self._tensors[f"{stem}.conv2.weight"], stride=stride, padding=1)))
        new = self._norm(f"{stem}.bn3", F.conv2d(new, self._tensors[f"{stem}.conv3.weight"]))
        if (shortcut := self._tensors.get(f"{stem}.downsample.0.weight")) is not None:
            state = self._norm(f"{stem}.downsample.1", F.conv2d(state, shortcut, stride=stride))
        return F.relu(new + state)

    def propose(self, features: Tensor, side: int) -> Tensor:
        """The boxes worth looking at, the likeliest first, shape (at most 1000, 4), as left, top, right, bottom in pixels."""
        state = F.relu(self._conv("rpn.head.conv.0.0", features, padding=1))
        scores = self._conv("rpn.head.cls_logits", state)[0].permute(1, 2, 0).flatten()
        steps = self._conv("rpn.head.bbox_pred", state)[0].permute(1, 2, 0).reshape(-1, 4)
        top = scores.topk(min(PROPOSALS, len(scores)))
        boxes = stepped(anchors(features.shape[-1], side).to(features.device)[top.indices], steps[top.indices]).clamp(0, side)
        large = ((boxes[:, 2:] - boxes[:, :2]) >= SMALLEST).all(1)
        boxes, likely = boxes[large], top.values[large].sigmoid()
        return boxes[suppressed(boxes, likely)[:PROPOSALS]]

    def _looked_at(self, features: Tensor, boxes: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """For each box its mean features and the probabilities of the 29 regions.

        A box's features are pooled and go through a layer. Both are sums, so that the layer can come first, for each cell at every place
        of the film, and the pooling after it: a third of the multiplications, and no box's features are ever held.
        """
        seen = looks(boxes, scale, features.shape[1], features.shape[2])
        places = features.flatten(1).T
        cells = F.linear(places, self._tensors["roi_heads.box_head.fc6.weight"]).view(len(places), POOL**2, -1)
        weighed = cells.transpose(0, 1).reshape(-1, cells.shape[-1])
        state = F.relu(torch.addmm(self._tensors["roi_heads.box_head.fc6.bias"], seen.flatten(1), weighed))
        state = F.relu(self._linear("roi_heads.box_head.fc7", state))
        shares = self._linear("roi_heads.box_predictor.cls_score", state).softmax(-1)
        return seen.mean((1, 2)) @ places, shares[:, 1:]

    def _linear(self, name: str, state: Tensor) -> Tensor:
        return F.linear(state, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _conv(self, name: str, state: Tensor, padding: int = 0) -> Tensor:
        return F.conv2d(state, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"], padding=padding)

    def _norm(self, name: str, state: Tensor) -> Tensor:
        mean, variance, weight, bias = (self._tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(state, mean, variance, weight, bias)


def anchors(cells: int, side: int) -> Tensor:
    """The boxes that proposals start from: 160 around the corner of each cell, row by row, shape (cells² × 160, 4)."""
    high = torch.tensor(RATIOS).sqrt()
    sizes = torch.tensor(SIZES, dtype=torch.float32)
    widths, heights = ((1 / high)[:, None] * sizes).flatten(), (high[:, None] * sizes).flatten()
    shapes = (torch.stack([-widths, -heights, widths, heights], 1) / 2).round()
    place = torch.arange(cells, dtype=torch.float32) * (side // cells)
    rows, columns = torch.meshgrid(place, place, indexing="ij")
    corners = torch.stack([columns, rows, columns, rows], -1).reshape(-1, 1, 4)
    return (corners + shapes).reshape(-1, 4)


def stepped(boxes: Tensor, steps: Tensor) -> Tensor:
    """Boxes moved and stretched by predicted steps: (right, down) in widths and heights, then the logarithms of the growth."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    middles = boxes[:, :2] + 0.5 * sizes + steps[:, :2] * sizes
    halves = 0.5 * steps[:, 2:].clamp(max=LARGEST_STEP).exp() * sizes
    return torch.cat([middles - halves, middles + halves], 1)


def suppressed(boxes: Tensor, scores: Tensor, overlap: float = OVERLAP) -> Tensor:
    """Non-maximum suppression: from the likeliest box on, each box strikes out the later ones that it overlaps too much.

    Returns:
        The places of the boxes that stay, the likeliest first; of equally likely ones the earlier first.
    """
    order = scores.sort(descending=True, stable=True).indices
    ranked = boxes[order]
    struck = (_overlaps(ranked) > overlap).cpu().numpy()
    stays = np.ones(len(ranked), dtype=bool)
    for place in range(len(ranked)):
        if stays[place]:
            stays[place + 1 :] &= ~struck[place, place + 1 :]
    return order[torch.as_tensor(stays, device=order.device)]


def _overlaps(boxes: Tensor) -> Tensor:
    """Intersection over union of all pairs."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    areas = sizes[:, 0] * sizes[:, 1]
    common = torch.minimum(boxes[:, None, 2:], boxes[:, 2:]) - torch.maximum(boxes[:, None, :2], boxes[:, :2])
    shared = common.clamp(min=0).prod(-1)
    return shared / (areas[:, None] + areas - shared)


def looks(boxes: Tensor, scale: float, rows: int, columns: int) -> Tensor:
    """RoIAlign: each box cut into 8 by 8 cells, each cell the mean of 2 by 2 points, each point between its four neighbours.

    Both the mean and the interpolation treat rows and columns apart, and what a box pools is this by the features of all places.

    Args:
        boxes: In pixels of the film.
        scale: Places by pixel.
        rows: Row of each place.
        columns: Column of each place.

    Returns:
        How much each place counts in each cell, shape (boxes, 8, 8, rows × columns).
    """
    down = _weights(boxes[:, 1] * scale, boxes[:, 3] * scale, rows)
    across = _weights(boxes[:, 0] * scale, boxes[:, 2] * scale, columns)
    return (down[:, :, None, :, None] * across[:, None, :, None, :]).flatten(3)


def _weights(start: Tensor, end: Tensor, length: int) -> Tensor:
    """How much each of `length` places counts in each of a box's 8 cells, shape (boxes, 8, length)."""
    cell = (end - start).clamp(min=1) / POOL  # no box is smaller than one place
    inside = (torch.arange(SAMPLES, device=start.device) + 0.5) / SAMPLES
    points = start[:, None, None] + (torch.arange(POOL, device=start.device)[:, None] + inside) * cell[:, None, None]
    within = ((points >= -1) & (points <= length)).to(points.dtype)
    points = points.clamp(0, length - 1)
    places = torch.arange(length, device=start.device)
    near = (1 - (points[..., None] - places).abs()).clamp(min=0)
    return (near * within[..., None]).mean(2)
