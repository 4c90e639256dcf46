//===- Cubins.cpp - kernels of CUDA that no driver has to compile -----------------------------===//

#include "codegen/Cubins.h"

#include "codegen/MemoryFile.h"
#include "runtime/include/quern/Format.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;

namespace quern::codegen {

/// The compute capabilities that kernels are assembled for: the least one that runs them, and Hopper's. A cubin runs on
/// devices of the same major one.
static constexpr unsigned capabilities[] = {80, 90};

Expected<Ptxas> Ptxas::open(StringRef path) {
  if (!sys::fs::can_execute(path))
    return createStringError("`" + path + "` is no program, expected NVIDIA's `ptxas`");
  auto content = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!content)
    return createStringError(content.getError(), "`" + path + "`: " + content.getError().message());
  return Ptxas(path.str(), toHex(SHA256::hash(arrayRefFromStringRef((*content)->getBuffer())), /*LowerCase=*/true));
}

Expected<std::string> Ptxas::assemble(StringRef text, unsigned capability) const {
  constexpr unsigned mostSeconds = 300;
  Expected<MemoryFile> source = MemoryFile::create(), image = MemoryFile::create(), messages = MemoryFile::create();
  for (Expected<MemoryFile> *file : {&source, &image, &messages})
    if (!*file)
      return file->takeError();
  if (Error error = source->write(text))
    return error;
  std::string architecture = "-arch=sm_" + std::to_string(capability);
  std::string from = source->path(), to = image->path(), said = messages->path(), failure;
  StringRef arguments[] = {path, architecture, from, "-o", to};
  std::optional<StringRef> redirects[] = {"", said, said};
  int status = sys::ExecuteAndWait(path, arguments, std::nullopt, redirects, mostSeconds, 0, &failure);
  auto reasons = messages->read("messages"), cubin = image->read("cubin");
  for (auto *buffer : {&reasons, &cubin})
    if (!*buffer)
      return buffer->takeError();
  if (status == 0 && (*cubin)->getBuffer().starts_with("\x7f"
                                                       "ELF"))
    return (*cubin)->getBuffer().str();
  if (failure.empty())
    failure = status == 0 ? "it wrote no cubin" : (*reasons)->getBuffer().trim().str();
  if (failure.empty())
    failure = "status " + std::to_string(status);
  return createStringError("`" + path + "` failed for compute capability " + Twine(capability / 10) + "." +
                           Twine(capability % 10) + ": " + failure);
}

/// `text`, its zero, and its cubins.
static Expected<std::string> makeImages(StringRef text, const Ptxas &ptxas) {
  std::string whole = (text + StringRef("\0", 1)).str();
  auto align = [&] { whole.resize(alignTo(whole.size(), QUERN_MODULE_ALIGNMENT)); };
  for (unsigned capability : capabilities) {
    Expected<std::string> cubin = ptxas.assemble(text, capability);
    if (!cubin)
      return cubin.takeError();
    QuernModuleImage image{capability, 0, cubin->size()};
    align();
    whole.append(reinterpret_cast<const char *>(&image), sizeof(image));
    whole += *cubin;
  }
  align();
  return whole;
}

Error addCubins(Module &module, const Ptxas &ptxas) {
  Function *initialize = module.getFunction("halide_cuda_initialize_kernels");
  if (!initialize)
    return Error::success();
  for (User *user : initialize->users()) {
    auto *call = cast<CallInst>(user);
    auto *text = cast<GlobalVariable>(call->getArgOperand(2)->stripPointerCasts());
    Expected<std::string> whole =
        makeImages(cast<ConstantDataSequential>(text->getInitializer())->getAsString().split('\0').first, ptxas);
    if (!whole)
      return whole.takeError();
    Constant *bytes = ConstantDataArray::getString(module.getContext(), *whole, /*AddNull=*/false);
    auto *images = new GlobalVariable(module, bytes->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, bytes,
                                      text->getName() + ".images");
    images->setAlignment(Align(QUERN_MODULE_ALIGNMENT));
    call->setArgOperand(2, images);
    call->setArgOperand(3, ConstantInt::get(call->getArgOperand(3)->getType(), whole->size()));
  }
  return Error::success();
}

} // namespace quern::codegen
