//===- SharedMemory.cpp - where the memory that a block shares begins -------------------------===//

#include "codegen/SharedMemory.h"

#include <set>

using namespace Halide;
using namespace Halide::Internal;

namespace quern::codegen {

namespace {

/// Allocations that blocks share become longer, and accesses to them go behind the first bytes.
class KeepOffSharedMemory final : public IRMutator {
public:
  explicit KeepOffSharedMemory(int bytes) : bytes(bytes) {}

private:
  using IRMutator::visit;

  Stmt visit(const Allocate *op) override {
    if (op->memory_type != MemoryType::GPUShared)
      return IRMutator::visit(op);
    shared.insert(op->name);
    Expr elements = bytes / op->type.bytes();
    Expr all = 1;
    for (const Expr &extent : op->extents)
      all = all * extent;
    return Allocate::make(op->name, op->type, op->memory_type, {simplify(all + elements)}, op->condition,
                          mutate(op->body), op->new_expr, op->free_function);
  }

  Expr move(const Type &type, const Expr &index) { return mutate(index) + bytes / type.bytes(); }

  Expr visit(const Load *op) override {
    if (!shared.count(op->name))
      return IRMutator::visit(op);
    return Load::make(op->type, op->name, move(op->type, op->index), op->image, op->param, mutate(op->predicate),
                      op->alignment);
  }

  Stmt visit(const Store *op) override {
    if (!shared.count(op->name))
      return IRMutator::visit(op);
    return Store::make(op->name, mutate(op->value), move(op->value.type(), op->index), op->param, mutate(op->predicate),
                       op->alignment);
  }

  int bytes;
  std::set<std::string> shared;
};

} // namespace

void keepOffSharedMemory(Pipeline &pipeline, int bytes) {
  pipeline.add_custom_lowering_pass(new KeepOffSharedMemory(bytes));
}

} // namespace quern::codegen
