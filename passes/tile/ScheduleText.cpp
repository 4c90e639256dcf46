//===- ScheduleText.cpp - the JSON text of measured schedules ---------------------------------===//

#include "passes/tile/JsonReader.h"
#include "passes/tile/ScheduleDatabase.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>

using llvm::StringRef;
using llvm::Twine;

namespace quern {

/// Digits of a digest of 256 bits.
constexpr size_t kDigestDigits = 64;
/// Versions of forms, cores, bytes of caches: what nobody will reach.
constexpr int64_t kMaxVersion = 1'000'000, kMaxCores = 1 << 20, kMaxCacheBytes = int64_t(1) << 40;

//===------------------------------------------------------------------------------------------===//
// Reading.
//===------------------------------------------------------------------------------------------===//

namespace {

/// Reads the parts of a database. Each function reads one value.
class DatabaseReader {
public:
  DatabaseReader(StringRef text) : json(text) {}

  void readAll();
  const std::string &getMistake() const { return json.getMistake(); }
  ScheduleDatabase &&take() { return std::move(database); }

private:
  void readFormat();
  void readVersions();
  void readMachine();
  void readRow();
  void readEntry();
  FittedModel readModel();
  Plan readPlan();
  TimePairs readSamples();
  std::map<std::string, double> readNumbers(size_t most, bool mayBeNegative);

  JsonReader json;
  ScheduleDatabase database;
  /// Those that are being read.
  TimePairs samples;
};

} // namespace

void DatabaseReader::readAll() {
  json.readObject(
      {{"format", [&] { readFormat(); }},
       {"versions", [&] { readVersions(); }},
       {"machine", [&] { json.readList(ScheduleDatabase::maxMachines, [&] { readMachine(); }); }},
       {"rows", [&] { json.readList(ScheduleDatabase::maxRows, [&] { readRow(); }); }},
       {"entries", [&] { json.readList(ScheduleDatabase::maxEntries, [&] { readEntry(); }); }, /*isOptional=*/true},
       {"models",
        [&] {
          json.readMap(ScheduleDatabase::maxModels, [&](std::string form) {
            auto [place, isNew] = database.models.try_emplace(form);
            json.readMap(ScheduleDatabase::maxModels, [&, &models = place->second](std::string target) {
              return models.try_emplace(target, readModel()).second;
            });
            return isNew;
          });
        },
        /*isOptional=*/true}});
  json.finish();
}

void DatabaseReader::readFormat() {
  std::string format = json.readText();
  if (json.hasFailed() || format == ScheduleDatabase::format)
    return;
  StringRef name = ScheduleDatabase::format, found = format;
  uint64_t known = 0, version = 0;
  bool isNewer = !name.substr(name.rfind('-') + 1).getAsInteger(10, known) &&
                 found.consume_front(name.take_front(name.rfind('-') + 1)) && !found.getAsInteger(10, version) &&
                 version > known;
  json.refuse("`" + name + "`" + (isNewer ? "; a newer quern wrote it" : ""));
}

void DatabaseReader::readVersions() {
  json.readObject({{"quern", [&] { database.versions.quern = json.readText(); }},
                   {"llvm", [&] { database.versions.llvm = json.readText(); }},
                   {"halide", [&] { database.versions.halide = json.readText(); }}});
}

std::map<std::string, double> DatabaseReader::readNumbers(size_t most, bool mayBeNegative) {
  std::map<std::string, double> numbers;
  json.readMap(most, [&](std::string name) {
    return numbers.try_emplace(std::move(name), json.readNumber(mayBeNegative)).second;
  });
  return numbers;
}

void DatabaseReader::readMachine() {
  size_t place = json.getPlace();
  Machine machine;
  MachineLimits limits;
  auto readBytes = [&] { return json.readInteger(0, kMaxCacheBytes); };
  json.readObject({{"processor", [&] { machine.processor = json.readText(); }},
                   {"cores", [&] { machine.cores = json.readInteger(1, kMaxCores); }},
                   {"l1Bytes", [&] { machine.l1Bytes = readBytes(); }},
                   {"l2Bytes", [&] { machine.l2Bytes = readBytes(); }},
                   {"l3Bytes", [&] { machine.l3Bytes = readBytes(); }},
                   {"limits", [&] { limits = readNumbers(ScheduleDatabase::maxLimits, /*mayBeNegative=*/false); }}});
  if (!json.hasFailed() && !database.machines.try_emplace(std::move(machine), std::move(limits)).second)
    json.refuseAt(place, "a machine once more", "each once");
}

Plan DatabaseReader::readPlan() {
  Plan plan;
  json.readMap(ScheduleDatabase::maxKnobs, [&](std::string knob) {
    return plan.try_emplace(std::move(knob), json.readInteger(INT64_MIN, INT64_MAX)).second;
  });
  return plan;
}

TimePairs DatabaseReader::readSamples() {
  samples.clear();
  json.readList(ScheduleDatabase::maxSamples, [&] {
    std::pair<int64_t, int64_t> pair;
    if (json.consumePair(ScheduleDatabase::maxTime, pair))
      return samples.push_back(pair);
    size_t place = json.getPlace();
    int64_t times[2] = {};
    size_t count = 0;
    json.readList(2, [&] { times[count++] = json.readInteger(1, ScheduleDatabase::maxTime); });
    if (!json.hasFailed() && count != 2)
      json.refuseAt(place, Twine(count) + " times", "two, without and with what was tried");
    samples.push_back({times[0], times[1]});
  });
  // As much memory as they need.
  return TimePairs(samples.begin(), samples.end());
}

void DatabaseReader::readRow() {
  size_t place = json.getPlace();
  ScheduleKey key;
  ScheduleRow row;
  json.readObject(
      {{"key", [&] { key.digest = json.readDigest(kDigestDigits); }},
       {"form", [&] { key.form = json.readName(); }},
       {"version", [&] { key.formVersion = json.readInteger(0, kMaxVersion); }},
       {"target", [&] { key.target = json.readName(); }},
       {"threads", [&] { key.threads = json.readInteger(1, ScheduleDatabase::maxThreads); }},
       {"kernel", [&] { row.kernel = json.readText(); }},
       {"plan", [&] { row.plan = readPlan(); }},
       {"base", [&] { row.base = readPlan(); }},
       {"samples", [&] { row.samples = readSamples(); }},
       {"changesRounding", [&] { row.changesRounding = json.readBool(); }},
       {"features", [&] { row.features = readNumbers(ScheduleDatabase::maxFeatures, /*mayBeNegative=*/true); }, true}});
  if (json.hasFailed())
    return;
  size_t count = database.rows.size();
  database.rows.try_emplace(database.rows.end(), std::move(key), std::move(row));
  if (database.rows.size() == count)
    json.refuseAt(place, "a row of the same `key`, `form`, `version`, `target` and `threads` as one before",
                  "each once; `quern tune merge` joins files");
}

void DatabaseReader::readEntry() {
  size_t place = json.getPlace();
  EntryKey key;
  EntryGain gain;
  json.readObject({{"model", [&] { key.model = json.readText(); }},
                   {"entry", [&] { key.entry = json.readText(); }},
                   {"sizes", [&] { key.sizes = json.readText(); }, /*isOptional=*/true},
                   {"target", [&] { key.target = json.readName(); }},
                   {"threads", [&] { key.threads = json.readInteger(1, ScheduleDatabase::maxThreads); }},
                   {"samples", [&] { gain.samples = readSamples(); }}});
  if (!json.hasFailed() && !database.entries.try_emplace(std::move(key), std::move(gain)).second)
    json.refuseAt(place, "an entry of the same `model`, `entry`, `sizes`, `target` and `threads` as one before",
                  "each once");
}

FittedModel DatabaseReader::readModel() {
  size_t place = json.getPlace();
  FittedModel model;
  json.readObject(
      {{"features",
        [&] { json.readList(ScheduleDatabase::maxFeatures, [&] { model.features.push_back(json.readName()); }); }},
       {"weights", [&] {
          json.readList(ScheduleDatabase::maxFeatures,
                        [&] { model.weights.push_back(json.readNumber(/*mayBeNegative=*/true)); });
        }}});
  if (!json.hasFailed() && model.features.size() != model.weights.size())
    json.refuseAt(place, Twine(model.weights.size()) + " weights",
                  "one for each of " + Twine(model.features.size()) + " features");
  return model;
}

llvm::Expected<ScheduleDatabase> ScheduleDatabase::parse(StringRef text, StringRef name) {
  DatabaseReader reader(text);
  reader.readAll();
  if (!reader.getMistake().empty())
    return llvm::createStringError("`" + name + "`: " + reader.getMistake());
  return reader.take();
}

//===------------------------------------------------------------------------------------------===//
// Writing.
//===------------------------------------------------------------------------------------------===//

namespace {

/// Writes the parts of a database: rows and entries a line each, so that files can be compared.
class DatabaseWriter {
public:
  DatabaseWriter(llvm::raw_ostream &os) : os(os) {}

  void print(const ScheduleDatabase &database);

private:
  void print(const Machine &machine, const MachineLimits &limits);
  void print(const ScheduleKey &key, const ScheduleRow &row);
  void print(const EntryKey &key, const EntryGain &gain);
  void print(const FittedModel &model);
  void print(const Plan &plan);
  void print(const TimePairs &samples);
  void print(const std::map<std::string, double> &numbers);
  void printText(StringRef text);
  void printNumber(double number);
  /// A list, an element a line: `print` writes each element of `elements`.
  template <typename Elements, typename Print> void printLines(const Elements &elements, Print print);

  llvm::raw_ostream &os;
};

} // namespace

/// `text` as a string that the reader takes: what is no UTF-8 is replaced, as control characters are, and too long a
/// text is cut.
void DatabaseWriter::printText(StringRef text) {
  std::string valid = llvm::json::fixUTF8(text);
  for (size_t i = 0; i < valid.size(); ++i) {
    auto c = static_cast<unsigned char>(valid[i]);
    if (c < 0x20 || c == 0x7f)
      valid[i] = '?';
    // U+0080 to U+009F, in two bytes.
    if (c == 0xc2 && static_cast<unsigned char>(valid[i + 1]) < 0xa0)
      valid.replace(i, 2, "?");
  }
  if (valid.size() > JsonReader::maxTextBytes)
    valid = llvm::json::fixUTF8(StringRef(valid).take_front(JsonReader::maxTextBytes - 3));
  os << '"';
  for (char c : valid) {
    if (c == '"' || c == '\\')
      os << '\\';
    os << c;
  }
  os << '"';
}

/// The shortest text that is read as the same number.
void DatabaseWriter::printNumber(double number) {
  char digits[32];
  os << StringRef(digits, std::to_chars(digits, std::end(digits), number).ptr - digits);
}

void DatabaseWriter::print(const Plan &plan) {
  os << '{';
  llvm::interleaveComma(plan, os, [&](const auto &knob) {
    printText(knob.first);
    os << ": " << knob.second;
  });
  os << '}';
}

void DatabaseWriter::print(const std::map<std::string, double> &numbers) {
  os << '{';
  llvm::interleaveComma(numbers, os, [&](const auto &number) {
    printText(number.first);
    os << ": ";
    printNumber(number.second);
  });
  os << '}';
}

void DatabaseWriter::print(const TimePairs &samples) {
  os << '[';
  llvm::interleave(
      samples, os, [&](const auto &times) { os << '[' << times.first << ',' << times.second << ']'; }, ",");
  os << ']';
}

void DatabaseWriter::print(const Machine &machine, const MachineLimits &limits) {
  os << "{\"processor\": ";
  printText(machine.processor);
  os << ", \"cores\": " << machine.cores << ", \"l1Bytes\": " << machine.l1Bytes << ", \"l2Bytes\": " << machine.l2Bytes
     << ", \"l3Bytes\": " << machine.l3Bytes << ", \"limits\": ";
  print(limits);
  os << '}';
}

void DatabaseWriter::print(const ScheduleKey &key, const ScheduleRow &row) {
  os << "{\"key\": ";
  printText(key.digest);
  os << ", \"form\": ";
  printText(key.form);
  os << ", \"version\": " << key.formVersion << ", \"target\": ";
  printText(key.target);
  os << ", \"threads\": " << key.threads << ", \"kernel\": ";
  printText(row.kernel);
  os << ", \"plan\": ";
  print(row.plan);
  os << ", \"base\": ";
  print(row.base);
  os << ", \"changesRounding\": " << (row.changesRounding ? "true" : "false");
  if (!row.features.empty()) {
    os << ", \"features\": ";
    print(row.features);
  }
  os << ", \"samples\": ";
  print(row.samples);
  os << '}';
}

void DatabaseWriter::print(const EntryKey &key, const EntryGain &gain) {
  os << "{\"model\": ";
  printText(key.model);
  os << ", \"entry\": ";
  printText(key.entry);
  if (!key.sizes.empty()) {
    os << ", \"sizes\": ";
    printText(key.sizes);
  }
  os << ", \"target\": ";
  printText(key.target);
  os << ", \"threads\": " << key.threads << ", \"samples\": ";
  print(gain.samples);
  os << '}';
}

void DatabaseWriter::print(const FittedModel &model) {
  os << "{\"features\": [";
  llvm::interleaveComma(model.features, os, [&](const std::string &name) { printText(name); });
  os << "], \"weights\": [";
  llvm::interleaveComma(model.weights, os, [&](double weight) { printNumber(weight); });
  os << "]}";
}

template <typename Elements, typename Print> void DatabaseWriter::printLines(const Elements &elements, Print print) {
  StringRef separator = "\n";
  for (const auto &element : elements) {
    os << separator;
    print(element);
    separator = ",\n";
  }
}

void DatabaseWriter::print(const ScheduleDatabase &database) {
  os << "{\"format\": \"" << ScheduleDatabase::format << "\",\n\"versions\": {\"quern\": ";
  printText(database.versions.quern);
  os << ", \"llvm\": ";
  printText(database.versions.llvm);
  os << ", \"halide\": ";
  printText(database.versions.halide);
  os << "},\n\"machine\": [";
  auto printPair = [&](const auto &pair) { print(pair.first, pair.second); };
  printLines(database.machines, printPair);
  os << "],\n\"rows\": [";
  printLines(database.rows, printPair);
  os << "],\n\"entries\": [";
  printLines(database.entries, printPair);
  os << ']';
  if (!database.models.empty()) {
    os << ",\n\"models\": {";
    printLines(database.models, [&](const auto &form) {
      printText(form.first);
      os << ": {";
      llvm::interleaveComma(form.second, os, [&](const auto &target) {
        printText(target.first);
        os << ": ";
        print(target.second);
      });
      os << '}';
    });
    os << '}';
  }
  os << "}\n";
}

void ScheduleDatabase::print(llvm::raw_ostream &os) const { DatabaseWriter(os).print(*this); }

} // namespace quern
