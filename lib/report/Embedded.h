//===- Embedded.h - files that are part of the compiler ---------*- C++ -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ACC_LIB_REPORT_EMBEDDED_H
#define ACC_LIB_REPORT_EMBEDDED_H

#include <string_view>

namespace accel::report {

/// page.html, with places for what asHtml puts in.
std::string_view page();
/// plotly.js (MIT licence, named in its first lines).
std::string_view charts();

} // namespace accel::report

#endif // ACC_LIB_REPORT_EMBEDDED_H
