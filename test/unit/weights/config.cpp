/// Both dialects of config.json become one; broken ones are refused.

#include "frontend/checkpoint/HfConfig.h"
#include "test/unit/weights/Files.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static ModelConfig parse(StringRef text) {
  ModelConfig config = take(parseHfConfig(text, "f"));
  setConfigDefaults(config);
  return config;
}

/// The value of a key in words; "absent" if it has none.
static std::string at(const ModelConfig &config, StringRef key) {
  const ConfigValue *value = config.find(key);
  return value ? value->describe() : "absent";
}

static void checkRope(Checks &checks) {
  ModelConfig modern = parse(R"({"rope_parameters":{"rope_theta":5e5,"rope_type":"llama3",
      "factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
      "original_max_position_embeddings":64}})");
  ModelConfig older = parse(R"({"rope_theta":500000,"rope_scaling":{"type":"llama3",
      "factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,
      "original_max_position_embeddings":64}})");
  for (StringRef key :
       {"rope_type", "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"})
    checks.equal(at(older, ("rope_parameters." + key).str()), at(modern, ("rope_parameters." + key).str()));
  checks.equal(at(modern, "rope_parameters.rope_theta"), "number 5e+05");
  checks.equal(at(older, "rope_parameters.rope_theta"), "integer 500000");
  checks.equal(at(older, "rope_theta"), "absent");
  checks.equal(at(older, "rope_scaling"), "absent");
  checks.equal(at(older, "rope_scaling.factor"), "absent");

  ModelConfig plain = parse(R"({"rope_theta":1e4,"rope_scaling":null})");
  checks.equal(at(plain, "rope_parameters.rope_type"), "string \"default\"");
  checks.equal(at(plain, "rope_parameters.rope_theta"), "number 10000");
  // `rope_type` goes before `type`, the new place before the old one.
  ModelConfig both = parse(R"({"rope_scaling":{"type":"su","rope_type":"longrope"},
      "rope_theta":1.5,"rope_parameters":{"rope_theta":2.5}})");
  checks.equal(at(both, "rope_parameters.rope_type"), "string \"longrope\"");
  checks.equal(at(both, "rope_parameters.rope_theta"), "number 2.5");
}

static void checkValues(Checks &checks) {
  ModelConfig config = parse(R"({"a":null,"b":{"c":true,"d":null},"list":[1,2.5,"x",[false],{}],
      "torch_dtype":"torch.bfloat16","eos_token_id":7,"big":1e30,"huge":18446744073709551615})");
  checks.equal(at(config, "a"), "absent");
  checks.equal(at(config, "b"), "an object");
  checks.equal(at(config, "b.c"), "true");
  checks.equal(at(config, "b.d"), "absent");
  checks.equal(at(config, "dtype"), "string \"bfloat16\"");
  checks.equal(at(config, "torch_dtype"), "absent");
  checks.equal(at(config, "big"), "number 1e+30");
  checks.equal(at(config, "huge"), "number 18446744073709551616");
  const ConfigValue::List *list = config.find("list")->asList();
  if (checks.that(list && list->size() == 5)) {
    checks.equal(*(*list)[0].asInt(), 1);
    checks.equal(*(*list)[1].asDouble(), 2.5);
    checks.equal(*(*list)[2].asString(), "x");
    checks.that(!*(*list)[3].asList()->front().asBool());
  }
  checks.equal(*config.find("eos_token_id")->asList()->front().asInt(), 7);
  ModelConfig ends = parse(R"({"eos_token_id":[7,9]})");
  checks.equal(*ends.find("eos_token_id")->asList()->back().asInt(), 9);
}

/// What Python writes and nobody needs is read; the last of two members counts.
static void checkPython(Checks &checks) {
  ModelConfig config = parse("\xef\xbb\xbf{\"limit\":[0.0,Infinity],\"n\":NaN,\"eos_token_id\":1,"
                             "\"eos_token_id\":2,\"size\":123456789012345678901234567890}");
  checks.equal(config.find("eos_token_id")->asList()->size(), 1u);
  checks.equal(*config.find("eos_token_id")->asList()->front().asInt(), 2);
  checks.equal(at(config, "n"), "number nan");
  checks.equal(at(config, "size"), "number 1.2345678901234568e+29");
}

/// Messages name keys as the file does.
static void checkFileKeys(Checks &checks) {
  ModelConfig older = parse(R"({"rope_scaling":{"type":"linear","factor":2},"torch_dtype":"f"})");
  checks.equal(older.fileKey("rope_parameters.rope_type").str(), "rope_scaling.type");
  checks.equal(older.fileKey("rope_parameters.factor").str(), "rope_scaling.factor");
  checks.equal(older.fileKey("dtype").str(), "torch_dtype");
  checks.equal(older.fileKey("hidden_size").str(), "hidden_size");
}

/// What transformers' configuration of a type says of keys that are not there.
static void checkTypeDefaults(Checks &checks) {
  ModelConfig config = parse(R"({"model_type": "mistral"})");
  checks.equal(at(config, "sliding_window"), "integer 4096");
  checks.equal(at(config, "num_key_value_heads"), "integer 8");
  config = parse(R"({"model_type": "mistral", "sliding_window": null, "num_key_value_heads": 2})");
  checks.equal(at(config, "sliding_window"), "absent");
  checks.equal(at(config, "num_key_value_heads"), "integer 2");
  checks.equal(at(parse(R"({"model_type": "llama"})"), "sliding_window"), "absent");
}

static void checkBroken(Checks &checks) {
  auto parse = [](StringRef text) { return parseHfConfig(text, "f"); };
  refused(checks,
          parse(R"({"rope_scaling":{"type":"linear","factor":2},"rope_parameters":{"rope_type":"linear","factor":4}})"),
          "`f`: `rope_scaling.factor` is integer 2 and `rope_parameters.factor` is integer 4, expected "
          "one of them, or the same");
  checks.that(bool(
      parse(R"({"rope_scaling":{"type":"linear","factor":2},"rope_parameters":{"rope_type":"linear","factor":2}})")));
  refused(checks, parse(R"({"rope_scaling":{"type":"linear"}})"),
          "`f`: `rope_scaling.type` is string \"linear\" and there is no `factor` beside it, expected one");
  refused(checks, parse(R"({"rope_parameters":[]})"), "`f`: `rope_parameters` is a list of 0, expected an object");
  refused(checks, parse(R"({"rope_scaling":"x"})"), "`f`: `rope_scaling` is string \"x\", expected an object");
  refused(checks, parse(""), "`f`: found an empty file, expected JSON");
  refused(checks, parse("[1]"), "found a list, expected an object");
  refused(checks, parse(R"({"a":1)"), "`f` at line 1, column 7: found the end of the text, expected `,` or `}`");
  TemporaryFolder folder;
  refused(checks, readHfConfig(folder.path("config.json")), "can't be opened");
}

int main() {
  Checks checks;
  checkRope(checks);
  checkValues(checks);
  checkPython(checks);
  checkFileKeys(checks);
  checkTypeDefaults(checks);
  checkBroken(checks);
  return checks.status();
}
