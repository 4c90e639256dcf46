//===- Config.h - configuration values as values of the language ------------------------------===//

#ifndef QUERN_FRONTEND_CONFIG_H
#define QUERN_FRONTEND_CONFIG_H

#include "frontend/Values.h"

namespace quern::frontend {

class ConfigValue;
class DiagnosticEngine;

/// `value` as a value of type `type`, or nothing where it is not one.
std::optional<Value> convertConfig(const ConfigValue &value, const TypeExpr &type, SourceRange origin);

/// A value of type `type` that is not known; `name` is what an integer is called. Nothing for a
/// type that no configuration field can have.
std::optional<Value> unknownValue(llvm::StringRef name, const TypeExpr &type, SourceRange origin);

/// `value` as a value of the static type `type` (an integer becomes a float where one is expected),
/// or nothing.
std::optional<Value> convertStatic(const Value &value, const TypeExpr &type);

/// "an integer", "one of `\"silu\"`": what `type` takes, for messages.
std::string describeType(const TypeExpr &type);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_CONFIG_H
