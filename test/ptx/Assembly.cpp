//===- Assembly.cpp - one instruction being decoded --------------------------------------------===//

#include "test/ptx/Assembly.h"

#include "test/ptx/Number.h"
#include "test/ptx/instructions/Decoders.h"

#include <algorithm>

namespace quern::ptx {

bool Assembly::take(std::string_view modifier) {
  auto found = std::ranges::find(modifiers, modifier);
  if (found == modifiers.end())
    return false;
  modifiers.erase(found);
  return true;
}

void Assembly::skip(std::initializer_list<std::string_view> names) {
  for (std::string_view name : names)
    take(name);
}

Type Assembly::takeType() {
  for (std::string_view modifier : modifiers)
    if (auto type = parseType(modifier)) {
      take(modifier);
      return *type;
    }
  fail("there is no type, expected one more");
  return Type::B32;
}

std::string_view Assembly::takeAny() {
  if (modifiers.empty())
    return {};
  std::string_view first = modifiers.front();
  modifiers.erase(modifiers.begin());
  return first;
}

bool Assembly::expect(size_t least, size_t most) {
  if (count() >= least && count() <= most)
    return true;
  fail("there are " + std::to_string(count()) + " operands, expected " + std::to_string(least) +
       (most > least ? " to " + std::to_string(most) : ""));
  return false;
}

void Assembly::fail(const std::string &message) {
  decoder.fail(statement.line, "`" + std::string(statement.text) + "`: " + message);
}

/// The bits of a number as a `type`.
Slot Assembly::getNumber(const Operand &operand, Type type) {
  uint64_t bits = operand.bits;
  bool isInteger = operand.kind == Operand::Kind::Integer;
  if (isInteger && isFloat(type)) {
    fail("found an integer, expected a number of type `" + std::string(getName(type)) + "`");
  } else if (!isInteger && isFloat(type)) {
    bool isSingle = operand.kind == Operand::Kind::Single;
    double value = isSingle ? std::bit_cast<float>(static_cast<uint32_t>(bits)) : std::bit_cast<double>(bits);
    // A NaN keeps its bits.
    if (type == Type::F64 && isSingle)
      bits = bitsOf(value);
    else if (type == Type::F32 && !isSingle)
      bits = bitsOf(static_cast<float>(value));
    else if (type == Type::F16)
      bits = bitsOf(roundTo<Half>(value));
    else if (type == Type::Bf16)
      bits = roundTo<Bfloat>(value).bits;
  }
  if (operand.negated)
    bits = type == Type::Pred ? bits == 0 : bits;
  return decoder.addConstant(type == Type::Pred ? bits != 0 : bits, getBytes(type));
}

Slot Assembly::getRegister(const Operand &operand, const Symbol &symbol, Type type, unsigned *bytes) {
  unsigned found = getBytes(symbol.type), expected = getBytes(type);
  bool isPredicate = symbol.type == Type::Pred;
  if (isPredicate != (type == Type::Pred) || (bytes ? found < expected : found != expected))
    fail("`" + std::string(operand.name) + "` is a register of type `" + std::string(getName(symbol.type)) +
         "`, expected one for `" + std::string(getName(type)) + "`");
  if (operand.offset != 0)
    fail("a number is added to register `" + std::string(operand.name) + "`, expected that in an address only");
  if (bytes)
    *bytes = found;
  return symbol.slot;
}

/// `!%p` is an instruction of its own, in front of this one.
Slot Assembly::getOpposite(Slot predicate) {
  Instruction opposite;
  opposite.run = getPredicateNot();
  opposite.slots[0] = decoder.allocate(1);
  opposite.slots[1] = predicate;
  decoder.emit(opposite, statement);
  return opposite.slots[0];
}

Slot Assembly::read(const Operand &operand, Type type, unsigned *bytes) {
  if (bytes)
    *bytes = getBytes(type);
  if (operand.kind == Operand::Kind::List || operand.kind == Operand::Kind::Address || !operand.second.empty() ||
      (operand.negated && type != Type::Pred)) {
    fail("found brackets, `|` or `!`, expected a register or a number");
    return 0;
  }
  if (operand.kind != Operand::Kind::Name)
    return getNumber(operand, type);
  if (auto special = decoder.findSpecial(operand.name)) {
    if (getBytes(type) != 4)
      fail("`" + std::string(operand.name) + "` has 32 bits");
    return *special;
  }
  std::optional<Symbol> symbol = decoder.find(operand.name, operand.line);
  if (!symbol)
    return 0;
  if (symbol->kind == Symbol::Kind::Register) {
    Slot slot = getRegister(operand, *symbol, type, bytes);
    return operand.negated ? getOpposite(slot) : slot;
  }
  if (getBytes(type) < 4)
    fail("the address of `" + std::string(operand.name) + "` does not fit");
  return decoder.addConstant(symbol->address + static_cast<uint64_t>(operand.offset), getBytes(type));
}

Slot Assembly::write(const Operand &operand, Type type, unsigned *bytes) {
  if (bytes)
    *bytes = getBytes(type);
  if (operand.kind != Operand::Kind::Name || operand.negated) {
    fail("found a number or brackets, expected a register for the result");
    return 0;
  }
  // A result that nobody wants.
  if (operand.name == "_")
    return decoder.allocate(getBytes(type));
  std::optional<Symbol> symbol = decoder.find(operand.name, operand.line);
  if (!symbol)
    return 0;
  if (symbol->kind != Symbol::Kind::Register) {
    fail("`" + std::string(operand.name) + "` is a variable, expected a register for the result");
    return 0;
  }
  return getRegister(operand, *symbol, type, bytes);
}

Slot Assembly::writeSecond(size_t i, Type type) {
  Operand operand;
  operand.name = getOperand(i).second;
  return operand.name.empty() ? noSlot : write(operand, type, nullptr);
}

void Assembly::setOperands(std::initializer_list<Type> types) {
  if (!expect(types.size()))
    return;
  size_t i = 0;
  for (Type type : types) {
    instruction.slots[i] = i == 0 ? write(i, type) : read(i, type);
    ++i;
  }
}

void Assembly::readList(size_t i, Type type, unsigned first, unsigned expected) {
  const Operand &operand = getOperand(i);
  if (operand.kind != Operand::Kind::List || operand.parts.size() != expected)
    return fail("operand " + std::to_string(i + 1) + " is not a list of " + std::to_string(expected) + " registers");
  for (const Operand &part : operand.parts)
    instruction.slots[first++] = read(part, type, nullptr);
}

void Assembly::writeList(size_t i, Type type, unsigned first, unsigned expected) {
  const Operand &operand = getOperand(i);
  if (operand.kind != Operand::Kind::List || operand.parts.size() != expected)
    return fail("operand " + std::to_string(i + 1) + " is not a list of " + std::to_string(expected) + " registers");
  for (const Operand &part : operand.parts)
    instruction.slots[first++] = write(part, type, nullptr);
}

void Assembly::setAddress(size_t i, Space space) {
  const Operand &operand = getOperand(i);
  instruction.space = space;
  instruction.offset = operand.offset;
  if (operand.kind != Operand::Kind::Address)
    return fail("operand " + std::to_string(i + 1) + " is not an address in `[]`");
  if (operand.name.empty()) {
    instruction.offset = static_cast<int64_t>(operand.bits);
    if (space != Space::Local)
      fail("found a number as an address, expected a register or a variable");
    return;
  }
  std::optional<Symbol> symbol = decoder.find(operand.name, operand.line);
  if (!symbol)
    return;
  if (symbol->kind == Symbol::Kind::Register) {
    unsigned bytes = getBytes(symbol->type);
    if (symbol->type == Type::Pred || bytes < 4 || (bytes == 4 && space != Space::Shared && space != Space::Local))
      fail("`" + std::string(operand.name) + "` is no register for an address");
    instruction.address = symbol->slot;
    instruction.addressBytes = static_cast<uint8_t>(bytes);
    return;
  }
  // The parameters of calls are in local memory; a variable's own space is the right one for a generic access.
  bool isArgument = space == Space::Param && symbol->space == Space::Local;
  if (space == Space::Generic || isArgument)
    instruction.space = symbol->space;
  else if (symbol->space != space)
    fail("`" + std::string(operand.name) + "` is in another space");
  instruction.offset += static_cast<int64_t>(symbol->address);
}

void Assembly::finish() {
  if (!statement.predicate.empty()) {
    Operand predicate;
    predicate.name = statement.predicate;
    predicate.line = statement.line;
    instruction.predicate = read(predicate, Type::Pred, nullptr);
    instruction.negated = statement.negated;
  }
  if (!modifiers.empty())
    return fail("unknown modifier `" + std::string(modifiers.front()) + "`");
  if (!instruction.run && (instruction.flow == Flow::Plain || instruction.flow == Flow::Gather))
    return fail("the instruction does not exist for these types");
  decoder.emit(instruction, statement);
}

namespace {
struct Row {
  std::string_view opcode;
  void (*decode)(Assembly &);
};
} // namespace

static constexpr Row rows[] = {
#define PTX_INSTRUCTION(Opcode, Decode) {#Opcode, Decode},
#include "test/ptx/Instructions.def"
};

void decodeInstruction(const Statement &statement, Decoder &decoder) {
  auto row = std::ranges::find(rows, statement.opcode, &Row::opcode);
  if (row == std::end(rows))
    return decoder.fail(statement.line, "unknown instruction `" + std::string(statement.text) + "`");
  Assembly assembly(statement, decoder);
  row->decode(assembly);
}

} // namespace quern::ptx
