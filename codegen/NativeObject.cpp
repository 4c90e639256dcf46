//===- NativeObject.cpp - objects that LLVM writes, and the linker ----------------------------===//

#include "codegen/NativeObject.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

namespace quern::codegen {

/// A target machine for this architecture's baseline, position-independent.
static Expected<std::unique_ptr<TargetMachine>> createBaselineMachine() {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  Triple triple(sys::getDefaultTargetTriple());
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("no code generator for `" + triple.str() + "`: " + error);
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, "x86-64", "", TargetOptions(), Reloc::PIC_));
  if (!machine)
    return createStringError("cannot create a target machine for `" + triple.str() + "`");
  return machine;
}

static Error writeObject(Module &module, StringRef path) {
  Expected<std::unique_ptr<TargetMachine>> machine = createBaselineMachine();
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  std::error_code code;
  raw_fd_ostream stream(path, code);
  if (code)
    return createStringError(code, "cannot write `" + path + "`: " + code.message());
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile))
    return createStringError("the code generator cannot write objects");
  passes.run(module);
  stream.close();
  if (stream.has_error()) {
    std::error_code failure = stream.error();
    stream.clear_error();
    return createStringError(failure, "cannot write `" + path + "`: " + failure.message());
  }
  return Error::success();
}

mlir::LogicalResult writeProgramObject(mlir::ModuleOp llvmModule, StringRef path) {
  mlir::registerBuiltinDialectTranslation(*llvmModule.getContext());
  mlir::registerLLVMDialectTranslation(*llvmModule.getContext());
  LLVMContext context;
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(llvmModule, context);
  if (!module)
    return llvmModule.emitError("programs do not translate to LLVM IR");
  if (Error error = writeObject(*module, path))
    return llvmModule.emitError(toString(std::move(error)));
  return mlir::success();
}

/// A constant with external linkage, as the runtime refers to it.
static void defineConstant(Module &module, StringRef name, Constant *value) {
  auto *global = new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::ExternalLinkage, value, name);
  global->setAlignment(Align(16));
}

Error writeTableObject(ArrayRef<std::string> programSymbols, StringRef description, StringRef path) {
  LLVMContext context;
  Module module("tables", context);
  auto *pointer = PointerType::get(context, 0);
  auto *i32 = Type::getInt32Ty(context), *i64 = Type::getInt64Ty(context);

  auto *programType = FunctionType::get(i32, {pointer}, false);
  SmallVector<Constant *> programs;
  for (const std::string &symbol : programSymbols)
    programs.push_back(cast<Constant>(module.getOrInsertFunction(symbol, programType).getCallee()));
  auto *arrayType = ArrayType::get(pointer, programs.size());
  auto *array = new GlobalVariable(module, arrayType, true, GlobalValue::PrivateLinkage,
                                   ConstantArray::get(arrayType, programs), "quern_program_pointers");
  auto *tableType = StructType::get(context, {i32, pointer});
  defineConstant(module, "quern_programs",
                 ConstantStruct::get(tableType, {ConstantInt::get(i32, programs.size()), array}));
  defineConstant(module, "quern_description",
                 ConstantDataArray::getString(context, description, /*AddNull=*/false));
  defineConstant(module, "quern_description_size", ConstantInt::get(i64, description.size()));
  return writeObject(module, path);
}

/// The compiler driver that links: the one Quern was built with, else the system's.
static Expected<std::string> findDriver() {
  for (StringRef name : {StringRef(QUERN_CXX_DRIVER), StringRef("clang++-22"), StringRef("c++"), StringRef("clang++")})
    if (auto found = sys::findProgramByName(name))
      return *found;
  return createStringError("found no C++ compiler to link with; install `clang-22` or `g++`");
}

Error link(ArrayRef<std::string> arguments) {
  Expected<std::string> driver = findDriver();
  if (!driver)
    return driver.takeError();
  SmallVector<StringRef> command{*driver};
  command.append(arguments.begin(), arguments.end());

  SmallString<128> log;
  if (std::error_code code = sys::fs::createTemporaryFile("quern-link", "log", log))
    return createStringError(code, "cannot create a temporary file: " + code.message());
  scope_exit removeLog([&] { sys::fs::remove(log); });
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log), StringRef(log)};
  std::string error;
  int status = sys::ExecuteAndWait(*driver, command, std::nullopt, redirects, 0, 0, &error);
  if (status == 0)
    return Error::success();
  auto buffer = MemoryBuffer::getFile(log);
  StringRef output = buffer ? (*buffer)->getBuffer().trim() : StringRef(error);
  return createStringError("`" + *driver + "` failed to link with status " + Twine(status) + ":\n" + output);
}

} // namespace quern::codegen
