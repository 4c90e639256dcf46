//===- TextTrial.h - whether a checkpoint's tokenizer works -----------------------------------===//

#ifndef QUERN_TOOLS_DRIVER_TEXTTRIAL_H
#define QUERN_TOOLS_DRIVER_TEXTTRIAL_H

#include "frontend/checkpoint/TextAssets.h"

#include "runtime/Guarded.h"

#include "llvm/Support/LogicalResult.h"

#include <optional>
#include <string>

namespace quern::tool {

/// Reads the tokenizer as binaries do and tries it on texts of many kinds, in a process of its own
/// and beside what this one does: what it would do there is found here.
class TokenizerTrial {
public:
  /// Begins the trial. No tokenizer passes. Fails, having said why, where no process can be
  /// started.
  llvm::LogicalResult begin(const frontend::TextAssets &text);
  /// Whether `finish` would not wait.
  bool isReady() const { return !work || work->isReady(); }
  /// Waits for its end. Fails, having said why, where the tokenizer cannot be read, fails on a
  /// text, or takes too much of time, memory or stack.
  llvm::LogicalResult finish();

private:
  llvm::LogicalResult fail(const std::string &why) const;

  std::string file;
  /// Nothing when no trial was begun.
  std::optional<runtime::GuardedWork> work;
};

} // namespace quern::tool

#endif // QUERN_TOOLS_DRIVER_TEXTTRIAL_H
