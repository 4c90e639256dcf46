//===- Emitter.h - writes the graph -----------------------------------------------------------===//

#ifndef QUERN_FRONTEND_EMITTER_H
#define QUERN_FRONTEND_EMITTER_H

#include "frontend/Values.h"

#include "dialect/Ops.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace quern::frontend {

/// Builds ops at the current place of the module. While it is off (a model is checked whose sizes
/// are not known) it builds nothing and gives null values.
class Emitter {
public:
  /// Locations name files relative to the nearest of `roots` that holds them.
  Emitter(mlir::MLIRContext *context, const llvm::SourceMgr &sources, std::vector<std::string> roots, bool active);

  bool isActive() const { return active; }
  /// Turns it off for good.
  void deactivate() { active = false; }
  mlir::MLIRContext *context() const { return builder.getContext(); }
  mlir::Type f32() { return builder.getF32Type(); }
  mlir::Builder &types() { return builder; }

  /// `range` in its file, in the instance whose function is being inlined, with the calls through which it is.
  mlir::Location location(SourceRange range);
  /// What a location says beside its place.
  struct Scope {
    std::string instance;
    /// Where the function was called; null in an entry's own text.
    mlir::LocationAttr caller;
  };
  /// The scope of a function that is called at `call`: of `instance`, or without one of that of the caller.
  Scope calledFrom(SourceRange call, std::optional<llvm::StringRef> instance);
  /// Sets the scope and returns the one before.
  Scope enterScope(Scope next) { return std::exchange(scope, std::move(next)); }

  /// Whether the graph can hold a tensor of that shape: each dimension a number or one run-time
  /// symbol, or, while it is off, something that is not known.
  bool isRepresentable(llvm::ArrayRef<Extent> shape) const;
  /// The type of a tensor of a representable shape.
  mlir::RankedTensorType type(llvm::ArrayRef<Extent> shape, mlir::Type element);

  /// A new op with one result at the current place.
  template <typename Op, typename... Args> mlir::Value create(SourceRange range, Args &&...args) {
    if (!active)
      return {};
    Op op = Op::create(builder, location(range), std::forward<Args>(args)...);
    emitted += 1 + op->getNumOperands();
    return op;
  }

  /// A new op with `count` results at the current place; null values while it is off.
  template <typename Op, typename... Args>
  llvm::SmallVector<mlir::Value> createAll(SourceRange range, size_t count, Args &&...args) {
    if (!active)
      return llvm::SmallVector<mlir::Value>(count);
    Op op = Op::create(builder, location(range), std::forward<Args>(args)...);
    emitted += 1 + op->getNumOperands();
    return llvm::SmallVector<mlir::Value>(op->getResults());
  }

  /// How many ops were made since the last call, with their operands.
  uint64_t takeEmitted() { return std::exchange(emitted, 0); }

  /// The f32 scalar `value`, as a tensor of rank 0.
  mlir::Value scalar(SourceRange range, double value);
  /// `tensor` read as f32.
  mlir::Value asF32(SourceRange range, const Tensor &tensor);

  /// The parameter `name` of the checkpoint, which is declared at its first use.
  Tensor readParameter(SourceRange range, llvm::StringRef name, const Shape &shape, mlir::Type element);
  /// The present value of the state `name`, which is declared at its first use.
  Tensor readState(SourceRange range, llvm::StringRef name, const Shape &shape, mlir::Type element, StateKind kind,
                   llvm::StringRef init);
  /// Whether a parameter or state of that name is.
  bool isDeclared(llvm::StringRef name) const { return declared.contains(name); }
  /// The value of a computed parameter.
  Tensor readComputed(SourceRange range, llvm::StringRef name, const Tensor &type);

  /// Runs `build` with a parameter's initialiser as the current place; if it gives a tensor, that
  /// becomes a computed parameter named after `name`. Returns what `build` did and the parameter's
  /// name (empty for anything but a tensor).
  std::pair<Value, std::string> computeParameter(SourceRange range, llvm::StringRef name,
                                                 llvm::function_ref<Value()> build);

  /// Starts an entry whose body is the current place; returns its block, or null while off.
  mlir::Block *beginEntry(SourceRange range);
  /// Ends the entry with `results`, in the order of their names.
  void endEntry(SourceRange range, llvm::StringRef name, mlir::Block *body, llvm::ArrayRef<mlir::Value> results,
                mlir::ArrayAttr argNames, mlir::ArrayAttr resultNames, mlir::DictionaryAttr bounds);

  /// Gives the module away.
  mlir::OwningOpRef<mlir::ModuleOp> take() { return std::move(module); }

private:
  mlir::OpBuilder declarations(llvm::StringRef name);

  const llvm::SourceMgr &sources;
  std::vector<std::string> roots;
  mlir::OpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  bool active;
  Scope scope;
  uint64_t emitted = 0;
  /// The names of parameters and states so far.
  llvm::StringMap<bool> declared;
  /// The last declaration: the next one follows it, so that they precede the entries.
  mlir::Operation *lastDeclaration = nullptr;
};

} // namespace quern::frontend

#endif // QUERN_FRONTEND_EMITTER_H
