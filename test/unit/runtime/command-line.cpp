/// The command line: what is understood, and what is bad usage.

#include "Check.h"
#include "runtime/cli/CommandLine.h"

#include <string>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

Result<CommandLine> parse(std::vector<std::string> words, Mode plain = Generate) {
  std::vector<char *> arguments;
  for (std::string &word : words)
    arguments.push_back(word.data());
  return parseCommandLine(arguments, plain);
}

void testAccept(Checks &checks) {
  CommandLine line = parse({"a prompt", "--chat", "-n", "64", "--threads=2", "--seed", "18446744073709551615"}).value();
  checks.equal(line.prompt.value(), "a prompt");
  checks.that(line.mode == Generate && line.chat);
  checks.equal(line.newTokens.value(), 64);
  checks.equal(line.threads.value(), 2);
  checks.equal(line.seed.value(), UINT64_MAX);
  checks.equal(parse({"--", "--chat"}).value().prompt.value(), "--chat");
  checks.equal(parse({"-"}).value().prompt.value(), "-");
  checks.equal(parse({""}).value().prompt.value(), "");
  checks.that(!parse({}).value().prompt);
  checks.equal(parse({"--tokenize", "-n 5 --chat"}).value().tokenize.value(), "-n 5 --chat");
  line = parse({"--run", "forward", "--in", "a=1.npy", "b=2.npy", "--in=c=3.npy", "--out", "y=4.npy"}).value();
  checks.that(line.mode == Run);
  checks.equal(line.inputs.size(), 3u);
  checks.equal(line.inputs[2], "c=3.npy");
  checks.equal(line.outputs[0], "y=4.npy");
  line = parse({"--bench", "--json", "-p", "0", "-n", "16", "-r", "3", "--depth", "100"}).value();
  checks.that(line.mode == Bench && line.json);
  checks.equal(line.promptSize.value(), 0);
  checks.equal(parse({"--logits", "x.npy", "-o", "y.npy"}).value().output.value(), "y.npy");
  checks.equal(parse({"--temp", "0.5"}).value().temperature.value(), 0.5f);
  checks.that(parse({"--bench", "--chat", "--help"}).value().help);
  line = parse({"a.png", "--top", "3", "--json", "--", "-b.png"}, Classify).value();
  checks.that(line.mode == Classify && line.json && !line.prompt);
  checks.equal(line.images[1], "-b.png");
  checks.equal(line.top.value(), 3);
  checks.that(parse({"--info"}, Classify).value().mode == Info);
  checks.that(parse({"--bench", "--batch", "2"}, Classify).value().mode == BenchImages);
  line = parse({"--bench", "--entry", "f", "--size", "s=1", "r=2"}, Classify).value();
  checks.that(line.mode == BenchEntry && line.sizes.size() == 2);
}

void testRefuse(Checks &checks) {
  auto refuses = [&](std::vector<std::string> words, const std::string &message, Mode plain = Generate,
                     std::source_location where = std::source_location::current()) {
    Result<CommandLine> line = parse(std::move(words), plain);
    if (!checks.that(!line, where))
      return;
    checks.equal(line.error().message, message, where);
    checks.that(line.error().kind == ErrorKind::Usage, where);
  };
  refuses({"--threads", "0"}, "`--threads` is `0`, expected 1 to 1024");
  refuses({"--threads", "1025"}, "`--threads` is `1025`, expected 1 to 1024");
  refuses({"--threads", "two"}, "`--threads` is `two`, expected an integer");
  refuses({"-n", "-1"}, "`-n` is `-1`, expected 0 to 2147483647");
  refuses({"-n", "5x"}, "`-n` is `5x`, expected an integer");
  refuses({"-n", ""}, "`-n` is `\"\"`, expected an integer");
  refuses({"-n", "99999999999999999999"}, "`-n` is `99999999999999999999`, expected an integer");
  refuses({"-n"}, "`-n` needs a value, N");
  refuses({"--ctx", "0"}, "`--ctx` is `0`, expected 1 to 2147483647");
  refuses({"--temperature", "nan"}, "`--temperature` is `nan`, expected 0 to 1e+06");
  refuses({"--temperature", "-1"}, "`--temperature` is `-1`, expected 0 to 1e+06");
  refuses({"--top-p", "1.5"}, "`--top-p` is `1.5`, expected 0 to 1");
  refuses({"--seed", "-1"}, "`--seed` is `-1`, expected an integer, 0 or more");
  refuses({"--frobnicate"}, "unknown option `--frobnicate`; `--help` lists them");
  refuses({"--chat=yes"}, "`--chat` takes no value, found `yes`");
  refuses({"one", "two"}, "found a second prompt `two`, expected one; put it into quotes if it has spaces");
  refuses({"--info", "--bench"}, "`--info` and `--bench` exclude each other");
  refuses({"--info", "--chat"}, "`--chat` has no meaning with `--info`");
  refuses({"--info", "text"}, "found a prompt `text` beside `--info`");
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
  refuses({"--greedy", "--top-k", "5"}, "`--greedy` and the options of sampling exclude each other");
  refuses({"--logits", "x.npy"}, "`--logits` needs `-o`, the file to write");
  refuses({"--top", "5"}, "`--top` has no meaning here");
  refuses({}, "found no image, expected files or folders", Classify);
  refuses({"a.png", "--info"}, "found an image `a.png` beside `--info`", Classify);
  refuses({"a.png", "--greedy"}, "`--greedy` has no meaning here", Classify);
}

void testTokenList(Checks &checks) {
  checks.that(parseTokenList("1,2,3").value() == std::vector<int32_t>{1, 2, 3});
  checks.that(parseTokenList("-7").value() == std::vector<int32_t>{-7});
  for (const char *text : {"", ",", "1,", "1,,2", "1 2", "1.5", "x", "1,2x", "99999999999"})
    checks.that(!parseTokenList(text));
}

} // namespace

int main() {
  Checks checks;
  testAccept(checks);
  testRefuse(checks);
  testTokenList(checks);
  return checks.status();
}
