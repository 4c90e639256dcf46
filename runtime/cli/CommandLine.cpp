//===- CommandLine.cpp - what a compiled model is asked to do -----------------------------------===//

#include "runtime/cli/CommandLine.h"

#include "runtime/File.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <variant>

namespace quern::runtime {

namespace {

/// Where an option's value goes.
using Field = std::variant<bool CommandLine::*, std::optional<int64_t> CommandLine::*,
                           std::optional<uint64_t> CommandLine::*, std::optional<float> CommandLine::*,
                           std::optional<std::string> CommandLine::*, std::vector<std::string> CommandLine::*>;

struct Option {
  const char *flag;
  const char *alias;
  Field field;
  const char *value;
  unsigned modes;
  const char *help;
};

const Option options[] = {
#define OPTION(flag, alias, field, value, modes, help) {flag, alias, &CommandLine::field, value, modes, help},
#include "runtime/cli/Options.def"
#undef OPTION
};

/// The values that an option allows.
struct Range {
  const char *flag;
  double min;
  double max;
};

constexpr double large = 2147483647;

constexpr Range ranges[] = {
    {"-n", 0, large},
    {"--ctx", 1, large},
    {"--batch", 1, large},
    {"--temperature", 0, 1e6},
    {"--top-k", 0, large},
    {"--top-p", 0, 1},
    {"--min-p", 0, 1},
    {"-p", 0, large},
    {"--depth", 0, large},
    {"--top", 1, large},
    {"-r", 1, 1000000},
    {"--threads", 1, 1024},
    {"--repetition-penalty", 1e-3, 1e3},
    {"--posterior-threshold", 0, 1},
    {"--posterior-alpha", 0, 1},
    {"--parallel", 1, 1024},
};

/// An option that chooses what is done.
struct ModeOption {
  Mode mode;
  const char *flag;
  bool (*isGiven)(const CommandLine &line);
};

constexpr ModeOption modeOptions[] = {
    {Tokenize, "--tokenize", [](const CommandLine &line) { return line.tokenize.has_value(); }},
    {Logits, "--logits", [](const CommandLine &line) { return line.logits.has_value(); }},
    {Calibrate, "--calibrate", [](const CommandLine &line) { return line.calibrate.has_value(); }},
    {Guess, "--guess", [](const CommandLine &line) { return line.guess; }},
    {Run, "--run", [](const CommandLine &line) { return line.run.has_value(); }},
    {Info, "--info", [](const CommandLine &line) { return line.info; }},
    {Bench, "--bench", [](const CommandLine &line) { return line.bench; }},
};

/// Reads the arguments from left to right.
class Parser {
public:
  Parser(std::span<char *const> arguments, Mode plain) : arguments(arguments), plain(plain) { line.mode = plain; }
  Result<CommandLine> parse();

private:
  Result<void> parseOption(std::string_view argument);
  Result<void> store(const Option &option, const std::string &value);
  Result<void> takePlain(std::string_view argument);
  Result<void> finish();

  std::span<char *const> arguments;
  Mode plain;
  CommandLine line;
  std::vector<const Option *> given;
};

} // namespace

static Error misuse(const std::string &text) { return Error{text, ErrorKind::Usage}; }

static const Option *findOption(std::string_view name) {
  for (const Option &option : options)
    if (name == option.flag || (option.alias && name == option.alias))
      return &option;
  return nullptr;
}

static std::string formatBound(double value) {
  char buffer[32];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return value == large ? "2147483647" : std::string(buffer, end);
}

/// Refuses a number outside of the option's range.
static Result<void> checkRange(const Option &option, double number, const std::string &value) {
  for (const Range &range : ranges)
    if (std::strcmp(range.flag, option.flag) == 0 && !(number >= range.min && number <= range.max))
      return misuse(inBackticks(option.flag) + " is " + inBackticks(value) + ", expected " + formatBound(range.min) +
                    " to " + formatBound(range.max));
  return {};
}

/// Reads all of `value` as a number.
template <typename T>
static Result<T> parseNumber(const Option &option, const std::string &value, const char *expected) {
  T number{};
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size())
    return misuse(inBackticks(option.flag) + " is " + inBackticks(value) + ", expected " + expected);
  if (Result<void> valid = checkRange(option, static_cast<double>(number), value); !valid)
    return valid.error();
  return number;
}

Result<void> Parser::store(const Option &option, const std::string &value) {
  auto assign = [&]<typename T>(std::optional<T> CommandLine::*field, const char *expected) -> Result<void> {
    Result<T> number = parseNumber<T>(option, value, expected);
    if (!number)
      return number.error();
    line.*field = *number;
    return {};
  };
  struct Visitor {
    Parser &parser;
    const std::string &value;
    decltype(assign) &number;
    Result<void> operator()(bool CommandLine::*field) {
      parser.line.*field = true;
      return {};
    }
    Result<void> operator()(std::optional<int64_t> CommandLine::*field) { return number(field, "an integer"); }
    Result<void> operator()(std::optional<uint64_t> CommandLine::*field) {
      return number(field, "an integer, 0 or more");
    }
    Result<void> operator()(std::optional<float> CommandLine::*field) { return number(field, "a number"); }
    Result<void> operator()(std::optional<std::string> CommandLine::*field) {
      parser.line.*field = value;
      return {};
    }
    Result<void> operator()(std::vector<std::string> CommandLine::*field) {
      (parser.line.*field).push_back(value);
      return {};
    }
  };
  return std::visit(Visitor{*this, value, assign}, option.field);
}

Result<void> Parser::parseOption(std::string_view argument) {
  size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
  std::string_view name = argument.substr(0, equals);
  const Option *option = findOption(name);
  if (!option)
    return misuse("unknown option " + inBackticks(name) + "; `--help` lists them");
  given.push_back(option);
  bool hasValue = equals != std::string_view::npos;
  if (!option->value && hasValue)
    return misuse(inBackticks(name) + " takes no value, found " + inBackticks(argument.substr(equals + 1)));
  if (!option->value)
    return store(*option, "");
  if (hasValue)
    return store(*option, std::string(argument.substr(equals + 1)));
  if (arguments.empty())
    return misuse(inBackticks(name) + " needs a value, " + option->value);
  bool isList = std::holds_alternative<std::vector<std::string> CommandLine::*>(option->field);
  do {
    if (Result<void> done = store(*option, arguments[0]); !done)
      return done;
    arguments = arguments.subspan(1);
  } while (isList && !arguments.empty() && arguments[0][0] != '-');
  return {};
}

Result<void> Parser::takePlain(std::string_view argument) {
  if (line.mode == Classify) {
    line.images.emplace_back(argument);
    return {};
  }
  if (line.prompt)
    return misuse("found a second prompt " + inBackticks(argument) +
                  ", expected one; put it into quotes if it has spaces");
  line.prompt = std::string(argument);
  return {};
}

Result<CommandLine> Parser::parse() {
  bool optionsEnded = false;
  while (!arguments.empty()) {
    std::string_view argument = arguments[0];
    arguments = arguments.subspan(1);
    if (!optionsEnded && argument == "--") {
      optionsEnded = true;
      continue;
    }
    bool isOption = !optionsEnded && argument.size() > 1 && argument[0] == '-';
    Result<void> done = isOption ? parseOption(argument) : takePlain(argument);
    if (!done)
      return done.error();
  }
  if (Result<void> done = finish(); !done && !line.help && !line.version)
    return done.error();
  return std::move(line);
}

/// Finds out what is to be done and refuses what does not belong to it.
Result<void> Parser::finish() {
  const char *mode = nullptr;
  for (const ModeOption &option : modeOptions) {
    if (!option.isGiven(line))
      continue;
    if (mode)
      return misuse(inBackticks(mode) + " and " + inBackticks(option.flag) + " exclude each other");
    mode = option.flag;
    line.mode = option.mode;
  }
  if (line.mode == Bench)
    line.mode = line.entry ? BenchEntry : plain == Classify ? BenchImages : Bench;
  for (const Option *option : given)
    if (!(option->modes & line.mode))
      return misuse(inBackticks(option->flag) + " has no meaning " +
                    (mode ? "with " + inBackticks(mode) : std::string("here")));
  if (!line.images.empty() && line.mode != Classify)
    return misuse("found an image " + inBackticks(line.images[0]) + " beside " + inBackticks(mode));
  if (line.images.empty() && line.mode == Classify)
    return misuse("found no image, expected files or folders");
  if (line.prompt && line.mode != Generate)
    return misuse("found a prompt " + inBackticks(*line.prompt) + " beside " + inBackticks(mode));
  if (line.prompt && (line.promptTokens || line.prompts))
    return misuse("found a prompt and " + inBackticks(line.promptTokens ? "--prompt-tokens" : "--prompts") +
                  ", expected one of them");
  if (line.promptTokens && line.prompts)
    return misuse("`--prompt-tokens` and `--prompts` exclude each other");
  if (line.parallel && line.mode == Generate && !line.prompts)
    return misuse("`--parallel` has no meaning without `--prompts`");
  if (line.chat && line.promptTokens)
    return misuse("`--chat` and `--prompt-tokens` exclude each other");
  if (line.greedy && (line.temperature || line.topK || line.topP || line.minP || line.seed))
    return misuse("`--greedy` and the options of sampling exclude each other");
  if ((line.posteriorThreshold || line.posteriorAlpha) && line.temperature.value_or(0) == 0)
    return misuse("`--posterior-threshold` and `--posterior-alpha` have no meaning without a `--temperature` above 0");
  if (line.speculate && (line.routingProfile || line.routingTrace))
    return misuse(std::string("`--speculate` and ") +
                  inBackticks(line.routingProfile ? "--routing-profile" : "--routing-trace") +
                  " exclude each other: guesses would be counted as tokens");
  if (line.json && line.mode == Generate && !line.timing)
    return misuse("`--json` has no meaning without `--timing`");
  if (line.mode == Logits && !line.output)
    return misuse("`--logits` needs `-o`, the file to write");
  return {};
}

Result<CommandLine> parseCommandLine(std::span<char *const> arguments, Mode plain) {
  return Parser(arguments, plain).parse();
}

Result<std::vector<int32_t>> parseTokenList(const std::string &text) {
  std::vector<int32_t> tokens;
  const char *next = text.data();
  const char *end = next + text.size();
  while (true) {
    int32_t token = 0;
    auto [stop, error] = std::from_chars(next, end, token);
    if (error != std::errc() || (stop != end && *stop != ','))
      return misuse("`--prompt-tokens` is " + inBackticks(text.substr(0, 60)) +
                    ", expected integers with commas between them");
    tokens.push_back(token);
    if (stop == end)
      return tokens;
    next = stop + 1;
  }
}

std::string formatUsage(const std::string &program, Mode plain) {
  bool classifies = plain == Classify;
  std::string text = "usage: " + program +
                     (classifies ? " IMAGE... [options]\n\n"
                                   "Says what is in images: PNG and JPEG files, and those in folders.\n\n"
                                 : " [PROMPT] [options]\n\n"
                                   "Continues PROMPT (`-`, or none: standard input) and prints the new text.\n\n");
  unsigned modes = classifies ? Classify | BenchImages | BenchEntry | Run | Info : All & ~(Classify | BenchImages);
  for (const Option &option : options) {
    if (!(option.modes & modes))
      continue;
    std::string left = std::string("  ") + option.flag;
    if (option.alias)
      left += std::string(", ") + option.alias;
    if (option.value)
      left += std::string(" ") + option.value;
    left.resize(std::max<size_t>(left.size() + 1, 27), ' ');
    text += left + option.help + "\n";
  }
  return text + "\nExit status: 0 done, 1 bad input, 2 bad usage, 3 a mistake of Quern's.\n";
}

} // namespace quern::runtime
