//===- Limits.cpp - what the system lets the compiler have ------------------------------------===//

#include "tools/driver/Limits.h"

#include "runtime/TemporaryName.h"
#include "runtime/llm/text/quern_text.h"
#include "tools/driver/Commands.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <new>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace quern::tool {

/// What the main thread may take, in bytes: the usual limit, with which the depth of what is read is bounded.
static constexpr rlim_t stackBytes = 8 << 20;

/// Less than what any model's code and the runtime take, in bytes; the code of one kernel takes far
/// less.
static constexpr rlim_t leastOutputBytes = 1 << 20;

/// Nothing that was allocated is needed any more; memory for the message is not there.
[[noreturn]] static void endWithoutMemory() {
  runtime::removeTemporaryNames();
  constexpr std::string_view message = "quern: error: out of memory\n";
  (void)!write(STDERR_FILENO, message.data(), message.size());
  _exit(static_cast<int>(ExitStatus::Refused));
}

bool checkFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= leastOutputBytes)
    return true;
  llvm::errs() << "quern: error: files may have " << limit.rlim_cur << " bytes, expected at least " << leastOutputBytes
               << "; raise the limit with `ulimit -f`\n";
  return false;
}

bool prepareLimits() {
  std::set_new_handler(endWithoutMemory);
  quern_text_on_out_of_memory([] { std::get_new_handler()(); });
  llvm::install_bad_alloc_error_handler([](void *, const char *, bool) { endWithoutMemory(); });
  rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= stackBytes)
    return true;
  // The main thread's stack grows up to what the limit is then.
  limit.rlim_cur = stackBytes;
  if (setrlimit(RLIMIT_STACK, &limit) == 0)
    return true;
  llvm::errs() << "quern: error: the stack may have " << limit.rlim_max << " bytes, expected at least " << stackBytes
               << "; raise the limit with `ulimit -s`\n";
  return false;
}

} // namespace quern::tool
