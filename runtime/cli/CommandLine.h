//===- CommandLine.h - what a compiled model is asked to do -------------------------------------===//

#ifndef QUERN_RUNTIME_CLI_COMMANDLINE_H
#define QUERN_RUNTIME_CLI_COMMANDLINE_H

#include "runtime/cli/Commands.h"

namespace quern::runtime {

/// What every command takes.
struct ProgramOptions : OptionGroup {
  std::vector<Option> getOptions() override;
  Result<void> check() const override;

  std::optional<int64_t> threads;
  std::optional<std::string> device;
  std::optional<std::string> image;
  bool version = false;
  bool help = false;
};

/// The commands of a program, and what its arguments ask of one of them.
class CommandLine {
public:
  explicit CommandLine(const CommandList &commands);
  CommandLine(const CommandLine &) = delete;
  CommandLine &operator=(const CommandLine &) = delete;

  /// Reads the arguments after the program's name, once. `--` ends the options; `--name=value` is `--name value`; a
  /// list takes several values. Refuses an option that no command has, and, where neither `--help` nor `--version` is
  /// given, what is none of the chosen command, values that are none, and what does not go together.
  Result<void> parse(std::span<char *const> arguments);

  const ProgramOptions &getProgramOptions() const { return program; }
  /// What `--help` prints.
  std::string formatHelp(const std::string &name) const;
  /// The command that is asked for, with its options; the line must be parsed.
  Command &getCommand();
  /// Runs that command, between what its shared options ask for.
  Result<void> run(Session &session);

private:
  struct Entry {
    std::unique_ptr<Command> command;
    std::vector<SharedOptions *> shared;
    /// Those of the command, then those of each shared group.
    std::vector<std::vector<Option>> options;

    const Option *findOption(std::string_view name) const;
    /// The options that choose it.
    std::vector<const Option *> getChoices() const;
    /// `--bench --entry`; empty: none chooses it.
    std::string formatChoices() const;
    const Option *getOperand() const;
  };
  struct Given {
    /// An option of that name, of whatever command.
    const Option *option;
    std::vector<std::string> values;
  };

  const Option *findOption(std::string_view name) const;
  bool isGiven(std::string_view name) const;
  Result<void> takeOption(std::string_view argument, std::span<char *const> &rest);
  Result<void> choose();
  Result<void> storeOptions();
  Result<void> storeOperands();
  Result<void> finish();
  std::span<const Entry> getListed() const { return std::span(entries).first(listed); }
  std::string formatShared() const;

  ProgramOptions program;
  std::vector<Option> programOptions;
  std::vector<Entry> entries;
  /// How many of the commands `--help` shows: the first ones.
  size_t listed = 0;
  std::vector<Given> given;
  std::vector<std::string> operands;
  /// The command that is asked for, and the option that excludes other commands, if it is chosen by one.
  Entry *chosen = nullptr;
  const Option *choice = nullptr;
};

} // namespace quern::runtime

#endif // QUERN_RUNTIME_CLI_COMMANDLINE_H
