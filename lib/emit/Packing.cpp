//===- Packing.cpp - how weights are laid out in the artifact --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Emit/Packing.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/APFloat.h"

#include <algorithm>
#include <cstring>

using namespace mlir;

namespace accel::emit {
namespace {

/// Channels of one block of a reduction, a constant of the ISA (KBLOCK).
constexpr int64_t channelBlock = 32;
/// Bytes of result that are assembled before they go to the sink.
constexpr int64_t pieceBytes = 4 << 20;
/// Square tiles of a transposition that fit the first-level cache.
constexpr int64_t cacheTile = 64;

int64_t widthOf(Type type) { return std::max<int64_t>(1, (type.getIntOrFloatBitWidth() + 7) / 8); }

/// A dimension of the result: its size and what a step means in the source.
struct Dim {
  int64_t size, stride; ///< stride in source elements
};

float loadFloat(const char *at, Type type) {
  if (type.isF32()) {
    float value;
    std::memcpy(&value, at, 4);
    return value;
  }
  auto floats = cast<FloatType>(type);
  uint64_t bits = 0;
  std::memcpy(&bits, at, widthOf(type));
  APFloat value(floats.getFloatSemantics(), APInt(floats.getWidth(), bits, false, true));
  bool lost;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToFloat();
}

void storeFloat(char *at, float value, Type type) {
  if (type.isF32()) {
    std::memcpy(at, &value, 4);
    return;
  }
  if (type.isBF16()) { // the common narrowing; rounds to nearest even
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    uint16_t narrow = (bits & 0x7fffffff) > 0x7f800000
                          ? 0x7fc0
                          : uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    std::memcpy(at, &narrow, 2);
    return;
  }
  APFloat number(value);
  bool lost;
  number.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  uint64_t bits = number.bitcastToAPInt().getZExtValue();
  std::memcpy(at, &bits, widthOf(type));
}

class Packer {
public:
  Packer(const Packing &packing, ArrayRef<char> source, const ByteSink &sink)
      : packing(packing), source(source), sink(sink), from(widthOf(packing.sourceType)),
        to(widthOf(packing.resultType)),
        plain(packing.sourceType == packing.resultType && packing.scale.empty()) {}

  /// Writes the elements of `dims` (row major in the result), beginning at
  /// `base` in the source. The scale is indexed by the last dimension, beginning
  /// at `channel`.
  bool gather(SmallVector<Dim> dims, int64_t base, int64_t channel) {
    if (dims.empty())
      dims.push_back({1, 1});
    // Outer dimensions are walked piece by piece.
    int64_t inner = to;
    size_t split = dims.size();
    while (split > 0 && inner * dims[split - 1].size <= pieceBytes)
      inner *= dims[--split].size;
    if (split == dims.size() && split > 0) { // one row alone is too long
      Dim row = dims.back();
      dims.pop_back();
      int64_t most = pieceBytes / to;
      return walk(dims, 0, base, [&](int64_t at) {
        for (int64_t x = 0; x < row.size; x += most)
          if (!piece({{std::min(most, row.size - x), row.stride}}, at + x * row.stride,
                     channel + x))
            return false;
        return true;
      });
    }
    SmallVector<Dim> rest(dims.begin() + split, dims.end());
    dims.resize(split);
    return walk(dims, 0, base, [&](int64_t at) { return piece(rest, at, channel); });
  }

private:
  template <typename Visit>
  bool walk(ArrayRef<Dim> dims, size_t d, int64_t at, const Visit &visit) {
    if (d == dims.size())
      return visit(at);
    for (int64_t i = 0; i < dims[d].size; ++i)
      if (!walk(dims, d + 1, at + i * dims[d].stride, visit))
        return false;
    return true;
  }

  bool piece(ArrayRef<Dim> dims, int64_t base, int64_t channel) {
    int64_t count = 1;
    for (Dim dim : dims)
      count *= dim.size;
    if (plain && (dims.empty() || (dims.size() == 1 && dims[0].stride == 1)))
      return sink(source.data() + base * from, size_t(count * from));
    buffer.resize(size_t(count * to));
    // The dimension along which the source is contiguous, tiled against the last.
    SmallVector<int64_t> steps(dims.size(), 1);
    for (int64_t d = int64_t(dims.size()) - 2; d >= 0; --d)
      steps[d] = steps[d + 1] * dims[d + 1].size;
    size_t last = dims.size() - 1, near = last;
    for (size_t d = 0; d < dims.size(); ++d)
      if (dims[d].stride == 1 && dims[last].stride != 1)
        near = d;
    SmallVector<Dim> outer;
    SmallVector<int64_t> outerSteps;
    for (size_t d = 0; d < last; ++d)
      if (d != near) {
        outer.push_back(dims[d]);
        outerSteps.push_back(steps[d]);
      }
    Dim rows = near == last ? Dim{1, 0} : dims[near];
    int64_t rowStep = near == last ? 0 : steps[near];
    tiles(outer, outerSteps, 0, base, 0, [&](int64_t src, int64_t dst) {
      for (int64_t r = 0; r < rows.size; r += cacheTile)
        for (int64_t x = 0; x < dims[last].size; x += cacheTile)
          tile(src + r * rows.stride + x * dims[last].stride, dst + r * rowStep + x,
               {std::min(cacheTile, rows.size - r), rows.stride}, rowStep,
               {std::min(cacheTile, dims[last].size - x), dims[last].stride}, channel + x);
    });
    return sink(buffer.data(), buffer.size());
  }

  template <typename Visit>
  void tiles(ArrayRef<Dim> dims, ArrayRef<int64_t> steps, size_t d, int64_t src, int64_t dst,
             const Visit &visit) {
    if (d == dims.size())
      return visit(src, dst);
    for (int64_t i = 0; i < dims[d].size; ++i)
      tiles(dims, steps, d + 1, src + i * dims[d].stride, dst + i * steps[d], visit);
  }

  void tile(int64_t src, int64_t dst, Dim rows, int64_t rowStep, Dim columns, int64_t channel) {
    if (plain) {
      switch (from) {
      case 1:
        return copy<uint8_t>(src, dst, rows, rowStep, columns);
      case 2:
        return copy<uint16_t>(src, dst, rows, rowStep, columns);
      case 4:
        return copy<uint32_t>(src, dst, rows, rowStep, columns);
      default:
        return copy<uint64_t>(src, dst, rows, rowStep, columns);
      }
    }
    for (int64_t r = 0; r < rows.size; ++r)
      for (int64_t x = 0; x < columns.size; ++x) {
        float value = loadFloat(source.data() + (src + r * rows.stride + x * columns.stride) * from,
                                packing.sourceType);
        if (!packing.scale.empty())
          value *= packing.scale[channel + x];
        storeFloat(buffer.data() + (dst + r * rowStep + x) * to, value, packing.resultType);
      }
  }

  template <typename T>
  void copy(int64_t src, int64_t dst, Dim rows, int64_t rowStep, Dim columns) {
    for (int64_t x = 0; x < columns.size; ++x)
      for (int64_t r = 0; r < rows.size; ++r)
        std::memcpy(buffer.data() + (dst + r * rowStep + x) * sizeof(T),
                    source.data() + (src + r * rows.stride + x * columns.stride) * sizeof(T),
                    sizeof(T));
  }

  const Packing &packing;
  ArrayRef<char> source;
  const ByteSink &sink;
  int64_t from, to; ///< bytes of an element
  bool plain;       ///< elements are only moved
  std::vector<char> buffer;
};

int64_t product(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

bool isConvLike(StringRef kind) { return kind == "conv" || kind == "conv_transposed"; }
bool isDepthwise(StringRef kind) { return kind == "depthwise" || kind == "depthwise_transposed"; }

} // namespace

std::string check(const Packing &p, size_t sourceBytes) {
  int64_t count = product(p.shape);
  if (int64_t(sourceBytes) != count * widthOf(p.sourceType))
    return "its file range has " + std::to_string(sourceBytes) + " bytes, its type needs " +
           std::to_string(count * widthOf(p.sourceType));
  bool floats = isa<FloatType>(p.sourceType) && isa<FloatType>(p.resultType);
  if (!floats && (p.sourceType.getIntOrFloatBitWidth() != p.resultType.getIntOrFloatBitWidth() ||
                  !p.scale.empty()))
    return "only floating-point weights can be scaled or narrowed";
  int64_t channels = p.shape.empty() ? 1 : p.shape.back();
  if (p.kind == "transpose") {
    SmallVector<int64_t> sorted(p.perm);
    llvm::sort(sorted);
    for (auto [i, d] : llvm::enumerate(sorted))
      if (int64_t(i) != d)
        return "perm is no permutation";
    if (p.perm.size() != p.shape.size())
      return "perm has another rank than the tensor";
    channels = p.perm.empty() ? 1 : p.shape[p.perm.back()];
  } else if (isConvLike(p.kind) || isDepthwise(p.kind)) {
    if (p.shape.size() != 4)
      return "a convolution's weights have four dimensions";
    if (p.groups < 1 || p.shape[0] % p.groups)
      return "the groups do not divide the channels";
    channels = p.kind == "conv_transposed" ? p.shape[1] * p.groups : p.shape[0];
    if (isDepthwise(p.kind) && p.shape[1] != 1)
      return "depthwise weights have one input channel";
  } else if (p.kind != "identity") {
    return "the pack kind '" + p.kind + "' is unknown";
  }
  if (!p.scale.empty() && int64_t(p.scale.size()) != channels)
    return "the scale has " + std::to_string(p.scale.size()) + " values for " +
           std::to_string(channels) + " output channels";
  return "";
}

bool pack(const Packing &p, ArrayRef<char> source, const ByteSink &sink) {
  Packer packer(p, source, sink);
  SmallVector<int64_t> strides(p.shape.size(), 1);
  for (int64_t d = int64_t(p.shape.size()) - 2; d >= 0; --d)
    strides[d] = strides[d + 1] * p.shape[d + 1];

  if (p.kind == "identity" || p.kind == "transpose") {
    SmallVector<Dim> dims;
    for (size_t i = 0; i < p.shape.size(); ++i) {
      size_t d = p.kind == "identity" ? i : size_t(p.perm[i]);
      dims.push_back({p.shape[d], strides[d]});
    }
    // Dimensions that are contiguous in the source as in the result are one,
    // unless the factors need the last to be the channels.
    for (size_t i = dims.size(); i-- > 1;)
      if (p.scale.empty() && dims[i - 1].stride == dims[i].stride * dims[i].size) {
        dims[i - 1] = {dims[i - 1].size * dims[i].size, dims[i].stride};
        dims.erase(dims.begin() + i);
      }
    return packer.gather(dims, 0, 0);
  }
  // A transposed convolution's taps are walked from the last to the first.
  int64_t kh = p.shape[2], kw = p.shape[3], taps = kh * kw;
  bool reversed = p.kind == "conv_transposed" || p.kind == "depthwise_transposed";
  int64_t step = reversed ? -1 : 1, firstTap = reversed ? taps - 1 : 0;
  if (isDepthwise(p.kind))
    return packer.gather({{taps, step}, {p.shape[0], taps}}, firstTap, 0);

  bool transposed = p.kind == "conv_transposed";
  int64_t inputs = transposed ? p.shape[0] / p.groups : p.shape[1];
  int64_t outputs = transposed ? p.shape[1] : p.shape[0] / p.groups;
  int64_t inputStride = strides[transposed ? 0 : 1], outputStride = strides[transposed ? 1 : 0];
  int64_t whole = inputs / channelBlock, rest = inputs % channelBlock;
  for (int64_t g = 0; g < p.groups; ++g) {
    int64_t base = g * (transposed ? inputs * inputStride : outputs * outputStride) + firstTap;
    Dim column{outputs, outputStride};
    if (whole && !packer.gather({{whole, channelBlock * inputStride},
                                 {kh, step * kw},
                                 {kw, step},
                                 {channelBlock, inputStride},
                                 column},
                                base, g * outputs))
      return false;
    if (rest && !packer.gather({{kh, step * kw}, {kw, step}, {rest, inputStride}, column},
                               base + whole * channelBlock * inputStride, g * outputs))
      return false;
  }
  return true;
}

} // namespace accel::emit
