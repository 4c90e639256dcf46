//===- Backend.cpp - LLVM bitcode to native code ----------------------------------------------===//

#include "codegen/Backend.h"

#include "codegen/Prefetch.h"

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace quern::codegen {

/// Lets a product and a sum become one fused operation. Halide leaves no other freedom in strict mode.
static void allowContraction(Function &function) {
  for (Instruction &instruction : instructions(function))
    if (isa<FPMathOperator>(instruction))
      instruction.setHasAllowContract(true);
}

/// Halide names the processor that its features hint at; the target names its own. Bytes are not shifted by GFNI on
/// Zen 4, where its one instruction runs where the products do, and a shift of words and a mask run beside them.
static void setProcessor(Function &function, StringRef cpu) {
  if (cpu.starts_with("znver"))
    function.addFnAttr("target-features", "-gfni");
  function.removeFnAttr("frame-pointer");
  function.addFnAttr("target-cpu", cpu);
  function.addFnAttr("tune-cpu", cpu);
  function.addFnAttr("prefer-vector-width", "512");
}

/// Plain sums in place of saturating ones. Templates make those of sums that fit, so that Halide takes the instruction
/// that adds up two products; processors add without saturation on more ports. The fences keep the order, that of few
/// registers, which instruction selection would change.
static void addWithoutSaturation(Function &function) {
  for (Instruction &instruction : make_early_inc_range(instructions(function))) {
    auto *sum = dyn_cast<SaturatingInst>(&instruction);
    if (!sum || sum->getIntrinsicID() != Intrinsic::sadd_sat || sum->getType()->getPrimitiveSizeInBits() % 32 != 0)
      continue;
    IRBuilder<> builder(sum);
    unsigned floats = sum->getType()->getPrimitiveSizeInBits().getFixedValue() / 32;
    Type *type = FixedVectorType::get(builder.getFloatTy(), floats);
    Value *plain = builder.CreateBitCast(builder.CreateNSWAdd(sum->getLHS(), sum->getRHS()), type);
    sum->replaceAllUsesWith(builder.CreateBitCast(builder.CreateArithmeticFence(plain, type), sum->getType()));
    sum->eraseFromParent();
  }
}

/// Removes what Halide adds for callers that do not know a kernel's signature, and hides all but the kernel.
static void keepOnly(Module &module, StringRef symbol) {
  for (Function &function : make_early_inc_range(module)) {
    if (function.isDeclaration() || function.getName() == symbol)
      continue;
    function.setLinkage(GlobalValue::InternalLinkage);
    function.removeDeadConstantUsers();
    if (function.use_empty())
      function.eraseFromParent();
  }
  for (GlobalVariable &variable : make_early_inc_range(module.globals())) {
    variable.removeDeadConstantUsers();
    if (variable.hasLocalLinkage() && variable.use_empty())
      variable.eraseFromParent();
  }
}

static Expected<std::unique_ptr<TargetMachine>> createMachine(const Module &module, StringRef cpu) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  std::string error;
  Triple triple("x86_64-unknown-linux-gnu");
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Standard;
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, cpu, "", options, Reloc::PIC_, std::nullopt, CodeGenOptLevel::Aggressive));
}

Error emitMachineCode(MemoryBufferRef bitcode, const TargetSpec &target, StringRef symbol, int64_t prefetchBytes,
                      const Ptxas *ptxas, MachineCode kind, raw_pwrite_stream &os) {
  LLVMContext context;
  Expected<std::unique_ptr<Module>> module = parseBitcodeFile(bitcode, context);
  if (!module)
    return module.takeError();
  Expected<std::unique_ptr<TargetMachine>> machine = createMachine(**module, target.cpu);
  if (!machine)
    return machine.takeError();
  (*module)->setTargetTriple((*machine)->getTargetTriple());
  (*module)->setDataLayout((*machine)->createDataLayout());
  keepOnly(**module, symbol);
  if (ptxas)
    if (Error error = addCubins(**module, *ptxas))
      return error;
  for (Function &function : **module) {
    setProcessor(function, target.cpu);
    allowContraction(function);
    addWithoutSaturation(function);
    if (prefetchBytes > 0)
      prefetchStreams(function, prefetchBytes);
  }
  legacy::PassManager passes;
  CodeGenFileType type = kind == MachineCode::Object ? CodeGenFileType::ObjectFile : CodeGenFileType::AssemblyFile;
  if ((*machine)->addPassesToEmitFile(passes, os, nullptr, type))
    return createStringError("the back end cannot write this kind of file");
  passes.run(**module);
  return Error::success();
}

} // namespace quern::codegen
