//===- Guesser.cpp - guesses how texts go on ------------------------------------------------------===//

#include "runtime/llm/Guesser.h"

#include <algorithm>

namespace quern::runtime {

/// What stands behind the latest of the runs of `length` tokens before the last one that are as the last one is.
static std::span<const int32_t> findContinuation(std::span<const int32_t> tokens, size_t length) {
  if (tokens.size() <= length)
    return {};
  std::span<const int32_t> run = tokens.last(length), before = tokens.first(tokens.size() - 1);
  auto found = std::find_end(before.begin(), before.end(), run.begin(), run.end());
  return found == before.end() ? std::span<const int32_t>()
                               : tokens.subspan(static_cast<size_t>(found - before.begin()) + length);
}

Result<void> LookupGuesser::guess(int64_t, std::span<const int32_t> tokens, size_t most, TokenTree &tree) {
  std::span<const int32_t> next;
  for (size_t length = longestRun; length >= shortestRun && next.empty(); --length)
    next = findContinuation(tokens, length);
  int32_t node = 0;
  for (int32_t token : next.first(std::min(most, next.size())))
    node = tree.add(token, node);
  return {};
}

} // namespace quern::runtime
