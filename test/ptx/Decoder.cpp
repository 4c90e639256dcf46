//===- Decoder.cpp - a function's statements to a kernel ---------------------------------------===//

#include "test/ptx/Decoder.h"

#include "test/ptx/Assembly.h"
#include "test/ptx/Diagnostics.h"

#include <algorithm>
#include <cstdlib>

namespace quern::ptx {

/// Calls within calls at most: functions that call themselves cannot be put in place of their calls.
static constexpr unsigned maxCallDepth = 16;
/// Bytes of a warp's registers, and of a thread's or a block's memory at most.
static constexpr uint64_t maxBytes = 64 << 20;
static constexpr size_t maxInstructions = size_t{1} << 22;

static uint64_t alignTo(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

void Decoder::fail(unsigned line, const std::string &message) { diagnostics.fail(line, message); }

Slot Decoder::allocate(unsigned bytes) {
  Slot slot = static_cast<Slot>(kernel.registerBytes);
  if (kernel.registerBytes + uint64_t{bytes} * lanes > maxBytes)
    fail(0, "kernel `" + kernel.name + "` has too many registers");
  else
    kernel.registerBytes += bytes * lanes;
  return slot;
}

Slot Decoder::addConstant(uint64_t bits, unsigned bytes) {
  if (bytes < 8)
    bits &= (uint64_t{1} << 8 * bytes) - 1;
  auto [found, isNew] = constants.try_emplace({bits, bytes});
  if (isNew) {
    kernel.constantBytes += bytes * lanes;
    found->second = -static_cast<Slot>(kernel.constantBytes);
    kernel.constants.push_back({found->second, bytes, bits});
  }
  return found->second;
}

std::optional<Slot> Decoder::findSpecial(std::string_view name) {
  static constexpr std::string_view names[] = {
#define PTX_SPECIAL(Name, Text, Bytes) Text,
#include "test/ptx/Special.def"
  };
  auto row = std::ranges::find(names, name);
  if (row == std::end(names))
    return std::nullopt;
  Special special = static_cast<Special>(row - names);
  auto [found, isNew] = specials.try_emplace(special);
  if (isNew) {
    found->second = allocate(4);
    kernel.specials.push_back({special, found->second});
  }
  return found->second;
}

Slot Decoder::getCarry() {
  if (carry == noSlot)
    carry = allocate(1);
  return carry;
}

std::optional<Symbol> Decoder::find(std::string_view name, unsigned line) {
  size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
    --digits;
  std::string_view prefix = name.substr(0, digits);
  uint64_t index = std::strtoull(std::string(name.substr(digits)).c_str(), nullptr, 10);
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    if (auto found = scope->find(name); found != scope->end() && found->second.kind != Symbol::Kind::Registers)
      return found->second;
    auto range = scope->find(prefix);
    if (range == scope->end() || range->second.kind != Symbol::Kind::Registers || index >= range->second.count)
      continue;
    Symbol symbol = range->second;
    symbol.kind = Symbol::Kind::Register;
    symbol.slot += static_cast<Slot>(index * getBytes(symbol.type) * lanes);
    return symbol;
  }
  if (auto variable = findVariable(name))
    return variable;
  fail(line, "unknown name `" + std::string(name) + "`");
  return std::nullopt;
}

std::optional<Symbol> Decoder::findVariable(std::string_view name) const {
  for (const Variable &variable : module.syntax.variables) {
    if (variable.name != name)
      continue;
    Symbol symbol{Symbol::Kind::Variable, variable.type};
    symbol.space = variable.space;
    if (auto shared = sharedAddresses.find(&variable); shared != sharedAddresses.end())
      symbol.address = shared->second;
    else if (auto global = module.addresses.find(name); global != module.addresses.end())
      symbol.address = global->second;
    return symbol;
  }
  return std::nullopt;
}

const Function *Decoder::findFunction(std::string_view name) const {
  for (const Function &function : module.syntax.functions)
    if (function.name == name && function.hasBody)
      return &function;
  return nullptr;
}

void Decoder::declareRegisters(const Variable &variable) {
  Symbol symbol{variable.count ? Symbol::Kind::Registers : Symbol::Kind::Register, variable.type};
  symbol.count = std::max<uint64_t>(variable.count, 1);
  symbol.slot = static_cast<Slot>(kernel.registerBytes);
  for (uint64_t i = 0; i < symbol.count && !diagnostics.failed(); ++i)
    allocate(getBytes(variable.type));
  kernel.registerCount += static_cast<uint32_t>(symbol.count);
  scopes.back().insert_or_assign(variable.name, symbol);
}

uint64_t Decoder::placeLocal(const Variable &variable) {
  uint64_t address = alignTo(kernel.localBytes, variable.align);
  uint64_t end = address + variable.count * getBytes(variable.type);
  if (end > maxBytes)
    fail(variable.line, "`" + std::string(variable.name) + "` is too large");
  else
    kernel.localBytes = static_cast<uint32_t>(alignTo(end, 16));
  return address;
}

/// A variable in a body: a parameter there is one of a call, and lies with the thread's own memory.
void Decoder::declareVariable(const Statement &statement) {
  const Variable &variable = statement.variable;
  Symbol symbol{Symbol::Kind::Variable, variable.type};
  symbol.space = variable.space == Space::Param ? Space::Local : variable.space;
  if (symbol.space == Space::Local)
    symbol.address = placeLocal(variable);
  else if (symbol.space == Space::Shared)
    symbol.address = sharedAddresses[&variable];
  else
    fail(statement.line, "`" + std::string(variable.name) + "` is declared in a function, expected outside of it");
  scopes.back().insert_or_assign(variable.name, symbol);
}

void Decoder::declareParameters(const Function &entry) {
  uint64_t end = 0;
  for (const Variable &variable : entry.parameters) {
    uint64_t bytes = variable.count * getBytes(variable.type);
    Symbol symbol{Symbol::Kind::Variable, variable.type};
    symbol.space = Space::Param;
    symbol.address = alignTo(end, variable.align);
    end = symbol.address + bytes;
    if (end > 4096)
      fail(variable.line, "the parameters need more than 4096 bytes");
    kernel.parameters.push_back({static_cast<uint32_t>(symbol.address), static_cast<uint32_t>(bytes)});
    scopes.back().insert_or_assign(variable.name, symbol);
  }
  kernel.parameterBytes = static_cast<uint32_t>(end);
}

/// Whether the entry, or any function, uses a name.
bool Decoder::isMentioned(const Function &entry, std::string_view name) const {
  auto mentions = [name](const Statement &statement) {
    return std::ranges::any_of(statement.operands, [name](const Operand &operand) { return operand.name == name; });
  };
  return std::ranges::any_of(module.syntax.functions, [&](const Function &function) {
    return (&function == &entry || !function.isEntry) && std::ranges::any_of(function.body, mentions);
  });
}

void Decoder::placeShared(const Variable &variable) {
  uint64_t address = alignTo(kernel.sharedBytes, variable.align);
  uint64_t end = address + variable.count * getBytes(variable.type);
  sharedAddresses[&variable] = address;
  if (end > maxBytes)
    fail(variable.line, "`" + std::string(variable.name) + "` is too large");
  else
    kernel.sharedBytes = static_cast<uint32_t>(end);
}

/// The shared variables one after the other; behind them what a launch adds.
void Decoder::layOutShared(const Function &entry) {
  std::vector<const Variable *> unsized;
  kernel.sharedBytes = kernel.reservedShared = module.reservedShared;
  for (const Variable &variable : module.syntax.variables) {
    if (variable.space != Space::Shared || !isMentioned(entry, variable.name))
      continue;
    if (variable.count == 0 || variable.isExternal)
      unsized.push_back(&variable);
    else
      placeShared(variable);
  }
  for (const Function &function : module.syntax.functions)
    for (const Statement &statement : function.body)
      if ((&function == &entry || !function.isEntry) && statement.kind == Statement::Kind::Variable &&
          statement.variable.space == Space::Shared)
        placeShared(statement.variable);
  uint64_t align = 1;
  for (const Variable *variable : unsized)
    align = std::max(align, variable->align);
  kernel.sharedBytes = static_cast<uint32_t>(alignTo(kernel.sharedBytes, align));
  for (const Variable *variable : unsized)
    sharedAddresses[variable] = kernel.sharedBytes;
}

void Decoder::branchTo(std::string_view label, unsigned line) {
  frames.back().fixups.push_back({kernel.code.size(), label, line});
}

const std::vector<Operand> *Decoder::findTargets(std::string_view list) const {
  for (const Statement &statement : frames.back().function->body)
    if (statement.kind == Statement::Kind::Targets && statement.text == list)
      return &statement.operands;
  return nullptr;
}

void Decoder::branchToEnd() { frames.back().ends.push_back(kernel.code.size()); }

void Decoder::emit(const Instruction &instruction, const Statement &statement) {
  if (kernel.code.size() >= maxInstructions)
    return fail(statement.line, "kernel `" + kernel.name + "` has too many instructions");
  kernel.code.push_back(instruction);
  kernel.texts.push_back({statement.line, std::string(statement.text)});
}

/// Lets the parameters of a function be the variables that a call names.
void Decoder::bindArguments(const std::vector<Variable> &variables, const Operand *arguments, Scope &scope,
                            unsigned line) {
  size_t found = arguments ? arguments->parts.size() : 0;
  if (found != variables.size())
    return fail(line, "the call has " + std::to_string(found) + " arguments or results, expected " +
                          std::to_string(variables.size()));
  for (size_t i = 0; i < found; ++i) {
    std::optional<Symbol> symbol = find(arguments->parts[i].name, line);
    if (!symbol)
      return;
    if (symbol->kind != Symbol::Kind::Variable || symbol->space != Space::Local)
      return fail(line, "an argument of a call is not a variable in `.param`");
    scope.insert_or_assign(variables[i].name, *symbol);
  }
}

/// `call.uni (result), name, (arguments)`; the lists may be missing.
void Decoder::call(const Statement &statement) {
  const Operand *results = nullptr, *arguments = nullptr;
  size_t next = 0;
  auto takeList = [&](const Operand *&list) {
    if (next < statement.operands.size() && statement.operands[next].kind == Operand::Kind::List)
      list = &statement.operands[next++];
  };
  takeList(results);
  std::string_view name = next < statement.operands.size() ? statement.operands[next++].name : std::string_view();
  takeList(arguments);
  const Function *function = findFunction(name);
  if (!function || function->isEntry || next != statement.operands.size())
    return fail(statement.line, "`" + std::string(name) + "` is called, which is no function of this module");
  if (callDepth >= maxCallDepth)
    return fail(statement.line, "calls within calls are too deep; functions that call themselves are not supported");
  Scope scope;
  bindArguments(function->results, results, scope, statement.line);
  bindArguments(function->parameters, arguments, scope, statement.line);
  ++callDepth;
  // The function sees none of its caller's names.
  std::vector<Scope> callers = std::move(scopes);
  scopes.assign(1, std::move(scope));
  decodeBody(*function);
  scopes = std::move(callers);
  --callDepth;
}

void Decoder::decodeStatement(const Statement &statement) {
  switch (statement.kind) {
  case Statement::Kind::Label:
    if (!frames.back().labels.try_emplace(statement.text, static_cast<uint32_t>(kernel.code.size())).second)
      fail(statement.line, "label `" + std::string(statement.text) + "` is there twice");
    return;
  case Statement::Kind::Instruction:
    return decodeInstruction(statement, *this);
  case Statement::Kind::Open:
    scopes.emplace_back();
    return;
  case Statement::Kind::Close:
    scopes.pop_back();
    return;
  case Statement::Kind::Register:
    return declareRegisters(statement.variable);
  case Statement::Kind::Variable:
    return declareVariable(statement);
  case Statement::Kind::Targets:
    return;
  }
}

void Decoder::decodeBody(const Function &function) {
  frames.emplace_back().function = &function;
  scopes.emplace_back();
  for (const Statement &statement : function.body) {
    if (diagnostics.failed())
      return;
    decodeStatement(statement);
  }
  scopes.pop_back();
  Frame frame = std::move(frames.back());
  frames.pop_back();
  uint32_t end = static_cast<uint32_t>(kernel.code.size());
  for (const Fixup &fixup : frame.fixups) {
    auto label = frame.labels.find(fixup.label);
    if (label == frame.labels.end())
      return fail(fixup.line, "unknown label `" + std::string(fixup.label) + "`");
    kernel.code[fixup.instruction].target = label->second;
  }
  for (size_t branch : frame.ends)
    kernel.code[branch].target = end;
}

Kernel Decoder::run(const Function &entry) {
  kernel.name = entry.name;
  kernel.maxThreads = entry.maxThreads;
  scopes.emplace_back();
  declareParameters(entry);
  layOutShared(entry);
  decodeBody(entry);
  // The end of the text ends the thread.
  Statement last;
  last.line = entry.body.empty() ? entry.line : entry.body.back().line;
  last.text = "exit";
  Instruction exit;
  exit.flow = Flow::Exit;
  emit(exit, last);
  return std::move(kernel);
}

} // namespace quern::ptx
