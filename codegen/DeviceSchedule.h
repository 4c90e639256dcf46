//===- DeviceSchedule.h - functions as the launches of a device -------------------------------===//

#ifndef QUERN_CODEGEN_DEVICESCHEDULE_H
#define QUERN_CODEGEN_DEVICESCHEDULE_H

#include "Halide.h"
#include "llvm/ADT/ArrayRef.h"

namespace quern::codegen {

/// How functions run on a device. A function that is spread is a launch of its own, in the order in which functions
/// need each other, and what it stores lies in the device's memory. What is not spread is computed by the thread that
/// needs it.
class DeviceSchedule {
public:
  /// Blocks of `blockThreads` threads, a knob of every form.
  explicit DeviceSchedule(int blockThreads) : blockThreads(blockThreads) {}

  /// A thread for each element of `func`. Of an update, for each value of its pure variables: it goes through the
  /// reduction's domain in its order, so that a sum is the same whatever the device.
  void spread(Halide::Func func) const;
  /// The same of a function whose updates write elements that they look up: a thread for each value of the pure
  /// variables and of `parallel`, of the domain of the first update. No two of these write one element.
  void spreadWrites(Halide::Func func, llvm::ArrayRef<Halide::RVar> parallel) const;

  /// The blocks of a function, within which others may be computed.
  class Block {
  public:
    /// The same for each turn of a block.
    Block inTurn() const { return Block(consumer, turn, turn); }

  private:
    friend class DeviceSchedule;
    Block(Halide::Func consumer, Halide::Var loop, Halide::Var turn)
        : consumer(std::move(consumer)), loop(std::move(loop)), turn(std::move(turn)) {}
    Halide::Func consumer;
    Halide::Var loop, turn;
  };

  /// A block for each value of all variables of `func` but `inner`, whose values are its threads'.
  Block spreadBlocks(Halide::Func func, const Halide::Var &inner) const {
    return spreadBlocks(func, inner, nullptr, 1);
  }
  /// The same, but that a block takes `turns` values of `outer`, one after the other.
  Block spreadBlocks(Halide::Func func, const Halide::Var &inner, const Halide::Var &outer, int turns) const {
    return spreadBlocks(func, inner, &outer, turns);
  }
  /// Computes `func` within `block`, whose threads share it: those for each value of `threads`, one where there are
  /// none. Updates are spread by `spreadUpdate`.
  void spreadWithin(Halide::Func func, const Block &block, llvm::ArrayRef<Halide::VarOrRVar> threads) const;
  /// The threads of a block for each value of `threads`, which write different elements and go through `serial`, the
  /// first one innermost.
  void spreadUpdate(Halide::Stage stage, llvm::ArrayRef<Halide::VarOrRVar> threads,
                    llvm::ArrayRef<Halide::VarOrRVar> serial) const;

private:
  Block spreadBlocks(Halide::Func func, const Halide::Var &inner, const Halide::Var *outer, int turns) const;
  void spread(Halide::Stage stage, llvm::ArrayRef<Halide::VarOrRVar> threads,
              llvm::ArrayRef<Halide::VarOrRVar> serial) const;
  int blockThreads;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_DEVICESCHEDULE_H
