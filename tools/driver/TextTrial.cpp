//===- TextTrial.cpp - whether a checkpoint's tokenizer works ---------------------------------===//

#include "tools/driver/TextTrial.h"

#include "tools/driver/Compiler.h"

#include "runtime/Guarded.h"
#include "runtime/llm/text/quern_text.h"

#include "llvm/Support/WithColor.h"

#include <cstdlib>

using namespace quern::runtime;

namespace quern::tool {

/// What the trial may use: many times what a vocabulary of 49 152 tokens (SmolLM2's) takes, a third of a second.
static constexpr GuardLimits trialLimits = {
    .memoryBytes = uint64_t{1} << 30, .cpuSeconds = 8, .clockSeconds = 60, .resultBytes = uint64_t{1} << 16};

/// The trial itself; gives what is to be noted.
static Result<std::string> runTrial(const std::string &json) {
  quern_bytes note = {};
  char *error = nullptr;
  if (!quern_tokenizer_try(reinterpret_cast<const uint8_t *>(json.data()), json.size(), &note, &error))
    return Error{error ? error : "no reason given"};
  return note.size ? std::string(reinterpret_cast<const char *>(note.data), note.size) : "";
}

llvm::LogicalResult TokenizerTrial::fail(const std::string &why) const {
  return refuse("`" + file + "`: the tokenizer cannot be used: " + why + "; `--no-text` compiles without it");
}

llvm::LogicalResult TokenizerTrial::begin(const frontend::TextAssets &text) {
  if (text.tokenizerJson.empty())
    return llvm::success();
  file = text.tokenizerFile;
  Result<GuardedWork> started = GuardedWork::start([&] { return runTrial(text.tokenizerJson); }, trialLimits);
  if (!started)
    return fail(started.error().message);
  work.emplace(std::move(*started));
  return llvm::success();
}

llvm::LogicalResult TokenizerTrial::finish() {
  if (!work)
    return llvm::success();
  Result<std::string> note = work->finish();
  work.reset();
  if (!note)
    return fail(note.error().message);
  if (!note->empty())
    llvm::WithColor::note(llvm::errs(), "quern") << "`" << file << "`: " << *note << '\n';
  return llvm::success();
}

} // namespace quern::tool
