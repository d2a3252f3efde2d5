"""ResNet-50 and MobileNetV2 with random weights and lively BatchNorm statistics.

Written out by hand, since torchvision has no build for this torch. Each weight is drawn once from a
fixed seed. BatchNorm's running statistics are those of a random batch, so activations keep their scale
through every layer (a real network's do) and no statistic is the trivial 0 or 1.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from cache import recipe
from torch_export import __file__ as EXPORT
from torch_export import export_traced


def conv(cin: int, cout: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    padding = (kernel - 1) // 2
    return [
        nn.Conv2d(cin, cout, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    ]


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride), 1x1, four times as wide at the end (He et al., 2015, table 1)."""

    def __init__(self, cin: int, width: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            *conv(cin, width, 1), nn.ReLU(), *conv(width, width, 3, stride), nn.ReLU(), *conv(width, 4 * width, 1)
        )
        changes = stride != 1 or cin != 4 * width
        self.shortcut = nn.Sequential(*conv(cin, 4 * width, 1, stride)) if changes else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [*conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        cin = 64
        for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for block in range(blocks):
                layers.append(Bottleneck(cin, width, stride if block == 0 else 1))
                cin = 4 * width
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(cin, 1000)

    def forward(self, image):
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


class InvertedResidual(nn.Module):
    """Expand, depthwise 3x3, project without activation (Sandler et al., 2018, table 1)."""

    def __init__(self, cin: int, cout: int, stride: int, expand: int):
        super().__init__()
        hidden = cin * expand
        widen = [*conv(cin, hidden, 1), nn.ReLU6()] if expand != 1 else []
        self.body = nn.Sequential(
            *widen, *conv(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6(), *conv(hidden, cout, 1)
        )
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class MobileNetV2(nn.Module):
    # expansion, channels, blocks, stride of the first (table 2)
    STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [*conv(3, 32, 3, 2), nn.ReLU6()]
        cin = 32
        for expand, cout, blocks, stride in self.STAGES:
            for block in range(blocks):
                layers.append(InvertedResidual(cin, cout, stride if block == 0 else 1, expand))
                cin = cout
        layers += [*conv(cin, 1280, 1), nn.ReLU6()]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, image):
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


def initialise(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.2)
            module.momentum = 1.0  # the statistics of the one batch below
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.05)
            nn.init.normal_(module.bias, 0.0, 0.1)
    net.train()
    with torch.no_grad():
        # coarse blocks plus noise, as test inputs are
        coarse = torch.rand(4, 3, 28, 28) * 2 - 1
        net(coarse.repeat_interleave(8, 2).repeat_interleave(8, 3) + 0.1 * torch.randn(4, 3, 224, 224))
    net.eval()


def _write(net_class: type[nn.Module], seed: int, to: Path) -> None:
    torch.manual_seed(seed)
    net = net_class()
    initialise(net)
    axes = {"image": {0: "batch"}, "logits": {0: "batch"}}
    export_traced(net, {"image": torch.randn(2, 3, 224, 224)}, ["logits"], to, opset=13, axes=axes)


@recipe("resnet50", __file__, EXPORT)
def _resnet50(to: Path):
    _write(ResNet50, 50, to)


@recipe("mobilenetv2", __file__, EXPORT)
def _mobilenetv2(to: Path):
    _write(MobileNetV2, 2, to)
