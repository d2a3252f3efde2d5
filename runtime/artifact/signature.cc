//===- signature.cc - Sizes that a run decides ----------------------------===//
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acc/runtime/artifact.h"
#include "dtype.h"

namespace accel::rt {

absl::Status CheckShape(const char *what, const IoInfo &io, absl::Span<const int64_t> dims) {
  auto least = [&](size_t d) {
    return d < io.ranges.size() && io.ranges[d].reg ? io.ranges[d].min : io.dims[d];
  };
  bool fits = dims.size() == io.dims.size();
  for (size_t d = 0; fits && d < dims.size(); ++d) {
    if (io.isDynamic() && io.ranges[d].reg && (dims[d] < least(d) || dims[d] > io.dims[d])) {
      const std::string &symbol = io.ranges[d].name;
      return absl::InvalidArgumentError(
          absl::StrCat(what, " \"", io.name, "\": dimension ", d,
                       symbol.empty() ? "" : absl::StrCat(" (", symbol, ")"), " is ", dims[d],
                       ", the artifact was compiled for ", least(d), " to ", io.dims[d]));
    }
    fits = dims[d] >= least(d) && dims[d] <= io.dims[d];
  }
  if (fits)
    return absl::OkStatus();
  std::vector<std::string> expected;
  for (size_t d = 0; d < io.dims.size(); ++d)
    expected.push_back(least(d) == io.dims[d] ? absl::StrCat(io.dims[d])
                                              : absl::StrCat(least(d), "..", io.dims[d]));
  return absl::InvalidArgumentError(
      absl::StrCat(what, " \"", io.name, "\" has shape [", absl::StrJoin(dims, ", "),
                   "], the artifact was compiled for [", absl::StrJoin(expected, ", "), "]"));
}

int64_t BytesOf(const IoInfo &io, absl::Span<const int64_t> dims) {
  int64_t count = 1;
  for (int64_t d : dims)
    count *= d;
  return (count * DtypeBits(io.dtype) + 7) / 8;
}

void ForEachPiece(const IoInfo &io, absl::Span<const int64_t> dims,
                  const std::function<void(int64_t, int64_t, int64_t)> &fn) {
  const int64_t bytes = BytesOf(io, dims);
  if (bytes == 0)
    return;
  // Dimensions from `inner` on lie in one piece: all but the first are whole.
  size_t inner = dims.size();
  while (inner > 0 && dims[inner - 1] == io.dims[inner - 1])
    --inner;
  if (inner <= 1)
    return fn(0, 0, bytes); // all, or the front of it
  --inner;
  const int64_t element = DtypeBits(io.dtype) / 8;
  int64_t piece = element;
  for (size_t d = inner; d < dims.size(); ++d)
    piece *= dims[d];
  std::vector<int64_t> stride(inner), index(inner);
  int64_t step = element;
  for (size_t d = dims.size(); d-- > 0; step *= io.dims[d])
    if (d < inner)
      stride[d] = step;
  for (int64_t at = 0, packed = 0;; packed += piece) {
    fn(at, packed, piece);
    size_t d = inner;
    while (d > 0) {
      --d;
      at += stride[d];
      if (++index[d] < dims[d])
        break;
      at -= stride[d] * dims[d];
      index[d] = 0;
      if (d == 0)
        return;
    }
  }
}

} // namespace accel::rt
