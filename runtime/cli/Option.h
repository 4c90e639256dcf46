//===- Option.h - an option of a command line, and groups of them -------------------------------===//

#ifndef QUERN_RUNTIME_CLI_OPTION_H
#define QUERN_RUNTIME_CLI_OPTION_H

#include "quern/Result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quern::runtime {

class Session;

/// A bad command line.
Error misuse(std::string text);

/// The numbers that an option allows, both ends among them.
struct Range {
  double min, max;
};

/// The largest number of things.
inline constexpr double mostThings = 2147483647;

/// An option: what it is called, where its value goes, what `--help` says of it. The type of the place says which
/// values are allowed. A place outlives the option.
class Option {
public:
  using Place = std::variant<std::monostate, bool *, int64_t *, uint64_t *, float *, std::optional<int64_t> *,
                             std::optional<float> *, std::optional<std::string> *, std::vector<std::string> *>;

  /// Without a value. `names` are those of the option, as `--help` shows them: `--output, -o`.
  Option(const char *names, const char *help) : names(names), help(help) {}
  Option(const char *names, bool &isGiven, const char *help) : names(names), help(help), place(&isGiven) {}
  /// A number, which messages call `value`.
  Option(const char *names, int64_t &number, const char *value, Range range, const char *help)
      : names(names), help(help), value(value), place(&number), range(range) {}
  Option(const char *names, float &number, const char *value, Range range, const char *help)
      : names(names), help(help), value(value), place(&number), range(range) {}
  Option(const char *names, std::optional<int64_t> &number, const char *value, Range range, const char *help)
      : names(names), help(help), value(value), place(&number), range(range) {}
  Option(const char *names, std::optional<float> &number, const char *value, Range range, const char *help)
      : names(names), help(help), value(value), place(&number), range(range) {}
  /// Any number of 64 bits.
  Option(const char *names, uint64_t &number, const char *value, const char *help)
      : names(names), help(help), value(value), place(&number) {}
  Option(const char *names, std::optional<std::string> &text, const char *value, const char *help)
      : names(names), help(help), value(value), place(&text) {}
  /// One value or several, one behind the other.
  Option(const char *names, std::vector<std::string> &list, const char *value, const char *help)
      : names(names), help(help), value(value), place(&list) {}

  /// What stands on the line without an option, one argument or any number: `usage` as the first line of `--help` has
  /// it, `[PROMPT]`, `noun` as messages do, `prompt`.
  static Option operand(const char *usage, const char *noun, std::optional<std::string> &text, const char *help) {
    return Option(usage, text, noun, help);
  }
  static Option operand(const char *usage, const char *noun, std::vector<std::string> &list, const char *help) {
    return Option(usage, list, noun, help);
  }

  /// The same option, which is needed to choose its command.
  Option chooses() const;
  /// The same option, whose values are files that are read.
  Option reads() const;
  /// The same option, whose values are `NAME=FILE` of files that are read.
  Option readsAssigned() const;
  /// The same option, which also makes `flag` true where it is given.
  Option sets(bool &flag) const;

  /// The first of its names.
  std::string_view getFlag() const;
  bool isCalled(std::string_view name) const;
  const char *getNames() const { return names; }
  const char *getHelp() const { return help; }
  /// What its value is called; null: it takes none.
  const char *getValue() const { return value; }
  bool isOperand() const { return names[0] != '-'; }
  bool isList() const { return std::holds_alternative<std::vector<std::string> *>(place); }
  bool isChoice() const { return isChosenBy; }

  /// Puts a value to its place, `""` where the option takes none; refuses what is none, with what was expected.
  Result<void> store(const std::string &text) const;
  /// Remembers the files that its values name as inputs (Inputs.h).
  void rememberFiles() const;

private:
  enum class Reads { Nothing, Files, AssignedFiles };

  template <typename T> Result<void> storeNumber(T &number, const std::string &text, const char *expected) const;

  const char *names;
  const char *help;
  const char *value = nullptr;
  Place place;
  std::optional<Range> range;
  bool *also = nullptr;
  bool isChosenBy = false;
  Reads readsFiles = Reads::Nothing;
};

/// Options that belong together, with the values that they are given.
class OptionGroup {
public:
  OptionGroup() = default;
  OptionGroup(const OptionGroup &) = delete;
  OptionGroup &operator=(const OptionGroup &) = delete;
  virtual ~OptionGroup() = default;

  /// Its options; their places are in the group.
  virtual std::vector<Option> getOptions() = 0;
  /// Refuses what does not go together, when all values are known.
  virtual Result<void> check() const { return {}; }
};

/// A group that commands share.
class SharedOptions : public OptionGroup {
public:
  /// What `--help` calls them.
  virtual const char *getTitle() const = 0;
  /// What they ask for before the command runs, and behind it where it did not fail.
  virtual Result<void> begin(Session &) { return {}; }
  virtual Result<void> end(Session &) { return {}; }
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_OPTION_H
