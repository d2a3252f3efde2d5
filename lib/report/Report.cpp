//===- Report.cpp - where the bytes of a program go, and why --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Report/Report.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace accel::report {

void Traffic::add(const rt::ExplanationInfo &line) {
  (line.write ? written : read) += line.bytes;
  causes[int(line.cause)] += line.bytes;
}

/// What lines say of a tensor must be what is predicted of it.
static absl::Status checkSums(const rt::ArtifactData &data, const std::string &name) {
  std::map<std::pair<uint32_t, bool>, int64_t> difference;
  for (const rt::ExplanationInfo &line : data.explanations)
    difference[{line.tensor, line.write}] += line.bytes;
  for (const rt::PredictionInfo &prediction : data.predictions)
    for (const rt::PredictionInfo::Term &term : prediction.terms)
      if (term.counters.empty())
        difference[{prediction.tensor, prediction.write}] -= term.coef;
  for (auto [key, bytes] : difference)
    if (bytes)
      return absl::FailedPreconditionError(absl::StrCat(
          name, ": explains ", bytes > 0 ? bytes : -bytes, " bytes ", bytes > 0 ? "more" : "fewer",
          " than are predicted of tensor \"", data.tensors[key.first].name, "\""));
  return absl::OkStatus();
}

static const char *kindOf(const rt::ArtifactData &data, const rt::TensorInfo &tensor) {
  for (const rt::RegionInfo &region : data.regions)
    if (region.id == tensor.region)
      return rt::RegionKindName(region.kind);
  return "?";
}

absl::StatusOr<Report> makeReport(const rt::ArtifactData &data, const std::string &name) {
  if (data.explanations.empty())
    return absl::FailedPreconditionError(
        absl::StrCat(name, ": says nothing about why bytes move; compile the model again"));
  if (absl::Status status = checkSums(data, name); !status.ok())
    return status;
  Report report{name, &data, {}, {}, {}, {}, {}};
  std::map<uint32_t, Traffic> tensors, nodes;
  std::array<CauseRow, rt::kCauses> causes{};
  for (const rt::ExplanationInfo &line : data.explanations) {
    report.total.add(line);
    tensors[line.tensor].add(line);
    nodes[line.node].add(line);
    CauseRow &row = causes[int(line.cause)];
    row.cause = line.cause;
    row.bytes += line.bytes;
    row.moreSram = std::max(row.moreSram, line.moreSram);
  }
  for (const CauseRow &row : causes)
    if (row.bytes)
      report.causes.push_back(row);
  std::stable_sort(report.causes.begin(), report.causes.end(),
                   [](const CauseRow &a, const CauseRow &b) { return a.bytes > b.bytes; });
  for (auto &[tensor, traffic] : tensors)
    report.tensors.push_back({tensor, kindOf(data, data.tensors[tensor]), traffic});
  std::stable_sort(report.tensors.begin(), report.tensors.end(),
                   [](const TensorRow &a, const TensorRow &b) {
                     return std::pair(a.traffic.excess(), a.traffic.moved()) >
                            std::pair(b.traffic.excess(), b.traffic.moved());
                   });
  for (uint32_t node = 0; node < data.nodes.size(); ++node)
    if (nodes.count(node) || data.nodes[node].boundBytes)
      report.nodes.push_back({node, data.nodes[node].boundBytes, nodes[node]});
  if (nodes.count(rt::kNone))
    report.nodes.push_back({rt::kNone, 0, nodes[rt::kNone]});
  report.lines.resize(data.explanations.size());
  std::iota(report.lines.begin(), report.lines.end(), 0);
  auto key = [&](uint32_t line) {
    const rt::ExplanationInfo &e = data.explanations[line];
    return std::tuple(e.cause == rt::Cause::Compulsory, -e.bytes);
  };
  std::stable_sort(report.lines.begin(), report.lines.end(),
                   [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  return report;
}

bool isReportPath(const std::string &path) {
  return absl::EndsWith(path, ".json") || absl::EndsWith(path, ".html");
}

std::string render(const Report &report, const std::string &path) {
  return absl::EndsWith(path, ".html") ? asHtml(report) : asJson(report);
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (int at = int(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(size_t(at), ",");
  return (number < 0 ? "-" : "") + digits;
}

} // namespace accel::report
