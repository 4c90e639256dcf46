//===- Module.cpp - a loaded module ------------------------------------------------------------===//

#include "test/ptx/Module.h"

#include "test/ptx/Decoder.h"
#include "test/ptx/Diagnostics.h"
#include "test/ptx/Memory.h"
#include "test/ptx/Parser.h"

#include <algorithm>
#include <cstring>

namespace quern::ptx {

/// Puts the variables into memory; their first values are zero where none are given.
static bool placeGlobals(Module &module, ModuleContext &context, Memory &memory, Diagnostics &diagnostics) {
  for (const Variable &variable : context.syntax.variables) {
    if (variable.space != Space::Global && variable.space != Space::Const)
      continue;
    uint64_t bytes = std::max<uint64_t>(variable.count * getBytes(variable.type), 1);
    if (variable.isExternal) {
      diagnostics.fail(variable.line, "`" + std::string(variable.name) + "` is in no module");
      return true;
    }
    uint64_t address = memory.allocate(bytes);
    if (!address)
      return false;
    module.globals.insert_or_assign(std::string(variable.name), Module::Global{address, bytes});
    context.addresses.insert_or_assign(variable.name, address);
    std::byte *host = memory.find(address, bytes, true);
    std::memset(host, 0, bytes);
    if (!variable.initial.empty())
      std::memcpy(host, variable.initial.data(), variable.initial.size());
  }
  return true;
}

static Status check(const ModuleSyntax &syntax, const Module::Target &target, std::string &message) {
  if (syntax.version > static_cast<unsigned>(target.version)) {
    message = "PTX " + std::to_string(syntax.version / 10) + "." + std::to_string(syntax.version % 10) +
              " is newer than the driver's";
    return Status::UnsupportedPtx;
  }
  if (syntax.target > static_cast<unsigned>(target.capability)) {
    message = "the module is for sm_" + std::to_string(syntax.target) + ", the device is sm_" +
              std::to_string(target.capability);
    return Status::NoBinary;
  }
  return Status::Success;
}

std::unique_ptr<Module> Module::load(const std::string &text, const Target &target, Memory &memory, Status &status,
                                     std::string &message) {
  Diagnostics diagnostics;
  ModuleSyntax syntax = parse(text, diagnostics);
  if (!diagnostics.failed() && (syntax.version == 0 || syntax.target == 0))
    diagnostics.fail(1, "found no `.version` and `.target`");
  status = diagnostics.failed() ? Status::InvalidPtx : check(syntax, target, message);
  if (diagnostics.failed())
    message = diagnostics.getText();
  if (status != Status::Success)
    return nullptr;
  auto module = std::make_unique<Module>();
  ModuleContext context{syntax, {}, target.reservedShared};
  status = placeGlobals(*module, context, memory, diagnostics) ? Status::Success : Status::OutOfMemory;
  for (const Function &function : syntax.functions)
    if (function.isEntry && function.hasBody && !diagnostics.failed())
      module->kernels.insert_or_assign(std::string(function.name), Decoder(context, diagnostics).run(function));
  if (diagnostics.failed()) {
    status = Status::InvalidPtx;
    message = diagnostics.getText();
  }
  if (status == Status::Success)
    return module;
  module->unload(memory);
  return nullptr;
}

void Module::unload(Memory &memory) {
  for (auto &[name, global] : globals)
    memory.free(global.address);
}

} // namespace quern::ptx
