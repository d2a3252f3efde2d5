//===- stats_json.cc - Statistics as JSON ---------------------------------===//
//
// Stable keys; a quantity that was not computed (cycles without the timing
// model, energy) is null, so that readers find every key.
//
//===----------------------------------------------------------------------===//
#include "acc/runtime/stats.h"
#include <nlohmann/json.hpp>

namespace accel::rt {

std::string Stats::Json(const ArtifactData &data) const {
  using Json = nlohmann::ordered_json;
  Json j;
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
  j["cycles"] = nullptr;
  j["seconds"] = nullptr;
  j["utilization"] = {{"mxu", nullptr}, {"dram", nullptr}};
  j["energy"] = {{"joules", nullptr}};
  j["instructions"] = instructions;
  Json engines;
  for (int e = 0; e < 6; ++e) {
    static const char *const names[6] = {"ctrl", "ld0", "ld1", "st", "mxu", "vec"};
    engines[names[e]] = engineInstructions[e];
  }
  j["engine_instructions"] = engines;
  j["code_bytes"] = codeBytes;
  j["host"] = {{"seconds", hostSeconds}};
  j["nodes"] = Json::array();
  for (const NodeStats &n : nodes)
    j["nodes"].push_back({{"name", n.name},
                          {"op", n.op},
                          {"macs", n.macs},
                          {"dram",
                           {{"read_bytes", n.readBytes},
                            {"write_bytes", n.writeBytes},
                            {"bus_bytes", n.busBytes},
                            {"compulsory_bytes", n.compulsoryBytes},
                            {"bound_bytes", n.boundBytes}}},
                          {"instructions", n.instructions}});
  j["traffic"] = Json::array();
  for (const LedgerEntry &e : ledger) {
    Json entry;
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
  return j.dump(2, ' ', false, Json::error_handler_t::replace);
}

} // namespace accel::rt
