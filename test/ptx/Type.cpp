//===- Type.cpp - the types of PTX -------------------------------------------------------------===//

#include "test/ptx/Type.h"

namespace quern::ptx {

namespace {
struct Row {
  std::string_view name;
  TypeKind kind;
  unsigned bytes;
};
} // namespace

static constexpr Row rows[] = {
#define PTX_TYPE(Name, Text, Kind, Bits, Elements) {Text, TypeKind::Kind, (Bits) * (Elements) / 8},
#include "test/ptx/Type.def"
};

std::optional<Type> parseType(std::string_view name) {
  for (unsigned i = 0; i < std::size(rows); ++i)
    if (rows[i].name == name)
      return static_cast<Type>(i);
  return std::nullopt;
}

std::string_view getName(Type type) { return rows[static_cast<unsigned>(type)].name; }
TypeKind getKind(Type type) { return rows[static_cast<unsigned>(type)].kind; }
unsigned getBytes(Type type) { return rows[static_cast<unsigned>(type)].bytes; }

} // namespace quern::ptx
