//===- Signature.h - the text that two equal computations share -------------------------------===//

#ifndef QUERN_PASSES_SIGNATURE_H
#define QUERN_PASSES_SIGNATURE_H

#include "dialect/Ops.h"

#include <string>

namespace quern {

/// What `kernel` computes, as text: form, type, argument attributes and body without names, schedule and locations.
/// Equal texts are equal kernels.
std::string getSignature(KernelOp kernel);

/// What `kernel` computes in 64 hexadecimal digits: the SHA-256 of its signature.
std::string getFullDigest(KernelOp kernel);

/// What the initialiser of `parameter` computes, as text.
std::string getSignature(ParameterOp parameter);

/// Eight hexadecimal digits of `text`, the same on every machine.
std::string getDigest(llvm::StringRef text);

} // namespace quern

#endif // QUERN_PASSES_SIGNATURE_H
