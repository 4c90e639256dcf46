//===- TextTrial.h - whether a checkpoint's tokenizer works -----------------------------------===//

#ifndef QUERN_TOOLS_QUERN_TEXTTRIAL_H
#define QUERN_TOOLS_QUERN_TEXTTRIAL_H

#include "frontend/weights/TextAssets.h"

#include "llvm/Support/LogicalResult.h"

namespace quern::tool {

/// Reads the tokenizer as binaries do and tries it on texts of many kinds, in a process of its own: what it would do
/// there is found here. Fails, having said why, where it cannot be read, fails on a text, or takes too much of time,
/// memory or stack. No tokenizer passes.
llvm::LogicalResult tryTokenizer(const frontend::TextAssets &text);

} // namespace quern::tool

#endif // QUERN_TOOLS_QUERN_TEXTTRIAL_H
