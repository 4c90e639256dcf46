/// One model in several containers is one model; mounts; names, row order and vectors of GGUF
/// files.

#include "frontend/checkpoint/Checkpoint.h"
#include "test/unit/weights/Files.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static Checkpoint open(StringRef path) { return take(Checkpoint::open(Mount{"", path.str()})); }

static std::vector<float> values(const Checkpoint &checkpoint, const TensorInfo &tensor) {
  std::vector<float> result(tensor.elements());
  for (int64_t row = 0; row < tensor.rows(); ++row)
    checkpoint.decodeRow(tensor, row, MutableArrayRef(result).slice(row * tensor.rowElements(), tensor.rowElements()));
  return result;
}

/// The largest difference between two checkpoints of the same tensors.
static float compare(Checks &checks, const Checkpoint &found, const Checkpoint &expected) {
  float largest = 0;
  checks.equal(found.tensors().size(), expected.tensors().size());
  for (const TensorInfo &tensor : expected.tensors()) {
    const TensorInfo *other = found.lookup(tensor.name);
    if (!checks.that(other && other->shape == tensor.shape))
      continue;
    for (auto [a, b] : llvm::zip_equal(values(found, *other), values(expected, tensor)))
      largest = std::max(largest, std::abs(a - b));
  }
  return largest;
}

/// The GGUF twins hold the numbers of `llama-gqa`, as exactly as their format can.
static void checkTwins(Checks &checks, const std::string &data) {
  Checkpoint original = open(data + "/llama-gqa");
  auto difference = [&](StringRef format) {
    return compare(checks, open(data + "/gguf/llama-gqa-" + format.str() + ".gguf"), original);
  };
  checks.equal(difference("f32"), 0.0f);
  checks.that(difference("f16") < 1e-3f);
  checks.that(difference("q8_0") < 3e-3f);
  checks.that(difference("q4_0") < 0.05f);
  checks.that(difference("q4_1") < 0.05f);
}

static void checkConfigs(Checks &checks, const std::string &data) {
  Checkpoint original = open(data + "/llama-gqa");
  Checkpoint twin = open(data + "/gguf/llama-gqa-q4_1.gguf");
  for (StringRef key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                        "num_key_value_heads", "head_dim", "max_position_embeddings", "rms_norm_eps", "hidden_act",
                        "attention_bias", "mlp_bias", "tie_word_embeddings", "model_type", "bos_token_id",
                        "rope_parameters.rope_theta", "rope_parameters.rope_type"}) {
    const ConfigValue *found = twin.config().find(key), *expected = original.config().find(key);
    if (checks.that(found && expected))
      checks.equal(found->describe(), expected->describe());
  }
  checks.equal(*original.config().find("eos_token_id")->asList()->front().asInt(), 2);
  checks.equal(*twin.config().find("eos_token_id")->asList()->front().asInt(), 2);
  checks.that(!original.config().find("pad_token_id"));
  checks.that(original.config().origin().ends_with("config.json"));
}

static void checkMounts(Checks &checks, const std::string &data) {
  checks.equal(parseMount("base_model=a/b.gguf").prefix, "base_model");
  checks.equal(parseMount("base_model=a/b.gguf").path, "a/b.gguf");
  checks.equal(parseMount("./a=b.gguf").path, "./a=b.gguf");
  checks.equal(parseMount("a/c=b.gguf").prefix, "");
  checks.equal(parseMount("=b.gguf").path, "=b.gguf");
  // What exists is a path, whatever is in its name.
  TemporaryFolder folder;
  std::string existing = folder.write("run=3.gguf", "x");
  checks.equal(parseMount(existing).path, existing);
  checks.equal(parseMount(existing).prefix, "");

  Mount base{"base_model", data + "/gguf/llama-gqa-q8_0.gguf"};
  Mount other{"", data + "/llama-headdim"};
  Checkpoint both = take(Checkpoint::open({base, other}));
  const TensorInfo *q = both.lookup("base_model.model.layers.1.self_attn.q_proj.weight");
  const TensorInfo *plain = both.lookup("lm_head.weight");
  if (!checks.that(q && plain))
    return;
  checks.that(both.sourceFile(*q).ends_with("llama-gqa-q8_0.gguf"));
  checks.that(both.sourceFile(*plain).ends_with("llama-headdim/model.safetensors"));
  checks.that(!both.lookup("model.layers.1.self_attn.q_proj"));
  checks.that(
      llvm::is_sorted(both.tensors(), [](const TensorInfo &a, const TensorInfo &b) { return a.name < b.name; }));
  // A mount with a name has keys of that name.
  checks.equal(*both.config().find("vocab_size")->asInt(), 256);
  checks.equal(*both.config().find("base_model.vocab_size")->asInt(), 320);
  checks.that(both.config().find("transformers_version") && !both.config().find("base_model.transformers_version"));
  // The first without one that has a key decides, and those with names where none has any.
  Checkpoint first =
      take(Checkpoint::open({Mount{"", data + "/gguf/llama-gqa-q8_0.gguf"}, Mount{"other", other.path}}));
  checks.equal(*first.config().find("vocab_size")->asInt(), 320);
  checks.that(!first.config().find("transformers_version"));
  checks.equal(*take(Checkpoint::open(base)).config().find("vocab_size")->asInt(), 320);
  Checkpoint replaced = take(Checkpoint::open(base, data + "/llama-mha-llama3rope/config.json"));
  checks.equal(*replaced.config().find("hidden_size")->asInt(), 96);
  checks.equal(*replaced.config().find("base_model.hidden_size")->asInt(), 64);
  checks.that(!replaced.config().find("bos"));

  refused(checks, Checkpoint::open({Mount{"", base.path}, Mount{"", base.path}}),
          "mount one of the files under another name");
  refused(checks, Checkpoint::open({}), "expected at least one file or directory");
}

static void checkRows(Checks &checks, const std::string &data) {
  Checkpoint file = open(data + "/gguf/llama-gqa-q4_0.gguf");
  const TensorInfo *q = file.lookup("model.layers.0.self_attn.q_proj.weight");
  const TensorInfo *v = file.lookup("model.layers.0.self_attn.v_proj.weight");
  if (!checks.that(q && v))
    return;
  checks.equal(file.rowBytes(*q), 2 * 18);
  checks.that(!Checkpoint::isDirect(*q) && Checkpoint::isDirect(*v));
  checks.equal(file.rawData(*v).size(), size_t(32 * 36));
  checks.that(file.rawData(*v).slice(5 * 36, 36) == file.row(*v, 5));
  // Row 1 of a head of 16 is its second pair's first row; row 8 the first pair's second.
  const uint8_t *begin = file.row(*q, 0).data();
  checks.equal(file.row(*q, 1).data() - begin, 2 * 36);
  checks.equal(file.row(*q, 8).data() - begin, 36);
  checks.equal(file.row(*q, 17).data() - begin, 18 * 36);
  checks.that(take(file.readRow(q->name, 63)).data() == file.row(*q, 63).data());
  refused(checks, file.readRow(q->name, 64), "found row 64, expected one of its 64");
  refused(checks, file.readRow("nothing", 0), "is in none of the checkpoint's files");
}

/// Vectors with interleaved heads are reordered too; unknown names stay.
static void checkVectors(Checks &checks) {
  std::vector<float> numbers(8), weights(64);
  std::iota(numbers.begin(), numbers.end(), 0.0f);
  GgufParts parts = smallLlama();
  parts.tensorF32("blk.0.attn_q.bias", {8}, numbers)
      .tensorF32("blk.0.attn_q.weight", {8, 8}, weights)
      .tensorF32("blk.0.attn_v.bias", {8}, numbers)
      .tensorF32("rope_freqs.weight", {2}, {1.0f, 8.0f})
      .tensorF32("blk.0.ffn_gate_inp.weight", {8}, numbers)
      .tensorF32("output.weight", {8, 8}, weights);
  TemporaryFolder folder;
  Checkpoint file = open(folder.write("small.gguf", parts.file().text()));
  auto vector = [&](StringRef name) {
    const TensorInfo *tensor = file.lookup(name);
    return tensor ? values(file, *tensor) : std::vector<float>();
  };
  checks.that(vector("model.layers.0.self_attn.q_proj.bias") == std::vector<float>({0, 2, 1, 3, 4, 6, 5, 7}));
  checks.that(vector("model.layers.0.self_attn.v_proj.bias") == numbers);
  checks.that(vector("rope_freqs.weight") == std::vector<float>({1, 8}));
  checks.that(vector("blk.0.ffn_gate_inp.weight") == numbers);
  const ModelConfig &config = file.config();
  checks.equal(*config.find("rope_parameters.rope_type")->asString(), "factors");
  checks.that(*config.find("attention_bias")->asBool());
  checks.that(!*config.find("tie_word_embeddings")->asBool());
  checks.equal(*config.find("head_dim")->asInt(), 4);
}

int main(int argc, char **argv) {
  Checks checks;
  std::string data = argv[1];
  checkTwins(checks, data);
  checkConfigs(checks, data);
  checkMounts(checks, data);
  checkRows(checks, data);
  checkVectors(checks);
  return checks.status();
}
