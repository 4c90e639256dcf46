//===- Syntax.h - a PTX module as it is written ------------------------------------------------===//

#ifndef QUERN_TEST_PTX_SYNTAX_H
#define QUERN_TEST_PTX_SYNTAX_H

#include "test/ptx/Type.h"

#include <string>
#include <string_view>
#include <vector>

namespace quern::ptx {

/// Where a variable is. Generic addresses tell the others by their upper bits.
enum class Space : uint8_t { Generic, Global, Shared, Local, Param, Const };

/// `%r1`, `-4`, `0f3F800000`, `symbol+8`, `[%rd1+4]`, `{%r1, %r2}`, `(a, b)`, `!%p1`, `%r1|%p1`.
struct Operand {
  enum class Kind { Name, Integer, Single, Double, Address, List };
  Kind kind = Kind::Name;
  unsigned line = 0;
  bool negated = false;
  /// A register or a symbol; of an address empty if it is a number.
  std::string_view name;
  /// What stands after `|`.
  std::string_view second;
  /// The bits of a number.
  uint64_t bits = 0;
  /// What is added to a name.
  int64_t offset = 0;
  std::vector<Operand> parts;
};

/// `.shared .align 4 .b8 name[16]`, a parameter, or with a count, registers: `.reg .b32 %r<8>`.
struct Variable {
  Space space = Space::Generic;
  Type type = Type::B8;
  std::string_view name;
  unsigned line = 0;
  uint64_t align = 1;
  /// Elements; 0 for an array without a size.
  uint64_t count = 1;
  bool isExternal = false;
  /// The first bytes; the rest are zero.
  std::vector<uint8_t> initial;
};

struct Statement {
  enum class Kind { Label, Instruction, Open, Close, Register, Variable, Targets };
  Kind kind = Kind::Instruction;
  unsigned line = 0;
  /// A label, also of a list of targets, or an instruction with its modifiers as it is written.
  std::string_view text;
  /// The register after `@`; empty if there is none.
  std::string_view predicate;
  bool negated = false;
  std::string_view opcode;
  std::vector<std::string_view> modifiers;
  std::vector<Operand> operands;
  Variable variable;
};

struct Function {
  std::string_view name;
  unsigned line = 0;
  bool isEntry = false;
  bool hasBody = false;
  std::vector<Variable> results, parameters;
  std::vector<Statement> body;
  /// What `.maxntid` or `.reqntid` gives; 0 without.
  unsigned maxThreads = 0;
};

/// What the tokens of a module say; names refer to its text.
struct ModuleSyntax {
  /// 70 for `.version 7.0`, 80 for `.target sm_80`.
  unsigned version = 0, target = 0;
  std::vector<Variable> variables;
  std::vector<Function> functions;
};

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_SYNTAX_H
