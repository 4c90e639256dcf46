//===- Bench.cpp - `quern bench` --------------------------------------------------------------===//

#include "runtime/Limits.h"
#include "tools/driver/Commands.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

namespace quern::tool {

using runtime::Limit;

static void printTable(const std::vector<Limit> &limits, unsigned threads) {
  llvm::outs() << "| limit | pages | 1 thread | " << threads << " threads | |\n| --- | --- | ---: | ---: | --- |\n";
  for (const Limit &limit : limits)
    llvm::outs() << "| " << limit.name << " | " << limit.pages << " | " << llvm::format("%.1f", limit.one) << " | "
                 << llvm::format("%.1f", limit.all) << " | " << limit.unit << " |\n";
}

static void printJson(const std::vector<Limit> &limits, unsigned threads) {
  llvm::json::Array list;
  for (const Limit &limit : limits)
    list.push_back(llvm::json::Object{{"name", limit.name},
                                      {"pages", limit.pages},
                                      {"unit", limit.unit},
                                      {"bytes_per_thread", limit.bytesPerThread},
                                      {"one_thread", limit.one},
                                      {"all_threads", limit.all}});
  llvm::json::Object result{{"threads", threads}, {"limits", std::move(list)}};
  llvm::outs() << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(result)));
}

void addBenchCommand(CLI::App &app, Command &command) {
  CLI::App *sub = app.add_subcommand("bench", "Measure this machine");
  struct Options {
    bool limits = false;
    bool json = false;
    unsigned threads = llvm::hardware_concurrency().compute_thread_count();
  };
  auto options = std::make_shared<Options>();
  sub->add_flag("--limits", options->limits, "Peaks of arithmetic, and of reading from caches and memory")->required();
  sub->add_flag("--json", options->json, "Print JSON instead of a table");
  sub->add_option("--threads", options->threads, "Threads that work at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  sub->callback([&command, options] {
    command = [options] {
      std::vector<Limit> limits = runtime::measureLimits(options->threads);
      (options->json ? printJson : printTable)(limits, options->threads);
      return ExitStatus::Success;
    };
  });
}

} // namespace quern::tool
