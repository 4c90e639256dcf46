//===- kernel-text.cpp - what kernels become, as text -----------------------------------------===//
//
// kernel-text (signature | loops | asm | device | tensor-cores | plans | object) TARGET: reads a module of kernels from
// standard input and prints, for each, its native signature, Halide's loops, the target's assembly, what the driver of
// its device compiles, why it does not run on tensor cores, or which plans it may have, the chosen one first and the
// others by what they are expected to take; or compiles all in child processes and prints nothing.
//
//===------------------------------------------------------------------------------------------===//

#include "codegen/HalideBridge.h"
#include "codegen/tensorcores/TensorCores.h"
#include "dialect/Register.h"
#include "dialect/Schedules.h"
#include "passes/tile/CostModel.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace quern;
using namespace quern::codegen;

/// `operand 1 at 32: f16[16:1, 18:272, s:4896]`: extents and strides, innermost first.
static LogicalResult printSignature(KernelOp kernel, const TargetSpec &target) {
  FailureOr<SmallVector<NativeArgument>> signature = getSignature(kernel, target.isDevice());
  if (failed(signature))
    return failure();
  llvm::outs() << kernel.getSymName() << "\n";
  for (const NativeArgument &argument : *signature) {
    switch (argument.kind) {
    case NativeArgument::Kind::Visible:
      llvm::outs() << "  visible\n";
      continue;
    case NativeArgument::Kind::First:
      llvm::outs() << "  first\n";
      continue;
    case NativeArgument::Kind::Pages:
      llvm::outs() << "  pages\n";
      continue;
    case NativeArgument::Kind::Buffer:
      break;
    }
    llvm::outs() << "  operand " << argument.operand << " at " << argument.byteOffset << ": "
                 << "iuf?b"[argument.element.code] << int(argument.element.bits) << "[";
    llvm::interleaveComma(argument.dims, llvm::outs(), [](const BufferDim &dim) {
      llvm::outs() << (dim.extent.isStatic() ? std::to_string(dim.extent.size()) : dim.extent.name().str())
                   << (dim.isOpen ? "+:" : ":") << dim.stride;
    });
    llvm::outs() << "]\n";
  }
  return success();
}

/// `tensor cores` where they compute the kernel, else the reason.
static void printTensorCores(KernelOp kernel, const TargetSpec &target) {
  llvm::Expected<TensorContraction> found = matchTensorCores(kernel, target);
  llvm::outs() << kernel.getSymName() << ": " << (found ? "tensor cores" : llvm::toString(found.takeError())) << "\n";
}

/// `family of 3 plans`, and a line each.
static void printPlans(KernelOp kernel, TargetAttr target) {
  std::vector<CandidatePlan> plans = listPlans(kernel, target);
  llvm::outs() << kernel.getSymName() << ": " << getFamily(kernel, target) << " of " << plans.size() << " plans\n";
  for (const CandidatePlan &plan : plans) {
    for (auto [knob, value] : llvm::zip_equal(getKnobs(kernel.getForm(), getScheduleKind(target)), plan.values))
      llvm::outs() << "  " << knob.name << " " << value;
    llvm::outs() << "\n";
  }
}

/// Compiles every kernel in child processes.
static LogicalResult compileAll(ModuleOp module, const TargetSpec &target) {
  SmallVector<KernelJob> jobs;
  for (auto kernel : module.getOps<KernelOp>())
    jobs.push_back({kernel, target, kernel.getSymName().str()});
  ObjectCache none("");
  return compileKernels(jobs, 2, none);
}

static LogicalResult print(ModuleOp module, const TargetSpec &target, StringRef kind) {
  selectSchedules(module, target.getAttr(module.getContext()));
  if (kind == "object")
    return compileAll(module, target);
  for (auto kernel : module.getOps<KernelOp>()) {
    if (kind == "tensor-cores") {
      printTensorCores(kernel, target);
      continue;
    }
    if (kind == "plans") {
      printPlans(kernel, target.getAttr(module.getContext()));
      continue;
    }
    KernelText text = kind == "asm" ? KernelText::Assembly : kind == "device" ? KernelText::Device : KernelText::Loops;
    if (failed(kind == "signature" ? printSignature(kernel, target)
                                   : emitKernel(kernel, target, kernel.getSymName(), text, llvm::outs())))
      return failure();
  }
  return success();
}

int main(int argc, char **argv) {
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  auto text = llvm::MemoryBuffer::getSTDIN();
  if (argc != 3 || !text)
    return 2;
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*text), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(sources, &context);
  llvm::Expected<TargetSpec> target = findTarget(argv[2]);
  if (!target) {
    llvm::errs() << llvm::toString(target.takeError()) << "\n";
    return 1;
  }
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  return module && succeeded(print(*module, *target, argv[1])) ? 0 : 1;
}
