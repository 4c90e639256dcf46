//===- Control.cpp - branches, calls and barriers ----------------------------------------------===//

#include "test/ptx/instructions/Decoders.h"

#include <atomic>

namespace quern::ptx {

void decodeBranch(Assembly &assembly) {
  assembly.take("uni");
  if (!assembly.expect(1))
    return;
  assembly.instruction.flow = Flow::Branch;
  assembly.decoder.branchTo(assembly.getOperand(0).name, assembly.getStatement().line);
  assembly.finish();
}

static void runTrap(const Instruction &instruction, Warp &warp, uint32_t mask) {
  warp.fail(instruction, firstLane(mask), Status::LaunchFailed, "the kernel gives up");
}

/// `brx.idx %r, $list`: a comparison and a branch for each target.
void decodeBranchIndexed(Assembly &assembly) {
  assembly.take("uni");
  if (!assembly.take("idx") || !assembly.expect(2) || !assembly.getStatement().predicate.empty())
    return assembly.fail("expected `brx.idx` without a predicate, and two operands");
  Decoder &decoder = assembly.decoder;
  const Statement &statement = assembly.getStatement();
  const std::vector<Operand> *targets = decoder.findTargets(assembly.getOperand(1).name);
  if (!targets)
    return assembly.fail("unknown list `" + std::string(assembly.getOperand(1).name) + "`");
  Instruction compare, branch;
  compare.run = getEqual32();
  compare.slots = {decoder.allocate(1), assembly.read(0, Type::U32), 0, noSlot, noSlot};
  branch.flow = Flow::Branch;
  branch.predicate = compare.slots[0];
  for (uint32_t i = 0; i < targets->size(); ++i) {
    compare.slots[2] = decoder.addConstant(i, 4);
    decoder.emit(compare, statement);
    decoder.branchTo((*targets)[i].name, statement.line);
    decoder.emit(branch, statement);
  }
  assembly.set(&runTrap);
  assembly.finish();
}

/// A function that was put in place of its call goes to its end.
void decodeReturn(Assembly &assembly) {
  assembly.take("uni");
  if (!assembly.expect(0))
    return;
  assembly.instruction.flow = Flow::Exit;
  if (assembly.decoder.isInlined()) {
    assembly.instruction.flow = Flow::Branch;
    assembly.decoder.branchToEnd();
  }
  assembly.finish();
}

void decodeExit(Assembly &assembly) {
  if (!assembly.expect(0))
    return;
  assembly.instruction.flow = Flow::Exit;
  assembly.finish();
}

void decodeCall(Assembly &assembly) {
  assembly.take("uni");
  if (assembly.hasModifiers())
    return assembly.fail("unknown modifier");
  if (!assembly.getStatement().predicate.empty())
    return assembly.fail("calls with a predicate are not supported");
  assembly.decoder.call(assembly.getStatement());
}

void decodeTrap(Assembly &assembly) {
  assembly.set(&runTrap);
  assembly.finish();
}

static void runNothing(const Instruction &, Warp &, uint32_t) {}

/// `bar.warp.sync members`
static void decodeWarpBarrier(Assembly &assembly) {
  if (!assembly.take("sync") || !assembly.expect(1))
    return assembly.fail("expected `bar.warp.sync` and the members");
  assembly.instruction.flow = Flow::Gather;
  assembly.instruction.members = assembly.read(0, Type::B32);
  assembly.set(&runNothing);
  assembly.finish();
}

/// `bar.sync id{, threads}`, `barrier.sync.aligned`, `bar.arrive id, threads`. Without `.aligned` the lanes of a warp
/// may come one by one.
void decodeBarrier(Assembly &assembly) {
  constexpr uint32_t arriveOnly = 1, isAligned = 2;
  Instruction &instruction = assembly.instruction;
  if (assembly.take("warp"))
    return decodeWarpBarrier(assembly);
  assembly.take("cta");
  bool isSync = assembly.take("sync"), isArrive = assembly.take("arrive");
  bool aligned = assembly.take("aligned") || assembly.getStatement().opcode == "bar";
  if (isSync == isArrive || !assembly.expect(isSync ? 1 : 2, 2))
    return assembly.fail("expected `.sync` or `.arrive`");
  instruction.flow = Flow::Barrier;
  instruction.target = (isArrive ? arriveOnly : 0) | (aligned ? isAligned : 0);
  instruction.slots[0] = assembly.read(0, Type::U32);
  instruction.slots[1] = assembly.count() == 2 ? assembly.read(1, Type::U32) : noSlot;
  assembly.finish();
}

static void runFence(const Instruction &, Warp &, uint32_t) { std::atomic_thread_fence(std::memory_order_seq_cst); }

void decodeFence(Assembly &assembly) {
  assembly.skip({"sc", "acq_rel", "acquire", "release", "cta", "cluster", "gpu", "sys", "gl"});
  if (!assembly.expect(0))
    return;
  assembly.set(&runFence);
  assembly.finish();
}

/// Takes no time here.
void decodeSleep(Assembly &assembly) {
  assembly.takeType();
  assembly.set(&runNothing);
  assembly.finish();
}

} // namespace quern::ptx
