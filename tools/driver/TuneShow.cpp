//===- TuneShow.cpp - `quern tune show` -------------------------------------------------------===//

#include "passes/tile/ScheduleFit.h"
#include "tools/driver/Commands.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/MedianGain.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"

#include <CLI/CLI.hpp>

#include <tuple>

namespace quern::tool {
namespace {

struct ShowOptions {
  std::string path;
  /// Of the names of kernels that are shown; empty: all.
  std::string kernels;
};

/// Lines of cells, of which each column gets the width that it needs; those of numbers end at its right side.
class Table {
public:
  /// A row of titles; one that begins with a space stands above numbers.
  explicit Table(std::vector<std::string> titles) { add(std::move(titles)); }

  void add(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  bool isEmpty() const { return rows.size() == 1; }
  void print(llvm::raw_ostream &os) const;

private:
  std::vector<std::vector<std::string>> rows;
};

} // namespace

static size_t getWidth(llvm::StringRef text) {
  return static_cast<size_t>(std::max(0, llvm::sys::unicode::columnWidthUTF8(text)));
}

void Table::print(llvm::raw_ostream &os) const {
  std::vector<size_t> widths(rows.front().size());
  for (const std::vector<std::string> &row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], getWidth(llvm::StringRef(row[i]).ltrim()));
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      llvm::StringRef cell = llvm::StringRef(row[i]).ltrim();
      std::string space(widths[i] - getWidth(cell), ' ');
      bool isNumber = rows.front()[i].starts_with(" ");
      line += (i ? "  " : "") + (isNumber ? space + cell.str() : cell.str() + space);
    }
    os << llvm::StringRef(line).rtrim() << '\n';
  }
}

static std::string formatTime(double nanoseconds) {
  return nanoseconds >= 1e6 ? llvm::formatv("{0:F2} ms", nanoseconds * 1e-6)
                            : llvm::formatv("{0:F2} us", nanoseconds * 1e-3);
}

static std::string formatGain(double gain) { return llvm::formatv("{0:F3}", gain); }

/// The medians of the times and of their quotients, what is proven of these, and how many there are.
static std::vector<std::string> formatSamples(const TimePairs &samples, double gain) {
  std::string count = std::to_string(samples.size()), proven = gain > 0 ? formatGain(gain) : "-";
  if (samples.empty())
    return {"-", "-", "-", proven, count};
  return {formatTime(getMedian(llvm::make_first_range(samples))),
          formatTime(getMedian(llvm::make_second_range(samples))), formatGain(getMedianGain(samples)), proven, count};
}

/// `panels 8, rows 6`.
static std::string formatPlan(const quern::Plan &plan) {
  std::string text;
  for (const auto &[knob, value] : plan)
    text += (text.empty() ? "" : ", ") + knob + " " + std::to_string(value);
  return text.empty() ? "-" : text;
}

static std::string formatBytes(int64_t bytes) {
  if (bytes == 0)
    return "unknown";
  for (auto [size, unit] : {std::pair(1 << 20, " MiB"), std::pair(1 << 10, " KiB")})
    if (bytes % size == 0)
      return std::to_string(bytes / size) + unit;
  return std::to_string(bytes) + " B";
}

static void printHead(const ScheduleDatabase &database, llvm::raw_ostream &os) {
  os << "measured by quern " << database.versions.quern << " with LLVM " << database.versions.llvm << " and Halide "
     << database.versions.halide << '\n';
  for (const auto &[machine, limits] : database.machines) {
    os << "on " << machine.processor << ": " << machine.cores << (machine.cores == 1 ? " core" : " cores")
       << ", caches of " << formatBytes(machine.l1Bytes) << ", " << formatBytes(machine.l2Bytes) << ", "
       << formatBytes(machine.l3Bytes);
    for (const auto &[name, limit] : limits)
      os << "; " << name << ' ' << llvm::formatv("{0:F1}", limit);
    os << '\n';
  }
}

static void printEntries(const ScheduleDatabase &database, llvm::raw_ostream &os) {
  Table table({"model", "entry", "sizes", "target", " threads", " default", " tuned", " gain", " proven", " pairs"});
  for (const auto &[key, gain] : database.entries) {
    std::vector<std::string> cells{key.model, key.entry, key.sizes.empty() ? "-" : key.sizes, key.target,
                                   std::to_string(key.threads)};
    llvm::append_range(cells, formatSamples(gain.samples, getProvenGain(gain.samples)));
    table.add(std::move(cells));
  }
  if (table.isEmpty())
    return;
  os << '\n';
  table.print(os);
}

/// Models, and how they choose for shapes that they were not fitted to.
static void printModels(const ScheduleDatabase &database, llvm::raw_ostream &os) {
  Table table(
      {"family", "target", " shapes", " kernels", " plans", " of the best", " gain", " possible", " least", "used"});
  for (const auto &[key, check] : checkModels(database)) {
    const auto &[family, target] = key;
    table.add({family, target, std::to_string(check.shapes), std::to_string(check.kernels), std::to_string(check.plans),
               formatGain(check.reached), formatGain(check.mean), formatGain(check.best), formatGain(check.least),
               database.findModel(family, target) ? "yes" : "no"});
  }
  if (table.isEmpty())
    return;
  os << '\n';
  table.print(os);
}

/// Rows by the names of kernels, then by their keys.
static void printRows(const ScheduleDatabase &database, const llvm::Regex *kernels, llvm::raw_ostream &os) {
  using Row = std::pair<const ScheduleKey, ScheduleRow>;
  std::vector<const Row *> rows;
  for (const Row &row : database.rows)
    if (!kernels || kernels->match(row.second.kernel))
      rows.push_back(&row);
  llvm::sort(rows, [](const Row *left, const Row *right) {
    return std::tie(left->second.kernel, left->first) < std::tie(right->second.kernel, right->first);
  });
  Table table({"kernel", "key", "form", "target", " threads", " default", " tuned", " gain", " proven", " pairs",
               "plan", "default plan"});
  for (const Row *each : rows) {
    const auto &[key, row] = *each;
    std::vector<std::string> cells{row.kernel, key.digest.substr(0, 8),
                                   key.form + " " + std::to_string(key.formVersion), key.target,
                                   std::to_string(key.threads)};
    llvm::append_range(cells, formatSamples(row.samples, row.getGain()));
    bool isDefault = row.plan == row.base;
    cells.push_back(formatPlan(row.plan) + (row.changesRounding ? " (rounds otherwise)" : ""));
    cells.push_back(isDefault ? "the same" : formatPlan(row.base));
    table.add(std::move(cells));
  }
  os << '\n';
  if (!table.isEmpty())
    table.print(os);
  os << rows.size() << " of " << database.rows.size() << " rows\n";
}

static ExitStatus show(const ShowOptions &options) {
  llvm::Expected<ScheduleDatabase> database = ScheduleDatabase::read(options.path);
  if (!database) {
    (void)refuse(database.takeError());
    return ExitStatus::Refused;
  }
  llvm::Regex kernels(options.kernels);
  printHead(*database, llvm::outs());
  if (options.kernels.empty()) {
    printEntries(*database, llvm::outs());
    printModels(*database, llvm::outs());
  }
  printRows(*database, options.kernels.empty() ? nullptr : &kernels, llvm::outs());
  return ExitStatus::Success;
}

/// Why `pattern` is none to look for, or nothing. What takes more time or memory than its length and that of a name is
/// none.
static std::string checkPattern(const std::string &pattern) {
  constexpr size_t kMaxBytes = 256, kMaxRepetitions = 2;
  if (pattern.size() > kMaxBytes)
    return llvm::formatv("found a pattern of {0} bytes, expected at most {1}", pattern.size(), kMaxBytes);
  if (size_t count = llvm::count(pattern, '{'); count > kMaxRepetitions)
    return llvm::formatv("found {0} numbers of repetitions in the pattern, expected at most {1}", count,
                         kMaxRepetitions);
  for (size_t i = 0; i + 1 < pattern.size(); ++i)
    if (pattern[i] == '\\' && llvm::isDigit(pattern[++i]))
      return "found a reference to a group in the pattern, expected none";
  std::string error;
  return llvm::Regex(pattern).isValid(error) ? "" : "found `" + pattern + "`, expected a regular expression: " + error;
}

void addTuneShowCommand(CLI::App &tune, Command &command) {
  CLI::App *sub = tune.add_subcommand("show", "Print what a file of measured schedules holds");
  auto options = std::make_shared<ShowOptions>();
  sub->add_option("FILE", options->path, "A file of measured schedules (JSON)")->required();
  sub->add_option("--kernel", options->kernels, "Only kernels whose names match this regular expression (POSIX)")
      ->check(checkPattern);
  sub->callback([&command, options] { command = [options] { return show(*options); }; });
}

} // namespace quern::tool
