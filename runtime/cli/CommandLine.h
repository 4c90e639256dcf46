//===- CommandLine.h - what a compiled model is asked to do -------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_COMMANDLINE_H
#define QUERN_RUNTIME_CLI_COMMANDLINE_H

#include "quern/Result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace quern::runtime {

/// What a command line does; bits, so that an option can say where it is allowed.
enum Mode : unsigned {
  Generate = 1,
  Tokenize = 2,
  Logits = 4,
  Run = 8,
  Info = 16,
  Bench = 32,
  Classify = 64,
  BenchImages = 128,
  BenchEntry = 256,
  Calibrate = 512,
  Guess = 1024,
  All = 2047,
};

/// The command line, one field per row of Options.def.
struct CommandLine {
  Mode mode = Generate;
  std::optional<std::string> prompt;
  /// Files and folders to classify.
  std::vector<std::string> images;

  bool chat = false;
  std::optional<std::string> promptTokens;
  std::optional<std::string> prompts;
  std::optional<int64_t> parallel;
  std::optional<int64_t> newTokens;
  std::optional<int64_t> contextSize;
  std::optional<int64_t> batch;
  bool greedy = false;
  std::optional<float> temperature;
  std::optional<int64_t> topK;
  std::optional<float> topP;
  std::optional<float> minP;
  std::optional<uint64_t> seed;
  std::optional<float> repetitionPenalty;
  std::optional<std::string> speculate;
  std::optional<float> posteriorThreshold;
  std::optional<float> posteriorAlpha;
  bool ignoreEos = false;
  bool printTokens = false;
  bool timing = false;
  std::optional<std::string> tokenize;
  bool noSpecial = false;
  std::optional<std::string> logits;
  std::optional<std::string> calibrate;
  bool guess = false;
  std::optional<std::string> output;
  std::optional<std::string> run;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  bool info = false;
  bool bench = false;
  bool json = false;
  std::optional<int64_t> top;
  std::optional<int64_t> promptSize;
  std::optional<int64_t> depth;
  std::optional<int64_t> repetitions;
  std::optional<std::string> entry;
  std::vector<std::string> sizes;
  bool profile = false;
  std::optional<std::string> trace;
  std::optional<std::string> routingProfile;
  std::optional<std::string> routingTrace;
  std::optional<int64_t> threads;
  std::optional<std::string> image;
  bool version = false;
  bool help = false;
};

/// Reads the arguments after the program's name. `plain` is what is done when no option says otherwise: `Generate`,
/// where the argument without an option is a prompt, or `Classify`, where such arguments are images. `--` ends the
/// options; `--name=value` is `--name value`; a list takes several values.
Result<CommandLine> parseCommandLine(std::span<char *const> arguments, Mode plain);

/// The token ids of `1,2,3`.
Result<std::vector<int32_t>> parseTokenList(const std::string &text);

/// What `--help` prints of a program that does `plain` when no option says otherwise.
std::string formatUsage(const std::string &program, Mode plain);

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_COMMANDLINE_H
