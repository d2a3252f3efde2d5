//===- Report.h - where the bytes of a program go, and why -----*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `acc explain` and `acc compile --report`: made from the tables of an artifact
// alone, so both say the same. docs/explain.md says what the words mean.
//
// Every number is bytes. Parts add up, which makeReport checks:
//   bytes moved  = sum of all lines            = the prediction, for each tensor
//   above C      = sum of lines that are not compulsory
//
//===----------------------------------------------------------------------===//

#ifndef ACC_REPORT_REPORT_H
#define ACC_REPORT_REPORT_H

#include "absl/status/statusor.h"
#include "acc/runtime/artifact.h"

#include <array>
#include <string>
#include <vector>

namespace accel::report {

/// Bytes of something, by direction and by cause.
struct Traffic {
  int64_t read = 0, written = 0;
  std::array<int64_t, rt::kCauses> causes{}; ///< add up to read + written
  int64_t moved() const { return read + written; }
  int64_t compulsory() const { return causes[int(rt::Cause::Compulsory)]; }
  int64_t excess() const { return moved() - compulsory(); }
  void add(const rt::ExplanationInfo &line);
};

struct TensorRow {
  uint32_t tensor = 0; ///< index in ArtifactData::tensors
  std::string kind;    ///< of its region: weights, input, output, workspace
  Traffic traffic;
};

struct NodeRow {
  uint32_t node = rt::kNone; ///< index in ArtifactData::nodes; kNone: of no node
  int64_t bound = 0;         ///< its share; at least its compulsory bytes
  Traffic traffic;
};

/// Bytes of a cause, and SRAM that would avoid all of them as far as it can.
struct CauseRow {
  rt::Cause cause;
  int64_t bytes = 0, moreSram = 0;
};

struct Report {
  std::string name; ///< of the artifact or model
  const rt::ArtifactData *data;
  Traffic total;
  std::vector<CauseRow> causes;   ///< that occur, most bytes first
  std::vector<TensorRow> tensors; ///< that move, most excess first
  std::vector<NodeRow> nodes;     ///< in the model's order
  std::vector<uint32_t> lines;    ///< of ArtifactData::explanations, most excess first
};

/// The report of an artifact, which must outlive it. Fails if the artifact has no
/// explanation, or one that does not add up to its prediction.
absl::StatusOr<Report> makeReport(const rt::ArtifactData &data, const std::string &name);

struct TextOptions {
  size_t rows = 12;         ///< of each table; 0: all
  std::string tensor, node; ///< only what has this in its name
};

/// For a terminal, 120 columns.
std::string asText(const Report &report, const TextOptions &options);
std::string asJson(const Report &report);
/// One file that needs no network: charts, a table that sorts and filters.
std::string asHtml(const Report &report);

/// `path` ends in .json or .html.
bool isReportPath(const std::string &path);
/// As the path's ending says.
std::string render(const Report &report, const std::string &path);

/// "1,234,567".
std::string grouped(int64_t number);

} // namespace accel::report

#endif // ACC_REPORT_REPORT_H
