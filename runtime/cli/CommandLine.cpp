//===- CommandLine.cpp - what a compiled model is asked to do -----------------------------------===//

#include "runtime/cli/CommandLine.h"

#include "runtime/File.h"

#include <algorithm>

namespace quern::runtime {

std::vector<Option> ProgramOptions::getOptions() {
  return {
      Option("--threads, -t", threads, "T", {1, 1024}, "threads, 1 to 1024 (the CPUs that may be used)"),
      Option("--device", device, "DEVICE", "what runs the kernels: cpu, cuda or opencl (cuda, if it is there)"),
      Option("--image", image, "FILE", "this model's own file, where the system does not show it (without /proc)"),
      Option("--version", version, "print what the model was compiled by and for"),
      Option("--help, -h", help, "print this"),
  };
}

Result<void> ProgramOptions::check() const {
  static constexpr std::string_view words[] = {
      "cpu",
#define QUERN_DEVICE(word, Class, byDefault) word,
#include "runtime/devices/Devices.def"
  };
  if (!device || std::ranges::find(words, *device) != std::end(words))
    return {};
  std::string names;
  for (std::string_view word : words)
    names += (names.empty() ? "`" : ", `") + std::string(word) + "`";
  return misuse("`--device` is `" + *device + "`, expected one of " + names);
}

static const Option *findIn(std::span<const Option> options, std::string_view name) {
  auto found =
      std::ranges::find_if(options, [&](const Option &option) { return !option.isOperand() && option.isCalled(name); });
  return found == options.end() ? nullptr : &*found;
}

const Option *CommandLine::Entry::findOption(std::string_view name) const {
  for (const std::vector<Option> &group : options)
    if (const Option *option = findIn(group, name))
      return option;
  return nullptr;
}

std::vector<const Option *> CommandLine::Entry::getChoices() const {
  std::vector<const Option *> choices;
  for (const Option &option : options.front())
    if (option.isChoice())
      choices.push_back(&option);
  return choices;
}

const Option *CommandLine::Entry::getOperand() const {
  auto found = std::ranges::find_if(options.front(), &Option::isOperand);
  return found == options.front().end() ? nullptr : &*found;
}

std::string CommandLine::Entry::formatChoices() const {
  std::string text;
  for (const Option *option : getChoices())
    text += (text.empty() ? "" : " ") + std::string(option->getFlag());
  return text;
}

CommandLine::CommandLine(const CommandList &commands)
    : programOptions(program.getOptions()), listed(commands.listed.size()) {
  for (const std::vector<MakeCommand> &list : {commands.listed, commands.others})
    for (MakeCommand make : list) {
      Entry entry{make(), {}, {}};
      entry.shared = entry.command->getShared();
      entry.options.push_back(entry.command->getOptions());
      for (SharedOptions *group : entry.shared)
        entry.options.push_back(group->getOptions());
      entries.push_back(std::move(entry));
    }
}

Command &CommandLine::getCommand() { return *chosen->command; }

const Option *CommandLine::findOption(std::string_view name) const {
  for (const Entry &entry : entries)
    if (const Option *option = entry.findOption(name))
      return option;
  return findIn(programOptions, name);
}

bool CommandLine::isGiven(std::string_view name) const {
  return std::ranges::any_of(given, [&](const Given &one) { return one.option->isCalled(name); });
}

/// Takes an option and its values, of the argument and of the `rest` behind it. All commands agree on whether an option
/// takes values.
Result<void> CommandLine::takeOption(std::string_view argument, std::span<char *const> &rest) {
  size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
  std::string_view name = argument.substr(0, equals);
  const Option *option = findOption(name);
  if (!option)
    return misuse("unknown option " + inBackticks(name) + "; `--help` lists them");
  std::vector<std::string> &values = given.emplace_back(option).values;
  bool hasValue = equals != std::string_view::npos;
  if (!option->getValue() && hasValue)
    return misuse(inBackticks(name) + " takes no value, found " + inBackticks(argument.substr(equals + 1)));
  if (!option->getValue() || hasValue) {
    values.emplace_back(hasValue ? argument.substr(equals + 1) : "");
    return {};
  }
  if (rest.empty())
    return misuse(inBackticks(name) + " needs a value, " + option->getValue());
  do {
    values.emplace_back(rest[0]);
    rest = rest.subspan(1);
  } while (option->isList() && !rest.empty() && rest[0][0] != '-');
  return {};
}

/// Finds the command: the first of those that most of the given options choose.
Result<void> CommandLine::choose() {
  for (const Given &one : given)
    for (const Entry &entry : entries) {
      std::vector<const Option *> choices = entry.getChoices();
      if (choices.empty() || choices[0]->getFlag() != one.option->getFlag())
        continue;
      if (choice && choice->getFlag() != choices[0]->getFlag())
        return misuse(inBackticks(choice->getFlag()) + " and " + inBackticks(choices[0]->getFlag()) +
                      " exclude each other");
      choice = choices[0];
    }
  size_t most = 0;
  for (Entry &entry : entries) {
    std::vector<const Option *> choices = entry.getChoices();
    bool isMeant = choices.empty() ? !choice : choice && choices[0]->getFlag() == choice->getFlag();
    auto isNamed = [&](const Option *option) { return isGiven(option->getFlag()); };
    if (isMeant && std::ranges::all_of(choices, isNamed) && (!chosen || choices.size() > most)) {
      chosen = &entry;
      most = choices.size();
    }
  }
  if (!chosen)
    return misuse(choice ? inBackticks(choice->getFlag()) + " alone does not say what to do; `--help` lists the options"
                         : "found nothing to do; `--help` lists the options");
  return {};
}

/// Gives the chosen command its values; refuses options of other commands.
Result<void> CommandLine::storeOptions() {
  for (const Given &one : given) {
    const Option *option = chosen ? chosen->findOption(one.option->getFlag()) : nullptr;
    if (!option)
      option = findIn(programOptions, one.option->getFlag());
    if (!option)
      return misuse(inBackticks(one.option->getFlag()) + " has no meaning " +
                    (choice ? "with " + inBackticks(choice->getFlag()) : std::string("here")));
    for (const std::string &value : one.values)
      if (Result<void> done = option->store(value); !done)
        return done;
  }
  return {};
}

static std::string withArticle(std::string_view noun) {
  bool beginsWithVowel = std::string_view("aeiou").find(noun.front()) != std::string_view::npos;
  return (beginsWithVowel ? "an " : "a ") + std::string(noun);
}

/// Gives the chosen command the arguments without an option.
Result<void> CommandLine::storeOperands() {
  const Option *operand = chosen->getOperand();
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operand) {
      // What they would be to another command.
      auto other = std::ranges::find_if(entries, [](const Entry &entry) { return entry.getOperand() != nullptr; });
      return misuse("found " + withArticle(other == entries.end() ? "argument" : other->getOperand()->getValue()) +
                    " " + inBackticks(operands[i]) + (choice ? " beside " + inBackticks(choice->getFlag()) : ""));
    }
    if (i == 1 && !operand->isList())
      return misuse(std::string("found a second ") + operand->getValue() + " " + inBackticks(operands[i]) +
                    ", expected one; put it into quotes if it has spaces");
    if (Result<void> done = operand->store(operands[i]); !done)
      return done;
  }
  return {};
}

Result<void> CommandLine::finish() {
  if (Result<void> done = choose(); !done)
    return done;
  if (Result<void> done = storeOptions(); !done)
    return done;
  if (Result<void> done = storeOperands(); !done)
    return done;
  if (Result<void> valid = program.check(); !valid)
    return valid;
  if (Result<void> valid = chosen->command->check(); !valid)
    return valid;
  for (const SharedOptions *group : chosen->shared)
    if (Result<void> valid = group->check(); !valid)
      return valid;
  return {};
}

Result<void> CommandLine::parse(std::span<char *const> arguments) {
  bool optionsEnded = false;
  while (!arguments.empty()) {
    std::string_view argument = arguments[0];
    arguments = arguments.subspan(1);
    if (!optionsEnded && argument == "--") {
      optionsEnded = true;
    } else if (optionsEnded || argument.size() < 2 || argument[0] != '-') {
      operands.emplace_back(argument);
    } else if (Result<void> done = takeOption(argument, arguments); !done) {
      return done;
    }
  }
  program.help = isGiven("--help");
  program.version = isGiven("--version");
  return program.help || program.version ? Result<void>() : finish();
}

Result<void> CommandLine::run(Session &session) {
  for (const std::vector<Option> &group : chosen->options)
    for (const Option &option : group)
      option.rememberFiles();
  for (SharedOptions *group : chosen->shared)
    if (Result<void> begun = group->begin(session); !begun)
      return begun;
  if (Result<void> done = chosen->command->run(session); !done)
    return done;
  for (auto group = chosen->shared.rbegin(); group != chosen->shared.rend(); ++group)
    if (Result<void> done = (*group)->end(session); !done)
      return done;
  return {};
}

/// A row of the help: what stands on the line, and what it means.
static std::string formatRow(std::string left, const char *help) {
  left.resize(std::max<size_t>(left.size() + 1, 27), ' ');
  return left + help + "\n";
}

static std::string formatOption(const Option &option) {
  return option.getNames() + (option.getValue() ? std::string(" ") + option.getValue() : "");
}

static std::string formatOptions(std::span<const Option> options, const char *indent) {
  std::string text;
  for (const Option &option : options)
    if (!option.isOperand() && !option.isChoice())
      text += formatRow(indent + formatOption(option), option.getHelp());
  return text;
}

/// The groups that commands share, each with the commands that take it.
std::string CommandLine::formatShared() const {
  struct Section {
    std::string_view title;
    std::string commands;
    const std::vector<Option> *options;
  };
  std::vector<Section> sections;
  for (const Entry &entry : getListed()) {
    std::string name = entry.formatChoices();
    if (name.empty() && entry.getOperand())
      name = withArticle(entry.getOperand()->getValue());
    for (size_t i = 0; i < entry.shared.size(); ++i) {
      std::string_view title = entry.shared[i]->getTitle();
      auto section = std::ranges::find(sections, title, &Section::title);
      if (section == sections.end())
        sections.push_back({title, name, &entry.options[i + 1]});
      else
        section->commands += ", " + name;
    }
  }
  std::string text;
  for (const Section &section : sections)
    text += "\n" + std::string(section.title) + ", with " + section.commands + ":\n" +
            formatOptions(*section.options, "  ");
  return text;
}

std::string CommandLine::formatHelp(const std::string &name) const {
  std::string usage, plain, others;
  for (const Entry &entry : getListed()) {
    std::vector<const Option *> choices = entry.getChoices();
    const Option *operand = entry.getOperand();
    std::string operandUsage = operand ? std::string(" ") + operand->getNames() : "";
    if (choices.empty()) {
      usage = operandUsage;
      plain = (operand ? std::string(operand->getHelp()) + "\n\n" : "") + formatOptions(entry.options.front(), "  ");
      continue;
    }
    std::string left = " ";
    for (const Option *option : choices)
      left += " " + formatOption(*option);
    others += formatRow(left + operandUsage, choices.back()->getHelp()) + formatOptions(entry.options.front(), "    ");
  }
  return "usage: " + name + usage + " [options]\n\n" + plain + "\nInstead of that:\n" + others + formatShared() +
         "\nAlways:\n" + formatOptions(programOptions, "  ") +
         "\nExit status: 0 done, 1 bad input, 2 bad usage, 3 a mistake of Quern's.\n";
}

} // namespace quern::runtime
