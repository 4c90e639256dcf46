//===- Decoder.h - a function's statements to a kernel -----------------------------------------===//

#ifndef QUERN_TEST_PTX_DECODER_H
#define QUERN_TEST_PTX_DECODER_H

#include "test/ptx/Kernel.h"

#include <map>
#include <optional>
#include <unordered_map>

namespace quern::ptx {

class Diagnostics;

/// What a name stands for.
struct Symbol {
  enum class Kind { Register, Registers, Variable };
  Kind kind = Kind::Register;
  Type type = Type::B8;
  /// The register, or the first of `count`.
  Slot slot = 0;
  uint64_t count = 1;
  /// Of a variable.
  Space space = Space::Generic;
  uint64_t address = 0;
};

/// What all kernels of a module have in common.
struct ModuleContext {
  const ModuleSyntax &syntax;
  /// Addresses of the module's variables in global memory.
  std::map<std::string_view, uint64_t> addresses;
  /// Bytes of shared memory in front of all variables.
  uint32_t reservedShared = 0;
};

/// Turns one entry into a kernel: gives registers and variables their places and instructions their handlers, and puts
/// the functions that it calls in place of the calls.
class Decoder {
public:
  Decoder(const ModuleContext &module, Diagnostics &diagnostics) : module(module), diagnostics(diagnostics) {}

  Kernel run(const Function &entry);

  // For the decoders of instructions.

  /// What `name` stands for; none, with an error, if it is unknown. A name like `%r7` finds its register in `%r<8>`.
  std::optional<Symbol> find(std::string_view name, unsigned line);
  /// A register of its own, or one that all lanes read `bits` from.
  Slot allocate(unsigned bytes);
  Slot addConstant(uint64_t bits, unsigned bytes);
  /// The register of `%tid.x` and such; none if `name` is not one.
  std::optional<Slot> findSpecial(std::string_view name);
  /// The carry of `add.cc` and such.
  Slot getCarry();
  /// Lets the branch that is decoded next go to a label, or to the end of the function.
  void branchTo(std::string_view label, unsigned line);
  void branchToEnd();
  /// The labels of a list in the function that is decoded; null if there is no such list.
  const std::vector<Operand> *findTargets(std::string_view list) const;
  bool isInlined() const { return callDepth > 0; }
  void emit(const Instruction &instruction, const Statement &statement);
  /// Puts the body of a function here.
  void call(const Statement &statement);
  void fail(unsigned line, const std::string &message);

private:
  struct Fixup {
    size_t instruction;
    std::string_view label;
    unsigned line;
  };
  /// The labels of one function, or of one call of it.
  struct Frame {
    const Function *function = nullptr;
    std::unordered_map<std::string_view, uint32_t> labels;
    std::vector<Fixup> fixups;
    /// Branches to the end.
    std::vector<size_t> ends;
  };
  using Scope = std::unordered_map<std::string_view, Symbol>;

  void decodeBody(const Function &function);
  void decodeStatement(const Statement &statement);
  void declareRegisters(const Variable &variable);
  void declareVariable(const Statement &statement);
  void declareParameters(const Function &entry);
  void layOutShared(const Function &entry);
  void placeShared(const Variable &variable);
  bool isMentioned(const Function &entry, std::string_view name) const;
  void bindArguments(const std::vector<Variable> &variables, const Operand *arguments, Scope &scope, unsigned line);
  const Function *findFunction(std::string_view name) const;
  std::optional<Symbol> findVariable(std::string_view name) const;
  uint64_t placeLocal(const Variable &variable);

  const ModuleContext &module;
  Diagnostics &diagnostics;
  Kernel kernel;
  std::vector<Scope> scopes;
  std::vector<Frame> frames;
  /// Where shared variables lie, by declaration; the one without a size lies behind all others.
  std::map<const Variable *, uint64_t> sharedAddresses;
  std::map<std::pair<uint64_t, unsigned>, Slot> constants;
  std::map<Special, Slot> specials;
  Slot carry = noSlot;
  unsigned callDepth = 0;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_DECODER_H
