//===- reader.cc - Opens artifacts ----------------------------------------===//
//
// Nothing in the file is believed: prefix and sizes before the FlatBuffers
// verifier sees the header (it may not see more than 2 GiB), then checksums,
// then every offset, index and size (structure.cc). Decoding cannot be made to
// take more memory than the header has bytes: a header whose tables share
// vectors, which the writer never does, is refused.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/acc_generated.h"
#include "acc/runtime/artifact.h"
#include "checksum.h"
#include "prefix.h"
#include "structure.h"
#include <bit>
#include <cstring>

namespace accel::rt {
namespace {

// A fuzzer cannot guess checksums; its build looks behind them.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kVerifyChecksums = false;
#else
constexpr bool kVerifyChecksums = true;
#endif

absl::Status Damaged(const std::string &name, uint64_t offset, const std::string &what) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": not a valid artifact: ", what, " (byte offset ", offset, ")"));
}

/// Copies FlatBuffers vectors into the structs and counts what it copies.
class Decoder {
public:
  explicit Decoder(uint64_t budget) : budget_(budget) {}
  bool overdrawn() const { return overdrawn_; }

  std::string Text(const flatbuffers::String *s) {
    if (!s || !Take(s->size()))
      return "";
    return std::string(s->c_str(), s->size());
  }
  template <typename T> std::vector<T> Numbers(const flatbuffers::Vector<T> *v) {
    if (!v || !Take(uint64_t(v->size()) * sizeof(T)))
      return {};
    // The FlatBuffers verifier does not look at the alignment of elements.
    static_assert(std::endian::native == std::endian::little);
    std::vector<T> out(v->size());
    if (!out.empty())
      std::memcpy(out.data(), v->Data(), out.size() * sizeof(T));
    return out;
  }
  template <typename F, typename Fn>
  auto Tables(const flatbuffers::Vector<flatbuffers::Offset<F>> *v, Fn fn) {
    std::vector<decltype(fn(*static_cast<const F *>(nullptr)))> out;
    if (!v || !Take(uint64_t(v->size()) * 4))
      return out;
    out.reserve(v->size());
    for (const F *item : *v)
      out.push_back(fn(*item));
    return out;
  }
  ExternalRange External(const fb::External *e) {
    ExternalRange r;
    if (!e)
      return r;
    r.path = Text(e->path());
    r.offset = e->offset();
    r.bytes = e->bytes();
    r.checksum = e->checksum();
    return r;
  }

private:
  bool Take(uint64_t bytes) {
    if (bytes > budget_) {
      overdrawn_ = true;
      return false;
    }
    budget_ -= bytes;
    return true;
  }
  uint64_t budget_;
  bool overdrawn_ = false;
};

struct RawRange {
  uint64_t offset, bytes;
  const char *what;
};

void DecodeTarget(Decoder &d, const fb::Target *t, TargetInfo &out) {
  if (!t)
    return;
  out.name = d.Text(t->name());
  out.digest = d.Text(t->digest());
  out.sramBytes = t->sram_bytes();
  out.accBytes = t->acc_bytes();
  out.imemBytes = t->imem_bytes();
  out.queueDepth = t->queue_depth();
  out.burstBytes = t->burst_bytes();
  out.figures = d.Tables(t->figures(), [&](const fb::Figure &f) {
    return TargetInfo::Figure{d.Text(f.key()), f.value()};
  });
}

void DecodeTables(Decoder &d, const fb::Header &h, ArtifactData &a) {
  a.isaVersion = h.isa_version();
  a.producer = d.Text(h.producer());
  DecodeTarget(d, h.target(), a.target);
  a.regions = d.Tables(h.regions(), [&](const fb::Region &r) {
    return RegionInfo{r.id(), RegionKind(r.kind()), r.bytes(), d.External(r.external()), r.chip()};
  });
  a.chunks = d.Tables(h.chunks(), [&](const fb::Chunk &c) {
    return WeightChunk{c.region(), c.offset(), c.bytes(), c.segment_offset(),
                       d.External(c.external())};
  });
  auto io = [&](const fb::Io &i) {
    return IoInfo{d.Text(i.name()),
                  i.dtype(),
                  d.Numbers(i.dims()),
                  i.region(),
                  i.offset(),
                  i.bytes(),
                  d.Tables(i.ranges(), [&](const fb::DimRange &r) {
                    return DimRange{r.min(), r.reg(), d.Text(r.name())};
                  })};
  };
  a.inputs = d.Tables(h.inputs(), io);
  a.outputs = d.Tables(h.outputs(), io);
  a.tensors = d.Tables(h.tensors(), [&](const fb::Tensor &t) {
    return TensorInfo{d.Text(t.name()),    t.node(),       t.region(),
                      t.offset(),          t.bytes(),      t.dtype(),
                      d.Numbers(t.dims()), t.live_begin(), t.live_end()};
  });
  a.counters = d.Tables(h.counters(), [&](const fb::Counter &c) {
    return CounterInfo{CounterKind(c.kind()), c.routine(), c.pc()};
  });
  a.predictions = d.Tables(h.predictions(), [&](const fb::Prediction &p) {
    return PredictionInfo{p.tensor(), Reason(p.reason()), p.write(),
                          d.Tables(p.terms(), [&](const fb::Term &t) {
                            return PredictionInfo::Term{t.coef(), d.Numbers(t.counters())};
                          })};
  });
  a.registers = d.Tables(h.registers(), [&](const fb::RegisterRange &r) {
    return RegisterRange{r.routine(), r.reg(), r.min(), r.max(), r.step()};
  });
  a.entries = d.Tables(
      h.entries(), [&](const fb::Entry &e) { return EntryInfo{e.chip(), e.core(), e.routine()}; });
  a.nodes = d.Tables(h.nodes(), [&](const fb::Node &n) {
    return NodeInfo{d.Text(n.name()), d.Text(n.op()), n.macs(), n.compulsory_bytes(),
                    n.bound_bytes()};
  });
  a.calls = d.Tables(h.calls(), [&](const fb::CallNodes &c) {
    return CallNodes{c.routine(), c.pc(), d.Numbers(c.nodes())};
  });
  a.explanations = d.Tables(h.explanations(), [&](const fb::Explanation &e) {
    return ExplanationInfo{e.tensor(),       e.group(), e.node(),      e.write(),
                           Cause(e.cause()), e.bytes(), e.more_sram(), d.Text(e.text())};
  });
  a.groups = d.Tables(h.groups(), [&](const fb::Group &g) {
    return GroupInfo{d.Numbers(g.nodes()),
                     g.bytes(),
                     g.least_bytes(),
                     g.sram_bytes(),
                     g.sram_space(),
                     d.Tables(g.alternatives(), [&](const fb::Alternative &x) {
                       return AlternativeInfo{d.Text(x.what()), x.bytes(), x.now(), x.more_sram(),
                                              d.Text(x.obstacle())};
                     })};
  });
  a.occupants = d.Tables(h.occupants(), [&](const fb::Occupant &o) {
    return OccupantInfo{d.Text(o.name()), o.offset(), o.bytes(), o.begin(), o.end()};
  });
  a.compulsoryBytes = h.compulsory_bytes();
  a.boundBytes = h.bound_bytes();
  a.macs = h.macs();
  a.sramPeak = h.sram_peak();
}

absl::StatusOr<Artifact> Read(std::shared_ptr<FileBytes> file, const std::string &name,
                              const std::string &folder) {
  const uint8_t *bytes = file->data();
  const uint64_t size = file->size();
  if (size < sizeof(Prefix))
    return Damaged(name, 0, absl::StrCat("the file has ", size, " bytes, the prefix 64"));
  Prefix prefix;
  std::memcpy(&prefix, bytes, sizeof(prefix));
  if (std::memcmp(prefix.magic, kMagic, sizeof(kMagic)) != 0)
    return Damaged(name, 0, "it does not start with ACCARTF1");
  if (prefix.version != kArtifactVersion)
    return Damaged(name, offsetof(Prefix, version),
                   absl::StrCat("format version ", prefix.version, ", this program reads version ",
                                kArtifactVersion));
  if (prefix.fileBytes != size)
    return Damaged(name, offsetof(Prefix, fileBytes),
                   absl::StrCat("it was written with ", prefix.fileBytes, " bytes and has ", size));
  for (size_t i = 0; i < sizeof(prefix.zero); ++i)
    if (prefix.zero[i])
      return Damaged(name, offsetof(Prefix, zero) + i, "reserved bytes are not zero");
  if (prefix.headerOffset % 64 || prefix.headerOffset > size ||
      prefix.headerBytes > size - prefix.headerOffset || prefix.headerBytes < 16 ||
      prefix.headerBytes > kMaxHeaderBytes)
    return Damaged(name, offsetof(Prefix, headerOffset), "the header lies outside");
  const uint8_t *header = bytes + prefix.headerOffset;
  if (kVerifyChecksums && Crc32(header, prefix.headerBytes) != prefix.headerCrc)
    return Damaged(name, prefix.headerOffset, "the header's checksum is wrong");
  flatbuffers::Verifier verifier(header, prefix.headerBytes, /*max_depth=*/16,
                                 /*max_tables=*/flatbuffers::uoffset_t(prefix.headerBytes / 4 + 1));
  if (!fb::HeaderBufferHasIdentifier(header) || !fb::VerifyHeaderBuffer(verifier))
    return Damaged(name, prefix.headerOffset, "the header's tables are damaged");

  const fb::Header &h = *fb::GetHeader(header);
  auto segment = [&](uint64_t offset, uint64_t length, uint64_t sum,
                     const char *what) -> absl::Status {
    if (offset > size || length > size - offset)
      return Damaged(name, prefix.headerOffset, absl::StrCat(what, " lie outside"));
    if (kVerifyChecksums && Checksum64(bytes + offset, length) != sum)
      return Damaged(name, offset, absl::StrCat("the checksum of the ", what, " is wrong"));
    return absl::OkStatus();
  };
  if (absl::Status s = segment(h.code_offset(), h.code_bytes(), h.code_checksum(), "code"); !s.ok())
    return s;
  if (absl::Status s =
          segment(h.weights_offset(), h.weights_bytes(), h.weights_checksum(), "weights");
      !s.ok())
    return s;

  Artifact out;
  Decoder d(prefix.headerBytes);
  DecodeTables(d, h, out.data);

  // Code: copied, once; ranges may not overlap, so that it stays small.
  uint64_t codeNext = h.code_offset(), codeEnd = h.code_offset() + h.code_bytes();
  absl::Status bad;
  auto copy = [&](uint64_t offset, uint64_t length, uint64_t grain, const char *what) {
    std::vector<uint8_t> v;
    if (offset < codeNext || offset > codeEnd || length > codeEnd - offset || length % grain) {
      if (bad.ok())
        bad = Damaged(name, offset,
                      absl::StrCat(what, " of ", length, " bytes lie outside of the code segment"));
      return v;
    }
    codeNext = offset + length;
    out.codeBytes += int64_t(length);
    v.assign(bytes + offset, bytes + offset + length);
    return v;
  };
  out.data.routines = d.Tables(h.routines(), [&](const fb::Routine &r) {
    RoutineInfo info;
    info.name = d.Text(r.name());
    info.code = copy(r.code_offset(), r.code_bytes(), 16, "instructions");
    info.slots = copy(r.slot_offset(), r.slot_bytes(), 64, "descriptors");
    info.nodeOfPc = d.Numbers(r.node_of_pc());
    return info;
  });
  out.data.vprogs = d.Tables(h.vprogs(), [&](const fb::Blob &v) {
    return copy(v.offset(), v.bytes(), 1, "vector programs");
  });
  if (!bad.ok())
    return bad;
  if (d.overdrawn())
    return Damaged(name, prefix.headerOffset, "tables of the header share their parts");
  if (absl::Status s = file->Check(); !s.ok())
    return s;
  StructureContext context{name, size, h.weights_offset(), h.weights_bytes()};
  if (absl::Status s = CheckStructure(out.data, context); !s.ok())
    return s;
  out.file = std::move(file);
  out.folder = folder;
  return out;
}

} // namespace

absl::StatusOr<Artifact> OpenArtifact(const std::string &path) {
  absl::StatusOr<std::shared_ptr<FileBytes>> file = FileBytes::Map(path);
  if (!file.ok())
    return file.status();
  size_t slash = path.rfind('/');
  absl::StatusOr<Artifact> a =
      Read(*std::move(file), path, slash == std::string::npos ? "." : path.substr(0, slash + 1));
  if (a.ok())
    a->path = path;
  return a;
}

absl::StatusOr<Artifact> ReadArtifact(absl::Span<const uint8_t> bytes, const std::string &folder) {
  return Read(FileBytes::Copy(bytes), "artifact in memory", folder);
}

} // namespace accel::rt
