//===- IsaTables.cpp - an artifact's tables as attributes ------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One `fields` function a struct says its fields once; it runs with a visitor
// that writes them to a dictionary or reads them from one.
//===----------------------------------------------------------------------===//

#include "IsaTables.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace accel::emit {
namespace {

template <typename V> void fields(rt::ExternalRange &r, V &&v) {
  v("path", r.path);
  v("offset", r.offset);
  v("bytes", r.bytes);
  v("checksum", r.checksum);
}
template <typename V> void fields(rt::TargetInfo::Figure &r, V &&v) {
  v("key", r.key);
  v("value", r.value);
}
template <typename V> void fields(rt::TargetInfo &r, V &&v) {
  v("name", r.name);
  v("digest", r.digest);
  v("sram_bytes", r.sramBytes);
  v("acc_bytes", r.accBytes);
  v("imem_bytes", r.imemBytes);
  v("queue_depth", r.queueDepth);
  v("burst_bytes", r.burstBytes);
  v("figures", r.figures);
}
template <typename V> void fields(rt::RegionInfo &r, V &&v) {
  v("id", r.id);
  v("kind", r.kind);
  v("bytes", r.bytes);
  v("external", r.external);
  v("chip", r.chip);
}
template <typename V> void fields(rt::WeightChunk &r, V &&v) {
  v("region", r.region);
  v("offset", r.offset);
  v("bytes", r.bytes);
  v("segment_offset", r.segmentOffset);
  v("external", r.external);
}
template <typename V> void fields(rt::DimRange &r, V &&v) {
  v("min", r.min);
  v("reg", r.reg);
  v("name", r.name);
}
template <typename V> void fields(rt::EntryInfo &r, V &&v) {
  v("chip", r.chip);
  v("core", r.core);
  v("routine", r.routine);
}
template <typename V> void fields(rt::IoInfo &r, V &&v) {
  v("name", r.name);
  v("dtype", r.dtype);
  v("dims", r.dims);
  v("region", r.region);
  v("offset", r.offset);
  v("bytes", r.bytes);
  v("ranges", r.ranges);
}
template <typename V> void fields(rt::TensorInfo &r, V &&v) {
  v("name", r.name);
  v("node", r.node);
  v("region", r.region);
  v("offset", r.offset);
  v("bytes", r.bytes);
  v("dtype", r.dtype);
  v("dims", r.dims);
  v("live_begin", r.liveBegin);
  v("live_end", r.liveEnd);
}
template <typename V> void fields(rt::CounterInfo &r, V &&v) {
  v("kind", r.kind);
  v("routine", r.routine);
  v("pc", r.pc);
}
template <typename V> void fields(rt::PredictionInfo::Term &r, V &&v) {
  v("coef", r.coef);
  v("counters", r.counters);
}
template <typename V> void fields(rt::PredictionInfo &r, V &&v) {
  v("tensor", r.tensor);
  v("reason", r.reason);
  v("write", r.write);
  v("terms", r.terms);
}
template <typename V> void fields(rt::NodeInfo &r, V &&v) {
  v("name", r.name);
  v("op", r.op);
  v("macs", r.macs);
  v("compulsory_bytes", r.compulsoryBytes);
  v("bound_bytes", r.boundBytes);
}
template <typename V> void fields(rt::ExplanationInfo &r, V &&v) {
  v("tensor", r.tensor);
  v("group", r.group);
  v("node", r.node);
  v("write", r.write);
  v("cause", r.cause);
  v("bytes", r.bytes);
  v("more_sram", r.moreSram);
  v("text", r.text);
}
template <typename V> void fields(rt::AlternativeInfo &r, V &&v) {
  v("what", r.what);
  v("bytes", r.bytes);
  v("now", r.now);
  v("more_sram", r.moreSram);
  v("obstacle", r.obstacle);
}
template <typename V> void fields(rt::GroupInfo &r, V &&v) {
  v("nodes", r.nodes);
  v("bytes", r.bytes);
  v("least_bytes", r.leastBytes);
  v("sram_bytes", r.sramBytes);
  v("sram_space", r.sramSpace);
  v("alternatives", r.alternatives);
}
template <typename V> void fields(rt::OccupantInfo &r, V &&v) {
  v("name", r.name);
  v("offset", r.offset);
  v("bytes", r.bytes);
  v("begin", r.begin);
  v("end", r.end);
}
template <typename V> void fields(rt::CallNodes &r, V &&v) {
  v("routine", r.routine);
  v("pc", r.pc);
  v("nodes", r.nodes);
}
template <typename V> void fields(rt::ArtifactData &r, V &&v) {
  v("isa_version", r.isaVersion);
  v("producer", r.producer);
  v("target", r.target);
  v("regions", r.regions);
  v("chunks", r.chunks);
  v("inputs", r.inputs);
  v("outputs", r.outputs);
  v("tensors", r.tensors);
  v("counters", r.counters);
  v("predictions", r.predictions);
  v("nodes", r.nodes);
  v("calls", r.calls);
  v("entries", r.entries);
  v("explanations", r.explanations);
  v("groups", r.groups);
  v("occupants", r.occupants);
  v("compulsory_bytes", r.compulsoryBytes);
  v("bound_bytes", r.boundBytes);
  v("macs", r.macs);
  v("sram_peak", r.sramPeak);
}

template <typename T> constexpr bool isNumber = std::is_integral_v<T> || std::is_enum_v<T>;

/// Fields that are empty or 0 are left out.
struct Writer {
  Builder b;
  SmallVector<NamedAttribute> attributes;

  template <typename T> Attribute valueOf(T &value) {
    if constexpr (std::is_same_v<T, std::string>) {
      return b.getStringAttr(value);
    } else if constexpr (std::is_same_v<T, bool>) {
      return b.getBoolAttr(value);
    } else if constexpr (std::is_same_v<T, double>) {
      return b.getF64FloatAttr(value);
    } else if constexpr (isNumber<T>) {
      return b.getI64IntegerAttr(int64_t(value));
    } else {
      Writer inner{b, {}};
      fields(value, [&](StringRef name, auto &field) { inner(name, field); });
      return b.getDictionaryAttr(inner.attributes);
    }
  }
  template <typename T> Attribute valueOf(std::vector<T> &list) {
    if constexpr (isNumber<T>) {
      SmallVector<int64_t> numbers(list.begin(), list.end());
      return b.getDenseI64ArrayAttr(numbers);
    } else {
      SmallVector<Attribute> rows;
      for (T &row : list)
        rows.push_back(valueOf(row));
      return b.getArrayAttr(rows);
    }
  }
  template <typename T> void operator()(StringRef name, T &value) {
    bool isEmpty = false;
    if constexpr (std::is_same_v<T, rt::ExternalRange> || requires { value.begin(); })
      isEmpty = value.empty();
    else if constexpr (isNumber<T>)
      isEmpty = value == T(0);
    if (!isEmpty)
      attributes.push_back(b.getNamedAttr(name, valueOf(value)));
  }
};

struct Reader {
  Location location;
  std::string where;
  bool *failed;

  void wrong(StringRef name, StringRef expected) {
    if (!*failed)
      emitError(location, "isa.program tables: ") << where << name << " must be " << expected;
    *failed = true;
  }
  template <typename T> void read(StringRef name, Attribute attr, T &value) {
    if constexpr (std::is_same_v<T, std::string>) {
      auto text = dyn_cast<StringAttr>(attr);
      text ? void(value = text.str()) : wrong(name, "a string");
    } else if constexpr (std::is_same_v<T, double>) {
      auto number = dyn_cast<FloatAttr>(attr);
      number ? void(value = number.getValueAsDouble()) : wrong(name, "a float");
    } else if constexpr (isNumber<T>) {
      auto number = dyn_cast<IntegerAttr>(attr);
      number ? void(value = T(number.getValue().getZExtValue())) : wrong(name, "an integer");
    } else {
      auto row = dyn_cast<DictionaryAttr>(attr);
      if (!row)
        return wrong(name, "a dictionary");
      readRow(row, value, where + name.str() + ".");
    }
  }
  template <typename T> void read(StringRef name, Attribute attr, std::vector<T> &list) {
    if constexpr (isNumber<T>) {
      auto numbers = dyn_cast<DenseI64ArrayAttr>(attr);
      if (!numbers)
        return wrong(name, "array<i64: ...>");
      for (int64_t n : numbers.asArrayRef())
        list.push_back(T(n));
    } else {
      auto rows = dyn_cast<ArrayAttr>(attr);
      if (!rows)
        return wrong(name, "an array");
      for (Attribute row : rows)
        read(name, row, list.emplace_back());
    }
  }
  template <typename T> void readRow(DictionaryAttr row, T &value, std::string path) {
    Reader inner{location, std::move(path), failed};
    SmallVector<StringRef> known;
    fields(value, [&](StringRef name, auto &field) {
      known.push_back(name);
      if (Attribute attr = row.get(name)) {
        inner.read(name, attr, field);
      } else {
        // What the writer leaves out is 0, also where the struct says else.
        using F = std::remove_cvref_t<decltype(field)>;
        if constexpr (isNumber<F>)
          field = F(0);
      }
    });
    for (NamedAttribute attr : row)
      if (!llvm::is_contained(known, attr.getName().getValue()) && attr.getName() != "source")
        inner.wrong(attr.getName(), "left out: there is no such field");
  }
};

} // namespace

DictionaryAttr tablesOf(const rt::ArtifactData &data, StringRef source, MLIRContext *context) {
  // The visitors take what they may also write to; code is not copied.
  rt::ArtifactData copy = data;
  Writer writer{Builder(context), {}};
  if (!source.empty())
    writer.attributes.push_back(writer.b.getNamedAttr("source", writer.b.getStringAttr(source)));
  fields(copy, [&](StringRef name, auto &field) { writer(name, field); });
  return writer.b.getDictionaryAttr(writer.attributes);
}

FailureOr<Tables> readTables(DictionaryAttr tables, Location location) {
  Tables result;
  bool failed = false;
  Reader{location, "", &failed}.readRow(tables, result.data, "");
  if (auto source = tables.getAs<StringAttr>("source"))
    result.source = source.str();
  if (failed)
    return failure();
  return result;
}

} // namespace accel::emit
