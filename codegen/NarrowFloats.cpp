//===- NarrowFloats.cpp - f16 and bf16 as the bits that they are ------------------------------===//

#include "codegen/NarrowFloats.h"

using namespace Halide;
using namespace Halide::Internal;

namespace quern::codegen {

namespace {

/// Expressions of 16-bit floats become expressions of their bits.
class NarrowFloats final : public IRMutator {
public:
  explicit NarrowFloats(bool keepHalf) : keepHalf(keepHalf) {}

private:
  using IRMutator::visit;

  bool keepHalf;
  bool isNarrow(Type type) const { return type.is_bfloat() || (type == Float(16, type.lanes()) && !keepHalf); }
  Type getBitsType(Type type) const { return isNarrow(type) ? UInt(16, type.lanes()) : type; }

  Expr visit(const FloatImm *op) override {
    if (!isNarrow(op->type))
      return op;
    uint16_t bits = op->type.is_bfloat() ? bfloat16_t(op->value).to_bits() : float16_t(op->value).to_bits();
    return UIntImm::make(UInt(16), bits);
  }

  Expr visit(const Variable *op) override {
    return isNarrow(op->type) ? Variable::make(getBitsType(op->type), op->name) : Expr(op);
  }

  Expr visit(const Load *op) override {
    if (!isNarrow(op->type))
      return IRMutator::visit(op);
    return Load::make(getBitsType(op->type), op->name, mutate(op->index), Buffer<>(), Parameter(),
                      mutate(op->predicate), op->alignment);
  }

  Stmt visit(const Allocate *op) override {
    if (!isNarrow(op->type))
      return IRMutator::visit(op);
    std::vector<Expr> extents;
    for (const Expr &extent : op->extents)
      extents.push_back(mutate(extent));
    return Allocate::make(op->name, getBitsType(op->type), op->memory_type, extents, mutate(op->condition),
                          mutate(op->body), op->new_expr, op->free_function);
  }

  Expr visit(const Reinterpret *op) override {
    Expr value = mutate(op->value);
    Type type = getBitsType(op->type);
    return value.type() == type ? value : Reinterpret::make(type, value);
  }

  Expr visit(const Cast *op) override {
    Type from = op->value.type();
    if (!isNarrow(op->type) && !isNarrow(from))
      return IRMutator::visit(op);
    checkHalf(isNarrow(op->type) ? op->type : from);
    Expr value = mutate(op->value);
    if (isNarrow(from))
      value = Call::make(Float(32), "quern_half_to_float", {value}, Call::PureExtern);
    if (!isNarrow(op->type))
      return op->type == Float(32) ? value : Cast::make(op->type, value);
    if (value.type() != Float(32))
      value = Cast::make(Float(32), value);
    return Call::make(UInt(16), "quern_float_to_half", {value}, Call::PureExtern);
  }

  Expr visit(const Call *op) override {
    if (!isNarrow(op->type))
      return IRMutator::visit(op);
    // What only hands a value on.
    bool isMoved = op->is_intrinsic(Call::if_then_else) || op->is_intrinsic(Call::likely) ||
                   op->is_intrinsic(Call::likely_if_innermost) || op->is_intrinsic(Call::promise_clamped) ||
                   op->is_intrinsic(Call::unsafe_promise_clamped) || op->is_intrinsic(Call::return_second);
    if (!isMoved)
      refuse("a call of `" + op->name + "`");
    std::vector<Expr> args;
    for (const Expr &arg : op->args)
      args.push_back(mutate(arg));
    return Call::make(getBitsType(op->type), op->name, args, op->call_type);
  }

  template <typename OpT> Expr visitArithmetic(const OpT *op, const char *what) {
    if (isNarrow(op->a.type()))
      refuse(what);
    return IRMutator::visit(op);
  }
  Expr visit(const Add *op) override { return visitArithmetic(op, "a sum"); }
  Expr visit(const Sub *op) override { return visitArithmetic(op, "a difference"); }
  Expr visit(const Mul *op) override { return visitArithmetic(op, "a product"); }
  Expr visit(const Div *op) override { return visitArithmetic(op, "a quotient"); }
  Expr visit(const Min *op) override { return visitArithmetic(op, "a minimum"); }
  Expr visit(const Max *op) override { return visitArithmetic(op, "a maximum"); }
  Expr visit(const EQ *op) override { return visitArithmetic(op, "a comparison"); }
  Expr visit(const NE *op) override { return visitArithmetic(op, "a comparison"); }
  Expr visit(const LT *op) override { return visitArithmetic(op, "a comparison"); }
  Expr visit(const LE *op) override { return visitArithmetic(op, "a comparison"); }
  Expr visit(const GT *op) override { return visitArithmetic(op, "a comparison"); }
  Expr visit(const GE *op) override { return visitArithmetic(op, "a comparison"); }

  static void checkHalf(Type type) {
    if (type.is_bfloat())
      refuse("a conversion of bf16");
  }
  [[noreturn]] static void refuse(const std::string &what) {
    throw CompileError("this device has no code for " + what + " in 16 bits");
  }
};

} // namespace

void storeNarrowFloatsAsBits(Pipeline &pipeline, bool keepHalf) {
  pipeline.add_custom_lowering_pass(new NarrowFloats(keepHalf));
}

} // namespace quern::codegen
