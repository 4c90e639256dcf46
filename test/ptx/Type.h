//===- Type.h - the types of PTX ---------------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_TYPE_H
#define QUERN_TEST_PTX_TYPE_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace quern::ptx {

enum class TypeKind : uint8_t { Predicate, Bits, Unsigned, Signed, Float };

enum class Type : uint8_t {
#define PTX_TYPE(Name, Text, Kind, Bits, Elements) Name,
#include "test/ptx/Type.def"
};

/// The type that is called `name` without its point; none if there is no such type.
std::optional<Type> parseType(std::string_view name);

std::string_view getName(Type type);
TypeKind getKind(Type type);
/// The bytes of a register or a variable of this type; 1 for a predicate.
unsigned getBytes(Type type);

inline bool isSigned(Type type) { return getKind(type) == TypeKind::Signed; }
inline bool isFloat(Type type) { return getKind(type) == TypeKind::Float; }

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_TYPE_H
