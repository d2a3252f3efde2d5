//===- IsaText.cpp - text of fields, windows, vector programs --------------===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "isa/IsaText.h"

#include "llvm/ADT/bit.h"

#include <cmath>
#include <type_traits>

using namespace mlir;
namespace ri = accel::rt::isa;

namespace accel::instr {
namespace {

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

/// Fields that follow from the text itself.
bool isDerived(const ri::FieldInfo &f) {
  StringRef layout = f.layout, name = f.name;
  return (layout == "OpDesc" && name == "streams") || f.kind == ri::FieldKind::Reserved;
}

struct Printer {
  AsmPrinter *p;
  bool *isFirst;

  void name(const ri::FieldInfo &f) const {
    *p << (*isFirst ? "" : ", ") << f.name << " = ";
    *isFirst = false;
  }
  template <typename T> void value(const ri::FieldInfo &f, T v) const {
    const char *text = f.enumeration ? ri::EnumName(*f.enumeration, uint8_t(v)) : nullptr;
    if (text)
      *p << text;
    else if constexpr (std::is_signed_v<T>)
      *p << int64_t(v);
    else
      *p << uint64_t(v);
  }
  template <typename T> void operator()(const ri::FieldInfo &f, const T &field) const {
    using Element = std::remove_cvref_t<std::remove_all_extents_t<T>>;
    if (isDerived(f))
      return;
    if constexpr (std::is_class_v<Element> && std::is_array_v<T>) {
      name(f);
      *p << "[";
      for (int i = 0; i < f.count; ++i) {
        bool inner = true;
        *p << (i ? ", {" : "{");
        VisitFields(field[i], Printer{p, &inner});
        *p << "}";
      }
      *p << "]";
    } else if constexpr (std::is_class_v<Element>) {
      static_assert(!sizeof(T), "nested layouts stand in arrays");
    } else if constexpr (std::is_array_v<T>) {
      bool differs = false;
      for (const auto &e : field)
        differs |= e != Element(f.init);
      if (!differs)
        return;
      name(f);
      *p << "[";
      for (int i = 0; i < f.count; ++i) {
        *p << (i ? ", " : "");
        value(f, field[i]);
      }
      *p << "]";
    } else if (field != Element(f.init)) {
      name(f);
      value(f, field);
    }
  }
};

/// Assigns the field called `name`.
struct Parser {
  AsmParser *parser;
  StringRef name;
  bool *isFound;
  ParseResult *result;

  template <typename T> ParseResult value(const ri::FieldInfo &f, T &v) const {
    if (f.enumeration) {
      uint8_t code = 0;
      if (parseEnum(*parser, *f.enumeration, code))
        return failure();
      v = T(code);
      return success();
    }
    llvm::SMLoc at = parser->getCurrentLocation();
    APInt number;
    if (OptionalParseResult parsed = parser->parseOptionalInteger(number);
        !parsed.has_value() || failed(*parsed))
      return parser->emitError(at, "expected a number for ") << f.layout << "." << f.name;
    // Literals come unsigned and as wide as they need; a sign makes them signed.
    constexpr unsigned bits = sizeof(T) * 8;
    bool fits = std::is_signed_v<T> ? number.getSignificantBits() <= bits
                                    : !number.isNegative() && number.getActiveBits() <= bits;
    if (!fits)
      return parser->emitError(at)
             << f.layout << "." << f.name << " does not fit " << bits << " bits";
    v = T(std::is_signed_v<T> ? uint64_t(number.getSExtValue()) : number.getZExtValue());
    return success();
  }

  template <typename T> ParseResult parse(const ri::FieldInfo &f, T &field) const {
    if constexpr (std::is_array_v<T>) {
      int i = 0;
      llvm::SMLoc at = parser->getCurrentLocation();
      auto element = [&]() -> ParseResult {
        if (i == f.count)
          return parser->emitError(at)
                 << f.layout << "." << f.name << " has " << f.count << " elements";
        return parse(f, field[i++]);
      };
      if (parser->parseCommaSeparatedList(AsmParser::Delimiter::Square, element))
        return failure();
      if (i != f.count)
        return parser->emitError(at)
               << f.layout << "." << f.name << " has " << f.count << " elements, not " << i;
      return success();
    } else if constexpr (std::is_class_v<T>) {
      return parseFields(*parser, field, AsmParser::Delimiter::Braces);
    } else {
      return value(f, field);
    }
  }

  template <typename T> void operator()(const ri::FieldInfo &f, T &field) const {
    if (*isFound || name != f.name || isDerived(f))
      return;
    *isFound = true;
    *result = parse(f, field);
  }

  template <typename T>
  static ParseResult
  parseFields(AsmParser &parser, T &layout, AsmParser::Delimiter delimiter,
              llvm::function_ref<OptionalParseResult(StringRef)> other = nullptr) {
    // Where `<` is missing the list of this delimiter says so and succeeds.
    const bool isAngle = delimiter == AsmParser::Delimiter::LessGreater;
    if (isAngle) {
      if (parser.parseLess())
        return failure();
      if (succeeded(parser.parseOptionalGreater()))
        return success();
      delimiter = AsmParser::Delimiter::None;
    }
    auto field = [&]() -> ParseResult {
      StringRef name;
      llvm::SMLoc at = parser.getCurrentLocation();
      if (parser.parseKeyword(&name) || parser.parseEqual())
        return failure();
      if (other)
        if (OptionalParseResult done = other(name); done.has_value())
          return *done;
      bool isFound = false;
      ParseResult result = success();
      VisitFields(layout, Parser{&parser, name, &isFound, &result});
      if (!isFound)
        return parser.emitError(at)
               << ri::LayoutOf(&layout).name << " has no field '" << name << "'";
      return result;
    };
    return failure(parser.parseCommaSeparatedList(delimiter, field) ||
                   (isAngle && parser.parseGreater()));
  }
};

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

bool isFloat(uint8_t type) {
  return type == uint8_t(ri::VecType::F32) || type == uint8_t(ri::VecType::F64);
}

/// The shortest decimal that reads back as the same number, in MLIR's grammar.
std::string decimal(double value) {
  char text[64];
  for (int digits = 0; digits < 18; ++digits) {
    snprintf(text, sizeof(text), "%.*e", std::max(digits, 1), value);
    if (llvm::bit_cast<uint64_t>(std::strtod(text, nullptr)) == llvm::bit_cast<uint64_t>(value))
      break;
  }
  return text;
}

void printStep(AsmPrinter &p, const ri::ProgramStep &s) {
  const ri::StepInfo &info = ri::Steps()[s.op < ri::kVecOpCount ? s.op : 0];
  p << "v" << unsigned(s.dst) << " = " << info.name << "."
    << ri::EnumName(ri::kVecTypeInfo, s.type);
  if (info.op == ri::VecOp::Imm) {
    double value = llvm::bit_cast<double>(s.imm);
    if (!isFloat(s.type))
      p << " " << int64_t(s.imm);
    else if (std::isfinite(value))
      p << " " << decimal(value);
    else
      p << " bits " << s.imm;
  } else if (info.op == ri::VecOp::Iota) {
    p << " " << unsigned(s.a);
  } else if (info.op == ri::VecOp::Reg) {
    p << " r" << unsigned(s.a);
  } else {
    const uint8_t operand[] = {s.a, s.b, s.c};
    for (int o = 0; o < info.operands; ++o)
      p << (o ? ", v" : " v") << unsigned(operand[o]);
    if (info.op == ri::VecOp::Cvt)
      p << " from " << ri::EnumName(ri::kVecTypeInfo, s.b);
  }
}

ParseResult parseVecReg(AsmParser &parser, uint8_t &reg) {
  return parseNumbered(parser, "v", ri::kVecRegisterCount - 1, reg);
}

/// `add.f32`: what `names` says and a type.
ParseResult parseTyped(AsmParser &parser, StringRef &name, uint8_t &type) {
  StringRef word;
  llvm::SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  auto [head, tail] = word.rsplit('.');
  auto value = ri::EnumValue(ri::kVecTypeInfo, std::string_view(tail.data(), tail.size()));
  if (!value)
    return parser.emitError(at, "expected a type of the vector engine after '.'");
  name = head;
  type = *value;
  return success();
}

ParseResult parseStep(AsmParser &parser, ri::ProgramStep &s) {
  StringRef name;
  if (parseVecReg(parser, s.dst) || parser.parseEqual())
    return failure();
  llvm::SMLoc at = parser.getCurrentLocation();
  if (parseTyped(parser, name, s.type))
    return failure();
  const ri::StepInfo *info = ri::FindStep(std::string_view(name.data(), name.size()));
  if (!info)
    return parser.emitError(at) << "the vector engine has no step '" << name << "'";
  s.op = uint8_t(info->op);
  if (info->op == ri::VecOp::Imm) {
    double value = 0;
    if (succeeded(parser.parseOptionalKeyword("bits")))
      return parser.parseInteger(s.imm);
    if (isFloat(s.type)) {
      if (parser.parseFloat(value))
        return failure();
      s.imm = llvm::bit_cast<uint64_t>(value);
      return success();
    }
    int64_t number = 0;
    if (parser.parseInteger(number))
      return failure();
    s.imm = uint64_t(number);
    return success();
  }
  if (info->op == ri::VecOp::Iota)
    return parser.parseInteger(s.a);
  if (info->op == ri::VecOp::Reg)
    return parseNumbered(parser, "r", ri::kRegisterCount - 1, s.a);
  uint8_t *operand[] = {&s.a, &s.b, &s.c};
  for (int o = 0; o < info->operands; ++o)
    if ((o && parser.parseComma()) || parseVecReg(parser, *operand[o]))
      return failure();
  if (info->op == ri::VecOp::Cvt)
    return failure(parser.parseKeyword("from") || parseEnum(parser, ri::kVecTypeInfo, s.b));
  return success();
}

} // namespace

//===----------------------------------------------------------------------===//
// Descriptors
//===----------------------------------------------------------------------===//

void printOpDesc(AsmPrinter &p, const ri::OpDesc &desc) {
  bool isFirst = true;
  p << "<";
  VisitFields(desc, Printer{&p, &isFirst});
  p << ">";
}

void printStream(AsmPrinter &p, const ri::Stream &stream) {
  bool isFirst = true;
  p << "<";
  VisitFields(stream.desc, Printer{&p, &isFirst});
  if (stream.window) {
    p << (isFirst ? "" : ", ") << "window = {";
    bool inner = true;
    VisitFields(*stream.window, Printer{&p, &inner});
    p << "}";
  }
  p << ">";
}

FailureOr<ri::OpDesc> parseOpDesc(AsmParser &parser) {
  ri::OpDesc desc;
  if (Parser::parseFields(parser, desc, AsmParser::Delimiter::LessGreater))
    return failure();
  return desc;
}

FailureOr<ri::Stream> parseStream(AsmParser &parser) {
  ri::Stream stream;
  auto window = [&](StringRef name) -> OptionalParseResult {
    if (name != "window")
      return std::nullopt;
    return Parser::parseFields(parser, stream.window.emplace(), AsmParser::Delimiter::Braces);
  };
  if (Parser::parseFields(parser, stream.desc, AsmParser::Delimiter::LessGreater, window))
    return failure();
  return stream;
}

//===----------------------------------------------------------------------===//
// Vector programs
//===----------------------------------------------------------------------===//

void printProgram(AsmPrinter &p, const ri::VectorProgram &program, StringRef separator) {
  for (const ri::ProgramInput &in : program.ins)
    p << separator << "in v" << unsigned(in.reg) << ": " << ri::EnumName(ri::kVecTypeInfo, in.type);
  for (const ri::ProgramStep &s : program.body) {
    p << separator << "body ";
    printStep(p, s);
  }
  for (const ri::ProgramReduction &r : program.reductions)
    p << separator << "reduce v" << unsigned(r.dst) << " = "
      << ri::EnumName(ri::kReduceInfo, r.kind) << "." << ri::EnumName(ri::kVecTypeInfo, r.type)
      << " v" << unsigned(r.src) << " " << ri::EnumName(ri::kOrderInfo, r.order);
  for (const ri::ProgramStep &s : program.post) {
    p << separator << "post ";
    printStep(p, s);
  }
  for (const ri::ProgramOutput &out : program.outs)
    p << separator << "out v" << unsigned(out.reg) << ": "
      << ri::EnumName(ri::kVecTypeInfo, out.type) << " " << ri::EnumName(ri::kPhaseInfo, out.phase);
}

FailureOr<ri::VectorProgram> parseProgram(AsmParser &parser) {
  ri::VectorProgram program;
  while (true) {
    StringRef name;
    if (succeeded(parser.parseOptionalKeyword("in"))) {
      auto &in = program.ins.emplace_back();
      if (parseVecReg(parser, in.reg) || parser.parseColon() ||
          parseEnum(parser, ri::kVecTypeInfo, in.type))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("body"))) {
      if (parseStep(parser, program.body.emplace_back()))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("post"))) {
      if (parseStep(parser, program.post.emplace_back()))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("reduce"))) {
      auto &r = program.reductions.emplace_back();
      if (parseVecReg(parser, r.dst) || parser.parseEqual())
        return failure();
      llvm::SMLoc at = parser.getCurrentLocation();
      if (parseTyped(parser, name, r.type))
        return failure();
      auto kind = ri::EnumValue(ri::kReduceInfo, std::string_view(name.data(), name.size()));
      if (!kind)
        return ParseResult(parser.emitError(at) << "no reduction '" << name << "'");
      r.kind = *kind;
      if (parseVecReg(parser, r.src) || parseEnum(parser, ri::kOrderInfo, r.order))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("out"))) {
      auto &out = program.outs.emplace_back();
      if (parseVecReg(parser, out.reg) || parser.parseColon() ||
          parseEnum(parser, ri::kVecTypeInfo, out.type) ||
          parseEnum(parser, ri::kPhaseInfo, out.phase))
        return failure();
    } else {
      return program;
    }
  }
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

ParseResult parseNumbered(AsmParser &parser, StringRef prefix, int64_t limit, uint8_t &number) {
  StringRef word;
  llvm::SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  unsigned value = 0;
  if (!word.consume_front(prefix) || word.getAsInteger(10, value) || int64_t(value) > limit)
    return parser.emitError(at) << "expected " << prefix << "0 to " << prefix << limit;
  number = uint8_t(value);
  return success();
}

ParseResult parseEnum(AsmParser &parser, const ri::EnumInfo &info, uint8_t &value) {
  StringRef word;
  llvm::SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  auto found = ri::EnumValue(info, std::string_view(word.data(), word.size()));
  if (!found)
    return parser.emitError(at) << "'" << word << "' is no " << info.name;
  value = *found;
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

void OpDescAttr::print(AsmPrinter &p) const { printOpDesc(p, getDesc()); }
Attribute OpDescAttr::parse(AsmParser &parser, Type) {
  FailureOr<ri::OpDesc> desc = parseOpDesc(parser);
  return failed(desc) ? Attribute() : get(parser.getContext(), *desc);
}

void StreamAttr::print(AsmPrinter &p) const { printStream(p, getStream()); }
Attribute StreamAttr::parse(AsmParser &parser, Type) {
  FailureOr<ri::Stream> stream = parseStream(parser);
  return failed(stream) ? Attribute() : get(parser.getContext(), *stream);
}

void VectorProgramAttr::print(AsmPrinter &p) const {
  p << "<";
  printProgram(p, getProgram(), " ");
  p << ">";
}
Attribute VectorProgramAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<ri::VectorProgram> program = parseProgram(parser);
  if (failed(program) || parser.parseGreater())
    return {};
  return get(parser.getContext(), *program);
}

} // namespace accel::instr
