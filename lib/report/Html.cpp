//===- Html.cpp - a report for a browser ----------------------------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// page.html with the JSON report and plotly.js in it: one file, no network.
//===----------------------------------------------------------------------===//

#include "Embedded.h"
#include "acc/Report/Report.h"

namespace accel::report {

/// Text inside of <script>: no tag can begin in it.
static std::string inScript(const std::string &json) {
  std::string out;
  out.reserve(json.size());
  for (char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string asHtml(const Report &report) {
  std::string out;
  std::string_view rest = page();
  auto upTo = [&](std::string_view mark) {
    size_t at = rest.find(mark);
    out += rest.substr(0, at);
    rest.remove_prefix(at + mark.size());
  };
  upTo("{{charts}}");
  out += charts();
  upTo("{{report}}");
  out += inScript(asJson(report));
  out += rest;
  return out;
}

} // namespace accel::report
