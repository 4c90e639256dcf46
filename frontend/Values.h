//===- Values.h - what an expression of the language can be -----------------------------------===//

#ifndef QUERN_FRONTEND_VALUES_H
#define QUERN_FRONTEND_VALUES_H

#include "frontend/Ast.h"
#include "frontend/Extent.h"

#include "mlir/IR/Types.h"
#include "mlir/IR/Value.h"
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace quern::frontend {

class Value;
struct ArrayNode;
struct Instance;

/// The result of an expression with an error, which is reported once: whatever uses it is poisoned
/// too.
struct Poison {};
/// What a function without a result returns.
struct Nothing {};
/// A float, bool or string; nothing while a configuration is unknown.
struct FloatValue {
  std::optional<double> value;
};
struct BoolValue {
  std::optional<bool> value;
  /// Unknown because it depends on a run-time dimension.
  bool isRuntime = false;
};
struct StringValue {
  std::optional<std::string> value;
};
/// `(a, b)`, or `[a, b]`.
struct Sequence {
  Sequence(bool isList, std::shared_ptr<const std::vector<Value>> elements, bool isOpen = false);

  bool isList;
  /// A list of unknown length; it holds one element like those that it may have.
  bool isOpen;
  std::shared_ptr<const std::vector<Value>> elements;
  /// How deep sequences nest in it; 1 where it holds none.
  unsigned depth;
};
/// A tensor. `value` is null while a model is checked without emitting it.
struct Tensor {
  Shape shape;
  mlir::Type element;
  mlir::Value value;
};
/// A module of the tree, and an array of its nodes.
struct ModuleValue {
  Instance *instance;
};
struct ArrayValue {
  ArrayNode *array;
};

/// The value of an expression, and the place that it comes from.
class Value {
public:
  using Storage = std::variant<Poison, Nothing, Extent, FloatValue, BoolValue, StringValue, Sequence, Tensor,
                               ModuleValue, ArrayValue>;

  Value() : storage(Poison{}) {}
  template <typename T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Value>)
  Value(T &&content, SourceRange origin = {}) : origin(origin), storage(std::forward<T>(content)) {}

  bool isPoison() const { return std::holds_alternative<Poison>(storage); }
  /// The content if it is a `T`, else null.
  template <typename T> const T *get() const { return std::get_if<T>(&storage); }

  /// Kind and content for messages: "integer 5", "string \"silu\"", "tensor f32[s, 576]", "module
  /// `Linear`".
  std::string describe() const;

  /// Where it was computed or declared; invalid where it has no place in a file.
  SourceRange origin;

private:
  Storage storage;
};

/// A value of the same kind of which nothing more is known; an integer is the symbol `name`, which may be any other.
Value unknownLike(const Value &value, llvm::StringRef name);

/// `f32`, `i32`, `bool`, `Positions`, `q4_1`: an element type as the language writes it.
std::string formatElement(mlir::Type element);

/// `f32[s, 576]`.
std::string formatTensor(const Tensor &tensor);

} // namespace quern::frontend

#endif // QUERN_FRONTEND_VALUES_H
