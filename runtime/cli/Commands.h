//===- Commands.h - the things a compiled model does -------------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_COMMANDS_H
#define QUERN_RUNTIME_CLI_COMMANDS_H

#include "quern/Runtime.h"
#include "runtime/cli/CommandLine.h"

namespace quern::runtime {

/// Each does what the mode of its name says, with its output on the standard output or in the files that the line
/// names.
Result<void> runGenerate(Session &session, const CommandLine &line);
Result<void> runTokenize(Session &session, const CommandLine &line);
Result<void> runLogits(Session &session, const CommandLine &line);
/// Answers requests for guesses of tokens: what runs behind `--speculate draft=` of another model.
Result<void> runGuess(Session &session, const CommandLine &line);
/// How often each guess of the model's heads is right on a text, and what steps take: what `quern compile
/// --medusa-calibration` builds a tree from.
Result<void> runCalibrate(Session &session, const CommandLine &line);
Result<void> runEntry(Session &session, const CommandLine &line);
Result<void> runInfo(Session &session, const CommandLine &line);
/// Says what the binary was made by and for, without its file.
Result<void> runVersion();
Result<void> runBench(Session &session, const CommandLine &line);
Result<void> runBenchEntry(Session &session, const CommandLine &line);

/// What a binary does with images. Only binaries of image classifiers have it: the compiler asks the linker for this
/// symbol, so that other models need no image library.
struct ImageCommands {
  Result<void> (*classify)(Session &session, const CommandLine &line);
  Result<void> (*bench)(Session &session, const CommandLine &line);
};
extern "C" [[gnu::weak]] const ImageCommands quern_image_commands;

/// The entry called `name`; refuses a name that there is not, with those that there are.
Result<uint32_t> findEntry(const Session &session, const std::string &name);

/// The size of the context: what the line asks for or the model's, checked against the model's.
Result<int64_t> getContextSize(const CommandLine &line, int64_t modelContextSize);

/// Writes to the standard output at once. Where nobody reads it any more the error says nothing:
/// that ends the program quietly.
Result<void> print(std::string_view text);

/// A JSON array of integers: `[1, 2, 3]`.
std::string formatTokens(std::span<const int32_t> tokens);

/// The most bytes of a text that is read from a file or the standard input.
inline constexpr uint64_t maxTextBytes = uint64_t{64} << 20;

/// `argument`, or all of the standard input when it is `-`.
Result<std::string> readTextArgument(const std::string &argument);

/// The most memory that this process has held so far, in bytes; 0 when the system does not say.
uint64_t getPeakMemory();

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_COMMANDS_H
