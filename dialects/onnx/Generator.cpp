//===- Generator.cpp - TableGen of every operator from ONNX's schemas -----===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// onnx-dialect-generator OUTPUT.td
// Writes one record for each operator of the domain ai.onnx, newest version.
// Knows nothing of MLIR: it prints text.
//
//===----------------------------------------------------------------------===//

#include "onnx/defs/schema.h"

#include <array>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using ::onnx::AttributeProto;
using ::onnx::OpSchema;
using ::onnx::OpSchemaRegistry;

namespace {

/// Allowed types of a value: tensors, sequences, optional tensors, optional
/// sequences by element type, and other kinds (bit 0 map, 1 sparse, 2 none,
/// 3 nested sequences).
using Masks = std::array<uint64_t, 5>;

const std::map<std::string, int> &elementNumbers() {
  static const std::map<std::string, int> numbers = {{"float", 1},         {"uint8", 2},
                                                     {"int8", 3},          {"uint16", 4},
                                                     {"int16", 5},         {"int32", 6},
                                                     {"int64", 7},         {"string", 8},
                                                     {"bool", 9},          {"float16", 10},
                                                     {"double", 11},       {"uint32", 12},
                                                     {"uint64", 13},       {"complex64", 14},
                                                     {"complex128", 15},   {"bfloat16", 16},
                                                     {"float8e4m3fn", 17}, {"float8e4m3fnuz", 18},
                                                     {"float8e5m2", 19},   {"float8e5m2fnuz", 20},
                                                     {"uint4", 21},        {"int4", 22},
                                                     {"float4e2m1", 23},   {"float8e8m0", 24},
                                                     {"uint2", 25},        {"int2", 26}};
  return numbers;
}

bool unwrap(const std::string &text, const std::string &kind, std::string &inner) {
  if (text.rfind(kind + "(", 0) != 0 || text.back() != ')')
    return false;
  inner = text.substr(kind.size() + 1, text.size() - kind.size() - 2);
  return true;
}

void addType(Masks &masks, const std::string &type) {
  std::string a, b, c;
  auto bit = [](const std::string &element) {
    auto found = elementNumbers().find(element);
    if (found == elementNumbers().end()) {
      std::cerr << "onnx-dialect-generator: unknown element type '" << element
                << "': add it to elementNumbers()\n";
      exit(1);
    }
    return uint64_t(1) << found->second;
  };
  if (unwrap(type, "tensor", a))
    masks[0] |= bit(a);
  else if (unwrap(type, "seq", a) && unwrap(a, "tensor", b))
    masks[1] |= bit(b);
  else if (unwrap(type, "optional", a) && unwrap(a, "tensor", b))
    masks[2] |= bit(b);
  else if (unwrap(type, "optional", a) && unwrap(a, "seq", b) && unwrap(b, "tensor", c))
    masks[3] |= bit(c);
  else if (type.rfind("map", 0) == 0)
    masks[4] |= 1;
  else if (type.rfind("sparse_tensor", 0) == 0)
    masks[4] |= 2;
  else
    masks[4] |= 8;
}

std::string describe(const Masks &masks) {
  static const char *kinds[] = {"tensor", "sequence", "optional tensor", "optional sequence"};
  std::string text;
  for (int kind = 0; kind < 4; ++kind) {
    if (!masks[kind])
      continue;
    text += (text.empty() ? "" : " or ") + std::string(kinds[kind]) + " of";
    int count = 0;
    for (const auto &[name, number] : elementNumbers())
      if (masks[kind] >> number & 1)
        text += (count++ ? ", " : " ") + name;
    if (count >= 20) // nearly all of them: the list would not help
      text = text.substr(0, text.rfind(" of")) + " of any element type";
  }
  if (masks[4] & 1)
    text += text.empty() ? "map" : " or map";
  return text.empty() ? "value" : text;
}

/// "then_branch" -> "ThenBranch": the accessor that mlir-tblgen derives.
std::string accessor(const std::string &name) {
  std::string result;
  bool upper = true;
  for (char c : name) {
    if (c == '_')
      upper = true;
    else {
      result += upper ? char(std::toupper(c)) : c;
      upper = false;
    }
  }
  return result;
}

std::string identifier(const std::string &name) {
  std::string result;
  for (char c : name)
    result += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  if (result.empty() || std::isdigit(static_cast<unsigned char>(result[0])))
    result = "_" + result;
  return result;
}

std::string quote(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + "\"";
}

class Writer {
public:
  void add(const OpSchema &schema);
  std::string text() const { return types.str() + "\n" + ops.str(); }
  unsigned count = 0;

private:
  std::ostringstream types, ops;
  std::map<Masks, std::string> known;

  std::string typeRecord(const OpSchema::FormalParameter &parameter);
  std::string parameters(const std::vector<OpSchema::FormalParameter> &list,
                         const std::string &suffix, std::set<std::string> &taken);
};

std::string Writer::typeRecord(const OpSchema::FormalParameter &parameter) {
  Masks masks{};
  std::set<std::string> sorted;
  for (const auto &type : parameter.GetTypes())
    sorted.insert(*type);
  for (const std::string &type : sorted)
    addType(masks, type);
  if (parameter.GetOption() != OpSchema::Single)
    masks[4] |= 4;
  auto [entry, isNew] = known.try_emplace(masks, "Onnx_T" + std::to_string(known.size()));
  if (isNew) {
    types << "def " << entry->second << " : Onnx_Value<\"";
    for (size_t i = 0; i < masks.size(); ++i)
      types << (i ? ", " : "") << masks[i] << "ull";
    types << "\", " << quote(describe(masks)) << ">;\n";
  }
  return entry->second;
}

std::string Writer::parameters(const std::vector<OpSchema::FormalParameter> &list,
                               const std::string &suffix, std::set<std::string> &taken) {
  std::string result;
  for (const auto &parameter : list) {
    std::string name = identifier(parameter.GetName());
    while (!taken.insert(accessor(name)).second)
      name += suffix;
    std::string type = typeRecord(parameter);
    if (parameter.GetOption() == OpSchema::Variadic)
      type = "Variadic<" + type + ">";
    result += (result.empty() ? "" : ", ") + type + ":$" + name;
  }
  return result;
}

/// ODS constraint of an attribute; empty for graphs, which are regions.
std::string attributeRecord(const OpSchema::Attribute &attribute) {
  std::string base, fallback;
  const AttributeProto &value = attribute.default_value;
  switch (attribute.type) {
  case AttributeProto::INT:
    base = "I64Attr", fallback = std::to_string(value.i());
    break;
  case AttributeProto::FLOAT: {
    std::ostringstream number;
    number.precision(9);
    number << value.f();
    base = "F32Attr", fallback = "::llvm::APFloat(float(" + number.str() + "))";
    break;
  }
  case AttributeProto::STRING:
    base = "StrAttr", fallback = value.s().empty() ? "" : quote(value.s());
    break;
  case AttributeProto::INTS:
    base = "DenseI64ArrayAttr";
    break;
  case AttributeProto::FLOATS:
    base = "DenseF32ArrayAttr";
    break;
  case AttributeProto::STRINGS:
    base = "StrArrayAttr";
    break;
  case AttributeProto::TYPE_PROTO:
    base = "TypeAttr";
    break;
  case AttributeProto::GRAPH:
    return "";
  default:
    base = "Onnx_TensorValue";
  }
  if (attribute.required)
    return base;
  bool hasDefault = value.type() == attribute.type && !fallback.empty();
  return hasDefault ? "DefaultValuedOptionalAttr<" + base + ", " + quote(fallback) + ">"
                    : "OptionalAttr<" + base + ">";
}

void Writer::add(const OpSchema &schema) {
  ++count;
  // Accessors that every operation has already.
  std::set<std::string> taken = {"Operation",  "Operands", "OperandTypes", "Results", "ResultTypes",
                                 "Type",       "Loc",      "Context",      "Attrs",   "Attr",
                                 "Parent",     "Regions",  "Properties",   "Result",  "Operand",
                                 "Successors", "Body",     "BodyRegion",   "Name"};
  std::string attributes, regions, docs;
  for (const auto &[name, attribute] : schema.attributes()) {
    std::string record = attributeRecord(attribute);
    taken.insert(accessor(name));
    if (record.empty()) {
      std::string region = name == "body" ? "subgraph" : name;
      taken.insert(accessor(region));
      regions += (regions.empty() ? "" : ", ") + ("AnyRegion:$" + identifier(region));
    } else {
      attributes += ", " + record + ":$" + name;
    }
    docs += "\n* `" + name + "`: " + attribute.description;
  }
  std::string inputs = parameters(schema.inputs(), "_in", taken);
  std::string outputs = parameters(schema.outputs(), "_out", taken);
  if (inputs.empty() && !attributes.empty())
    attributes = attributes.substr(2);

  std::string doc = schema.doc() ? schema.doc() : "";
  doc += "\nSince opset " + std::to_string(schema.since_version()) + ".\n";
  for (const auto *list : {&schema.inputs(), &schema.outputs()})
    for (const auto &parameter : *list)
      doc += "\n* `" + parameter.GetName() + "`: " + parameter.GetDescription();
  doc += docs;
  for (size_t at; (at = doc.find("}]")) != std::string::npos;)
    doc.replace(at, 2, "} ]");
  std::string summary = doc.substr(doc.find_first_not_of(" \n"));
  summary = summary.substr(0, std::min(summary.find('\n'), summary.find(". ")));
  ops << "\ndef Onnx_" << schema.Name() << "Op : Onnx_Op<\"" << schema.Name() << "\"> {\n"
      << "  let summary = " << quote(summary) << ";\n"
      << "  let description = [{" << doc << "\n  }];\n"
      << "  let arguments = (ins " << inputs << attributes << ");\n"
      << "  let results = (outs " << outputs << ");\n";
  if (!regions.empty())
    ops << "  let regions = (region " << regions << ");\n";
  ops << "}\n";
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: onnx-dialect-generator OUTPUT.td\n";
    return 2;
  }
  // Newest version of each operator, the deprecated ones (Upsample) too: a model
  // may still hold them.
  std::map<std::string, OpSchema> newest;
  for (const OpSchema &schema : OpSchemaRegistry::get_all_schemas_with_history()) {
    if (!schema.domain().empty())
      continue;
    auto found = newest.find(schema.Name());
    if (found == newest.end())
      newest.emplace(schema.Name(), schema);
    else if (found->second.Deprecated() ||
             (!schema.Deprecated() && found->second.since_version() < schema.since_version()))
      found->second = schema;
  }
  Writer writer;
  for (const auto &[name, schema] : newest)
    writer.add(schema);
  std::ofstream file(argv[1], std::ios::binary);
  file << "// Generated by onnx-dialect-generator from ONNX's schema registry: " << writer.count
       << " operators.\n"
       << writer.text();
  file.close();
  if (!file) {
    std::cerr << "onnx-dialect-generator: cannot write '" << argv[1] << "'\n";
    return 1;
  }
  return 0;
}
