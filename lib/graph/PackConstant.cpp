//===- PackConstant.cpp - lays out weights for the evaluator --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plain reading of #accel.pack, element by element.
//
//===----------------------------------------------------------------------===//

#include "acc/Graph/Interpret.h"

using namespace mlir;
using namespace accel;

/// Row of the packed matrix for an input channel and tap: blocks of 32
/// channels, then taps, then the channel in its block.
static int64_t rowOf(int64_t channel, int64_t tap, int64_t channels, int64_t taps) {
  int64_t block = channel / 32 * 32, width = std::min<int64_t>(32, channels - block);
  return block * taps + tap * width + channel % 32;
}

FailureOr<HostTensor> accel::packConstant(const HostTensor &source, PackAttr pack,
                                          RankedTensorType result) {
  StringRef kind = pack.getKind().getValue();
  ArrayRef<int64_t> s = source.shape();
  int64_t groups = pack.getGroups();
  HostTensor out(result.getElementType(), result.getShape());
  if (out.size() != source.size())
    return failure();
  std::optional<HostTensor> scale;
  if (Attribute attr = pack.getScale())
    scale = readConstant(attr, cast<RankedTensorType>(cast<TypedAttr>(attr).getType()));
  /// One element, times the factor of its output channel.
  auto put = [&](int64_t to, int64_t from, int64_t channel) {
    if (source.isFloat())
      out.setFloat(to, scale
                           ? double(float(source.getFloat(from)) * float(scale->getFloat(channel)))
                           : source.getFloat(from));
    else
      out.setInt(to, source.getInt(from));
  };
  if (kind == "identity" || kind == "transpose") {
    SmallVector<int64_t> strides = rowMajorStrides(s), walk;
    if (kind == "identity") {
      walk = strides;
    } else {
      for (int64_t d : pack.getPerm().asArrayRef())
        walk.push_back(strides[d]);
    }
    SmallVector<int64_t> shape(result.getShape());
    if (kind == "identity")
      shape.assign(s.begin(), s.end());
    HostTensor moved = stridedCopy(source, 0, walk, shape);
    int64_t columns = shape.empty() ? 1 : shape.back();
    for (int64_t i = 0; i < out.size(); ++i) {
      if (moved.isFloat())
        out.setFloat(i, scale
                            ? double(float(moved.getFloat(i)) * float(scale->getFloat(i % columns)))
                            : moved.getFloat(i));
      else
        out.setInt(i, moved.getInt(i));
    }
    return out;
  }
  if (s.size() != 4)
    return failure();
  int64_t taps = s[2] * s[3];
  if (kind == "depthwise" || kind == "depthwise_transposed") {
    for (int64_t c = 0; c < s[0]; ++c)
      for (int64_t t = 0; t < taps; ++t)
        put((kind == "depthwise" ? t : taps - 1 - t) * s[0] + c, c * taps + t, c);
    return out;
  }
  bool transposed = kind == "conv_transposed";
  if (!transposed && kind != "conv")
    return failure();
  int64_t ic = transposed ? s[0] / groups : s[1], oc = transposed ? s[1] : s[0] / groups;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t o = 0; o < oc; ++o)
      for (int64_t i = 0; i < ic; ++i)
        for (int64_t t = 0; t < taps; ++t) {
          int64_t from =
              transposed ? ((g * ic + i) * oc + o) * taps + t : ((g * oc + o) * ic + i) * taps + t;
          int64_t tap = transposed ? taps - 1 - t : t;
          put((g * ic * taps + rowOf(i, tap, ic, taps)) * oc + o, from, g * oc + o);
        }
  return out;
}
