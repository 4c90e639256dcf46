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
  int getBlockThreads() const { return blockThreads; }

  /// A thread for each element of `func`. Of an update, for each value of its pure variables: it goes through the
  /// reduction's domain in its order, so that a sum is the same whatever the device.
  void spread(Halide::Func func) const;
  /// The same of a function whose updates write elements that they look up: a thread for each value of the pure
  /// variables and of `parallel`, of the domain of the first update. No two of these write one element.
  void spreadWrites(Halide::Func func, llvm::ArrayRef<Halide::RVar> parallel) const;

  /// The blocks of a function, within which others may be computed.
  class Block {
  public:
    /// The same for each turn of a block; for the block where it has none.
    Block inTurn() const { return Block(consumer, turn, turn); }

  private:
    friend class DeviceSchedule;
    Block(Halide::Func consumer, Halide::VarOrRVar loop, Halide::VarOrRVar turn)
        : consumer(std::move(consumer)), loop(std::move(loop)), turn(std::move(turn)) {}
    Halide::Func consumer;
    Halide::VarOrRVar loop, turn;
  };

  /// How many values of a variable a block has side by side, and how often as many, one after the other.
  struct Side {
    Halide::Var var;
    int size;
    int turns = 1;
  };

  /// A block for each tile of `func`, whose threads are the values that it has of all `sides`; one of them may have
  /// turns. Blocks next to each other differ in the last side. Of any other variable a block has one value.
  Block spreadTiles(Halide::Func func, llvm::ArrayRef<Side> sides) const;
  /// A block for each value of all variables of `func` but `inner`, whose values are its threads'.
  Block spreadBlocks(Halide::Func func, const Halide::Var &inner) const;
  /// A block for each value of `blocks` of the one update of `func`, which goes through the values of `turn`; its
  /// threads are those of `threads`. No two of these write one element.
  Block spreadWrites(Halide::Func func, llvm::ArrayRef<Halide::VarOrRVar> threads, const Halide::RVar &turn,
                     llvm::ArrayRef<Halide::VarOrRVar> blocks) const;
  /// Computes `func` within `block`, whose threads share it: those for each value of `threads`, one where there are
  /// none. A thread goes through `serial`. Updates are spread by `spreadUpdate`.
  void spreadWithin(Halide::Func func, const Block &block, llvm::ArrayRef<Halide::VarOrRVar> threads,
                    llvm::ArrayRef<Halide::VarOrRVar> serial = {}) const;
  /// The threads of a block for each value of `threads`, which write different elements and go through `serial`, the
  /// first one innermost.
  void spreadUpdate(Halide::Stage stage, llvm::ArrayRef<Halide::VarOrRVar> threads,
                    llvm::ArrayRef<Halide::VarOrRVar> serial) const;
  /// Computes what a thread needs of `func` for its elements of `consumer`, which is spread within a block, in
  /// registers.
  void keepInThread(Halide::Func func, Halide::Func consumer) const;

private:
  Block spreadBlocks(Halide::Func func, Halide::Stage stage, llvm::ArrayRef<Halide::VarOrRVar> threads,
                     llvm::ArrayRef<Halide::VarOrRVar> turns, llvm::ArrayRef<Halide::VarOrRVar> blocks) const;
  void spread(Halide::Stage stage, llvm::ArrayRef<Halide::VarOrRVar> threads,
              llvm::ArrayRef<Halide::VarOrRVar> serial) const;
  int blockThreads;
};

} // namespace quern::codegen

#endif // QUERN_CODEGEN_DEVICESCHEDULE_H
