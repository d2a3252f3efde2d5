//===- stats_json.cc - Statistics as JSON ---------------------------------===//
//
// Stable keys; a quantity that was not computed (cycles without the timing
// model, energy) is null, so that readers find every key.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/stats.h"
#include "acc/runtime/timing.h"
#include <nlohmann/json.hpp>

namespace accel::rt {
namespace {

using Object = nlohmann::ordered_json;

constexpr const char *kEngineNames[kTimedEngines] = {"ctrl", "ld0", "ld1", "st", "mxu", "vec"};

double CyclesOf(int64_t ticks) { return double(ticks) / double(kTicksPerCycle); }

double Share(int64_t part, int64_t whole) { return whole ? double(part) / double(whole) : 0; }

/// Busy cycles of each engine that worked or waited, and idle ones by cause.
Object EnginesJson(const std::array<EngineTiming, kTimedEngines> &engines) {
  Object j = Object::object();
  for (int e = 0; e < kTimedEngines; ++e) {
    Object idle = Object::object();
    for (int cause = 0; cause < kStalls; ++cause)
      if (engines[e].idleTicks[cause])
        idle[StallName(Stall(cause))] = CyclesOf(engines[e].idleTicks[cause]);
    if (engines[e].busyTicks || !idle.empty())
      j[kEngineNames[e]] = {{"busy_cycles", CyclesOf(engines[e].busyTicks)}, {"idle_cycles", idle}};
  }
  return j;
}

/// The keys of a whole run.
void AddTiming(const std::optional<TimingStats> &timing, Object &j) {
  j["cycles"] = nullptr;
  j["seconds"] = nullptr;
  j["utilization"] = {{"mxu", nullptr}, {"dram", nullptr}};
  if (!timing)
    return;
  j["cycles"] = timing->Cycles();
  j["seconds"] = timing->Seconds();
  j["utilization"] = {{"mxu", Share(timing->mxuIdealTicks, timing->ticks)},
                      {"dram", Share(timing->dramBusTicks, timing->ticks)}};
  j["engines"] = EnginesJson(timing->engine);
  j["engines"]["dram"] = {{"busy_cycles", CyclesOf(timing->dramBusTicks)},
                          {"idle_cycles",
                           {{"rows", CyclesOf(timing->dramTicks - timing->dramBusTicks)},
                            {"unused", CyclesOf(timing->ticks - timing->dramTicks)}}}};
}

void AddNodeTiming(const std::optional<TimingStats> &timing, size_t node, Object &j) {
  j["cycles"] = nullptr;
  j["seconds"] = nullptr;
  j["utilization"] = {{"mxu", nullptr}, {"dram", nullptr}};
  if (!timing)
    return;
  const NodeTiming &n = timing->nodes[node];
  double cycles = CyclesOf(n.ticks);
  j["cycles"] = cycles;
  j["seconds"] = cycles / double(timing->clockHz);
  j["utilization"] = {{"mxu", Share(n.mxuIdealTicks, n.ticks)},
                      {"dram", Share(n.dramBusTicks, n.ticks)}};
  j["engines"] = EnginesJson(n.engine);
}

} // namespace

std::string Stats::Json(const ArtifactData &data) const {
  Object j;
  j["target"] = data.target.name;
  j["dram"] = {{"read_bytes", readBytes},
               {"write_bytes", writeBytes},
               {"bus_bytes", busBytes},
               {"program_bytes", programBytes},
               {"predicted_bytes", predictedBytes},
               {"compulsory_bytes", compulsoryBytes},
               {"bound_bytes", boundBytes}};
  j["sram"] = {{"peak_bytes", sramPeakBytes}};
  j["accumulators"] = {{"peak_bytes", accPeakBytes}};
  j["macs"] = macs;
  AddTiming(timing, j);
  j["energy"] = {{"joules", nullptr}};
  j["instructions"] = instructions;
  Object engines;
  for (int e = 0; e < kTimedEngines; ++e)
    engines[kEngineNames[e]] = engineInstructions[e];
  j["engine_instructions"] = engines;
  j["code_bytes"] = codeBytes;
  j["host"] = {{"seconds", hostSeconds}};
  j["nodes"] = Object::array();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const NodeStats &n = nodes[i];
    Object node = {{"name", n.name},
                   {"op", n.op},
                   {"macs", n.macs},
                   {"dram",
                    {{"read_bytes", n.readBytes},
                     {"write_bytes", n.writeBytes},
                     {"bus_bytes", n.busBytes},
                     {"compulsory_bytes", n.compulsoryBytes},
                     {"bound_bytes", n.boundBytes}}},
                   {"instructions", n.instructions}};
    AddNodeTiming(timing, i, node);
    j["nodes"].push_back(std::move(node));
  }
  j["traffic"] = Object::array();
  for (const LedgerEntry &e : ledger) {
    Object entry;
    if (e.tensor == kNone)
      entry["tensor"] = nullptr;
    else
      entry["tensor"] = data.tensors[e.tensor].name;
    entry["reason"] = ReasonName(e.reason);
    entry["direction"] = e.write ? "write" : "read";
    entry["bytes"] = e.counted;
    entry["predicted_bytes"] = e.predicted;
    j["traffic"].push_back(std::move(entry));
  }
  // Names come from files: bytes that are not UTF-8 are replaced.
  return j.dump(2, ' ', false, Object::error_handler_t::replace);
}

} // namespace accel::rt
