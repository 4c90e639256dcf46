//===- MeasurePlan.cpp - how long the steps of a plan take ------------------------------------===//

#include "tools/driver/Compiler.h"
#include "tools/driver/Explanation.h"

#include "codegen/MemoryFile.h"
#include "codegen/Program.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Program.h"

#include <cmath>

using namespace mlir;

namespace quern::tool {

/// How often a program runs: for a fifth of a second, as predicted, and else a few times.
static int64_t countRuns(const Plan &plan) {
  constexpr double nanoseconds = 2e8;
  constexpr double least = 3, most = 50;
  std::optional<double> predicted = plan.getPredicted();
  return int64_t(predicted ? std::clamp(nanoseconds / std::max(*predicted, 1.0), least, most) : least);
}

/// What the binary is asked for: a trace of the plan's program, at its sizes.
static std::vector<std::string> getArguments(const Plan &plan, llvm::StringRef binary, llvm::StringRef trace,
                                             llvm::StringRef device, unsigned threads) {
  std::vector<std::string> arguments = {binary.str(), "--bench", "--entry",
                                        codegen::getGeneralForm(plan.program).getSymName().str()};
  for (const auto &[name, size] : plan.sizes)
    llvm::append_values(arguments, "--size", name + "=" + std::to_string(size));
  llvm::append_values(arguments, "--depth", std::to_string(plan.depth), "-n", std::to_string(countRuns(plan)), "-r",
                      "1", "--threads", std::to_string(threads), "--device", device.str(), "--trace", trace.str());
  return arguments;
}

/// The name and the nanoseconds of each launch in a trace; nothing where it is none.
static std::vector<std::pair<std::string, double>> readTrace(llvm::StringRef text) {
  std::vector<std::pair<std::string, double>> launches;
  llvm::Expected<llvm::json::Value> trace = llvm::json::parse(text);
  if (!trace) {
    llvm::consumeError(trace.takeError());
    return launches;
  }
  const llvm::json::Object *object = trace->getAsObject();
  if (const llvm::json::Array *events = object ? object->getArray("traceEvents") : nullptr)
    for (const llvm::json::Value &event : *events)
      if (const llvm::json::Object *launch = event.getAsObject())
        launches.emplace_back(launch->getString("name").value_or("").str(), launch->getNumber("dur").value_or(0) * 1e3);
  return launches;
}

/// The median time of launch `index` of `count` over the runs of a trace.
static double getMedian(llvm::ArrayRef<std::pair<std::string, double>> trace, unsigned index, unsigned count) {
  llvm::SmallVector<double> times;
  for (size_t i = index; i < trace.size(); i += count)
    times.push_back(trace[i].second);
  llvm::sort(times);
  return times[times.size() / 2];
}

LogicalResult measurePlan(Plan &plan, llvm::StringRef binary, llvm::StringRef device, unsigned threads) {
  if (plan.launches == 0)
    return success();
  llvm::Expected<codegen::MemoryFile> file = codegen::MemoryFile::create();
  if (!file)
    return refuse(file.takeError());
  std::vector<std::string> words = getArguments(plan, binary, file->path(), device, threads);
  std::vector<llvm::StringRef> arguments(words.begin(), words.end());
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(""), std::nullopt};
  std::string message;
  if (llvm::sys::ExecuteAndWait(binary, arguments, std::nullopt, redirects, 0, 0, &message))
    return refuse("cannot measure `" + plan.program.getSymName() +
                  "`: " + (message.empty() ? "the binary failed" : message));

  auto text = file->read("trace");
  if (!text)
    return refuse(text.takeError());
  std::vector<std::pair<std::string, double>> trace = readTrace((*text)->getBuffer());
  bool isWhole = !trace.empty() && trace.size() % plan.launches == 0;
  for (Step &step : plan.steps) {
    double sum = 0;
    for (unsigned launch : step.launches) {
      // Other sizes may have another program.
      if (!isWhole || trace[launch].first != step.kernel.getSymName())
        return refuse("cannot measure `" + plan.program.getSymName() + "`: at these sizes another program runs");
      sum += getMedian(trace, launch, plan.launches);
    }
    step.measured = sum / double(step.launches.size());
  }
  return success();
}

} // namespace quern::tool
