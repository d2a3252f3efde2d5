//===- IsaRecords.cpp - reads and checks the ISA's records ----------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "IsaRecords.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/TableGen/Error.h"

#include <limits>
#include <map>

using namespace llvm;

namespace accel::tblgen {
namespace {

std::string str(const Record *record, StringRef name) {
  return record->getValueAsString(name).str();
}

/// In the order of the source, whatever the records are called.
std::vector<const Record *> inOrder(const RecordKeeper &records, StringRef type) {
  ArrayRef<const Record *> found = records.getAllDerivedDefinitions(type);
  std::vector<const Record *> result(found.begin(), found.end());
  llvm::sort(result, [](const Record *a, const Record *b) { return a->getID() < b->getID(); });
  return result;
}

std::vector<std::string> strings(const Record *record, StringRef name) {
  std::vector<std::string> result;
  for (StringRef text : record->getValueAsListOfStrings(name))
    result.push_back(text.str());
  return result;
}

Case readCase(const Record *record) {
  return {str(record, "cpp"), str(record, "text"), str(record, "summary"),
          record->getValueAsInt("value")};
}

Field readField(const Record *record, const Record *layout) {
  const Record *type = record->getValueAsDef("type");
  Field f;
  f.name = str(record, "name");
  f.member = camelCase(f.name);
  f.text = oneLine(str(record, "text"));
  f.kind = str(record, "kind");
  f.unit = str(record, "unit");
  f.offset = record->getValueAsInt("offset");
  f.count = record->getValueAsInt("count");
  f.bytes = type->getValueAsInt("bytes");
  f.init = record->getValueAsInt("init");
  if (type->isSubClassOf("IsaLayout")) {
    f.layout = type;
    f.cppType = str(type, "cpp");
    f.kind = "nested";
  } else if (type->isSubClassOf("IsaEnum")) {
    f.enumeration = type;
    f.cppType = "uint8_t";
    f.kind = "enumeration";
  } else if (type->isSubClassOf("IsaInteger")) {
    f.cppType = str(type, "cpp");
    f.isSigned = type->getValueAsBit("isSigned");
  } else {
    PrintFatalError(layout->getLoc(), "field " + f.name + " has no type of bytes");
  }
  f.min = f.max = 0;
  if (record->getValueAsBit("ranged")) {
    f.min = record->getValueAsInt("min");
    f.max = record->getValueAsInt("max");
  } else if (f.kind == "bits") {
    f.max = record->getValueAsInt("max");
  } else if (f.kind == "register") {
    f.max = 63;
  } else if (f.kind == "semaphore") {
    f.max = 127;
  } else if (f.kind == "dim" || f.kind == "enumeration") {
    f.max = 255;
  } else if (f.kind != "reserved" && f.kind != "nested") {
    int bits = int(f.bytes) * 8;
    f.min = !f.isSigned  ? 0
            : bits == 64 ? std::numeric_limits<int64_t>::min()
                         : -(int64_t(1) << (bits - 1));
    f.max = bits == 64 ? std::numeric_limits<int64_t>::max()
                       : (int64_t(1) << (bits - (f.isSigned ? 1 : 0))) - 1;
  }
  return f;
}

/// Fields in ascending order, without holes, to the layout's end.
void checkCovered(const Layout &layout) {
  int64_t at = 0;
  for (const Field &f : layout.fields) {
    if (f.offset != at)
      PrintFatalError(layout.record->getLoc(), "field " + f.name + " starts at byte " +
                                                   Twine(f.offset) + ", the one before ends at " +
                                                   Twine(at));
    at += f.bytes * f.count;
  }
  if (at != layout.bytes)
    PrintFatalError(layout.record->getLoc(),
                    "the fields have " + Twine(at) + " bytes, not " + Twine(layout.bytes));
}

Instruction readInstruction(const Record *record) {
  Instruction in;
  in.record = record;
  in.mnemonic = str(record, "mnemonic");
  in.cpp = str(record, "cpp");
  in.summary = str(record, "summary");
  in.action = oneLine(str(record, "action"));
  in.notes = oneLine(str(record, "notes"));
  in.opcode = record->getValueAsInt("opcode");
  in.since = record->getValueAsInt("since");
  const Record *format = record->getValueAsDef("format");
  in.isControl = format->getName() == "CtrlWord";
  in.hasOwnOperation = record->getValueAsBit("hasOwnOperation");
  in.hasProgram = record->getValueAsBit("hasProgram");
  in.hasReason = record->getValueAsBit("hasReason");
  in.preconditions = strings(record, "preconditions");
  in.streamNames = strings(record, "streamNames");
  in.descriptorFields = strings(record, "descriptorFields");
  in.flagTexts = strings(record, "flagTexts");
  in.minStreams = record->getValueAsInt("minStreams");
  in.maxStreams = record->getValueAsInt("maxStreams");
  in.flagMask = record->getValueAsInt("flagMask");
  for (const Record *engine : record->getValueAsListOfDefs("engines"))
    in.engines.push_back(readCase(engine));
  for (const Record *use : record->getValueAsListOfDefs("uses")) {
    Use u{str(use, "operand"), str(use, "role"), str(use, "text"), 0, 0};
    bool isKnown = false;
    for (const Record *f : format->getValueAsListOfDefs("fields")) {
      if (str(f, "name") != u.operand)
        continue;
      isKnown = true;
      Field field = readField(f, format);
      u.min = field.min;
      u.max = field.max;
    }
    if (!isKnown)
      PrintFatalError(record->getLoc(), in.mnemonic + " uses the field " + u.operand +
                                            ", which its format does not have");
    if (u.role != "value")
      u.min = 0, u.max = 63;
    if (use->getValueAsBit("ranged")) {
      u.min = use->getValueAsInt("min");
      u.max = use->getValueAsInt("max");
    }
    in.uses.push_back(std::move(u));
  }
  if (in.summary.empty() || in.action.empty())
    PrintFatalError(record->getLoc(), in.mnemonic + " needs a summary and an action");
  if (in.opcode < 0 || in.opcode > 255)
    PrintFatalError(record->getLoc(), in.mnemonic + " has an opcode beyond a byte");
  return in;
}

} // namespace

const Enum &Isa::enumOf(const Record *record) const {
  return *llvm::find_if(enums, [&](const Enum &e) { return e.record == record; });
}
const Layout &Isa::layoutOf(const Record *record) const {
  return *llvm::find_if(layouts, [&](const Layout &l) { return l.record == record; });
}

Isa readIsa(const RecordKeeper &records) {
  Isa isa;
  for (const Record *r : inOrder(records, "IsaConstant"))
    isa.constants.push_back({str(r, "cpp"), str(r, "text"), r->getValueAsInt("value")});
  for (const Record *r : inOrder(records, "IsaEnum")) {
    Enum e{r, str(r, "cpp"), str(r, "summary"), {}};
    std::map<int64_t, std::string> values;
    for (const Record *c : r->getValueAsListOfDefs("cases")) {
      e.cases.push_back(readCase(c));
      if (!values.emplace(e.cases.back().value, e.cases.back().text).second)
        PrintFatalError(r->getLoc(), e.cpp + " has two cases " + Twine(e.cases.back().value));
    }
    isa.enums.push_back(std::move(e));
  }
  for (const Record *r : inOrder(records, "IsaLayout")) {
    Layout l{r,
             str(r, "cpp"),
             str(r, "summary"),
             oneLine(str(r, "description")),
             r->getValueAsInt("bytes"),
             {}};
    for (const Record *f : r->getValueAsListOfDefs("fields"))
      l.fields.push_back(readField(f, r));
    checkCovered(l);
    isa.layouts.push_back(std::move(l));
  }
  std::map<int64_t, std::string> opcodes;
  for (const Record *r : inOrder(records, "IsaInstruction")) {
    isa.instructions.push_back(readInstruction(r));
    const Instruction &in = isa.instructions.back();
    auto [it, isNew] = opcodes.emplace(in.opcode, in.mnemonic);
    if (!isNew)
      PrintFatalError(r->getLoc(), in.mnemonic + " has the opcode of " + it->second);
  }
  llvm::sort(isa.instructions, [](auto &a, auto &b) { return a.opcode < b.opcode; });
  for (const Record *r : inOrder(records, "IsaStep")) {
    Step s{str(r, "name"),
           str(r, "cpp"),
           str(r, "text"),
           r->getValueAsInt("value"),
           r->getValueAsInt("operands"),
           r->getValueAsBit("floats"),
           r->getValueAsBit("ints")};
    if (s.value != int64_t(isa.steps.size()))
      PrintFatalError(r->getLoc(), "steps are numbered from 0 without gaps; " + s.name + " is not");
    isa.steps.push_back(std::move(s));
  }
  return isa;
}

std::string camelCase(StringRef name) {
  std::string result;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i + 1 < name.size())
      result += llvm::toUpper(name[++i]);
    else
      result += name[i];
  }
  return result;
}

std::string escaped(StringRef text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result;
}

std::string oneLine(StringRef text) {
  std::string result;
  for (char c : text.trim())
    result += c == '\n' ? ' ' : c;
  return result;
}

} // namespace accel::tblgen
