/// The description: the whole of it, and every kind of damage.

#include "runtime/Description.h"
#include "Check.h"
#include "ToyModel.h"
#include "quern/Positions.h"
#include "runtime/llm/Signature.h"

#include <string>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

constexpr uint64_t programCount = 8;

void testWhole(Checks &checks) {
  Result<Description> description = parseDescription(quern::test::getToyDescription(), programCount);
  if (!checks.that(static_cast<bool>(description)))
    return;
  checks.equal(description->model, "Toy");
  checks.equal(description->entries.size(), 3u);
  const Entry &forward = description->entries[0];
  checks.equal(forward.symbols[1].name, "r");
  checks.equal(forward.symbols[0].bound, 8);
  // A record of a position is integers.
  checks.that(forward.inputs[1].isPosition && forward.inputs[1].shape.size() == 2);
  checks.equal(forward.inputs[1].shape[1].size, QUERN_POSITION_FIELDS);
  // The limits of a language model's indices follow from its form.
  checks.equal(forward.inputs[0].below.at(0).size, 320);
  checks.equal(forward.inputs[2].below.at(0).symbol, 0);
  std::optional<LanguageModelSignature> signature = matchLanguageModel(forward);
  checks.that(signature && signature->vocabSize == 320 && signature->tokens == 0 && signature->wanted == 1);
  checks.that(!matchLanguageModel(description->entries[1]));
  checks.equal(description->targets[1].programs[0].when.size(), 2u);
  checks.equal(description->targets[1].programs[2].index, 5u);
  const Target &plain = description->targets[1];
  checks.that(plain.programs[0].kernels[0].arithmetic == Arithmetic::I8);
  checks.that(plain.programs[2].kernels[0].arithmetic == Arithmetic::F32);
  checks.equal(description->states[0].rows.value(), 600);
  checks.that(!description->text);
}

/// The toy's description with the first `from` replaced by `to` is refused for a reason that says `reason`.
void refuses(Checks &checks, const std::string &from, const std::string &to, const std::string &reason,
             std::source_location where = std::source_location::current()) {
  std::string json(quern::test::getToyDescription());
  size_t place = json.find(from);
  if (!checks.that(place != std::string::npos, where))
    return;
  json.replace(place, from.size(), to);
  Result<Description> description = parseDescription(json, programCount);
  if (!checks.that(!description, where))
    return;
  checks.that(description.error().kind == ErrorKind::Internal, where);
  if (!checks.that(description.error().message.find(reason) != std::string::npos, where))
    checks.equal(description.error().message, reason, where);
}

void testDamage(Checks &checks) {
  refuses(checks, "\"version\": 3", "\"version\": 4", "`version` is 4");
  refuses(checks, "\"model\": \"Toy\"", "\"model\": 3", "`model` is of type number, expected a string");
  refuses(checks, "\"model\": \"Toy\",", "", "`model` is missing");
  refuses(checks, "\"entries\": [", "\"entries\": {}, \"x\": [", "`entries` is of type object");
  refuses(checks, "\"shape\": [\"s\"]", "\"shape\": [\"q\"]", "`entries[0].inputs[0].shape[0]` is `q`");
  refuses(checks, "\"shape\": [\"s\"]", "\"shape\": [0]", "expected the name of a symbol or a size");
  refuses(checks, "\"shape\": [\"s\"]", "\"shape\": [-4]", "expected the name of a symbol or a size");
  refuses(checks, "\"dtype\": \"i32\"", "\"dtype\": \"i64\"", "is `i64`, expected `f32`, `i32` or `position`");
  refuses(checks, "\"bounds\": {\"s\": 8, ", "\"bounds\": {", "`entries[0].bounds.s` is missing");
  refuses(checks, "\"s\": 8", "\"s\": 0", "`entries[0].bounds.s` is 0");
  refuses(checks, "\"s\": 8", "\"s\": 1e3", "`entries[0].bounds.s` is 1000.0");
  refuses(checks, "\"symbols\": [\"n\"], \"bounds\": {\"n\": 1000}",
          "\"symbols\": [\"n\", \"m\"], \"bounds\": {\"n\": 1000, \"m\": 1}", "a symbol `m` that no input's shape has");
  refuses(checks, "\"shape\": [\"n\", 4]}, {\"name\": \"factor\"",
          "\"shape\": [\"n\", 2147483647, 2147483647, 2147483647]}, {\"name\": \"factor\"",
          "more elements than fit into memory");
  refuses(checks, "\"kind\": \"cache\"", "\"kind\": \"queue\"",
          "`states[0]` has the kind `queue`, expected `cache` or `variable`");
  refuses(checks, "\"kind\": \"cache\"", "\"kind\": \"cache\", \"start\": 1089",
          "`states[0]` starts as weights that end behind the 1280 bytes of all");
  refuses(checks, "\"shape\": [600]", "\"shape\": []", "`states[0]` is a cache without an axis of rows");
  refuses(checks, "{\"bytes\": 4, \"lanes\"", "{\"bytes\": 3, \"lanes\"",
          "`states[0].layout.bytes` is 3, expected 2 or 4");
  refuses(checks, "\"lanes\": [1, 0]", "\"lanes\": [0, 0]",
          "`states[0].layout.lanes` is no count of 1 or more and a stride");
  refuses(checks, "\"heads\": [1, 0]", "\"heads\": [1]",
          "`states[0].layout.heads` is no count of 1 or more and a stride");
  refuses(checks, "\"elements\": [1, 1]", "\"elements\": [2, 1]",
          "`states[0].layout` has rows beyond the bytes of the state");
  refuses(checks, "\"pages\": 256", "\"pages\": 257", "`states[0].layout` has rows beyond the bytes of the state");
  refuses(checks, "\"pages\": 256", "\"pages\": 0", "`states[0].layout.pages` is 0");
  refuses(checks, "\"bytes\": 3072", "\"bytes\": -1", "`states[0].bytes` is -1");
  refuses(checks, "\"offset\": 0, \"bytes\": 1280", "\"offset\": 1, \"bytes\": 1280",
          "ends at byte 1281, the weights at 1280");
  refuses(checks, "\"bytes\": 1280}", "\"bytes\": 18446744073709551615}",
          "`parameters[0].bytes` is 18446744073709551615");
  refuses(checks, "\"when\": {\"s\": 1, ", "\"when\": {\"z\": 1, ",
          "`targets[1].programs[0].when.z` is not one of the entry's symbols");
  refuses(checks, "\"when\": {\"s\": 1, ", "\"when\": {\"s\": 9, ", "`targets[1].programs[0].when.s` is 9");
  refuses(checks, "\"future\",", "\"future\", \"same_bits\": \"box\",",
          "`targets[0].same_bits` is `box`, expected `target` or `device`");
  refuses(checks, "\"future\",", "\"future\", \"rows_apart\": 0,", "`targets[0].rows_apart` is 0");
  refuses(checks, "\"entry\": 0, \"when\": {}", "\"entry\": 3, \"when\": {}", "`targets[0].programs[0].entry` is 3");
  refuses(checks, "\"entry\": 0, \"when\": {}", "\"entry\": 1, \"when\": {}",
          "has no program for all sizes of the entry `forward`");
  refuses(checks, "\"arithmetic\": \"i8\"", "\"arithmetic\": \"i9\"",
          "arithmetic` is `i9`, expected `f32`, `i8` or `bf16`");
  refuses(checks, "\"exact\": true", "\"exact\": \"yes\"", "`exact` is of type string");
  refuses(checks, "\"text\": null", "\"text\": {}", "`text.tokenizer` is missing");
  refuses(checks, "\"text\": null", "\"text\": 7", "`text` is of type number");
  refuses(checks, "\"versions\": {\"quern\": \"0.1.0\"}", "\"versions\": {\"quern\": 1}",
          "`versions.quern` is of type number");
}

void testImage(Checks &checks) {
  const std::string image =
      R"("image": {"resize": {"height": 3, "width": 4}, "filter": "bicubic", "align_corners": true,
          "antialias": false, "crop": null, "rescale_factor": 0.5, "mean": [1], "std": [2],
          "labels": ["a"], "probabilities": true}, )";
  auto parse = [&](const std::string &from, const std::string &to) {
    std::string json(quern::test::getToyDescription()), changed = image;
    changed.replace(changed.find(from), from.size(), to);
    json.insert(json.find("\"versions\""), changed);
    return parseDescription(json, programCount);
  };
  Result<Description> whole = parse("", "");
  if (checks.that(whole && whole->image)) {
    checks.equal(whole->image->resize->width, 4);
    checks.that(whole->image->filter == Filter::Bicubic);
    checks.that(whole->image->alignCorners && whole->image->givesProbabilities && !whole->image->crop);
    checks.equal(whole->image->rescaleFactor, 0.5);
    checks.equal(whole->image->labels[0], "a");
  }
  Result<Description> edge = parse("{\"height\": 3, \"width\": 4}", "{\"shortest_edge\": 7}");
  checks.that(edge && edge->image && edge->image->shortestEdge == 7 && !edge->image->resize);
  auto refuses = [&](const std::string &from, const std::string &to, const std::string &reason,
                     std::source_location where = std::source_location::current()) {
    Result<Description> description = parse(from, to);
    if (checks.that(!description, where))
      checks.equal(description.error().message, "the binary's description is not valid: " + reason, where);
  };
  refuses("3,", "0,", "`image.resize.height` is 0, expected an integer from 1 to 2147483647");
  refuses("bicubic", "box", "`image.filter` is `box`, expected `bilinear` or `bicubic`");
  refuses("null", "7", "`image.crop` is of type number, expected an object");
  refuses("0.5", "\"x\"", "`image.rescale_factor` is of type string, expected a number");
  refuses("[1]", "[\"x\"]", "`image.mean` holds a string, expected numbers");
  refuses("[2]", "[0]", "`image.std` holds a 0, expected numbers to divide by");
  refuses("[\"a\"]", "[1]", "`image.labels` holds a number, expected strings");
  refuses("\"antialias\": false, ", "", "`image.antialias` is missing, expected a boolean");
}

void testExperts(Checks &checks) {
  const std::string experts =
      R"("experts": [{"name": "layers.0.experts", "experts": 3, "numbers": 96, "order": [2, 0, 1]},
                     {"name": "layers.1.experts", "experts": 2, "numbers": 96}], )";
  const std::string routing =
      R"("routing": [{"array": 1, "rows": "s", "slots": 2, "launch": 4, "order": 0, "begins": 64, "readers": [5, 6]}], )";
  auto parse = [&](const std::string &from, const std::string &to) {
    std::string json(quern::test::getToyDescription()), added = experts + "@" + routing;
    added.replace(added.find(from), from.size(), to);
    size_t parts = added.find('@');
    const std::string general = R"("arena_bytes": 128,)";
    json.insert(json.find(general), added.substr(parts + 1));
    json.insert(json.find("\"versions\""), added.substr(0, parts));
    return parseDescription(json, programCount);
  };
  Result<Description> whole = parse("", "");
  if (checks.that(static_cast<bool>(whole)) && checks.equal(whole->experts.size(), 2u)) {
    checks.equal(whole->experts[0].name, "layers.0.experts");
    checks.equal(whole->experts[0].numbers, 96);
    checks.that(whole->experts[0].order == std::vector<int32_t>{2, 0, 1});
    checks.that(whole->experts[1].order == std::vector<int32_t>{0, 1});
    const std::vector<Routing> &found = whole->targets[1].programs[2].routing;
    checks.that(found.size() == 1 && found[0].array == 1 && found[0].rows.symbol == 0 && found[0].slots == 2);
    checks.that(found.size() == 1 && found[0].launch == 4 && found[0].readers == std::vector<uint32_t>{5, 6});
    checks.equal(whole->parameters[0].oftenBytes, 1280u);
  }
  auto refuses = [&](const std::string &from, const std::string &to, const std::string &reason,
                     std::source_location where = std::source_location::current()) {
    Result<Description> description = parse(from, to);
    if (checks.that(!description, where))
      checks.equal(description.error().message, "the binary's description is not valid: " + reason, where);
  };
  const std::string place = "targets[1].programs[2].routing[0]";
  refuses("\"experts\": 3", "\"experts\": 0", "`experts[0].experts` is 0, expected an integer from 1 to 1048576");
  refuses("[2, 0, 1]", "[2, 0]", "`experts[0].order` does not hold each of the 3 experts once");
  refuses("[2, 0, 1]", "[2, 0, 2]", "`experts[0].order` does not hold each of the 3 experts once");
  refuses("[2, 0, 1]", "[2, 0, 3]", "`experts[0].order` holds 3, expected an integer from 0 to 2");
  refuses("\"numbers\": 96", "\"numbers\": 0",
          "`experts[0].numbers` is 0, expected an integer from 1 to 72057594037927936");
  refuses("\"array\": 1", "\"array\": 2", "`" + place + ".array` is 2, expected an integer from 0 to 1");
  refuses("\"rows\": \"s\"", "\"rows\": \"n\"", "`" + place + ".rows` is `n`, which is not one of the entry's symbols");
  refuses("\"rows\": \"s\", ", "", "`" + place + "` has no `rows`");
  refuses("\"slots\": 2", "\"slots\": 5", "`" + place + "` lies outside of the arena of 128 bytes");
  refuses("\"begins\": 64", "\"begins\": 120", "`" + place + "` lies outside of the arena of 128 bytes");
  refuses("\"begins\": 64", "\"begins\": 62", "`" + place + "` lies outside of the arena of 128 bytes");
  refuses("\"readers\": [5, 6]", "\"readers\": 5", "`" + place + ".readers` is of type number, expected an array");
}

void testNoJson(Checks &checks) {
  for (std::string_view text : {"", "{", "[]", "null", "\xff\xfe", "{\"version\": 1}"})
    checks.that(!parseDescription(text, programCount));
  checks.that(!parseDescription(std::string(100000, '['), programCount));
  Result<Description> other = parseDescription(quern::test::getToyDescription(), 7);
  checks.that(!other && other.error().message.find("has 8 programs, the binary 7") != std::string::npos);
  // Cut off at any place: refused, never worse.
  std::string_view json = quern::test::getToyDescription();
  for (size_t size = 0; size < json.size(); size += 3)
    checks.that(!parseDescription(json.substr(0, size), programCount));
}

} // namespace

int main() {
  Checks checks;
  testWhole(checks);
  testDamage(checks);
  testImage(checks);
  testExperts(checks);
  testNoJson(checks);
  return checks.status();
}
