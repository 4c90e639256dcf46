//===- Profile.cpp - where the time of a run went ----------------------------------------------===//

#include "runtime/cli/Profile.h"

#include "runtime/OutputFile.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace quern::runtime {

namespace {

/// The launches of one kernel together.
struct Sum {
  const Kernel *kernel = nullptr;
  uint64_t launches = 0;
  double nanoseconds = 0;
  double bytes = 0;
  double operations = 0;
  /// The least nanoseconds that these take on the machine, each for itself, and the larger of both for each launch.
  double memory = 0, compute = 0, limit = 0;

  void add(const Sum &other) {
    launches += other.launches;
    nanoseconds += other.nanoseconds;
    bytes += other.bytes;
    operations += other.operations;
    memory += other.memory;
    compute += other.compute;
    limit += other.limit;
  }
};

} // namespace

static const Kernel &getKernel(const Session &session, const KernelLaunch &launch) {
  return session.getTarget().programs[launch.program].kernels[launch.kernel];
}

/// One launch as a sum.
static Sum describe(const Kernel &kernel, const KernelLaunch &launch, const Roofline &roofline) {
  return {&kernel,
          1,
          static_cast<double>(launch.end - launch.begin),
          launch.bytes,
          launch.operations,
          roofline.getMemoryTime(launch.bytes),
          roofline.getComputeTime(kernel.arithmetic, launch.operations),
          roofline.getTime(kernel.arithmetic, launch.bytes, launch.operations)};
}

/// Sums by the kernels' symbols, which programs share; the slowest first.
static std::vector<Sum> sumUp(const Session &session, std::span<const KernelLaunch> launches,
                              const Roofline &roofline) {
  std::map<std::string_view, Sum> sums;
  for (const KernelLaunch &launch : launches) {
    const Kernel &kernel = getKernel(session, launch);
    Sum &sum = sums[kernel.symbol];
    sum.kernel = &kernel;
    sum.add(describe(kernel, launch, roofline));
  }
  std::vector<Sum> rows;
  for (const auto &item : sums)
    rows.push_back(item.second);
  std::stable_sort(rows.begin(), rows.end(), [](const Sum &a, const Sum &b) { return a.nanoseconds > b.nanoseconds; });
  return rows;
}

/// Bytes or operations per nanosecond are their thousand millions per second.
static std::string formatRow(const std::string &name, const std::string &location, const Sum &sum, double total) {
  double time = std::max(sum.nanoseconds, 1.0);
  char row[768];
  std::snprintf(row, sizeof(row), "| %.300s | %.200s | %llu | %.2f | %.1f %% | %.1f | %.1f | %s | %.0f %% |\n",
                name.c_str(), location.c_str(), static_cast<unsigned long long>(sum.launches),
                sum.nanoseconds * 1e-3 / static_cast<double>(std::max<uint64_t>(sum.launches, 1)),
                sum.nanoseconds * 100.0 / std::max(total, 1.0), sum.bytes / time, sum.operations / time,
                sum.compute > sum.memory ? "arithmetic" : "memory", sum.limit * 100.0 / time);
  return row;
}

std::string formatProfile(const Session &session, std::span<const KernelLaunch> launches, const Roofline &roofline) {
  std::vector<Sum> rows = sumUp(session, launches, roofline);
  Sum all;
  for (const Sum &row : rows)
    all.add(row);
  std::string text = "| kernel | line | launches | µs each | share | GB/s | GOP/s | bound by | of limit |\n"
                     "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |\n";
  for (const Sum &row : rows)
    text += formatRow(row.kernel->symbol, row.kernel->location, row, all.nanoseconds);
  text += formatRow("all", "", all, all.nanoseconds);
  return text + "\nlimits, " + describeRoofline(roofline, session.getThreadCount()) + "\n";
}

Result<void> writeTrace(const Session &session, std::span<const KernelLaunch> launches, const Roofline &roofline,
                        const std::string &path) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  int64_t start = launches.empty() ? 0 : launches.front().begin;
  for (const KernelLaunch &launch : launches) {
    const Kernel &kernel = getKernel(session, launch);
    Sum sum = describe(kernel, launch, roofline);
    // Times are in microseconds; a launch has all threads, so that there is one row.
    events.push_back({{"name", kernel.symbol},
                      {"cat", kernel.form},
                      {"ph", "X"},
                      {"ts", static_cast<double>(launch.begin - start) * 1e-3},
                      {"dur", sum.nanoseconds * 1e-3},
                      {"pid", 1},
                      {"tid", 1},
                      {"args",
                       {{"line", kernel.location},
                        {"bytes", launch.bytes},
                        {"operations", launch.operations},
                        {"limit_us", sum.limit * 1e-3},
                        {"of_limit", sum.limit / std::max(sum.nanoseconds, 1.0)}}}});
  }
  // What is not UTF-8 in a name of the model file is replaced.
  std::string text = Json{{"displayTimeUnit", "ms"},
                          {"otherData", {{"limits", describeRoofline(roofline, session.getThreadCount())}}},
                          {"traceEvents", std::move(events)}}
                         .dump(-1, ' ', false, Json::error_handler_t::replace);
  Result<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.error();
  if (Result<void> done = file->write(text.data(), text.size()); !done)
    return done;
  return file->finish();
}

std::vector<Option> LaunchOptions::getOptions() {
  return {
      Option("--profile", profile, "also print the time of each kernel, by the model's lines"),
      Option("--trace", trace, "FILE.json", "write a Chrome trace of all kernel launches"),
  };
}

Result<void> LaunchOptions::begin(Session &) { return trace ? checkOutput(*trace) : Result<void>(); }

Result<void> ProfileOptions::begin(Session &session) {
  session.setProfiling(isAsked());
  return LaunchOptions::begin(session);
}

Result<void> ProfileOptions::end(Session &session) {
  if (!isAsked())
    return {};
  Roofline roofline = measureRoofline(session.getThreadCount());
  if (profile)
    std::fputs(formatProfile(session, session.getLaunches(), roofline).c_str(), stderr);
  return trace ? writeTrace(session, session.getLaunches(), roofline, *trace) : Result<void>();
}

} // namespace quern::runtime
