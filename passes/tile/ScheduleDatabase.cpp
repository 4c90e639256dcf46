//===- ScheduleDatabase.cpp - schedules that were measured ------------------------------------===//

#include "passes/tile/ScheduleDatabase.h"

#include "runtime/Memory.h"
#include "runtime/OutputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>
#include <sys/stat.h>
#include <tuple>

using llvm::StringRef;
using llvm::Twine;

namespace quern {

static llvm::Error makeError(StringRef path, const Twine &message) {
  return llvm::createStringError(Twine("`") + path + "`: " + message);
}

//===------------------------------------------------------------------------------------------===//
// Gains, and which row stays.
//===------------------------------------------------------------------------------------------===//

double getProvenGain(const TimePairs &samples) {
  std::vector<double> gains;
  for (auto [base, tried] : samples)
    gains.push_back(static_cast<double>(base) / static_cast<double>(tried));
  llvm::sort(gains);
  // The median lies below the k-th least gain, from 1, where at most k - 1 of n lie below the median: with the
  // probability P(B <= k - 1), B binomial with n and 1/2. The largest k for which that is at most 1 - confidence.
  constexpr double kDoubt = 0.05;
  double count = static_cast<double>(gains.size());
  double probability = std::exp2(-count), sum = probability;
  size_t k = 0;
  for (; k < gains.size() && sum <= kDoubt; ++k) {
    probability *= (count - static_cast<double>(k)) / static_cast<double>(k + 1);
    sum += probability;
  }
  return k == 0 ? 0 : gains[k - 1];
}

double ScheduleRow::getGain() const { return plan == base ? 1 : getProvenGain(samples); }

/// Whether `row` stays in place of `other`: a total order, so that of any rows the same one stays whatever the order in
/// which they are compared.
static bool isBetter(const ScheduleRow &row, const ScheduleRow &other) {
  double gain = row.getGain(), otherGain = other.getGain();
  if (gain != otherGain)
    return gain > otherGain;
  if (row.samples.size() != other.samples.size())
    return row.samples.size() > other.samples.size();
  return row < other;
}

static bool isBetter(const EntryGain &gain, const EntryGain &other) {
  double proven = getProvenGain(gain.samples), otherProven = getProvenGain(other.samples);
  if (proven != otherProven)
    return proven > otherProven;
  if (gain.samples.size() != other.samples.size())
    return gain.samples.size() > other.samples.size();
  return gain < other;
}

/// Moves what `from` holds to `to`; of two values with one key the better stays.
template <typename Map> static void moveBetter(Map from, Map &to) {
  while (!from.empty()) {
    auto moved = to.insert(from.extract(from.begin()));
    if (!moved.inserted && isBetter(moved.node.mapped(), moved.position->second))
      moved.position->second = std::move(moved.node.mapped());
  }
}

void ScheduleDatabase::add(const ScheduleKey &key, ScheduleRow row) {
  moveBetter<decltype(rows)>({{key, std::move(row)}}, rows);
}

void ScheduleDatabase::add(const EntryKey &key, EntryGain gain) {
  moveBetter<decltype(entries)>({{key, std::move(gain)}}, entries);
}

/// The parts of a version between dots, to be ordered: numbers by their values, before words.
static std::vector<std::pair<uint64_t, StringRef>> splitVersion(StringRef version) {
  std::vector<std::pair<uint64_t, StringRef>> parts;
  for (StringRef part : llvm::split(version, '.')) {
    uint64_t number = 0;
    parts.push_back({part.getAsInteger(10, number) ? UINT64_MAX : number, part});
  }
  return parts;
}

/// Whether `versions` are of an older compiler.
static bool isOlder(const Versions &versions, const Versions &other) {
  if (versions.quern != other.quern)
    return splitVersion(versions.quern) < splitVersion(other.quern);
  if (versions.llvm != other.llvm)
    return splitVersion(versions.llvm) < splitVersion(other.llvm);
  return splitVersion(versions.halide) < splitVersion(other.halide);
}

void ScheduleDatabase::merge(ScheduleDatabase other) {
  models.clear();
  // A database that nobody wrote yet has no version.
  if (versions.quern.empty() || (!other.versions.quern.empty() && isOlder(other.versions, versions)))
    versions = other.versions;
  for (const auto &[machine, limits] : other.machines)
    for (MachineLimits &known = machines[machine]; const auto &[name, limit] : limits)
      known[name] = std::max(known[name], limit);
  moveBetter(std::move(other.rows), rows);
  moveBetter(std::move(other.entries), entries);
}

llvm::Error ScheduleDatabase::checkSize() const {
  for (auto [count, most, what] :
       {std::tuple(rows.size(), maxRows, "rows"), std::tuple(entries.size(), maxEntries, "entries"),
        std::tuple(machines.size(), maxMachines, "machines")})
    if (count > most)
      return llvm::createStringError("found " + Twine(count) + " " + what +
                                     " of measured schedules, expected at most " + Twine(most));
  return llvm::Error::success();
}

const ScheduleRow *ScheduleDatabase::lookup(const ScheduleKey &key) const {
  auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

const ScheduleRow *ScheduleDatabase::lookup(StringRef digest, StringRef form, int64_t formVersion,
                                            StringRef target) const {
  ScheduleKey key{digest.str(), form.str(), formVersion, target.str(), 0};
  const ScheduleRow *alone = nullptr, *together = nullptr;
  for (auto place = rows.lower_bound(key); place != rows.end(); ++place) {
    key.threads = place->first.threads;
    if (place->first != key)
      break;
    const ScheduleRow *&best = key.threads > 1 ? together : alone;
    if (!best || isBetter(place->second, *best))
      best = &place->second;
  }
  return together ? together : alone;
}

const FittedModel *ScheduleDatabase::findModel(StringRef family, StringRef target) const {
  auto ofFamily = models.find(family.str());
  if (ofFamily == models.end())
    return nullptr;
  auto found = ofFamily->second.find(target.str());
  return found == ofFamily->second.end() ? nullptr : &found->second;
}

//===------------------------------------------------------------------------------------------===//
// The file.
//===------------------------------------------------------------------------------------------===//

llvm::Expected<ScheduleDatabase> ScheduleDatabase::read(StringRef path) {
  runtime::Result<runtime::FileDescriptor> file = runtime::FileDescriptor::openRegular(path.str());
  if (!file)
    return makeError(path, "cannot read the schedule database: " + file.error().message);
  struct stat status;
  uint64_t bytes = fstat(file->get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  if (bytes > maxBytes)
    return makeError(path, "the schedule database has " + Twine(bytes) + " bytes, expected at most " + Twine(maxBytes));
  // Mapped, for pages that are in memory already cost less than a copy of them.
  runtime::Result<runtime::Mapping> text = runtime::Mapping::mapFile(file->get(), 0, bytes, path.str());
  if (!text)
    return makeError(path, text.error().message);
  return parse({reinterpret_cast<const char *>(text->data()), bytes}, path);
}

llvm::Error ScheduleDatabase::write(StringRef path) const {
  // Nobody could read what is too large any more, or merge anything into it.
  if (llvm::Error error = checkSize())
    return makeError(path, llvm::toString(std::move(error)));
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  if (text.size() > maxBytes)
    return makeError(path, "found a schedule database of " + Twine(text.size()) + " bytes to write, expected at most " +
                               Twine(maxBytes));
  if (llvm::Expected<ScheduleDatabase> again = parse(text, "the schedule database to write"); !again)
    return makeError(path, llvm::toString(again.takeError()));
  runtime::Result<runtime::OutputFile> file = runtime::OutputFile::replace(path.str());
  runtime::Result<void> done;
  if (!file)
    done = file.error();
  else if (done = file->write(text.data(), text.size()); done)
    done = file->finish();
  return done ? llvm::Error::success() : llvm::createStringError(done.error().message);
}

llvm::Error ScheduleDatabase::update(StringRef path, llvm::function_ref<llvm::Error(ScheduleDatabase &)> change) {
  runtime::Result<runtime::FileDescriptor> lock = runtime::lockFolder(path.str());
  if (!lock)
    return llvm::createStringError(lock.error().message);
  ScheduleDatabase database;
  struct stat status;
  // A file without a byte is the place for one.
  if (lock->get() >= 0 && stat(path.str().c_str(), &status) == 0 && status.st_size != 0) {
    llvm::Expected<ScheduleDatabase> found = read(path);
    if (!found)
      return llvm::createStringError(llvm::toString(found.takeError()) + "; what is no schedule database stays");
    database = std::move(*found);
  }
  if (llvm::Error error = change(database))
    return error;
  return database.write(path);
}

} // namespace quern
