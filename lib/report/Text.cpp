//===- Text.cpp - a report for a terminal ---------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "acc/Report/Report.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include <algorithm>

namespace accel::report {

/// Columns of a terminal that text is broken to.
static constexpr size_t kWidth = 118;

static std::string ratio(int64_t moved, int64_t least) {
  return least ? absl::StrFormat("%.2f", double(moved) / double(least)) : "-";
}

static std::string size(int64_t bytes) {
  return bytes < 10240 ? absl::StrCat(bytes, " bytes")
                       : absl::StrCat((bytes + 1023) / 1024, " KiB");
}

/// The end of a name that is longer than its column: where names differ.
static std::string fitted(const std::string &name, size_t width) {
  return name.size() <= width ? name : "..." + name.substr(name.size() - width + 3);
}

/// `text` in lines of kWidth that are indented alike.
static std::string broken(const std::string &text, size_t indent) {
  std::string out, line(indent, ' ');
  size_t at = 0;
  while (at < text.size()) {
    size_t end = std::min(text.find(' ', at), text.size());
    if (line.size() > indent && line.size() + 1 + (end - at) > kWidth) {
      absl::StrAppend(&out, line, "\n");
      line.assign(indent, ' ');
    }
    absl::StrAppend(&line, line.size() > indent ? " " : "", text.substr(at, end - at));
    at = end + 1;
  }
  return out + line + "\n";
}

namespace {
class Writer {
public:
  Writer(const Report &report, const TextOptions &options)
      : report(report), data(*report.data), options(options) {}
  std::string run();

private:
  std::string nodeName(uint32_t node) const {
    return node == rt::kNone ? "(no node)" : data.nodes[node].name;
  }
  bool chosen(const rt::ExplanationInfo &line) const {
    return absl::StrContains(data.tensors[line.tensor].name, options.tensor) &&
           absl::StrContains(nodeName(line.node), options.node);
  }
  size_t rows(size_t count) const { return options.rows ? std::min(options.rows, count) : count; }
  void more(size_t shown, size_t count) {
    if (shown < count)
      absl::StrAppend(&out, "  ... ", count - shown, " more: --rows 0 prints all\n");
  }
  void summary();
  void causes();
  void tensors();
  void nodes();
  void lines();
  void groups();

  const Report &report;
  const rt::ArtifactData &data;
  const TextOptions &options;
  std::string out;
};
} // namespace

void Writer::summary() {
  const Traffic &t = report.total;
  absl::StrAppendFormat(&out, "%s for %s: %s of SRAM, %s at the fullest moment\n\n", report.name,
                        data.target.name, size(data.target.sramBytes), size(data.sramPeak));
  absl::StrAppendFormat(&out, "DRAM bytes     %15s  %s read, %s written\n", grouped(t.moved()),
                        grouped(t.read), grouped(t.written));
  absl::StrAppendFormat(&out, "compulsory     %15s  moved / compulsory = %s\n",
                        grouped(t.compulsory()), ratio(t.moved(), t.compulsory()));
  absl::StrAppendFormat(&out, "bound          %15s  moved / bound = %s\n", grouped(data.boundBytes),
                        ratio(t.moved(), data.boundBytes));
}

void Writer::causes() {
  absl::StrAppend(&out, "\nwhy bytes move\n");
  for (const CauseRow &row : report.causes) {
    absl::StrAppendFormat(&out, "  %-15s%14s  %5.1f %%", rt::CauseName(row.cause),
                          grouped(row.bytes),
                          100.0 * double(row.bytes) / double(report.total.moved()));
    if (row.moreSram)
      absl::StrAppend(&out, "   the largest needs ", size(row.moreSram), " more SRAM");
    absl::StrAppend(&out, "\n");
  }
}

void Writer::tensors() {
  std::vector<const TensorRow *> chosen;
  for (const TensorRow &row : report.tensors)
    if (row.traffic.excess() && absl::StrContains(data.tensors[row.tensor].name, options.tensor))
      chosen.push_back(&row);
  if (chosen.empty())
    return;
  absl::StrAppendFormat(&out, "\n%-46s%-11s%13s%13s%13s%13s%8s\n", "tensors above compulsory", "",
                        "size", "read", "written", "compulsory", "ratio");
  size_t shown = rows(chosen.size());
  for (size_t i = 0; i < shown; ++i) {
    const TensorRow &row = *chosen[i];
    const rt::TensorInfo &tensor = data.tensors[row.tensor];
    absl::StrAppendFormat(&out, "  %-44s%-11s%13s%13s%13s%13s%8s\n", fitted(tensor.name, 43),
                          row.kind, grouped(tensor.bytes), grouped(row.traffic.read),
                          grouped(row.traffic.written), grouped(row.traffic.compulsory()),
                          ratio(row.traffic.moved(), row.traffic.compulsory()));
  }
  more(shown, chosen.size());
}

void Writer::nodes() {
  std::vector<const NodeRow *> chosen;
  for (const NodeRow &row : report.nodes)
    if (row.traffic.excess() && absl::StrContains(nodeName(row.node), options.node))
      chosen.push_back(&row);
  if (chosen.empty())
    return;
  std::stable_sort(chosen.begin(), chosen.end(), [](const NodeRow *a, const NodeRow *b) {
    return a->traffic.excess() > b->traffic.excess();
  });
  absl::StrAppendFormat(&out, "\n%-40s%-17s%13s%13s%13s%13s%8s\n", "nodes above compulsory", "",
                        "read", "written", "compulsory", "bound", "ratio");
  size_t shown = rows(chosen.size());
  for (size_t i = 0; i < shown; ++i) {
    const NodeRow &row = *chosen[i];
    absl::StrAppendFormat(&out, "  %-38s%-17s%13s%13s%13s%13s%8s\n", fitted(nodeName(row.node), 37),
                          row.node == rt::kNone ? "" : fitted(data.nodes[row.node].op, 16),
                          grouped(row.traffic.read), grouped(row.traffic.written),
                          grouped(row.traffic.compulsory()), grouped(row.bound),
                          ratio(row.traffic.moved(), row.bound));
  }
  more(shown, chosen.size());
}

/// Bytes of one reason and tensor, with what would remove them.
void Writer::lines() {
  std::vector<const rt::ExplanationInfo *> found;
  for (uint32_t index : report.lines)
    if (const rt::ExplanationInfo &line = data.explanations[index];
        line.cause != rt::Cause::Compulsory && chosen(line))
      found.push_back(&line);
  if (found.empty())
    return;
  absl::StrAppend(&out, "\nreasons\n");
  size_t shown = rows(found.size());
  for (size_t i = 0; i < shown; ++i) {
    const rt::ExplanationInfo &line = *found[i];
    absl::StrAppendFormat(&out, "  %13s  %-7s  %s  (%s)\n", grouped(line.bytes),
                          line.write ? "written" : "read", data.tensors[line.tensor].name,
                          nodeName(line.node));
    out += broken(absl::StrCat(rt::CauseName(line.cause), line.text.empty() ? "" : ": ", line.text),
                  26);
  }
  more(shown, found.size());
}

void Writer::groups() {
  std::vector<uint32_t> found;
  for (uint32_t g = 0; g < data.groups.size(); ++g) {
    const rt::GroupInfo &group = data.groups[g];
    bool named = options.node.empty();
    for (uint32_t node : group.nodes)
      named |= absl::StrContains(nodeName(node), options.node);
    if (!group.alternatives.empty() && named)
      found.push_back(g);
  }
  if (found.empty())
    return;
  std::stable_sort(found.begin(), found.end(), [&](uint32_t a, uint32_t b) {
    return data.groups[a].bytes - data.groups[a].leastBytes >
           data.groups[b].bytes - data.groups[b].leastBytes;
  });
  absl::StrAppend(&out, "\nalternatives that were considered\n");
  size_t shown = rows(found.size());
  for (size_t i = 0; i < shown; ++i) {
    const rt::GroupInfo &group = data.groups[found[i]];
    std::string names;
    if (!group.nodes.empty())
      names = nodeName(group.nodes.front());
    if (group.nodes.size() > 1)
      absl::StrAppend(&names, " ... ", nodeName(group.nodes.back()));
    absl::StrAppendFormat(&out, "  group %d, %s: %s bytes in %s of %s SRAM\n", int(found[i]), names,
                          grouped(group.bytes), size(group.sramBytes), size(group.sramSpace));
    for (const rt::AlternativeInfo &other : group.alternatives) {
      std::string text = absl::StrCat(other.what, ": ");
      if (other.bytes >= 0)
        absl::StrAppend(&text, grouped(other.bytes), " bytes instead of ", grouped(other.now));
      if (other.bytes >= 0 && other.moreSram)
        absl::StrAppend(&text, ", fewer with ", size(other.moreSram), " more SRAM");
      absl::StrAppend(&text, other.bytes >= 0 && !other.obstacle.empty() ? "; " : "",
                      other.obstacle);
      out += broken(text, 6);
    }
  }
  more(shown, found.size());
}

std::string Writer::run() {
  bool all = options.tensor.empty() && options.node.empty();
  if (all) {
    summary();
    causes();
  }
  if (options.node.empty())
    tensors();
  if (options.tensor.empty())
    nodes();
  lines();
  if (options.tensor.empty())
    groups();
  if (out.empty())
    out = "nothing above compulsory has such a name\n";
  else if (out[0] == '\n')
    out.erase(0, 1);
  return out;
}

std::string asText(const Report &report, const TextOptions &options) {
  return Writer(report, options).run();
}

} // namespace accel::report
