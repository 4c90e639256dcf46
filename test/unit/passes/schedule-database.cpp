// Databases of measured schedules: what is written is read again, the better row stays whatever the order, and no file
// makes the reader do anything but read it or say what is wrong.
//
//   schedule-database FOLDER              the checks
//   schedule-database make ROWS           writes a database of so many rows to the standard output
//   schedule-database add PATH THREADS    adds a row for so many threads to a file
//   schedule-database read PATH           reads a file, and says how many rows it has or what is wrong

#include "passes/tile/ScheduleDatabase.h"
#include "test/unit/Check.h"

#include "llvm/Support/raw_ostream.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

using namespace quern;
namespace fs = std::filesystem;

static quern::test::Checks checks;

static std::string print(const ScheduleDatabase &database) {
  std::string text;
  llvm::raw_string_ostream os(text);
  database.print(os);
  return text;
}

/// What is wrong with `text`; empty where nothing is.
static std::string complain(const std::string &text) {
  auto database = ScheduleDatabase::parse(text, "f.json");
  return database ? "" : llvm::toString(database.takeError());
}

static std::string replace(std::string text, const std::string &old, const std::string &now) {
  size_t place = text.find(old);
  checks.that(place != std::string::npos);
  return place == std::string::npos ? text : text.replace(place, old.size(), now);
}

static ScheduleKey makeKey(unsigned number, int64_t threads = 2) {
  char digest[65];
  std::snprintf(digest, sizeof(digest), "%064x", number * 2654435761u);
  return {digest, "contract", 3, "zen4", threads};
}

/// `count` pairs of times, the base `gain` times those of the plan.
static TimePairs makeSamples(double gain, unsigned count) {
  TimePairs samples;
  for (unsigned i = 0; i < count; ++i)
    samples.push_back({static_cast<int64_t>(gain * (100'000 + i)), 100'000 + i});
  return samples;
}

static ScheduleRow makeRow(double gain, unsigned count, int64_t rows = 6) {
  return {"quern_contract_f32",
          {{"panels", 8}, {"rows", rows}, {"vectors", 2}},
          {{"panels", 4}, {"rows", 1}, {"vectors", 1}},
          makeSamples(gain, count),
          false,
          {}};
}

static ScheduleDatabase makeDatabase(unsigned rows, unsigned samples) {
  ScheduleDatabase database;
  database.versions = {"0.1.0", "22.1.0", "21.0.0"};
  database.machines[{"AMD EPYC 9B14", 2, 32768, 1048576, 33554432}] = {{"memory", 41.25}, {"f32", 226}};
  for (unsigned i = 0; i < rows; ++i)
    database.add(makeKey(i), makeRow(1.25, samples));
  database.add(EntryKey{"llama.qn", "decode", "s=1", "zen4", 2}, {makeSamples(1.1, 8)});
  database.add(EntryKey{"mlp.qn", "forward", "", "zen4", 2}, {makeSamples(1.1, 8)});
  return database;
}

static void checkRoundTrip() {
  ScheduleDatabase database = makeDatabase(3, 6);
  database.rows.begin()->second.trials = {
      "contract.f32", {"bytes", "rows", "tasks"}, {{{{"rows", 4}}, 1.25, 0.01, {-0.0, 1e300, 0.1}}}};
  database.rows.begin()->second.changesRounding = true;
  database.rows.begin()->second.plan["edge"] = INT64_MIN;
  database.models["contract.f32"]["zen4"] = {{{"bytes", -0.25, 0.1, -1, 1}, {"tasks", 1e-9, 0, 0, 0.5}}, 0.02, 2};
  std::string text = print(database);
  auto again = ScheduleDatabase::parse(text, "f.json");
  if (!checks.that(bool(again)))
    return (void)(std::cerr << llvm::toString(again.takeError()) << '\n');
  checks.that(again->rows == database.rows);
  checks.that(again->entries == database.entries);
  checks.that(again->machines == database.machines);
  checks.equal(again->models["contract.f32"]["zen4"].features[1].weight, 1e-9);
  checks.equal(again->models["contract.f32"]["zen4"].margin, 0.02);
  checks.equal(again->models["contract.f32"]["zen4"].caution, 2.0);
  checks.equal(again->versions.halide, "21.0.0");
  // `-0` is the zero that it equals.
  checks.equal(print(*again), replace(text, "[-0,", "[0,"));
  // Whatever names hold, the text is one that can be read.
  ScheduleDatabase odd = makeDatabase(1, 6);
  odd.rows.begin()->second.kernel = "\"\\\x01\x7f\xff\xc2\x85" + std::string(2000, 'k');
  odd.machines = {{{"\xe2\x82", 1}, {}}};
  checks.equal(complain(print(odd)), "");
  // Members and white space in any order, and escapes.
  checks.equal(complain(R"( { "rows":[ ] , "machine" : [],
    "versions": {"halide": "\u00e9\ud83d\ude00\/", "llvm": "1", "quern": "2"}, "format": "quern-schedules-2"})"),
               "");
}

static void checkGains() {
  checks.equal(getProvenGain({}), 0.0);
  checks.equal(getProvenGain(makeSamples(2, 4)), 0.0);
  checks.equal(getProvenGain({{10, 10}, {20, 10}, {30, 10}, {40, 10}, {50, 10}}), 1.0);
  // Of 20 pairs the 6th least: 5 or fewer of 20 lie below the median with a probability of 2.1 %, 6 or fewer of 5.8 %.
  TimePairs twenty;
  for (int64_t i = 20; i >= 1; --i)
    twenty.push_back({i * 10, 10});
  checks.equal(getProvenGain(twenty), 6.0);
  checks.that(getProvenGain(makeSamples(2, 256)) >= 1.9);
  // One outlier of many proves nothing.
  TimePairs outlier = makeSamples(1, 20);
  outlier[3].first *= 100;
  checks.that(getProvenGain(outlier) == 1);
  ScheduleRow same = makeRow(1, 0);
  same.base = same.plan;
  checks.equal(same.getGain(), 1.0);
}

/// Which row stays, and the laws of merges.
static void checkMerges() {
  ScheduleDatabase database;
  ScheduleRow faster = makeRow(1.3, 20, 1), slower = makeRow(1.2, 200, 2), unproven = makeRow(9, 4, 3),
              proven = makeRow(1.3, 40, 4), worse = makeRow(0.9, 50, 5), same = makeRow(1, 0, 6);
  same.base = same.plan;
  // Each stays against the next. The gain of 40 equal samples is that of 20.
  std::vector<ScheduleRow> ranking{proven, faster, slower, same, worse, unproven};
  for (size_t i = 0; i < ranking.size(); ++i)
    for (size_t j = 0; j < ranking.size(); ++j) {
      ScheduleDatabase one;
      one.add(makeKey(0), ranking[i]);
      one.add(makeKey(0), ranking[j]);
      checks.that(one.rows.size() == 1 && one.rows.begin()->second == ranking[std::min(i, j)]);
    }

  // Three databases that share some keys, with rows of equal rank among them.
  std::vector<ScheduleDatabase> parts(3);
  for (unsigned i = 0; i < 60; ++i)
    for (unsigned part = 0; part < 3; ++part)
      if ((i >> part) & 1) {
        parts[part].add(makeKey(i), makeRow(1 + 0.01 * ((i * 7 + part * 3) % 5), 5 + i % 3, part));
        parts[part].add(EntryKey{"m", "e", "", "zen4", i + 1}, {makeSamples(1 + 0.1 * ((i + part) % 3), 6)});
      }
  parts[0].versions = {"0.10.0", "22", "21"}, parts[1].versions = {"0.9.0", "22", "21"},
  parts[2].versions = {"0.9.0", "9", "21"};
  parts[0].machines[{"a", 2}] = {{"f32", 2}, {"i8", 1}}, parts[1].machines[{"a", 2}] = {{"f32", 1}, {"bf16", 1}};
  parts[2].machines[{"a", 4}] = {{"f32", 5}};
  auto merge = [](std::vector<ScheduleDatabase> databases) {
    ScheduleDatabase all;
    for (const ScheduleDatabase &each : databases)
      all.merge(each);
    return all;
  };
  const auto &[a, b, c] = std::tie(parts[0], parts[1], parts[2]);
  std::string expected = print(merge({a, b, c}));
  checks.equal(complain(expected), "");
  for (const std::vector<ScheduleDatabase> &order : {std::vector{a, c, b},
                                                     {b, a, c},
                                                     {b, c, a},
                                                     {c, a, b},
                                                     {c, b, a},
                                                     {a, a, b, c, b},
                                                     {merge({a, b}), merge({b, c})},
                                                     {merge({a, merge({b, c})}), a}})
    checks.equal(print(merge(order)), expected);
  ScheduleDatabase all = merge({a, b, c});
  checks.equal(all.versions.quern + " " + all.versions.llvm, "0.9.0 9");
  checks.equal(all.machines.size(), 2u);
  checks.equal((all.machines[{"a", 2}]["f32"]), 2.0);
  // Models were fitted to rows of one of them.
  parts[0].models["contract.f32"]["zen4"] = {{{"bytes", 1, 0, 0, 1}}, 0, 0};
  checks.that(merge({b, parts[0]}).models.empty());
}

static void checkLookup() {
  ScheduleDatabase database;
  ScheduleKey key = makeKey(7, 1);
  database.add(key, makeRow(2, 9, 1));
  auto lookup = [&](ScheduleKey key) {
    const ScheduleRow *row = database.lookup(key.digest, key.form, key.formVersion, key.target);
    return row ? row->plan.at("rows") : 0;
  };
  checks.equal(lookup(key), 1);
  database.add(makeKey(7, 4), makeRow(1.1, 9, 4));
  checks.equal(lookup(key), 4);
  database.add(makeKey(7, 2), makeRow(1.2, 9, 2));
  database.add(makeKey(7, 16), makeRow(1.15, 9, 16));
  database.add(makeKey(8, 8), makeRow(3, 9, 8));
  checks.equal(lookup(key), 2);
  checks.equal(database.lookup(makeKey(7, 16))->plan.at("rows"), 16);
  checks.that(!database.lookup(makeKey(7, 3)));
  ScheduleKey other = key;
  other.formVersion = 4;
  checks.equal(lookup(other), 0);
  other = key, other.target = "icelake";
  checks.equal(lookup(other), 0);
  other = key, other.form = "conv";
  checks.equal(lookup(other), 0);
  checks.equal(lookup(makeKey(9)), 0);
}

/// What is refused, where it is, what was found and what was expected.
static void checkRefusals() {
  ScheduleDatabase database = makeDatabase(2, 5);
  database.models["contract.f32"]["zen4"] = {{{"bytes", 1, 0.25, 0, 1}}, 0.5, 1};
  database.rows.begin()->second.trials = {"contract.f32", {"bytes"}, {{{{"rows", 4}}, 1.25, 0.01, {0.5}}}};
  const std::string text = print(database);
  struct Case {
    const char *old, *now, *message;
  };
  std::string many = "[1,1]";
  for (int i = 0; i < 256; ++i)
    many += ",[1,1]";
  std::string manySamples = "\"samples\": [" + many + ",", manyKnobs = "\"plan\": {";
  for (int i = 0; i < 17; ++i)
    manyKnobs += "\"k" + std::to_string(i) + "\": 1, ";
  for (const Case &each : std::initializer_list<Case>{
           {"\"quern-schedules-2\"", "\"quern-schedules-3\"",
            "line 1, column 12: `format`: found `\"quern-schedules-3\"`, expected `quern-schedules-2`; a newer quern "
            "wrote it"},
           {"\"quern-schedules-2\"", "\"quern-routing-1\"",
            "`format`: found `\"quern-routing-1\"`, expected `quern-schedules-2`"},
           {"\"quern-schedules-2\"", "2", "`format`: found `2`, expected text of 1 to 1024 bytes"},
           {"\"format\"", "\"version\"",
            "line 1, column 2: found `\"version\"`, expected one of `format`, `versions`, `machine`, `rows`"},
           {"\"format\": \"quern-schedules-2\",", "", "found an object without `format`, expected one with it"},
           {"\"threads\": 2", "\"threads\": 0", "`rows[0].threads`: found `0`, expected an integer from 1 to 1024"},
           {"\"threads\": 2", "\"threads\": 2.0", "`rows[0].threads`: found `2.0`, expected an integer"},
           {"\"threads\": 2", "\"threads\": 02", "`rows[0].threads`: found `02`, expected an integer"},
           {"\"threads\": 2", "\"threads\": \"2\"", "`rows[0].threads`: found `\"2\"`, expected an integer"},
           {"\"threads\": 2", "\"threads\": 2, \"threads\": 2",
            "`rows[0]`: found `\"threads\"`, expected each name once"},
           {"\"version\": 3", "\"version\": -1",
            "`rows[0].version`: found `-1`, expected an integer from 0 to 1000000"},
           {"\"rows\": 6", "\"rows\": 9223372036854775808",
            "`rows[0].plan.rows`: found `9223372036854775808`, expected an integer from -9223372036854775808"},
           {"\"rows\": 6", "\"rows\": {}", "`rows[0].plan.rows`: found an object, expected an integer"},
           {"\"rows\": 6", "\"rows\": 6, \"rows\": 6",
            "`rows[0].plan`: found `rows` once more, expected each name once"},
           {"\"rows\": 6", "\"r\\u0000\": 6",
            "`rows[0].plan`: found `\"r\\u0000\"`, expected a name of 1 to 64 letters"},
           {"\"plan\": {", manyKnobs.c_str(), "`rows[0].plan`: found more than 16 members, expected at most so many"},
           {"[125000,100000]", "[NaN,100000]",
            "`rows[0].samples[0][0]`: found `NaN`, expected an integer from 1 to 1000000000000000"},
           {"[125000,100000]", "[125000,-1]", "`rows[0].samples[0][1]`: found `-1`, expected an integer from 1"},
           {"[125000,100000]", "[125000,1e5]", "`rows[0].samples[0][1]`: found `1e5`, expected an integer from 1"},
           {"[125000,100000]", "[125000,0]", "`rows[0].samples[0][1]`: found `0`, expected an integer from 1"},
           {"[125000,100000]", "[125000]", "`rows[0].samples[0]`: found 1 times, expected two"},
           {"[125000,100000]", "[125000,100000,1]", "`rows[0].samples[0]`: found more than 2 elements"},
           {"[125000,100000]", "7", "`rows[0].samples[0]`: found `7`, expected a list"},
           {"\"samples\": [", manySamples.c_str(),
            "`rows[0].samples`: found more than 256 elements, expected at most so many"},
           {"\"key\": \"0", "\"key\": \"A",
            "`rows[0].key`: found `\"A00000000000000000000000000000000000000…`, expected 64 hexadecimal digits"},
           {"\"key\": \"0", "\"key\": \"", "`rows[0].key`: found"},
           {"\"changesRounding\": false", "\"changesRounding\": 0",
            "`rows[0].changesRounding`: found `0`, expected `true` or `false`"},
           {"\"changesRounding\": false", "\"changesRounding\": null", "found `null`, expected `true` or `false`"},
           {"\"changesRounding\": false, ", "",
            "line 6, column 1: `rows[0]`: found an object without `changesRounding`, expected one with it"},
           {"\"kernel\": ", "\"gain\": 1.5, \"kernel\": ",
            "`rows[0]`: found `\"gain\"`, expected one of `key`, `form`"},
           {"\"kernel\": \"quern", "\"kernel\": \"\xff", "`rows[0].kernel`: found bytes that are no UTF-8"},
           {"\"kernel\": \"quern", "\"kernel\": \"\\u009b",
            "`rows[0].kernel`: found `\"\\u009b_contract_f32\"`, expected text"},
           {"\"kernel\": \"quern", "\"kernel\": \"\\ud83d",
            "`rows[0].kernel`: found `\\u`, expected an escape sequence of JSON"},
           {"\"kernel\": \"quern", "\"kernel\": \"\n",
            "`rows[0].kernel`: found a control character, expected the end of a string"},
           {"\"target\": \"zen4\"", "\"target\": \"\"", "`rows[0].target`: found `\"\"`, expected a name"},
           {"\"target\": \"zen4\"", "\"target\": \"zen/4\"", "`rows[0].target`: found `\"zen/4\"`, expected a name"},
           {"\"cores\": 2", "\"cores\": 0", "`machine[0].cores`: found `0`, expected an integer from 1"},
           {"41.25", "1e999", "`machine[0].limits.memory`: found `1e999`, expected a finite number"},
           {"41.25", "-1", "`machine[0].limits.memory`: found `-1`, expected a finite number that is not negative"},
           {"41.25", ".5", "found `.5`, expected a finite number"},
           {"41.25", "Infinity", "found `Infinity`, expected a finite number"},
           {"41.25", "0x10", "found `0x10`, expected a finite number"},
           {"\"margin\": 0.5", "\"margin\": -0.5",
            "`models.contract.f32.zen4.margin`: found `-0.5`, expected a finite number that is not negative"},
           {"\"weight\": 1", "\"weight\": NaN",
            "`models.contract.f32.zen4.features[0].weight`: found `NaN`, expected a finite number"},
           {"\"time\": 1.25", "\"time\": 0", "`rows[0].trials.plans[0]`: found a `time` of 0, expected more than that"},
           {"\"time\": 1.25", "\"time\": -1", "`rows[0].trials.plans[0].time`: found `-1`"},
           {"\"features\": [0.5]", "\"features\": [0.5, 1]",
            "`rows[0].trials`: found a plan with 2 features, expected one for each of 1 names"},
           {"\"rows\": [", "\"rows\": [[[[[[", "`rows[0]`: found a list, expected an object"},
           {"\"rows\": [", "\"rows\": {", "`rows`: found an object, expected a list"},
           {"}\n],\n\"entries\"", "}\n,],\n\"entries\"", "found `]`, expected an object"},
           {"{\"format\"", "\xef\xbb\xbf{\"format\"", "line 1, column 1: found"},
           {"{\"format\"", "[{\"format\"", "line 1, column 1: found a list, expected an object"},
       }) {
    std::string wrong = std::string(each.old) == "}\n],\n\"entries\""
                            ? replace(text, "],\n\"entries\"", ",],\n\"entries\"")
                            : replace(text, each.old, each.now);
    std::string found = complain(wrong);
    if (!checks.that(found.starts_with("`f.json`: line ") && found.find(each.message) != std::string::npos))
      std::cerr << "  " << each.now << "\n  " << found << "\n  " << each.message << '\n';
  }
  // A row, an entry and a machine twice.
  size_t first = text.find("{\"key\"");
  std::string row = text.substr(first, text.find('\n', first) - 1 - first);
  checks.that(complain(replace(text, row, row + "," + row)).find("`rows[1]`: found a row of the same `key`") !=
              std::string::npos);
  for (const char *start : {"{\"model\": \"llama", "{\"processor\""}) {
    size_t begin = text.find(start), end = text.find('\n', begin);
    std::string line = text.substr(begin, text.find_last_of('}', end) + 1 - begin);
    checks.that(complain(replace(text, line, line + "," + line)).find("once") != std::string::npos);
  }
  checks.equal(complain(text + " x"), "`f.json`: line " + std::to_string(std::ranges::count(text, '\n') + 1) +
                                          ", column 2: found `x`, expected the end of the file");
  checks.equal(complain(""), "`f.json`: line 1, column 1: found the end of the file, expected an object");
  // Nothing that ends early is taken for whole, and nothing that is changed takes the reader anywhere else.
  for (size_t size = 0; size + 1 < text.size(); ++size)
    checks.that(!complain(text.substr(0, size)).empty());
  for (size_t i = 0; i < text.size(); ++i)
    for (char sign : {'\0', '"', '\\', '{', ']', '9', '\xff'}) {
      std::string wrong = text;
      wrong[i] = sign;
      auto found = ScheduleDatabase::parse(wrong, "f.json");
      // What still is a database can be written and read again.
      checks.equal(found ? complain(print(*found)) : (llvm::consumeError(found.takeError()), ""), "");
    }
}

static void checkFiles(const fs::path &folder) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::string path = (folder / "tuned.json").string();
  ScheduleDatabase database = makeDatabase(5, 6);
  auto put = [&](ScheduleDatabase &found) {
    found.merge(database);
    return llvm::Error::success();
  };
  checks.that(!ScheduleDatabase::update(path, put));
  auto found = ScheduleDatabase::read(path);
  checks.that(found && found->rows == database.rows);
  checks.that(!ScheduleDatabase::update(path, put));
  auto same = ScheduleDatabase::read(path);
  checks.that(same && print(*same) == print(database));

  // A change that fails changes nothing, nor does one of what is no database, nor one that nobody could read.
  auto refuse = [](ScheduleDatabase &) { return llvm::createStringError("no"); };
  checks.equal(llvm::toString(ScheduleDatabase::update(path, refuse)), "no");
  auto grow = [](ScheduleDatabase &all) {
    for (unsigned i = 0; i <= ScheduleDatabase::maxRows; ++i)
      all.add(makeKey(i), makeRow(1, 0));
    return llvm::Error::success();
  };
  checks.that(llvm::toString(ScheduleDatabase::update(path, grow))
                  .find("found 65537 rows of measured schedules, expected at most 65536") != std::string::npos);
  auto after = ScheduleDatabase::read(path);
  checks.that(after && print(*after) == print(database));
  std::string foreign = (folder / "model.qn").string();
  std::ofstream(foreign) << "module M {}\n";
  checks.that(llvm::toString(ScheduleDatabase::update(foreign, put))
                  .find("line 1, column 1: found `module`, expected an object; what is no "
                        "schedule database stays") != std::string::npos);
  checks.equal(fs::file_size(foreign), 12u);
  fs::resize_file(foreign, 0);
  checks.that(!ScheduleDatabase::update(foreign, put) && fs::file_size(foreign) == fs::file_size(path));
  std::string absent = (folder / "absent" / "tuned.json").string();
  checks.that(llvm::toString(ScheduleDatabase::update(absent, put)).find("No such file or directory") !=
              std::string::npos);
  checks.equal(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2);
}

/// Reads `path` and says what it is, and what time of a processor that took.
static int read(const char *path) {
  auto getTime = [] { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  double begin = getTime();
  auto database = ScheduleDatabase::read(path);
  double milliseconds = getTime() - begin;
  if (!database) {
    std::cerr << llvm::toString(database.takeError()) << '\n';
    return 1;
  }
  std::cout << database->rows.size() << " rows, read in " << milliseconds << " ms\n";
  return 0;
}

static int add(const char *path, int64_t threads) {
  llvm::Error error = ScheduleDatabase::update(path, [&](ScheduleDatabase &database) {
    database.versions = {"1", "1", "1"};
    database.add(makeKey(1, threads), makeRow(1.1, 9, threads));
    return llvm::Error::success();
  });
  if (!error)
    return 0;
  std::cerr << llvm::toString(std::move(error)) << '\n';
  return 1;
}

int main(int count, char **arguments) {
  std::string command = arguments[1];
  if (command == "make") {
    makeDatabase(std::stoul(arguments[2]), 20).print(llvm::outs());
    return 0;
  }
  if (command == "add")
    return add(arguments[2], std::stol(arguments[3]));
  if (command == "read")
    return read(arguments[2]);
  checkRoundTrip();
  checkGains();
  checkMerges();
  checkLookup();
  checkRefusals();
  checkFiles(command);
  return checks.status();
}
