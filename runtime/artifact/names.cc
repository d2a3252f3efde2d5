//===- names.cc - Names of reasons and region kinds -----------------------===//
#include "acc/runtime/artifact.h"

namespace accel::rt {

const char *RegionKindName(RegionKind kind) {
  static const char *const names[kRegionKinds] = {"weights",   "input", "output",
                                                  "workspace", "state", "constant"};
  return int(kind) < kRegionKinds ? names[int(kind)] : "?";
}

const char *ReasonName(Reason reason) {
  static const char *const names[kReasons] = {
      "none", "compulsory-load", "compulsory-store", "spill-store",    "spill-load",    "reload",
      "halo", "alignment",       "fragmentation",    "illegal-fusion", "dynamic-shape", "program"};
  return int(reason) < kReasons ? names[int(reason)] : "?";
}

const char *CauseName(Cause cause) {
  static const char *const names[kCauses] = {"compulsory",    "capacity", "illegal-fusion",
                                             "fragmentation", "halo",     "alignment",
                                             "dynamic-shape", "search"};
  return int(cause) < kCauses ? names[int(cause)] : "?";
}

} // namespace accel::rt
