"""Convolutional networks of the traffic benchmark, with random weights: MobileNetV1 and V2, ResNet-50 with the stride in
the first 1x1 of a stage (as Keras has it), an EfficientNet-B0, a UNet. Height and width are symbolic, so that one file
serves every resolution.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from cache import recipe
from convnets import Bottleneck, MobileNetV2, conv, initialise
from convnets import __file__ as CONVNETS
from torch_export import __file__ as EXPORT
from torch_export import export_traced


class MobileNetV1(nn.Module):
    """Howard et al., 2017, table 1: depthwise 3x3, then 1x1."""

    # output channels of the 1x1, stride of the 3x3
    STAGES = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [*conv(3, 32, 3, 2), nn.ReLU6()]
        cin = 32
        for cout, stride in self.STAGES:
            layers += [*conv(cin, cin, 3, stride, groups=cin), nn.ReLU6(), *conv(cin, cout, 1), nn.ReLU6()]
            cin = cout
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(cin, 1000)

    def forward(self, image):
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


class StrideFirst(Bottleneck):
    """The stride in the first 1x1 (He et al., 2015, and Keras) instead of the 3x3: a third less work in these blocks."""

    def __init__(self, cin: int, width: int, stride: int):
        super().__init__(cin, width, stride)
        self.body = nn.Sequential(
            *conv(cin, width, 1, stride), nn.ReLU(), *conv(width, width, 3), nn.ReLU(), *conv(width, 4 * width, 1)
        )


class ResNet50StrideFirst(nn.Module):
    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [*conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        cin = 64
        for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for block in range(blocks):
                layers.append(StrideFirst(cin, width, stride if block == 0 else 1))
                cin = 4 * width
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(cin, 1000)

    def forward(self, image):
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


class SqueezeExcite(nn.Module):
    """Channels weighted by what their means say (Hu et al., 2018)."""

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, squeezed, 1), nn.SiLU(), nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()
        )

    def forward(self, x):
        return x * self.weigh(x)


class MbConv(nn.Module):
    """Inverted residual with squeeze and excite (Tan and Le, 2019)."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expand: int):
        super().__init__()
        hidden = cin * expand
        widen = [*conv(cin, hidden, 1), nn.SiLU()] if expand != 1 else []
        self.body = nn.Sequential(
            *widen, *conv(hidden, hidden, kernel, stride, groups=hidden), nn.SiLU(),
            SqueezeExcite(hidden, max(1, cin // 4)), *conv(hidden, cout, 1)
        )
        self.residual = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class EfficientNetB0(nn.Module):
    # expansion, channels, blocks, stride of the first, kernel (Tan and Le, 2019, table 1)
    STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
              (6, 320, 1, 1, 3))

    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [*conv(3, 32, 3, 2), nn.SiLU()]
        cin = 32
        for expand, cout, blocks, stride, kernel in self.STAGES:
            for block in range(blocks):
                layers.append(MbConv(cin, cout, kernel, stride if block == 0 else 1, expand))
                cin = cout
        layers += [*conv(cin, 1280, 1), nn.SiLU()]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, image):
        return self.classifier(torch.flatten(self.pool(self.features(image)), 1))


class UNet(nn.Module):
    """Ronneberger et al., 2015, with padded convolutions; upwards nearest neighbour, then a convolution."""

    WIDTHS = (64, 128, 256, 512)
    BOTTOM = 1024

    def __init__(self, classes: int = 2):
        super().__init__()
        two = lambda cin, cout: nn.Sequential(  # noqa: E731
            *conv(cin, cout, 3), nn.ReLU(), *conv(cout, cout, 3), nn.ReLU())
        self.down = nn.ModuleList(two(cin, cout) for cin, cout in zip((3, *self.WIDTHS), self.WIDTHS))
        self.bottom = two(self.WIDTHS[-1], self.BOTTOM)
        upwards = list(zip((self.BOTTOM, *self.WIDTHS[:0:-1]), self.WIDTHS[::-1]))
        self.widen = nn.ModuleList(nn.Sequential(*conv(cin, cout, 1)) for cin, cout in upwards)
        self.up = nn.ModuleList(two(2 * cout, cout) for _, cout in upwards)
        self.classify = nn.Conv2d(self.WIDTHS[0], classes, 1)

    def forward(self, image):
        x, kept = image, []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for widen, block in zip(self.widen, self.up):
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([kept.pop(), widen(x)], dim=1))
        return self.classify(x)


def calm(net: nn.Module) -> None:
    """Gates that tell channels apart without being 0 or 1, and statistics that fit them: a network whose gates saturate
    amplifies rounding from layer to layer until nothing can be compared."""
    gates = [m for m in net.modules() if isinstance(m, SqueezeExcite)]
    for layer in (layer for gate in gates for layer in gate.weigh if isinstance(layer, nn.Conv2d)):
        nn.init.normal_(layer.weight, 0.0, 0.5 / layer.in_channels**0.5)
        nn.init.normal_(layer.bias, 0.0, 0.1)
    if gates:
        net.train()
        with torch.no_grad():
            net(torch.rand(4, 3, 28, 28).repeat_interleave(8, 2).repeat_interleave(8, 3) * 2 - 1)
        net.eval()


def write(net_class: type[nn.Module], seed: int, to: Path, size: int = 224) -> None:
    torch.manual_seed(seed)
    net = net_class()
    initialise(net)
    calm(net)
    image = {0: "batch", 2: "height", 3: "width"}
    logits = {0: "batch"} if net_class is not UNet else image
    export_traced(net, {"image": torch.randn(2, 3, size, size)}, ["logits"], to, opset=13,
                  axes={"image": image, "logits": logits})


NETWORKS = {
    "any-mobilenetv1": (MobileNetV1, 1),
    "any-mobilenetv2": (MobileNetV2, 2),
    "any-resnet50": (ResNet50StrideFirst, 50),
    "any-efficientnet-b0": (EfficientNetB0, 40),
    "any-unet": (UNet, 15),
}

for _name, (_class, _seed) in NETWORKS.items():

    @recipe(_name, __file__, CONVNETS, EXPORT)
    def _make(to: Path, net_class=_class, seed=_seed):
        write(net_class, seed, to)
