//===- WireScan.cpp - an ONNX file without its large tensors --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass collects edits in file order (data to leave out, tokens to put in,
// lengths of enclosing messages to correct), a second one applies them: linear
// in the size of the file however deep messages are nested.
//
//===----------------------------------------------------------------------===//

#include "WireScan.h"

#include "onnx/WeightFiles.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

#include <cstring>

using namespace llvm;
using namespace accel::import;

namespace {

// Messages of onnx.proto that can contain tensors, and their fields that do.
enum class Kind { Model, Graph, Node, Attribute, Function, Tensor, Sparse, Training };

struct ChildField {
  Kind parent;
  uint32_t field;
  Kind child;
};
constexpr ChildField kChildren[] = {
    {Kind::Model, 7, Kind::Graph},        {Kind::Model, 20, Kind::Training},
    {Kind::Model, 25, Kind::Function},    {Kind::Training, 1, Kind::Graph},
    {Kind::Training, 2, Kind::Graph},     {Kind::Graph, 1, Kind::Node},
    {Kind::Graph, 5, Kind::Tensor},       {Kind::Graph, 15, Kind::Sparse},
    {Kind::Node, 5, Kind::Attribute},     {Kind::Attribute, 5, Kind::Tensor},
    {Kind::Attribute, 6, Kind::Graph},    {Kind::Attribute, 10, Kind::Tensor},
    {Kind::Attribute, 11, Kind::Graph},   {Kind::Attribute, 22, Kind::Sparse},
    {Kind::Attribute, 23, Kind::Sparse},  {Kind::Function, 7, Kind::Node},
    {Kind::Function, 11, Kind::Attribute}};

std::optional<Kind> childKind(Kind parent, uint32_t field) {
  for (const ChildField &child : kChildren)
    if (child.parent == parent && child.field == field)
      return child.child;
  return std::nullopt;
}

struct Field {
  uint32_t number = 0, wireType = 0;
  uint64_t begin = 0;               // of the tag
  uint64_t lengthAt = 0;            // of the length varint
  uint64_t payload = 0, length = 0; // of the contents
  uint64_t end() const { return payload + length; }
};

struct Edit {
  uint64_t position, removed;
  std::string inserted;
};

std::string varint(uint64_t value) {
  std::string text;
  while (value >= 0x80) {
    text += char(value | 0x80);
    value >>= 7;
  }
  return text + char(value);
}

class Scanner {
public:
  explicit Scanner(ArrayRef<char> file) : file(file) {}
  Skeleton run();

private:
  ArrayRef<char> file;
  std::vector<Edit> edits;
  Skeleton result;

  bool fail(uint64_t at, const Twine &what) {
    if (result.error.empty())
      result.error = ("damaged at byte " + Twine(at) + ": " + what).str();
    return false;
  }
  bool readVarint(uint64_t &at, uint64_t end, uint64_t &value);
  bool readField(uint64_t &at, uint64_t end, Field &field);
  bool scanMessage(Kind kind, uint64_t begin, uint64_t end, unsigned depth, int64_t &growth);
  bool scanTensor(uint64_t begin, uint64_t end, int64_t &growth);
  bool decodeIntegers(ArrayRef<Field> fields, unsigned bytes, std::vector<char> &decoded);
};

bool Scanner::readVarint(uint64_t &at, uint64_t end, uint64_t &value) {
  uint64_t begin = at;
  value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at >= end)
      return fail(begin, "a number is cut off");
    auto byte = static_cast<unsigned char>(file[at++]);
    if (shift < 64)
      value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return fail(begin, "a number is longer than 10 bytes");
}

bool Scanner::readField(uint64_t &at, uint64_t end, Field &field) {
  field.begin = at;
  uint64_t tag;
  if (!readVarint(at, end, tag))
    return false;
  field.number = tag >> 3, field.wireType = tag & 7;
  if (field.number == 0 || tag > UINT32_MAX)
    return fail(field.begin, "no protobuf field has number " + Twine(tag >> 3));
  switch (field.wireType) {
  case 0: {
    uint64_t value;
    field.payload = at;
    if (!readVarint(at, end, value))
      return false;
    field.length = at - field.payload;
    return true;
  }
  case 1:
  case 5:
    field.payload = at;
    field.length = field.wireType == 1 ? 8 : 4;
    break;
  case 2:
    field.lengthAt = at;
    if (!readVarint(at, end, field.length))
      return false;
    field.payload = at;
    break;
  default:
    return fail(field.begin, "wire type " + Twine(field.wireType) + " does not occur in ONNX");
  }
  if (field.length > end - field.payload)
    return fail(field.begin, "field " + Twine(field.number) + " needs " + Twine(field.length) +
                                 " bytes, " + Twine(end - field.payload) + " are left");
  at = field.end();
  return true;
}

/// `growth` is what edits inside the message add to its length.
bool Scanner::scanMessage(Kind kind, uint64_t begin, uint64_t end, unsigned depth,
                          int64_t &growth) {
  growth = 0;
  if (depth > 3 * kMaxNesting + 8)
    return fail(begin, "subgraphs are nested deeper than " + Twine(kMaxNesting));
  for (uint64_t at = begin; at < end;) {
    Field field;
    if (!readField(at, end, field))
      return false;
    std::optional<Kind> child = childKind(kind, field.number);
    if (!child || field.wireType != 2)
      continue;
    size_t slot = edits.size();
    edits.push_back({field.lengthAt, 0, ""});
    int64_t inner = 0;
    if (*child == Kind::Tensor ? !scanTensor(field.payload, field.end(), inner)
                               : !scanMessage(*child, field.payload, field.end(), depth + 1, inner))
      return false;
    if (edits.size() == slot + 1) {
      edits.pop_back();
      continue;
    }
    uint64_t oldBytes = field.payload - field.lengthAt;
    edits[slot] = {field.lengthAt, oldBytes, varint(field.length + inner)};
    growth += inner + int64_t(edits[slot].inserted.size()) - int64_t(oldBytes);
  }
  return true;
}

// Fields of TensorProto.
enum : uint32_t {
  kDataType = 2,
  kFloatData = 4,
  kInt32Data = 5,
  kInt64Data = 7,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11
};

/// Bytes of an element that int32_data or uint64_data holds one of per number;
/// packed 4- and 2-bit types have one byte per number.
unsigned storedBytes(uint64_t dataType, uint32_t field) {
  if (field == kInt64Data)
    return 8;
  if (field == kUint64Data)
    return dataType == 12 ? 4 : 8;
  switch (dataType) {
  case 6: // INT32
    return 4;
  case 4: // UINT16, INT16, FLOAT16, BFLOAT16
  case 5:
  case 10:
  case 16:
    return 2;
  default:
    return 1;
  }
}

bool Scanner::decodeIntegers(ArrayRef<Field> fields, unsigned bytes, std::vector<char> &decoded) {
  for (const Field &field : fields)
    for (uint64_t at = field.payload; at < field.end();) {
      uint64_t value;
      if (!readVarint(at, field.end(), value))
        return false;
      for (unsigned i = 0; i < bytes; ++i)
        decoded.push_back(char(value >> (8 * i)));
    }
  return true;
}

bool Scanner::scanTensor(uint64_t begin, uint64_t end, int64_t &growth) {
  SmallVector<Field, 1> data;
  uint64_t dataType = 0, total = 0;
  for (uint64_t at = begin; at < end;) {
    Field field;
    if (!readField(at, end, field))
      return false;
    if (field.number == kDataType && field.wireType == 0) {
      uint64_t from = field.payload;
      readVarint(from, field.end(), dataType);
    }
    bool isData = field.number == kFloatData || field.number == kInt32Data ||
                  field.number == kInt64Data || field.number == kRawData ||
                  field.number == kDoubleData || field.number == kUint64Data;
    if (!isData || field.length == 0)
      continue;
    if (field.number == kRawData && field.wireType != 2)
      return true; // protobuf will skip it as an unknown field
    if (!data.empty() && data.front().number != field.number)
      return true; // two kinds of data: the checker reports it
    total += field.length;
    data.push_back(field);
  }
  bool forShapes = (dataType == 6 || dataType == 7) && total <= kShapeDataLimit;
  if (total <= uint64_t(accel::onnx::kDenseLimit) || forShapes)
    return true;

  CutTensor cut;
  uint32_t kind = data.front().number;
  if (kind == kRawData) { // a later occurrence replaces an earlier one
    cut.offset = data.back().payload, cut.length = data.back().length;
  } else if (kind == kFloatData || kind == kDoubleData) {
    if (data.size() == 1) {
      cut.offset = data[0].payload, cut.length = data[0].length;
    } else {
      cut.decoded.reserve(total);
      for (const Field &field : data)
        cut.decoded.insert(cut.decoded.end(), file.begin() + field.payload,
                           file.begin() + field.end());
    }
  } else if (!decodeIntegers(data, storedBytes(dataType, kind), cut.decoded)) {
    return false;
  }
  growth = 0;
  for (const Field &field : data) {
    edits.push_back({field.begin, field.end() - field.begin, ""});
    growth -= field.end() - field.begin;
  }
  std::string token = tensorToken(result.tensors.size());
  std::string added = varint(kRawData << 3 | 2) + varint(token.size()) + token;
  growth += added.size();
  edits.push_back({end, 0, std::move(added)});
  result.tensors.push_back(std::move(cut));
  return true;
}

Skeleton Scanner::run() {
  int64_t growth;
  if (!scanMessage(Kind::Model, 0, file.size(), 0, growth))
    return std::move(result);
  result.bytes.reserve(file.size() + growth);
  uint64_t at = 0;
  for (const Edit &edit : edits) {
    result.bytes.append(file.data() + at, edit.position - at);
    result.bytes += edit.inserted;
    at = edit.position + edit.removed;
  }
  if (at < file.size())
    result.bytes.append(file.data() + at, file.size() - at);
  return std::move(result);
}

constexpr char kMagic[8] = {'\xac', 'c', 'T', 'o', 'k', 'e', 'n', '\x01'};

} // namespace

std::string accel::import::tensorToken(uint64_t number) {
  std::string token(kMagic, sizeof(kMagic));
  for (unsigned i = 0; i < 8; ++i)
    token += char(number >> (8 * i));
  return token;
}

std::optional<uint64_t> accel::import::tokenNumber(StringRef rawData) {
  if (rawData.size() != 16 || std::memcmp(rawData.data(), kMagic, sizeof(kMagic)) != 0)
    return std::nullopt;
  uint64_t number = 0;
  for (unsigned i = 0; i < 8; ++i)
    number |= uint64_t(static_cast<unsigned char>(rawData[8 + i])) << (8 * i);
  return number;
}

Skeleton accel::import::scanModel(ArrayRef<char> file) {
  Skeleton refused;
  if (file.empty()) {
    refused.error = "is empty";
    return refused;
  }
  // A protobuf message begins with a tag; readable text is a common mistake
  // (a Git LFS pointer, an error page, MLIR).
  ArrayRef<char> head = file.take_front(64);
  bool text = llvm::all_of(head, [](char c) { return llvm::isPrint(c) || llvm::isSpace(c); });
  if (text && head.size() >= 8) {
    refused.error = StringRef(head.data(), head.size()).starts_with("version https://git-lfs")
                        ? "is a Git LFS pointer; fetch the file itself with `git lfs pull`"
                        : "is text, not a binary ONNX model";
    return refused;
  }
  return Scanner(file).run();
}
