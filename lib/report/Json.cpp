//===- Json.cpp - a report for programs -----------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Report/Report.h"

#include <nlohmann/json.hpp>

namespace accel::report {

using Json = nlohmann::ordered_json;

static Json causesOf(const Traffic &traffic) {
  Json causes = Json::object();
  for (int cause = 0; cause < rt::kCauses; ++cause)
    if (traffic.causes[cause])
      causes[rt::CauseName(rt::Cause(cause))] = traffic.causes[cause];
  return causes;
}

/// Quotient, or null where there is nothing to compare with.
static Json ratio(int64_t moved, int64_t least) {
  return least ? Json(double(moved) / double(least)) : Json(nullptr);
}

static void addTraffic(Json &row, const Traffic &traffic) {
  row["read_bytes"] = traffic.read;
  row["write_bytes"] = traffic.written;
  row["compulsory_bytes"] = traffic.compulsory();
  row["causes"] = causesOf(traffic);
}

static Json nodeName(const rt::ArtifactData &data, uint32_t node) {
  return node == rt::kNone ? Json(nullptr) : Json(data.nodes[node].name);
}

static Json groupRow(const rt::ArtifactData &data, const rt::GroupInfo &group) {
  Json names = Json::array(), alternatives = Json::array();
  for (uint32_t node : group.nodes)
    names.push_back(nodeName(data, node));
  for (const rt::AlternativeInfo &other : group.alternatives) {
    Json row{{"what", other.what},
             {"bytes", other.bytes < 0 ? Json(nullptr) : Json(other.bytes)},
             {"bytes_now", other.now},
             {"more_sram_bytes", other.moreSram}};
    if (!other.obstacle.empty())
      row["obstacle"] = other.obstacle;
    alternatives.push_back(std::move(row));
  }
  return {{"nodes", std::move(names)},           {"bytes", group.bytes},
          {"least_bytes", group.leastBytes},     {"sram_bytes", group.sramBytes},
          {"sram_space_bytes", group.sramSpace}, {"alternatives", std::move(alternatives)}};
}

std::string asJson(const Report &report) {
  const rt::ArtifactData &data = *report.data;
  Json json{{"version", 1}, {"name", report.name}};
  json["target"] = {{"name", data.target.name},
                    {"sram_bytes", data.target.sramBytes},
                    {"acc_bytes", data.target.accBytes}};
  Json &dram = json["dram"];
  addTraffic(dram, report.total);
  dram["bound_bytes"] = data.boundBytes;
  dram["ratio_to_compulsory"] = ratio(report.total.moved(), report.total.compulsory());
  dram["ratio_to_bound"] = ratio(report.total.moved(), data.boundBytes);
  Json &causes = json["causes"] = Json::array();
  for (const CauseRow &row : report.causes)
    causes.push_back({{"cause", rt::CauseName(row.cause)},
                      {"bytes", row.bytes},
                      {"more_sram_bytes", row.moreSram}});
  Json &tensors = json["tensors"] = Json::array();
  for (const TensorRow &row : report.tensors) {
    const rt::TensorInfo &tensor = data.tensors[row.tensor];
    Json &entry = tensors.emplace_back(
        Json{{"name", tensor.name}, {"kind", row.kind}, {"bytes", tensor.bytes}});
    addTraffic(entry, row.traffic);
  }
  Json &nodes = json["nodes"] = Json::array();
  for (const NodeRow &row : report.nodes) {
    Json &entry = nodes.emplace_back(Json{{"name", nodeName(data, row.node)}});
    entry["op"] = row.node == rt::kNone ? "" : data.nodes[row.node].op;
    addTraffic(entry, row.traffic);
    entry["bound_bytes"] = row.bound;
    entry["ratio_to_bound"] = ratio(row.traffic.moved(), row.bound);
  }
  Json &groups = json["groups"] = Json::array();
  for (const rt::GroupInfo &group : data.groups)
    groups.push_back(groupRow(data, group));
  Json &lines = json["lines"] = Json::array();
  for (uint32_t index : report.lines) {
    const rt::ExplanationInfo &line = data.explanations[index];
    Json entry{{"tensor", data.tensors[line.tensor].name},
               {"node", nodeName(data, line.node)},
               {"group", line.group},
               {"write", line.write},
               {"cause", rt::CauseName(line.cause)},
               {"bytes", line.bytes}};
    if (line.moreSram)
      entry["more_sram_bytes"] = line.moreSram;
    if (!line.text.empty())
      entry["text"] = line.text;
    lines.push_back(std::move(entry));
  }
  Json &sram = json["sram"];
  sram = {{"peak_bytes", data.sramPeak}, {"capacity_bytes", data.target.sramBytes}};
  Json &occupants = sram["occupants"] = Json::array();
  for (const rt::OccupantInfo &o : data.occupants)
    occupants.push_back({{"name", o.name},
                         {"offset", o.offset},
                         {"bytes", o.bytes},
                         {"begin", o.begin},
                         {"end", o.end}});
  // Names in a model need not be UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace accel::report
