//===- Assembly.h - one instruction being decoded ----------------------------------------------===//

#ifndef QUERN_TEST_PTX_ASSEMBLY_H
#define QUERN_TEST_PTX_ASSEMBLY_H

#include "test/ptx/Decoder.h"

#include <initializer_list>
#include <type_traits>

namespace quern::ptx {

struct Bfloat;

/// An instruction as it is written, from which a decoder takes what it knows: what is left of the modifiers at the end
/// is an error, and so is a decoder that sets no handler.
class Assembly {
public:
  Assembly(const Statement &statement, Decoder &decoder)
      : statement(statement), decoder(decoder), modifiers(statement.modifiers) {}

  /// Whether there was such a modifier; it is gone now.
  bool take(std::string_view modifier);
  /// Takes modifiers that make no difference here.
  void skip(std::initializer_list<std::string_view> names);
  /// The first modifier that is a type; an error if there is none.
  Type takeType();
  /// The first modifier as it is, for those with a number in them; empty if there is none.
  std::string_view takeAny();
  bool hasModifiers() const { return !modifiers.empty(); }

  size_t count() const { return statement.operands.size(); }
  /// Notes an error unless the instruction has from `least` to `most` operands.
  bool expect(size_t least, size_t most);
  bool expect(size_t number) { return expect(number, number); }
  const Operand &getOperand(size_t i) const { return statement.operands[i]; }
  const Statement &getStatement() const { return statement; }

  /// Where an operand's value is: a register with the bytes of `type`, a number, an address of a variable.
  Slot read(size_t i, Type type) { return read(statement.operands[i], type, nullptr); }
  /// The same; `bytes`, unless null, takes the bytes of a register, which may be wider than the type.
  Slot read(const Operand &operand, Type type, unsigned *bytes);
  Slot write(size_t i, Type type) { return write(statement.operands[i], type, nullptr); }
  Slot write(const Operand &operand, Type type, unsigned *bytes);
  /// A register for a result that may be missing: `second` of an operand.
  Slot writeSecond(size_t i, Type type);
  /// Reads operands from the second on, and writes the first, in their order.
  void setOperands(std::initializer_list<Type> types);
  /// The registers of `{…}`, from the slot `first` on; `expected` of them.
  void readList(size_t i, Type type, unsigned first, unsigned expected);
  void writeList(size_t i, Type type, unsigned first, unsigned expected);
  /// Sets the address of the instruction from `[…]`.
  void setAddress(size_t i, Space space);

  void set(Handler handler) { instruction.run = handler; }
  void fail(const std::string &message);
  /// Puts the instruction into the kernel, if it is complete.
  void finish();

  Instruction instruction;
  const Statement &statement;
  Decoder &decoder;

private:
  Slot getOpposite(Slot predicate);
  Slot getNumber(const Operand &operand, Type type);
  Slot getRegister(const Operand &operand, const Symbol &symbol, Type type, unsigned *bytes);

  std::vector<std::string_view> modifiers;
};

/// Decodes an instruction by its row in Instructions.def.
void decodeInstruction(const Statement &statement, Decoder &decoder);

/// select(std::type_identity<T>()) for the type of C++ that `type` is; null for any other kind.
template <typename F> Handler forInteger(Type type, F select) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return select(std::type_identity<uint16_t>());
  case Type::B32:
  case Type::U32:
    return select(std::type_identity<uint32_t>());
  case Type::B64:
  case Type::U64:
    return select(std::type_identity<uint64_t>());
  case Type::S16:
    return select(std::type_identity<int16_t>());
  case Type::S32:
    return select(std::type_identity<int32_t>());
  case Type::S64:
    return select(std::type_identity<int64_t>());
  default:
    return nullptr;
  }
}

template <typename F> Handler forFloat(Type type, F select) {
  switch (type) {
  case Type::F16:
    return select(std::type_identity<_Float16>());
  case Type::Bf16:
    return select(std::type_identity<Bfloat>());
  case Type::F32:
    return select(std::type_identity<float>());
  case Type::F64:
    return select(std::type_identity<double>());
  default:
    return nullptr;
  }
}

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_ASSEMBLY_H
