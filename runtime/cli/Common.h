//===- Common.h - what the commands share ------------------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_COMMON_H
#define QUERN_RUNTIME_CLI_COMMON_H

#include "quern/Runtime.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quern::runtime {

/// Says what the binary was made by and for, without its file.
Result<void> printVersion();

/// The entry called `name`; refuses a name that there is not, with those that there are.
Result<uint32_t> findEntry(const Session &session, const std::string &name);

/// Writes to the standard output at once. Where nobody reads it any more the error says nothing:
/// that ends the program quietly.
Result<void> print(std::string_view text);

/// A JSON array of integers: `[1, 2, 3]`.
std::string formatTokens(std::span<const int32_t> tokens);

/// The token ids of `1,2,3`.
Result<std::vector<int32_t>> parseTokenList(const std::string &text);

/// The most bytes of a text that is read from a file or the standard input.
inline constexpr uint64_t maxTextBytes = uint64_t{64} << 20;

/// `argument`, or all of the standard input when it is `-`.
Result<std::string> readTextArgument(const std::string &argument);

/// The most memory that this process has held so far, in bytes; 0 when the system does not say.
uint64_t getPeakMemory();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_COMMON_H
