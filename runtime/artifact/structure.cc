//===- structure.cc - Consistency of an artifact's tables -----------------===//
#include "structure.h"
#include "absl/strings/str_cat.h"
#include "acc/runtime/status_macros.h"
#include "dtype.h"
#include <algorithm>
#include <map>
#include <set>

namespace accel::rt {
namespace {

constexpr int64_t kMaxBytes = kMaxRegionBytes; // of anything else, too

class Checker {
public:
  Checker(const ArtifactData &data, const StructureContext &context)
      : a_(data), context_(context) {}

  absl::Status Run() {
    ACC_RETURN_IF_ERROR(Target());
    ACC_RETURN_IF_ERROR(Regions());
    ACC_RETURN_IF_ERROR(Chunks());
    ACC_RETURN_IF_ERROR(Io(a_.inputs, RegionKind::Input, "input"));
    ACC_RETURN_IF_ERROR(Io(a_.outputs, RegionKind::Output, "output"));
    ACC_RETURN_IF_ERROR(Tensors());
    ACC_RETURN_IF_ERROR(Routines());
    ACC_RETURN_IF_ERROR(Prediction());
    return Explanation();
  }

private:
  template <typename... Args> absl::Status Bad(const Args &...args) const {
    return absl::InvalidArgumentError(
        absl::StrCat(context_.name, ": not a valid artifact: ", args...));
  }

  absl::Status Target() const {
    const TargetInfo &t = a_.target;
    struct {
      const char *name;
      int64_t value, min, max;
    } limits[] = {{"sram_bytes", t.sramBytes, 64, int64_t(1) << 32},
                  {"acc_bytes", t.accBytes, 64, int64_t(1) << 32},
                  {"imem_bytes", t.imemBytes, 64, int64_t(1) << 32},
                  {"queue_depth", t.queueDepth, 1, 1 << 20},
                  {"burst_bytes", t.burstBytes, 1, 1 << 16}};
    for (const auto &l : limits)
      if (l.value < l.min || l.value > l.max)
        return Bad("target figure ", l.name, " is ", l.value, ", must be in ", l.min, "..", l.max);
    if (t.burstBytes & (t.burstBytes - 1))
      return Bad("target figure burst_bytes is ", t.burstBytes, ", no power of two");
    if (a_.isaVersion != 1)
      return Bad("made for ISA version ", a_.isaVersion, ", this program has version 1");
    return absl::OkStatus();
  }

  absl::Status Regions() {
    region_.assign(256, nullptr);
    for (const RegionInfo &r : a_.regions) {
      if (int(r.kind) >= kRegionKinds)
        return Bad("region ", r.id, " has unknown kind ", int(r.kind));
      if (r.bytes < 0 || r.bytes > kMaxBytes)
        return Bad("region ", r.id, " has ", r.bytes, " bytes");
      if (region_[r.id])
        return Bad("region ", r.id, " is declared twice");
      region_[r.id] = &r;
      if (r.chip)
        return Bad("region ", r.id, " lies on chip ", r.chip, ", version 1 has chip 0 only");
      if (r.external.empty())
        continue;
      if (r.kind != RegionKind::Weights && r.kind != RegionKind::Constant)
        return Bad("region ", r.id, " (", RegionKindName(r.kind), ") cannot lie in another file");
      if (r.external.bytes != r.bytes)
        return Bad("region ", r.id, " has ", r.bytes, " bytes, its file part ", r.external.bytes);
      ACC_RETURN_IF_ERROR(External(r.external));
    }
    return absl::OkStatus();
  }

  absl::Status External(const ExternalRange &e) const {
    if (e.offset < 0 || e.bytes < 0 || e.offset > kMaxBytes || e.bytes > kMaxBytes)
      return Bad("part of \"", e.path, "\" at ", e.offset, " with ", e.bytes, " bytes");
    if (e.path[0] == '/' || e.path.find('\0') != std::string::npos)
      return Bad("\"", e.path, "\" is not a path relative to the artifact");
    return absl::OkStatus();
  }

  absl::Status Inside(const char *what, const std::string &name, uint8_t region, int64_t offset,
                      int64_t bytes) const {
    const RegionInfo *r = region_[region];
    if (!r)
      return Bad(what, " \"", name, "\" lies in region ", region, ", which is not there");
    if (offset < 0 || bytes < 0 || offset > r->bytes || bytes > r->bytes - offset)
      return Bad(what, " \"", name, "\" at ", offset, " with ", bytes,
                 " bytes lies outside of region ", region, " (", r->bytes, " bytes)");
    return absl::OkStatus();
  }

  absl::Status Chunks() const {
    std::vector<const WeightChunk *> sorted;
    for (const WeightChunk &c : a_.chunks) {
      ACC_RETURN_IF_ERROR(Inside("weight chunk", "", c.region, c.offset, c.bytes));
      const RegionInfo &r = *region_[c.region];
      if (r.kind != RegionKind::Weights && r.kind != RegionKind::Constant)
        return Bad("weight chunk in region ", r.id, " (", RegionKindName(r.kind), ")");
      if (!r.external.empty())
        return Bad("weight chunk in region ", r.id, ", which lies in another file");
      if (!c.external.empty()) {
        ACC_RETURN_IF_ERROR(External(c.external));
        if (c.external.bytes != c.bytes)
          return Bad("weight chunk of ", c.bytes, " bytes names ", c.external.bytes, " bytes of \"",
                     c.external.path, "\"");
      } else if (c.segmentOffset < 0 || uint64_t(c.segmentOffset) < context_.weightsOffset ||
                 uint64_t(c.segmentOffset) - context_.weightsOffset > context_.weightsBytes ||
                 uint64_t(c.bytes) >
                     context_.weightsBytes - (uint64_t(c.segmentOffset) - context_.weightsOffset)) {
        return Bad("weight chunk at file offset ", c.segmentOffset, " with ", c.bytes,
                   " bytes lies outside of the weights");
      }
      sorted.push_back(&c);
    }
    std::sort(sorted.begin(), sorted.end(), [](const WeightChunk *x, const WeightChunk *y) {
      return std::make_pair(x->region, x->offset) < std::make_pair(y->region, y->offset);
    });
    for (size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i]->region == sorted[i - 1]->region &&
          sorted[i]->offset < sorted[i - 1]->offset + sorted[i - 1]->bytes)
        return Bad("weight chunks overlap in region ", sorted[i]->region, " at offset ",
                   sorted[i]->offset);
    return absl::OkStatus();
  }

  absl::Status Io(const std::vector<IoInfo> &list, RegionKind kind, const char *what) {
    std::set<std::string> names;
    received_.clear();
    for (const IoInfo &io : list) {
      ACC_RETURN_IF_ERROR(Inside(what, io.name, io.region, io.offset, io.bytes));
      if (!names.insert(io.name).second)
        return Bad(what, " \"", io.name, "\" is declared twice");
      RegionKind have = region_[io.region]->kind;
      // An output may be an input or a constant that the model returns as it is.
      if (kind == RegionKind::Input && have != kind && have != RegionKind::State)
        return Bad(what, " \"", io.name, "\" lies in a region of kind ", RegionKindName(have));
      int bits = DtypeBits(io.dtype);
      if (!bits)
        return Bad(what, " \"", io.name, "\" has unknown element type ", int(io.dtype));
      int64_t count = 1;
      for (int64_t d : io.dims) {
        if (d < 0 || d > kMaxBytes || (d && count > kMaxBytes / d))
          return Bad(what, " \"", io.name, "\" has dimension ", d);
        count *= d;
      }
      if ((count * bits + 7) / 8 != io.bytes)
        return Bad(what, " \"", io.name, "\" has ", io.bytes, " bytes, its shape needs ",
                   (count * bits + 7) / 8);
      ACC_RETURN_IF_ERROR(Ranges(io, kind == RegionKind::Input, what, bits));
    }
    return absl::OkStatus();
  }

  /// Sizes that a run decides.
  absl::Status Ranges(const IoInfo &io, bool isInput, const char *what, int bits) {
    if (io.ranges.empty())
      return absl::OkStatus();
    if (io.ranges.size() != io.dims.size())
      return Bad(what, " \"", io.name, "\" has ", io.dims.size(), " dimensions and ranges of ",
                 io.ranges.size());
    for (size_t d = 0; d < io.dims.size(); ++d) {
      const DimRange &r = io.ranges[d];
      if (r.reg >= 64 || r.min < 0 || r.min > io.dims[d] || (!r.reg && r.min != io.dims[d]))
        return Bad(what, " \"", io.name, "\" has dimension ", d, " of ", r.min, " to ", io.dims[d],
                   " in r", int(r.reg));
      if (!r.reg)
        continue;
      if (bits % 8)
        return Bad(what, " \"", io.name, "\" has elements of ", bits,
                   " bits, whose sizes must be constants");
      auto [it, isNew] = received_.try_emplace(r.reg, r.min, io.dims[d]);
      if (isInput && !isNew && it->second != std::pair(r.min, io.dims[d]))
        return Bad(what, " \"", io.name, "\" has dimension ", d, " of ", r.min, " to ", io.dims[d],
                   " in r", int(r.reg), ", which receives ", it->second.first, " to ",
                   it->second.second);
    }
    return absl::OkStatus();
  }

  absl::Status Tensors() const {
    for (const TensorInfo &t : a_.tensors) {
      ACC_RETURN_IF_ERROR(Inside("tensor", t.name, t.region, t.offset, t.bytes));
      if (t.node != kNone && t.node >= a_.nodes.size())
        return Bad("tensor \"", t.name, "\" names node ", t.node);
      if (t.liveBegin > t.liveEnd)
        return Bad("tensor \"", t.name, "\" ends before it begins");
    }
    return absl::OkStatus();
  }

  absl::Status Routines() const {
    if (a_.routines.empty())
      return Bad("it has no routine");
    if (a_.routines.size() > (1 << 24))
      return Bad("it has ", a_.routines.size(), " routines");
    for (size_t i = 0; i < a_.routines.size(); ++i) {
      const RoutineInfo &r = a_.routines[i];
      size_t count = r.code.size() / 16;
      if (!count || r.code.size() % 16 || r.slots.size() % 64)
        return Bad("routine ", i, " \"", r.name, "\" has ", r.code.size(), " bytes of code, ",
                   r.slots.size(), " of descriptors");
      if (!r.nodeOfPc.empty() && r.nodeOfPc.size() != count)
        return Bad("routine ", i, " \"", r.name, "\" has ", count, " instructions and ",
                   r.nodeOfPc.size(), " debug entries");
      if (i == 0)
        for (uint32_t node : r.nodeOfPc)
          if (node != kNone && node >= a_.nodes.size())
            return Bad("the debug map of main names node ", node);
    }
    for (const CallNodes &c : a_.calls) {
      if (c.routine >= a_.routines.size() || c.pc >= a_.routines[c.routine].code.size() / 16)
        return Bad("call nodes of routine ", c.routine, " pc ", c.pc);
      if (c.routine == 0)
        for (uint32_t node : c.nodes)
          if (node != kNone && node >= a_.nodes.size())
            return Bad("the debug map of the call at ", c.pc, " names node ", node);
    }
    for (const RegisterRange &r : a_.registers) {
      if (r.routine >= a_.routines.size() || r.reg == 0 || r.reg >= 64 || r.min > r.max ||
          r.step < 1)
        return Bad("register range of routine ", r.routine, " r", int(r.reg), " ", r.min, "..",
                   r.max, " step ", r.step);
      if (r.routine == 0)
        return Bad("register range of main r", int(r.reg), ": main receives sizes of inputs only");
    }
    for (const EntryInfo &e : a_.entries)
      if (e.chip || e.core || e.routine || a_.entries.size() > 1)
        return Bad("entry of chip ", e.chip, " core ", e.core, " at routine ", e.routine,
                   "; version 1 has one, chip 0 core 0 at routine 0");
    return absl::OkStatus();
  }

  absl::Status Prediction() const {
    for (const CounterInfo &c : a_.counters) {
      if (int(c.kind) >= kCounterKinds)
        return Bad("unknown counter kind ", int(c.kind));
      bool good =
          c.kind == CounterKind::InputDim
              ? c.routine < a_.inputs.size() && c.pc < a_.inputs[c.routine].dims.size()
              : c.routine < a_.routines.size() && c.pc < a_.routines[c.routine].code.size() / 16;
      if (!good)
        return Bad("counter names routine ", c.routine, " pc ", c.pc);
    }
    std::set<std::tuple<uint32_t, uint8_t, bool>> seen;
    for (const PredictionInfo &p : a_.predictions) {
      if (p.tensor >= a_.tensors.size() || int(p.reason) >= kReasons)
        return Bad("prediction for tensor ", p.tensor, " reason ", int(p.reason));
      if (!seen.insert({p.tensor, uint8_t(p.reason), p.write}).second)
        return Bad("two predictions for tensor \"", a_.tensors[p.tensor].name, "\" reason ",
                   ReasonName(p.reason));
      for (const PredictionInfo::Term &t : p.terms)
        for (uint32_t c : t.counters)
          if (c >= a_.counters.size())
            return Bad("prediction names counter ", c);
    }
    return absl::OkStatus();
  }

  /// Indices only: whether the numbers agree is for the report to say.
  absl::Status Explanation() const {
    for (const GroupInfo &g : a_.groups)
      for (uint32_t node : g.nodes)
        if (node != kNone && node >= a_.nodes.size())
          return Bad("a group of the explanation names node ", node);
    for (const ExplanationInfo &e : a_.explanations)
      if (e.tensor >= a_.tensors.size() || e.group >= a_.groups.size() ||
          (e.node != kNone && e.node >= a_.nodes.size()) || int(e.cause) >= kCauses ||
          e.bytes < 0 || e.bytes > kMaxBytes * 1024)
        return Bad("explanation of ", e.bytes, " bytes of tensor ", e.tensor, " in group ", e.group,
                   " by node ", e.node, ", cause ", int(e.cause));
    for (const OccupantInfo &o : a_.occupants)
      if (o.offset < 0 || o.bytes < 0 || o.offset > kMaxBytes || o.bytes > kMaxBytes ||
          o.begin > o.end || o.end > a_.groups.size())
        return Bad("\"", o.name, "\" lies in SRAM at ", o.offset, " with ", o.bytes,
                   " bytes from group ", o.begin, " to ", o.end);
    return absl::OkStatus();
  }

  const ArtifactData &a_;
  const StructureContext &context_;
  std::vector<const RegionInfo *> region_;
  std::map<uint8_t, std::pair<int64_t, int64_t>> received_; // sizes in registers
};

} // namespace

absl::Status CheckStructure(const ArtifactData &data, const StructureContext &context) {
  return Checker(data, context).Run();
}

} // namespace accel::rt
