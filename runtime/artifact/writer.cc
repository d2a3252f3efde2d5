//===- writer.cc - Writes artifacts ---------------------------------------===//
//
// Order in the file: prefix, code segment, weights, header. Weights stream
// through once; the header, which holds their checksum, comes last and the
// prefix is patched at the end.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/acc_generated.h"
#include "acc/runtime/artifact.h"
#include "acc/runtime/byte_output.h"
#include "acc/runtime/status_macros.h"
#include "checksum.h"
#include "prefix.h"
#include <algorithm>
#include <cstring>
#include <sys/stat.h>

namespace accel::rt {
namespace {

/// Appends to the output and to the checksum of the open segment.
class SegmentOutput : public WeightSink {
public:
  explicit SegmentOutput(ByteOutput &out) : out_(out), begin_(out.position()) {}
  absl::Status Append(const void *data, size_t bytes) override {
    sum_.Append(data, bytes);
    return out_.Append(data, bytes);
  }
  absl::Status Zeros(uint64_t bytes) {
    static const char zeros[4096] = {};
    for (; bytes; bytes -= std::min<uint64_t>(bytes, sizeof(zeros)))
      ACC_RETURN_IF_ERROR(Append(zeros, std::min<uint64_t>(bytes, sizeof(zeros))));
    return absl::OkStatus();
  }
  absl::Status Align(uint64_t alignment) {
    return Zeros((alignment - out_.position() % alignment) % alignment);
  }
  uint64_t begin() const { return begin_; }
  uint64_t position() const { return out_.position(); }
  uint64_t bytes() const { return out_.position() - begin_; }
  uint64_t Finish() { return sum_.Finish(); }

private:
  ByteOutput &out_;
  uint64_t begin_;
  ChecksumStream sum_;
};

/// Counts what a weight source appends and refuses more than it announced.
class CountingSink : public WeightSink {
public:
  CountingSink(WeightSink &out, int64_t limit) : out_(out), limit_(limit) {}
  absl::Status Append(const void *data, size_t bytes) override {
    if (bytes > size_t(limit_ - count_))
      return absl::InternalError(
          absl::StrCat("a weight source gives more than the ", limit_, " bytes it announced"));
    count_ += int64_t(bytes);
    return out_.Append(data, bytes);
  }
  int64_t count() const { return count_; }

private:
  WeightSink &out_;
  int64_t limit_, count_ = 0;
};

std::string Joined(const std::string &folder, const std::string &path) {
  return folder.empty() ? path : absl::StrCat(folder, "/", path);
}

using Fbb = flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<fb::External> Pack(Fbb &b, const ExternalRange &e) {
  if (e.empty())
    return 0;
  return fb::CreateExternal(b, b.CreateString(e.path), e.offset, e.bytes, e.checksum);
}

flatbuffers::Offset<flatbuffers::String> PackText(Fbb &b, const std::string &text) {
  return text.empty() ? 0 : b.CreateString(text);
}

template <typename T, typename Fn> auto PackAll(Fbb &b, const std::vector<T> &items, Fn fn) {
  std::vector<decltype(fn(items[0]))> offsets;
  offsets.reserve(items.size());
  for (const T &item : items)
    offsets.push_back(fn(item));
  return b.CreateVector(offsets);
}

struct Segments {
  std::vector<std::pair<uint64_t, uint64_t>> code, slots, vprogs; // offset, bytes
  uint64_t codeBegin = 0, codeBytes = 0, codeSum = 0;
  uint64_t weightsBegin = 0, weightsBytes = 0, weightsSum = 0;
};

flatbuffers::Offset<fb::Target> PackTarget(Fbb &b, const TargetInfo &t) {
  auto figures = PackAll(b, t.figures, [&](const TargetInfo::Figure &f) {
    return fb::CreateFigure(b, b.CreateString(f.key), f.value);
  });
  return fb::CreateTarget(b, b.CreateString(t.name), b.CreateString(t.digest), t.sramBytes,
                          t.accBytes, t.imemBytes, t.queueDepth, t.burstBytes, figures);
}

void PackHeader(Fbb &b, const ArtifactData &d, const Segments &seg) {
  auto target = PackTarget(b, d.target);
  std::vector<flatbuffers::Offset<fb::Routine>> routineList;
  for (size_t i = 0; i < d.routines.size(); ++i) {
    const RoutineInfo &r = d.routines[i];
    routineList.push_back(fb::CreateRoutine(b, b.CreateString(r.name), seg.code[i].first,
                                            seg.code[i].second, seg.slots[i].first,
                                            seg.slots[i].second, b.CreateVector(r.nodeOfPc)));
  }
  auto routines = b.CreateVector(routineList);
  auto vprogs = PackAll(b, seg.vprogs, [&](const std::pair<uint64_t, uint64_t> &v) {
    return fb::CreateBlob(b, v.first, v.second);
  });
  auto regions = PackAll(b, d.regions, [&](const RegionInfo &r) {
    return fb::CreateRegion(b, r.id, uint8_t(r.kind), r.bytes, Pack(b, r.external), r.chip);
  });
  auto chunks = PackAll(b, d.chunks, [&](const WeightChunk &c) {
    return fb::CreateChunk(b, c.region, c.offset, c.bytes, c.segmentOffset, Pack(b, c.external));
  });
  auto io = [&](const IoInfo &i) {
    flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::DimRange>>> ranges;
    if (!i.ranges.empty())
      ranges = PackAll(b, i.ranges, [&](const DimRange &r) {
        return fb::CreateDimRange(b, r.min, r.reg, b.CreateString(r.name));
      });
    auto name = b.CreateString(i.name);
    auto dims = b.CreateVector(i.dims);
    return fb::CreateIo(b, name, i.dtype, dims, i.region, i.offset, i.bytes, ranges);
  };
  auto inputs = PackAll(b, d.inputs, io);
  auto outputs = PackAll(b, d.outputs, io);
  auto tensors = PackAll(b, d.tensors, [&](const TensorInfo &t) {
    return fb::CreateTensor(b, b.CreateString(t.name), t.node, t.region, t.offset, t.bytes, t.dtype,
                            b.CreateVector(t.dims), t.liveBegin, t.liveEnd);
  });
  auto counters = PackAll(b, d.counters, [&](const CounterInfo &c) {
    return fb::CreateCounter(b, uint8_t(c.kind), c.routine, c.pc);
  });
  auto predictions = PackAll(b, d.predictions, [&](const PredictionInfo &p) {
    auto terms = PackAll(b, p.terms, [&](const PredictionInfo::Term &t) {
      return fb::CreateTerm(b, t.coef, b.CreateVector(t.counters));
    });
    return fb::CreatePrediction(b, p.tensor, uint8_t(p.reason), p.write, terms);
  });
  auto registers = PackAll(b, d.registers, [&](const RegisterRange &r) {
    return fb::CreateRegisterRange(b, r.routine, r.reg, r.min, r.max, r.step);
  });
  auto nodes = PackAll(b, d.nodes, [&](const NodeInfo &n) {
    return fb::CreateNode(b, b.CreateString(n.name), b.CreateString(n.op), n.macs,
                          n.compulsoryBytes, n.boundBytes);
  });
  auto calls = PackAll(b, d.calls, [&](const CallNodes &c) {
    return fb::CreateCallNodes(b, c.routine, c.pc, b.CreateVector(c.nodes));
  });
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Entry>>> entries;
  if (!d.entries.empty())
    entries = PackAll(b, d.entries, [&](const EntryInfo &e) {
      return fb::CreateEntry(b, e.chip, e.core, e.routine);
    });
  auto producer = b.CreateString(d.producer);
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Explanation>>> explanations;
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Group>>> groups;
  flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Occupant>>> occupants;
  if (!d.explanations.empty())
    explanations = PackAll(b, d.explanations, [&](const ExplanationInfo &e) {
      return fb::CreateExplanation(b, e.tensor, e.group, e.node, e.write, uint8_t(e.cause), e.bytes,
                                   e.moreSram, PackText(b, e.text));
    });
  if (!d.groups.empty())
    groups = PackAll(b, d.groups, [&](const GroupInfo &g) {
      auto alternatives = PackAll(b, g.alternatives, [&](const AlternativeInfo &a) {
        auto what = b.CreateString(a.what);
        return fb::CreateAlternative(b, what, a.bytes, a.now, a.moreSram, PackText(b, a.obstacle));
      });
      return fb::CreateGroup(b, b.CreateVector(g.nodes), g.bytes, g.leastBytes, g.sramBytes,
                             g.sramSpace, alternatives);
    });
  if (!d.occupants.empty())
    occupants = PackAll(b, d.occupants, [&](const OccupantInfo &o) {
      return fb::CreateOccupant(b, b.CreateString(o.name), o.offset, o.bytes, o.begin, o.end);
    });
  fb::FinishHeaderBuffer(
      b, fb::CreateHeader(b, d.isaVersion, producer, target, routines, vprogs, regions, chunks,
                          inputs, outputs, tensors, counters, predictions, registers, nodes, calls,
                          d.compulsoryBytes, d.boundBytes, d.macs, d.sramPeak, seg.codeBegin,
                          seg.codeBytes, seg.codeSum, seg.weightsBegin, seg.weightsBytes,
                          seg.weightsSum, entries, explanations, groups, occupants));
}

absl::Status WriteCode(ByteOutput &out, const ArtifactData &d, Segments &seg) {
  ACC_RETURN_IF_ERROR(out.Align(kSegmentAlignment));
  SegmentOutput s(out);
  auto append = [&](const std::vector<uint8_t> &bytes, uint64_t alignment, auto &list) {
    if (absl::Status status = s.Align(alignment); !status.ok())
      return status;
    list.emplace_back(s.position(), bytes.size());
    return s.Append(bytes.data(), bytes.size());
  };
  for (const RoutineInfo &r : d.routines) {
    ACC_RETURN_IF_ERROR(append(r.code, 16, seg.code));
    ACC_RETURN_IF_ERROR(append(r.slots, 64, seg.slots));
  }
  for (const std::vector<uint8_t> &v : d.vprogs)
    ACC_RETURN_IF_ERROR(append(v, 16, seg.vprogs));
  seg.codeBegin = s.begin();
  seg.codeBytes = s.bytes();
  seg.codeSum = s.Finish();
  return absl::OkStatus();
}

} // namespace

void ArtifactBuilder::AddWeights(uint8_t region, int64_t offset, int64_t bytes,
                                 WeightSource source) {
  WeightChunk c;
  c.region = region;
  c.offset = offset;
  c.bytes = bytes;
  sources_.push_back({std::move(c), std::move(source)});
}

void ArtifactBuilder::AddExternalWeights(uint8_t region, int64_t offset, int64_t bytes,
                                         std::string path, int64_t fileOffset) {
  WeightChunk c;
  c.region = region;
  c.offset = offset;
  c.bytes = bytes;
  c.external.path = std::move(path);
  c.external.offset = fileOffset;
  c.external.bytes = bytes;
  sources_.push_back({std::move(c), nullptr});
}

absl::Status ArtifactBuilder::WriteTo(ByteOutput &out, const std::string &folder) {
  std::sort(sources_.begin(), sources_.end(), [](const Source &a, const Source &b) {
    return std::make_tuple(a.chunk.region, a.chunk.offset, a.chunk.bytes) <
           std::make_tuple(b.chunk.region, b.chunk.offset, b.chunk.bytes);
  });
  Segments seg;
  ACC_RETURN_IF_ERROR(out.Zeros(sizeof(Prefix)));
  ACC_RETURN_IF_ERROR(WriteCode(out, data, seg));
  ACC_RETURN_IF_ERROR(out.Align(kSegmentAlignment));
  SegmentOutput weights(out);

  // Checksums of what stays in other files, each file mapped once.
  std::shared_ptr<FileBytes> mapped;
  std::string mappedPath;
  auto sumExternal = [&](ExternalRange &e) -> absl::Status {
    std::string path = Joined(folder, e.path);
    if (!mapped || mappedPath != path) {
      absl::StatusOr<std::shared_ptr<FileBytes>> m = FileBytes::Map(path);
      ACC_RETURN_IF_ERROR(m.status());
      mapped = *m;
      mappedPath = path;
    }
    if (e.offset < 0 || e.bytes < 0 || uint64_t(e.offset) > mapped->size() ||
        uint64_t(e.bytes) > mapped->size() - uint64_t(e.offset))
      return absl::OutOfRangeError(absl::StrCat(path, ": weights at byte ", e.offset, ", ", e.bytes,
                                                " bytes, lie outside of the file (", mapped->size(),
                                                " bytes)"));
    e.checksum = Checksum64(mapped->data() + e.offset, size_t(e.bytes));
    return absl::OkStatus();
  };

  data.chunks.clear();
  for (RegionInfo &region : data.regions) {
    if (!region.external.empty())
      ACC_RETURN_IF_ERROR(sumExternal(region.external));
    auto first = std::find_if(sources_.begin(), sources_.end(),
                              [&](const Source &s) { return s.chunk.region == region.id; });
    if (first == sources_.end())
      continue;
    // A region with all its bytes here lies in the file as in memory, so that
    // the loader maps it; gaps are zeros.
    bool inPlace = true;
    auto last = first;
    for (; last != sources_.end() && last->chunk.region == region.id; ++last)
      inPlace &= last->source != nullptr;
    if (inPlace)
      ACC_RETURN_IF_ERROR(weights.Align(kSegmentAlignment));
    uint64_t base = weights.position();
    int64_t end = 0;
    for (auto it = first; it != last; ++it) {
      WeightChunk &c = it->chunk;
      if (c.offset < end || c.bytes < 0 || c.bytes > region.bytes - c.offset)
        return absl::InternalError(absl::StrCat("weight chunks of region ", region.id,
                                                " overlap or end outside ", "at offset ", c.offset,
                                                " (", c.bytes, " bytes)"));
      end = c.offset + c.bytes;
      if (!it->source) {
        ACC_RETURN_IF_ERROR(sumExternal(c.external));
        data.chunks.push_back(c);
        continue;
      }
      if (inPlace)
        ACC_RETURN_IF_ERROR(weights.Zeros(base + uint64_t(c.offset) - weights.position()));
      else
        ACC_RETURN_IF_ERROR(weights.Align(64));
      c.segmentOffset = int64_t(weights.position());
      CountingSink sink(weights, c.bytes);
      ACC_RETURN_IF_ERROR(it->source(sink));
      if (sink.count() != c.bytes)
        return absl::InternalError(
            absl::StrCat("a weight source gives ", sink.count(), " of ", c.bytes, " bytes"));
      data.chunks.push_back(c);
    }
    if (inPlace)
      ACC_RETURN_IF_ERROR(weights.Zeros(base + uint64_t(region.bytes) - weights.position()));
  }
  seg.weightsBegin = weights.begin();
  seg.weightsBytes = weights.bytes();
  seg.weightsSum = weights.Finish();

  Fbb b(1 << 16);
  PackHeader(b, data, seg);
  if (b.GetSize() > kMaxHeaderBytes)
    return absl::ResourceExhaustedError("the artifact's header exceeds 1 GiB");
  ACC_RETURN_IF_ERROR(out.Align(kSegmentAlignment));
  Prefix prefix = {};
  std::memcpy(prefix.magic, kMagic, sizeof(kMagic));
  prefix.headerOffset = out.position();
  prefix.headerBytes = b.GetSize();
  prefix.version = kArtifactVersion;
  prefix.headerCrc = Crc32(b.GetBufferPointer(), b.GetSize());
  ACC_RETURN_IF_ERROR(out.Append(b.GetBufferPointer(), b.GetSize()));
  prefix.fileBytes = out.position();
  return out.Patch(0, &prefix, sizeof(prefix));
}

absl::Status ArtifactBuilder::Write(const std::string &path) {
  absl::StatusOr<std::unique_ptr<ByteOutput>> out = FileOutput(path);
  ACC_RETURN_IF_ERROR(out.status());
  size_t slash = path.rfind('/');
  ACC_RETURN_IF_ERROR(WriteTo(**out, slash == std::string::npos ? "" : path.substr(0, slash)));
  return (*out)->Commit();
}

absl::StatusOr<std::string> ArtifactBuilder::Serialize(const std::string &folder) {
  std::string bytes;
  std::unique_ptr<ByteOutput> out = StringOutput(bytes);
  ACC_RETURN_IF_ERROR(WriteTo(*out, folder));
  return bytes;
}

} // namespace accel::rt
