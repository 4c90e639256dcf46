/// The command line: commands with options of their own, what those of binaries understand, and what is bad usage.

#include "Check.h"
#include "ToySession.h"
#include "runtime/Inputs.h"
#include "runtime/cli/CommandLine.h"
#include "runtime/cli/Common.h"

#include <fstream>
#include <sys/stat.h>

namespace quern::runtime {

#define TEXT_COMMAND(NAME) std::unique_ptr<Command> make##NAME##Command();
#define IMAGE_COMMAND(NAME) std::unique_ptr<Command> make##NAME##Command();
#define COMMAND(NAME) std::unique_ptr<Command> make##NAME##Command();
#include "runtime/cli/Commands.def"

} // namespace quern::runtime

using namespace quern::runtime;
using quern::test::Checks;

namespace {

/// How often the stones turn: options that the commands below share.
class Stones : public SharedOptions {
public:
  const char *getTitle() const override { return "Stones"; }
  std::vector<Option> getOptions() override {
    return {Option("--turns, -t", turns, "N", {1, 10}, "turns of the stones (3)")};
  }
  Result<void> check() const override { return turns == 7 ? misuse("the stones stick at 7 turns") : Result<void>(); }
  Result<void> begin(Session &) override {
    log += "begin ";
    return turns == 9 ? Result<void>(Error{"no water"}) : Result<void>();
  }
  Result<void> end(Session &) override {
    log += "end ";
    return {};
  }

  int64_t turns = 3;
  static inline std::string log;
};

/// A command with options of every type.
class GrindCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option("--grind", "grinds GRAIN").chooses(),
        Option::operand("GRAIN...", "ear of grain", grain, "").reads(),
        Option("--fine", isFine, "sieves it, too"),
        Option("--sacks", sacks, "N", {0, mostThings}, "of flour").sets(isPacked),
        Option("--water", water, "L", {0.5, 2}, "by litres (0.5)").sets(isPacked),
        Option("--seed", seed, "S", "of the next year"),
        Option("--share", share, "P", {0, 1}, "of the miller"),
        Option("--mark, -m", mark, "TEXT", "on the sacks"),
        Option("--from", from, "NAME=FILE", "a field").readsAssigned(),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&stones}; }
  Result<void> check() const override {
    return isFine && stones.turns < 2 ? misuse("`--fine` needs two turns") : Result<void>();
  }
  Result<void> run(Session &session) override {
    Stones::log += "run ";
    return sacks == 13 ? Result<void>(Error{"a sack too many"}) : Result<void>();
  }

  Stones stones;
  std::vector<std::string> grain, from;
  bool isFine = false, isPacked = false;
  std::optional<int64_t> sacks;
  float water = 0.5f;
  uint64_t seed = 0;
  std::optional<float> share;
  std::optional<std::string> mark;
};

/// The same with one option more that chooses it.
class GrindOatsCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {Option("--grind", "").chooses(), Option("--oats", kind, "KIND", "grinds oats").chooses()};
  }
  Result<void> run(Session &) override { return {}; }

  std::optional<std::string> kind;
};

class RestCommand : public Command {
public:
  std::vector<Option> getOptions() override {
    return {
        Option::operand("[DAY]", "day", day, "Rests on DAY."),
        Option("--long", isLong, "all day"),
    };
  }
  std::vector<SharedOptions *> getShared() override { return {&stones}; }
  Result<void> run(Session &) override { return {}; }

  Stones stones;
  std::optional<std::string> day;
  bool isLong = false;
};

template <typename T> std::unique_ptr<Command> make() { return std::make_unique<T>(); }

const CommandList mill = {{make<RestCommand>, make<GrindCommand>, make<GrindOatsCommand>}};

/// The commands of a binary that classifies images, which this program is not.
CommandList getImageCommands() {
  return {{
#define IMAGE_COMMAND(NAME) make##NAME##Command,
#include "runtime/cli/Commands.def"
#define COMMAND(NAME) make##NAME##Command,
#include "runtime/cli/Commands.def"
          },
          {
#define TEXT_COMMAND(NAME) make##NAME##Command,
#include "runtime/cli/Commands.def"
          }};
}

Result<void> parse(CommandLine &line, std::vector<std::string> words) {
  std::vector<char *> arguments;
  for (std::string &word : words)
    arguments.push_back(word.data());
  return line.parse(arguments);
}

/// A line and the command that it asks for.
template <typename T> struct Parsed {
  CommandLine line{mill};
  T &command;

  explicit Parsed(std::vector<std::string> words)
      : command((static_cast<void>(parse(line, std::move(words))), static_cast<T &>(line.getCommand()))) {}
};

void testOwnCommand(Checks &checks) {
  Parsed<GrindCommand> all({"rye.txt", "--sacks", "2",           "-t",     "5",
                            "--grind", "--fine",  "--water=1.5", "--seed", "18446744073709551615",
                            "--share", "0.25",    "-m",          "--fine", "--from",
                            "a=1",     "b=2",     "--from=c=3",  "--",     "--wheat"});
  checks.that(all.command.isFine && all.command.isPacked);
  checks.equal(all.command.sacks.value(), 2);
  checks.equal(all.command.stones.turns, 5);
  checks.equal(all.command.water, 1.5f);
  checks.equal(all.command.seed, UINT64_MAX);
  checks.equal(all.command.share.value(), 0.25f);
  checks.equal(all.command.mark.value(), "--fine");
  checks.that(all.command.from == std::vector<std::string>{"a=1", "b=2", "c=3"});
  checks.that(all.command.grain == std::vector<std::string>{"rye.txt", "--wheat"});
  Parsed<GrindCommand> none({"--grind"});
  checks.that(!none.command.isFine && !none.command.isPacked && !none.command.sacks && !none.command.mark);
  checks.equal(none.command.stones.turns, 3);
  // What most of the options choose.
  checks.equal(Parsed<GrindOatsCommand>({"--oats", "naked", "--grind"}).command.kind.value(), "naked");
  // What is done without an option.
  Parsed<RestCommand> rest({"-t", "4", "-"});
  checks.equal(rest.command.day.value(), "-");
  checks.equal(rest.command.stones.turns, 4);
  checks.equal(Parsed<RestCommand>({""}).command.day.value(), "");
  checks.equal(Parsed<RestCommand>({"--", "--grind"}).command.day.value(), "--grind");
  checks.that(!Parsed<RestCommand>({"--threads", "2"}).command.day);
  checks.equal(Parsed<RestCommand>({"--threads", "2"}).line.getProgramOptions().threads.value(), 2);
}

void testOwnHelp(Checks &checks) {
  CommandLine line(mill);
  checks.that(parse(line, {"--grind", "--long", "-h"}) && line.getProgramOptions().help);
  checks.equal(line.formatHelp("mill"), R"(usage: mill [DAY] [options]

Rests on DAY.

  --long                   all day

Instead of that:
  --grind GRAIN...         grinds GRAIN
    --fine                 sieves it, too
    --sacks N              of flour
    --water L              by litres (0.5)
    --seed S               of the next year
    --share P              of the miller
    --mark, -m TEXT        on the sacks
    --from NAME=FILE       a field
  --grind --oats KIND      grinds oats

Stones, with a day, --grind:
  --turns, -t N            turns of the stones (3)

Always:
  --threads, -t T          threads, 1 to 1024 (the CPUs that may be used)
  --device DEVICE          what runs the kernels: cpu, cuda or opencl (cuda, if it is there)
  --image FILE             this model's own file, where the system does not show it (without /proc)
  --version                print what the model was compiled by and for
  --help, -h               print this

Exit status: 0 done, 1 bad input, 2 bad usage, 3 a mistake of Quern's.
)");
}

/// A run of the commands of a list is refused with `message`.
struct Refuses {
  Checks &checks;
  CommandList list;

  void operator()(std::vector<std::string> words, const std::string &message,
                  std::source_location where = std::source_location::current()) const {
    CommandLine line(list);
    Result<void> parsed = parse(line, std::move(words));
    if (!checks.that(!parsed, where))
      return;
    checks.equal(parsed.error().message, message, where);
    checks.that(parsed.error().kind == ErrorKind::Usage, where);
  }
};

void testOwnErrors(Checks &checks) {
  Refuses refuses{checks, mill};
  refuses({"--grinds"}, "unknown option `--grinds`; `--help` lists them");
  refuses({"-x", "--help"}, "unknown option `-x`; `--help` lists them");
  refuses({"--grind=1"}, "`--grind` takes no value, found `1`");
  refuses({"--grind", "-m"}, "`-m` needs a value, TEXT");
  refuses({"--sacks", "2"}, "`--sacks` has no meaning here");
  refuses({"--oats", "x"}, "`--oats` has no meaning here");
  refuses({"--grind", "--long"}, "`--long` has no meaning with `--grind`");
  refuses({"--grind", "--sacks", "-1"}, "`--sacks` is `-1`, expected 0 to 2147483647");
  refuses({"--grind", "--sacks", "5x"}, "`--sacks` is `5x`, expected an integer");
  refuses({"--grind", "--water", "0.25"}, "`--water` is `0.25`, expected 0.5 to 2");
  refuses({"--grind", "--water", "nan"}, "`--water` is `nan`, expected 0.5 to 2");
  refuses({"--grind", "--water", ""}, "`--water` is `\"\"`, expected a number");
  refuses({"--grind", "--seed", "-1"}, "`--seed` is `-1`, expected an integer, 0 or more");
  refuses({"-t", "11"}, "`--turns` is `11`, expected 1 to 10");
  refuses({"-t", "7"}, "the stones stick at 7 turns");
  refuses({"--grind", "--fine", "-t", "1"}, "`--fine` needs two turns");
  refuses({"one", "two"}, "found a second day `two`, expected one; put it into quotes if it has spaces");
  refuses({"--grind", "--oats", "x", "one"}, "found a day `one` beside `--grind`");
  Refuses alone{checks, {{make<GrindOatsCommand>}}};
  alone({}, "found nothing to do; `--help` lists the options");
  alone({"--grind"}, "`--grind` alone does not say what to do; `--help` lists the options");
  alone({"--grind", "--oats", "x", "one"}, "found an argument `one` beside `--grind`");
}

bool isInput(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && findInput(status);
}

/// A run is the command between what its groups ask for, and what its options name is known to be read.
void testOwnRun(Checks &checks, const std::string &folder) {
  std::unique_ptr<Session> session = quern::test::makeSession(1);
  std::string ear = folder + "/ear", field = folder + "/field", sack = folder + "/sack";
  for (const std::string &path : {ear, field, sack})
    std::ofstream(path) << "x";
  Parsed<GrindCommand> grind({"--grind", ear, "--from", "a=" + field, "-m", sack});
  checks.that(!isInput(ear));
  checks.that(bool(grind.line.run(*session)));
  checks.equal(Stones::log, "begin run end ");
  checks.that(isInput(ear) && isInput(field) && !isInput(sack));
  Stones::log.clear();
  checks.equal(Parsed<GrindCommand>({"--grind", "--sacks", "13"}).line.run(*session).error().message,
               "a sack too many");
  checks.equal(Stones::log, "begin run ");
  Stones::log.clear();
  checks.equal(Parsed<GrindCommand>({"--grind", "-t", "9"}).line.run(*session).error().message, "no water");
  checks.equal(Stones::log, "begin ");
}

/// The options that choose what a line asks for, or its operand.
std::string choose(const CommandList &list, std::vector<std::string> words) {
  CommandLine line(list);
  if (Result<void> parsed = parse(line, std::move(words)); !parsed)
    return parsed.error().message;
  std::string names;
  for (const Option &option : line.getCommand().getOptions())
    if (option.isChoice() || option.isOperand())
      names += (names.empty() ? "" : " ") + std::string(option.getFlag());
  return names;
}

void testAccept(Checks &checks) {
  CommandList text = getCommands(), images = getImageCommands();
  checks.equal(choose(text, {"a prompt", "--chat", "-n", "64", "--threads=2", "--seed", "1"}), "[PROMPT]");
  checks.equal(choose(text, {}), "[PROMPT]");
  checks.equal(choose(text, {"--json", "--timing", "--temp", "0.5", "--posterior-alpha", "0.2"}), "[PROMPT]");
  checks.equal(choose(text, {"--prompts", "f", "-np", "2"}), "[PROMPT]");
  checks.equal(choose(text, {"--tokenize", "-n 5 --chat", "--no-special"}), "--tokenize");
  checks.equal(choose(text, {"--run", "forward", "--in", "a=1.npy", "b=2.npy", "--out", "y=4.npy"}), "--run");
  checks.equal(choose(text, {"--bench", "--json", "-p", "0", "-n", "16", "-r", "3", "-d", "100"}), "--bench");
  checks.equal(choose(text, {"--bench", "--entry", "f", "--size", "s=1", "r=2", "-n", "5"}), "--bench --entry");
  checks.equal(choose(text, {"--logits", "x.npy", "-o", "y.npy", "--ctx", "5"}), "--logits");
  checks.equal(choose(text, {"--calibrate", "x.txt", "--batch", "5"}), "--calibrate");
  checks.equal(choose(text, {"--guess", "--parallel", "5"}), "--guess");
  checks.equal(choose(images, {"a.png", "--top", "3", "--json", "--", "-b.png"}), "IMAGE...");
  checks.equal(choose(images, {"--info"}), "--info");
  checks.equal(choose(images, {"--bench", "--batch", "2"}), "--bench");
  checks.equal(choose(images, {"--bench", "-p", "2"}), "`-p` has no meaning with `--bench`");
  checks.equal(choose(images, {"--bench", "--entry", "f", "--size", "s=1", "r=2"}), "--bench --entry");
  checks.equal(choose(images, {"--tokenize", "x"}), "--tokenize");
}

void testRefuse(Checks &checks) {
  Refuses refuses{checks, getCommands()}, refusesImages{checks, getImageCommands()};
  refuses({"--threads", "0"}, "`--threads` is `0`, expected 1 to 1024");
  refuses({"--threads", "1025"}, "`--threads` is `1025`, expected 1 to 1024");
  refuses({"--threads", "two"}, "`--threads` is `two`, expected an integer");
  refuses({"-n", "-1"}, "`-n` is `-1`, expected 0 to 2147483647");
  refuses({"-n", ""}, "`-n` is `\"\"`, expected an integer");
  refuses({"-n", "99999999999999999999"}, "`-n` is `99999999999999999999`, expected an integer");
  refuses({"-n"}, "`-n` needs a value, N");
  refuses({"--ctx", "0"}, "`--ctx` is `0`, expected 1 to 2147483647");
  refuses({"--batch", "0"}, "`--batch` is `0`, expected 1 to 2147483647");
  refuses({"--temperature", "nan"}, "`--temperature` is `nan`, expected 0 to 1e+06");
  refuses({"--temperature", "-1"}, "`--temperature` is `-1`, expected 0 to 1e+06");
  refuses({"--top-k", "-1"}, "`--top-k` is `-1`, expected 0 to 2147483647");
  refuses({"--top-p", "1.5"}, "`--top-p` is `1.5`, expected 0 to 1");
  refuses({"--min-p", "-0.5"}, "`--min-p` is `-0.5`, expected 0 to 1");
  refuses({"--repetition-penalty", "0"}, "`--repetition-penalty` is `0`, expected 0.001 to 1000");
  refuses({"--posterior-threshold", "2"}, "`--posterior-threshold` is `2`, expected 0 to 1");
  refuses({"--posterior-alpha", "2"}, "`--posterior-alpha` is `2`, expected 0 to 1");
  refuses({"--seed", "-1"}, "`--seed` is `-1`, expected an integer, 0 or more");
  refuses({"--bench", "-r", "0"}, "`-r` is `0`, expected 1 to 1e+06");
  refuses({"--bench", "-p", "-1"}, "`-p` is `-1`, expected 0 to 2147483647");
  refuses({"--bench", "-d", "-1"}, "`--depth` is `-1`, expected 0 to 2147483647");
  refuses({"--chat=yes"}, "`--chat` takes no value, found `yes`");
  refuses({"one", "two"}, "found a second prompt `two`, expected one; put it into quotes if it has spaces");
  refuses({"--info", "--bench"}, "`--info` and `--bench` exclude each other");
  refuses({"--info", "--chat"}, "`--chat` has no meaning with `--info`");
  refuses({"--info", "text"}, "found a prompt `text` beside `--info`");
  refuses({"--speculate", "guess"}, "`--speculate` is `guess`, expected `medusa`, `lookup`, `draft=MODEL` or `off`");
  refuses({"--speculate", "draft="}, "`--speculate` is `draft=`, expected `medusa`, `lookup`, `draft=MODEL` or `off`");
  refuses({"--speculate", "lookup", "--routing-trace", "f"},
          "`--speculate` and `--routing-trace` exclude each other: guesses would be counted as tokens");
  refuses({"--posterior-alpha", "0.2", "--greedy"},
          "`--posterior-threshold` and `--posterior-alpha` have no meaning without a `--temperature` above 0");
  refuses({"--calibrate", "f", "--bench"}, "`--calibrate` and `--bench` exclude each other");
  refuses({"--json"}, "`--json` has no meaning without `--timing`");
  refuses({"text", "--prompt-tokens", "1"}, "found a prompt and `--prompt-tokens`, expected one of them");
  refuses({"text", "--prompts", "f"}, "found a prompt and `--prompts`, expected one of them");
  refuses({"--prompt-tokens", "1", "--prompts", "f"}, "`--prompt-tokens` and `--prompts` exclude each other");
  refuses({"text", "--parallel", "2"}, "`--parallel` has no meaning without `--prompts`");
  refuses({"--prompts", "f", "-np", "0"}, "`--parallel` is `0`, expected 1 to 1024");
  refuses({"--chat", "--prompt-tokens", "1"}, "`--chat` and `--prompt-tokens` exclude each other");
  refuses({"--logits", "x.npy"}, "`--logits` needs `-o`, the file to write");
  refuses({"--entry", "f"}, "`--entry` has no meaning here");
  // Only binaries of images have these.
  refuses({"--top", "5"}, "unknown option `--top`; `--help` lists them");
  refusesImages({"--top", "0", "x.png"}, "`--top` is `0`, expected 1 to 2147483647");
  refusesImages({}, "found no image, expected files or folders");
  refusesImages({"a.png", "--info"}, "found an image `a.png` beside `--info`");
  refusesImages({"a.png", "--greedy"}, "`--greedy` has no meaning here");
  // Each option of sampling, and no other.
  for (const char *option : {"--temperature", "--temp", "--top-k", "--top-p", "--min-p", "--seed"})
    refuses({"--greedy", option, "1"}, "`--greedy` and the options of sampling exclude each other");
  checks.equal(choose(getCommands(), {"--greedy", "--repetition-penalty", "1.5"}), "[PROMPT]");
}

/// Arguments are read before it is known what they ask for, so all commands agree on how an option is written; no
/// command has two of one name.
void testRowsAgree(Checks &checks) {
  CommandList list = getImageCommands();
  ProgramOptions program;
  std::vector<std::vector<Option>> rows = {program.getOptions()};
  std::vector<std::unique_ptr<Command>> commands;
  for (const std::vector<MakeCommand> &makers : {list.listed, list.others})
    for (MakeCommand make : makers) {
      commands.push_back(make());
      std::vector<Option> &own = rows.emplace_back(commands.back()->getOptions());
      for (SharedOptions *group : commands.back()->getShared())
        for (const Option &option : group->getOptions())
          own.push_back(option);
    }
  checks.that(commands.size() > list.listed.size());
  for (size_t i = 0; i < rows.size(); ++i)
    for (const Option &a : rows[i])
      for (size_t j = 0; j < rows.size(); ++j)
        for (const Option &b : rows[j]) {
          if (&a == &b || a.isOperand() || !b.isCalled(a.getFlag()))
            continue;
          bool agree = i != j && i != 0 && j != 0 && std::string(a.getNames()) == b.getNames() &&
                       !a.getValue() == !b.getValue() && a.isList() == b.isList();
          if (!checks.that(agree))
            std::cerr << a.getNames() << " and " << b.getNames() << "\n";
        }
}

void testTokenList(Checks &checks) {
  checks.that(parseTokenList("1,2,3").value() == std::vector<int32_t>{1, 2, 3});
  checks.that(parseTokenList("-7").value() == std::vector<int32_t>{-7});
  for (const char *text : {"", ",", "1,", "1,,2", "1 2", "1.5", "x", "1,2x", "99999999999"})
    checks.that(!parseTokenList(text));
}

} // namespace

/// `runtime-command-line FOLDER`, where files are written.
int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  Checks checks;
  testOwnCommand(checks);
  testOwnHelp(checks);
  testOwnErrors(checks);
  testOwnRun(checks, argv[1]);
  testAccept(checks);
  testRefuse(checks);
  testRowsAgree(checks);
  testTokenList(checks);
  return checks.status();
}
