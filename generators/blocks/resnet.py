"""ResNet with bottlenecks, its tensors named as torchvision's `Sequential(*children[:-2])` names them.

Written out because torchvision has no build beside a CPU-only PyTorch of the same version.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

RESNET_50 = (3, 4, 6, 3)
RESNET_101 = (3, 4, 23, 3)
EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride), 1x1."""

    def __init__(self, wide: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(wide, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * EXPANSION, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * EXPANSION)
        self.relu = nn.ReLU(inplace=True)
        short = (nn.Conv2d(wide, planes * EXPANSION, 1, stride, bias=False), nn.BatchNorm2d(planes * EXPANSION))
        self.downsample = nn.Sequential(*short) if stride != 1 or wide != planes * EXPANSION else None

    def forward(self, state: Tensor) -> Tensor:
        """Shape (films, channels, rows, columns) in and out."""
        out = self.relu(self.bn1(self.conv1(state)))
        out = self.relu(self.bn2(self.conv2(out)))
        short = state if self.downsample is None else self.downsample(state)
        result: Tensor = self.relu(self.bn3(self.conv3(out)) + short)
        return result


def resnet(blocks: Sequence[int], channels: int = 3, base: int = 64) -> nn.Sequential:
    """The layers up to the last feature map, one thirty-second of the film's size.

    Args:
        blocks: Bottlenecks in each of the four stages.
        channels: Number of channels of the film.
        base: Width of the first stage; the feature map has 32 times as many channels.
    """
    stem = [nn.Conv2d(channels, base, 7, 2, 3, bias=False), nn.BatchNorm2d(base), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    stages, wide = [], base
    for number, count in enumerate(blocks):
        planes, stage = base * 2**number, []
        for place in range(count):
            stage.append(Bottleneck(wide, planes, 2 if number and not place else 1))
            wide = planes * EXPANSION
        stages.append(nn.Sequential(*stage))
    return nn.Sequential(*stem, *stages)
