"""torchvision's ResNet of any width, because random weights may be small."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any


def resnet(stem: int, blocks: Sequence[int]) -> Any:
    """As torchvision builds it, which for a stem of 64 is ResNet-50 or ResNet-101 itself.

    Args:
        stem: Channels after the first convolution.
        blocks: Bottlenecks in each stage.
    """
    from torch import nn

    published = import_module("torchvision.models.resnet")
    network = published.ResNet.__new__(published.ResNet)
    nn.Module.__init__(network)
    network._norm_layer, network.inplanes, network.dilation = nn.BatchNorm2d, stem, 1
    network.groups, network.base_width = 1, 64
    network.conv1 = nn.Conv2d(3, stem, 7, 2, 3, bias=False)
    network.bn1, network.relu, network.maxpool = nn.BatchNorm2d(stem), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
    for place, count in enumerate(blocks):
        layer = network._make_layer(published.Bottleneck, stem * 2**place, count, stride=2 if place else 1)
        setattr(network, f"layer{place + 1}", layer)
    network.avgpool, network.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(32 * stem, 2)
    return network
