//===- layouts.cc - Bytes of layouts and the ranges of their fields -------===//
//
// One visitor each for writing, reading and checking; the generated
// VisitFields applies it to every field of a layout.
//
//===----------------------------------------------------------------------===//
#include "absl/strings/str_cat.h"
#include "acc/runtime/isa.h"
#include <cstring>
#include <type_traits>

namespace accel::rt::isa {

const char *EnumName(const EnumInfo &info, uint8_t value) {
  for (int i = 0; i < info.count; ++i)
    if (info.cases[i].value == value)
      return info.cases[i].name;
  return nullptr;
}

std::optional<uint8_t> EnumValue(const EnumInfo &info, std::string_view name) {
  for (int i = 0; i < info.count; ++i)
    if (info.cases[i].name == name)
      return info.cases[i].value;
  return std::nullopt;
}

namespace {

// Little-endian whatever the host is.
template <typename T> void Put(T value, uint8_t *bytes) {
  auto bits = std::make_unsigned_t<T>(value);
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes[i] = uint8_t(bits >> (8 * i));
}
template <typename T> void Get(const uint8_t *bytes, T &value) {
  std::make_unsigned_t<T> bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    bits |= std::make_unsigned_t<T>(std::make_unsigned_t<T>(bytes[i]) << (8 * i));
  value = T(bits);
}

/// Applies fn(element, number, byte offset) to a field that may be an array.
template <typename T, typename Fn> void Each(const FieldInfo &f, T &field, Fn &&fn) {
  if constexpr (std::is_array_v<T>) {
    for (int i = 0; i < f.count; ++i)
      fn(field[i], i, f.offset + i * f.bytes);
  } else {
    fn(field, -1, f.offset);
  }
}

struct Writer {
  uint8_t *bytes;
  template <typename T> void operator()(const FieldInfo &f, const T &field) const {
    Each(f, field, [&](const auto &e, int, int at) {
      if constexpr (std::is_class_v<std::remove_cvref_t<decltype(e)>>)
        VisitFields(e, Writer{bytes + at});
      else
        Put(e, bytes + at);
    });
  }
};

struct Reader {
  const uint8_t *bytes;
  template <typename T> void operator()(const FieldInfo &f, T &field) const {
    Each(f, field, [&](auto &e, int, int at) {
      if constexpr (std::is_class_v<std::remove_cvref_t<decltype(e)>>)
        VisitFields(e, Reader{bytes + at});
      else
        Get(bytes + at, e);
    });
  }
};

/// Keeps the first field that holds a value that it may not.
struct Checker {
  absl::Status *status;

  template <typename T> void operator()(const FieldInfo &f, const T &field) const {
    Each(f, field, [&](const auto &e, int index, int at) {
      if (!status->ok())
        return;
      if constexpr (std::is_class_v<std::remove_cvref_t<decltype(e)>>)
        VisitFields(e, Checker{status});
      else
        Check(f, e, index, at);
    });
  }

  template <typename T> void Check(const FieldInfo &f, T value, int index, int at) const {
    const char *wrong = nullptr;
    switch (f.kind) {
    case FieldKind::Reserved:
      wrong = value ? "is reserved and must be 0" : nullptr;
      break;
    case FieldKind::Bits:
      wrong = uint64_t(value) & ~uint64_t(f.max) ? "has bits that are not defined" : nullptr;
      break;
    case FieldKind::Enumeration:
      wrong = EnumName(*f.enumeration, uint8_t(value)) ? nullptr : "is no defined value";
      break;
    case FieldKind::Dim:
      wrong = uint64_t(value) < uint64_t(kDimCount) || uint64_t(value) == uint64_t(kNoDim)
                  ? nullptr
                  : "is no dimension (0 to 5, or 255 for none)";
      break;
    default:
      // The range of a 64-bit unsigned field is the whole type.
      wrong = sizeof(T) < 8 && (int64_t(value) < f.min || int64_t(value) > f.max)
                  ? "is out of range"
                  : nullptr;
    }
    if (wrong)
      *status = absl::InvalidArgumentError(
          absl::StrCat(f.layout, ".", f.name, index < 0 ? "" : absl::StrCat("[", index, "]"),
                       " (byte ", at, ") ", wrong, ": ", value));
  }
};

} // namespace

#define ACC_ISA_CODEC(T)                                                                           \
  void Encode(const T &value, uint8_t *bytes) { VisitFields(value, Writer{bytes}); }               \
  void Decode(const uint8_t *bytes, T &value) { VisitFields(value, Reader{bytes}); }               \
  absl::Status Verify(const T &value) {                                                            \
    absl::Status status;                                                                           \
    VisitFields(value, Checker{&status});                                                          \
    return status;                                                                                 \
  }
ACC_ISA_CODEC(CtrlWord)
ACC_ISA_CODEC(EngineWord)
ACC_ISA_CODEC(OpDesc)
ACC_ISA_CODEC(StreamDesc)
ACC_ISA_CODEC(WindowDesc)
ACC_ISA_CODEC(ProgramHead)
ACC_ISA_CODEC(ProgramInput)
ACC_ISA_CODEC(ProgramOutput)
ACC_ISA_CODEC(ProgramReduction)
ACC_ISA_CODEC(ProgramStep)
#undef ACC_ISA_CODEC

} // namespace accel::rt::isa
