//===- Signature.cpp - the text that two equal computations share -----------------------------===//

#include "passes/Signature.h"

#include "mlir/IR/AsmState.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MD5.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace quern {

/// The ops of `block` as text. Values are numbered within the op that holds them, so equal bodies print alike.
static void printBody(Block &block, llvm::raw_ostream &os) {
  OpPrintingFlags flags;
  flags.useLocalScope().printGenericOpForm().elideLargeElementsAttrs(INT64_MAX).elideLargeResourceString(INT64_MAX);
  AsmState state(block.getParentOp(), flags);
  for (Operation &op : block) {
    op.print(os, state);
    os << '\n';
  }
}

/// The attributes of each argument, as many as there are: a kernel without any may say so or not.
static ArrayAttr getArgAttrs(KernelOp kernel) {
  SmallVector<Attribute> attributes;
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
    attributes.push_back(DictionaryAttr::get(kernel.getContext(), function_interface_impl::getArgAttrs(kernel, i)));
  return ArrayAttr::get(kernel.getContext(), attributes);
}

std::string getSignature(KernelOp kernel) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << stringifyKernelForm(kernel.getForm()) << ' ' << kernel.getFunctionType() << ' ' << getArgAttrs(kernel) << '\n';
  if (ArrayAttr results = kernel.getResAttrsAttr())
    os << results << '\n';
  printBody(kernel.getBody().front(), os);
  return text;
}

std::string getSignature(ParameterOp parameter) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << parameter.getType() << '\n';
  printBody(parameter.getInit().front(), os);
  return text;
}

std::string getFullDigest(KernelOp kernel) {
  llvm::SHA256 hash;
  hash.update(getSignature(kernel));
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::string getDigest(StringRef text) {
  llvm::MD5 hash;
  hash.update(text);
  llvm::MD5::MD5Result result = hash.final();
  return llvm::toHex(ArrayRef<uint8_t>(result).take_front(4), /*LowerCase=*/true);
}

} // namespace quern
