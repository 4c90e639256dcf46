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
  Trials readTrials();
  Trial readTrial();
  Plan readPlan();
  TimePairs readSamples();
  MachineLimits readLimits();

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
          json.readMap(ScheduleDatabase::maxModels, [&](std::string family) {
            auto [place, isNew] = database.models.try_emplace(family);
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

MachineLimits DatabaseReader::readLimits() {
  MachineLimits limits;
  json.readMap(ScheduleDatabase::maxLimits, [&](std::string name) {
    return limits.try_emplace(std::move(name), json.readNumber(/*mayBeNegative=*/false)).second;
  });
  return limits;
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
                   {"limits", [&] { limits = readLimits(); }}});
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
  json.readObject({{"key", [&] { key.digest = json.readDigest(kDigestDigits); }},
                   {"form", [&] { key.form = json.readName(); }},
                   {"version", [&] { key.formVersion = json.readInteger(0, kMaxVersion); }},
                   {"target", [&] { key.target = json.readName(); }},
                   {"threads", [&] { key.threads = json.readInteger(1, ScheduleDatabase::maxThreads); }},
                   {"kernel", [&] { row.kernel = json.readText(); }},
                   {"plan", [&] { row.plan = readPlan(); }},
                   {"base", [&] { row.base = readPlan(); }},
                   {"samples", [&] { row.samples = readSamples(); }},
                   {"changesRounding", [&] { row.changesRounding = json.readBool(); }},
                   {"trials", [&] { row.trials = readTrials(); }, /*isOptional=*/true}});
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

Trial DatabaseReader::readTrial() {
  size_t place = json.getPlace();
  Trial trial;
  json.readObject({{"plan", [&] { trial.plan = readPlan(); }},
                   {"time", [&] { trial.time = json.readNumber(/*mayBeNegative=*/false); }},
                   {"error", [&] { trial.error = json.readNumber(/*mayBeNegative=*/false); }},
                   {"features", [&] {
                      json.readList(ScheduleDatabase::maxFeatures,
                                    [&] { trial.features.push_back(json.readNumber(/*mayBeNegative=*/true)); });
                    }}});
  if (!json.hasFailed() && trial.time <= 0)
    json.refuseAt(place, "a `time` of 0", "more than that");
  return trial;
}

Trials DatabaseReader::readTrials() {
  size_t place = json.getPlace();
  Trials trials;
  json.readObject(
      {{"family", [&] { trials.family = json.readName(); }},
       {"features",
        [&] { json.readList(ScheduleDatabase::maxFeatures, [&] { trials.features.push_back(json.readName()); }); }},
       {"plans", [&] { json.readList(ScheduleDatabase::maxTrials, [&] { trials.plans.push_back(readTrial()); }); }}});
  for (const Trial &trial : trials.plans)
    if (!json.hasFailed() && trial.features.size() != trials.features.size())
      json.refuseAt(place, "a plan with " + Twine(trial.features.size()) + " features",
                    "one for each of " + Twine(trials.features.size()) + " names");
  return trials;
}

FittedModel DatabaseReader::readModel() {
  FittedModel model;
  auto readNumber = [&] { return json.readNumber(/*mayBeNegative=*/true); };
  auto readFeature = [&] {
    FittedFeature feature;
    json.readObject({{"name", [&] { feature.name = json.readName(); }},
                     {"weight", [&] { feature.weight = readNumber(); }},
                     {"deviation", [&] { feature.deviation = json.readNumber(/*mayBeNegative=*/false); }},
                     {"least", [&] { feature.least = readNumber(); }},
                     {"most", [&] { feature.most = readNumber(); }}});
    model.features.push_back(std::move(feature));
  };
  json.readObject({{"features", [&] { json.readList(ScheduleDatabase::maxFeatures, readFeature); }},
                   {"margin", [&] { model.margin = json.readNumber(/*mayBeNegative=*/false); }},
                   {"caution", [&] { model.caution = json.readNumber(/*mayBeNegative=*/false); }}});
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
  void print(const Trials &trials);
  void print(const Plan &plan);
  void print(const TimePairs &samples);
  void print(const MachineLimits &limits);
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

void DatabaseWriter::print(const MachineLimits &limits) {
  os << '{';
  llvm::interleaveComma(limits, os, [&](const auto &limit) {
    printText(limit.first);
    os << ": ";
    printNumber(limit.second);
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
  if (!row.trials.plans.empty()) {
    os << ", \"trials\": ";
    print(row.trials);
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
  llvm::interleaveComma(model.features, os, [&](const FittedFeature &feature) {
    os << "{\"name\": ";
    printText(feature.name);
    for (auto [name, number] : {std::pair("weight", feature.weight),
                                {"deviation", feature.deviation},
                                {"least", feature.least},
                                {"most", feature.most}}) {
      os << ", \"" << name << "\": ";
      printNumber(number);
    }
    os << '}';
  });
  os << "], \"margin\": ";
  printNumber(model.margin);
  os << ", \"caution\": ";
  printNumber(model.caution);
  os << '}';
}

void DatabaseWriter::print(const Trials &trials) {
  os << "{\"family\": ";
  printText(trials.family);
  os << ", \"features\": [";
  llvm::interleaveComma(trials.features, os, [&](const std::string &name) { printText(name); });
  os << "], \"plans\": [";
  llvm::interleaveComma(trials.plans, os, [&](const Trial &trial) {
    os << "{\"plan\": ";
    print(trial.plan);
    os << ", \"time\": ";
    printNumber(trial.time);
    os << ", \"error\": ";
    printNumber(trial.error);
    os << ", \"features\": [";
    llvm::interleave(trial.features, os, [&](double feature) { printNumber(feature); }, ",");
    os << "]}";
  });
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
    printLines(database.models, [&](const auto &family) {
      printText(family.first);
      os << ": {";
      llvm::interleaveComma(family.second, os, [&](const auto &target) {
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
