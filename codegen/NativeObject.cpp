//===- NativeObject.cpp - objects that LLVM writes, and the linker ----------------------------===//

#include "codegen/NativeObject.h"
#include "codegen/MemoryFile.h"
#include "runtime/include/quern/Format.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/Binary.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <cerrno>
#include <unistd.h>

using namespace llvm;

namespace quern::codegen {

/// A target machine for this architecture's baseline, position-independent. What it compiles calls kernels and does
/// little besides: optimising it took seven times as long (0.7 s for SmolLM2's four programs) for nothing that could be
/// measured.
static Expected<std::unique_ptr<TargetMachine>> createBaselineMachine() {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  Triple triple(sys::getDefaultTargetTriple());
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("no code generator for `" + triple.str() + "`: " + error);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(triple, "x86-64", "", TargetOptions(), Reloc::PIC_,
                                                                     std::nullopt, CodeGenOptLevel::None));
  if (!machine)
    return createStringError("cannot create a target machine for `" + triple.str() + "`");
  return machine;
}

static Expected<std::unique_ptr<MemoryBuffer>> compileObject(Module &module, StringRef name) {
  Expected<std::unique_ptr<TargetMachine>> machine = createBaselineMachine();
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  SmallVector<char, 0> code;
  raw_svector_ostream stream(code);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile))
    return createStringError("the code generator cannot write objects");
  passes.run(module);
  return std::make_unique<SmallVectorMemoryBuffer>(std::move(code), name, /*RequiresNullTerminator=*/false);
}

mlir::FailureOr<std::unique_ptr<MemoryBuffer>> compilePrograms(mlir::ModuleOp llvmModule, StringRef name) {
  mlir::registerBuiltinDialectTranslation(*llvmModule.getContext());
  mlir::registerLLVMDialectTranslation(*llvmModule.getContext());
  LLVMContext context;
  std::unique_ptr<Module> module = mlir::translateModuleToLLVMIR(llvmModule, context);
  if (!module)
    return llvmModule.emitError("programs do not translate to LLVM IR");
  Expected<std::unique_ptr<MemoryBuffer>> object = compileObject(*module, name);
  if (!object)
    return llvmModule.emitError(toString(object.takeError()));
  return std::move(*object);
}

/// A constant with external linkage, as the runtime refers to it.
static GlobalVariable *defineConstant(Module &module, StringRef name, Constant *value) {
  auto *global =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::ExternalLinkage, value, name);
  global->setAlignment(Align(16));
  return global;
}

Expected<std::unique_ptr<MemoryBuffer>> compileTables(ArrayRef<std::string> programSymbols, StringRef description) {
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
  static_assert(offsetof(QuernProgramTable, count) == 0 && sizeof(QuernProgramTable::count) == 4 &&
                offsetof(QuernProgramTable, programs) == 8 && sizeof(QuernProgramTable) == 16);
  auto *tableType = StructType::get(context, {i32, pointer});
  defineConstant(module, "quern_programs",
                 ConstantStruct::get(tableType, {ConstantInt::get(i32, programs.size()), array}));
  defineConstant(module, "quern_description", ConstantDataArray::getString(context, description, /*AddNull=*/false));
  defineConstant(module, "quern_description_size", ConstantInt::get(i64, description.size()));
  return compileObject(module, "tables.o");
}

Expected<std::unique_ptr<MemoryBuffer>> compileArms(ArrayRef<std::vector<std::string>> arms) {
  LLVMContext context;
  Module module("arms", context);
  auto *pointer = PointerType::get(context, 0);
  auto *i32 = Type::getInt32Ty(context);
  SmallVector<Constant *> chosen, all;
  SmallVector<uint32_t> begins = {0};
  for (const std::vector<std::string> &functions : arms) {
    for (const std::string &symbol : functions)
      all.push_back(cast<Constant>(module.getOrInsertFunction(symbol, FunctionType::get(i32, false)).getCallee()));
    chosen.push_back(all[begins.back()]);
    begins.push_back(all.size());
  }
  auto getArray = [&](ArrayRef<Constant *> elements) {
    return ConstantArray::get(ArrayType::get(pointer, elements.size()), elements);
  };
  defineConstant(module, "quern_chosen_kernels", getArray(chosen))->setConstant(false);
  defineConstant(module, "quern_arms", getArray(all));
  defineConstant(module, "quern_arm_begins", ConstantDataArray::get(context, begins));
  defineConstant(module, "quern_kernel_count", ConstantInt::get(i32, arms.size()));
  return compileObject(module, "arms.o");
}

Expected<std::unique_ptr<MemoryBuffer>> renameSymbol(MemoryBufferRef object, StringRef from, StringRef to) {
  Expected<std::unique_ptr<object::Binary>> binary = object::createBinary(object);
  if (!binary)
    return binary.takeError();
  objcopy::ConfigManager config;
  config.Common.SymbolsToRename[from] = to;
  SmallVector<char, 0> renamed;
  raw_svector_ostream stream(renamed);
  if (Error error = objcopy::executeObjcopyOnBinary(config, **binary, stream))
    return error;
  return std::make_unique<SmallVectorMemoryBuffer>(std::move(renamed), to, /*RequiresNullTerminator=*/false);
}

/// The compiler driver that links: the one Quern was built with, else the system's.
static Expected<std::string> findDriver() {
  for (StringRef name : {StringRef(QUERN_CXX_DRIVER), StringRef("clang++-22"), StringRef("c++"), StringRef("clang++")})
    if (auto found = sys::findProgramByName(name))
      return *found;
  return createStringError("found no C++ compiler to link with; install `clang-22` or `g++`");
}

/// One archive of all objects: a linker that is given a file per kernel may run out of descriptors.
static Expected<MemoryFile> archiveObjects(ArrayRef<std::unique_ptr<MemoryBuffer>> objects) {
  std::vector<NewArchiveMember> members;
  for (const std::unique_ptr<MemoryBuffer> &object : objects)
    members.emplace_back(object->getMemBufferRef());
  auto archive = writeArchiveToBuffer(members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                                      /*Deterministic=*/true, /*Thin=*/false);
  if (!archive)
    return archive.takeError();
  Expected<MemoryFile> file = MemoryFile::create();
  if (!file)
    return file.takeError();
  if (Error error = file->write((*archive)->getBuffer()))
    return error;
  return file;
}

/// Reads to the end of `pipe`, and closes it.
static std::string drain(int pipe) {
  std::string content;
  std::vector<char> buffer(1 << 16);
  while (true) {
    ssize_t size = read(pipe, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      break;
    content.append(buffer.data(), size);
  }
  close(pipe);
  return content;
}

/// The line of a linker's messages that says why it failed: the first that calls itself an error, else the first. What
/// follows may be the trace of a crash.
static StringRef findReason(StringRef messages) {
  SmallVector<StringRef> lines;
  messages.split(lines, '\n', -1, /*KeepEmpty=*/false);
  if (lines.empty())
    return "it says nothing";
  const auto *reason = llvm::find_if(lines, [](StringRef line) { return line.contains_insensitive("error"); });
  return (reason == lines.end() ? lines.front() : *reason).trim();
}

/// Runs a program without input: what it writes to its standard output, or its messages as the error.
static Expected<std::string> runForOutput(ArrayRef<StringRef> command) {
  Expected<MemoryFile> log = MemoryFile::create();
  if (!log)
    return log.takeError();
  int ends[2];
  if (pipe(ends) != 0)
    return createStringError(std::error_code(errno, std::generic_category()), "cannot create a pipe");
  std::string outputPath = "/proc/self/fd/" + std::to_string(ends[1]), logPath = log->path(), error;
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(outputPath), StringRef(logPath)};
  sys::ProcessInfo process = sys::ExecuteNoWait(command[0], command, std::nullopt, redirects, 0, &error);
  close(ends[1]);
  std::string output = drain(ends[0]);
  if (process.Pid == sys::ProcessInfo::InvalidPid)
    return createStringError("cannot run `" + command[0] + "`: " + error);
  int status = sys::Wait(process, std::nullopt, &error).ReturnCode;
  if (status == 0)
    return output;
  auto messages = log->read("log");
  if (!messages)
    return messages.takeError();
  return createStringError("`" + command[0] + "` failed to link with status " + Twine(status) + ": " +
                           (error.empty() ? findReason((*messages)->getBuffer()).str() : error));
}

Expected<std::string> link(ArrayRef<std::unique_ptr<MemoryBuffer>> objects, ArrayRef<std::string> arguments) {
  Expected<std::string> driver = findDriver();
  if (!driver)
    return driver.takeError();
  Expected<MemoryFile> archive = archiveObjects(objects);
  if (!archive)
    return archive.takeError();
  std::string path = archive->path();
  // One thread is enough, and to be had where no more are.
  SmallVector<StringRef> command{
      *driver, "-o", "-", "-fuse-ld=lld", "-Wl,--threads=1", "-Wl,--whole-archive", path, "-Wl,--no-whole-archive"};
  command.append(arguments.begin(), arguments.end());
  return runForOutput(command);
}

} // namespace quern::codegen
