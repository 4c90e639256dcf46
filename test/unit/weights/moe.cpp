/// Checkpoints of mixture-of-experts models: every container of one is one model, and what is refused.

#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/GgufModel.h"
#include "test/unit/weights/Files.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static Checkpoint open(const std::string &path) { return take(Checkpoint::open(Mount{"", path})); }

static std::vector<uint8_t> bytes(const Checkpoint &checkpoint, const TensorInfo &tensor) {
  std::vector<uint8_t> result;
  for (int64_t row = 0; row < tensor.rows(); ++row)
    llvm::append_range(result, checkpoint.row(tensor, row));
  return result;
}

/// The same names, shapes, types and bits.
static void compareTensors(Checks &checks, const Checkpoint &found, const Checkpoint &expected) {
  checks.equal(found.tensors().size(), expected.tensors().size());
  for (const TensorInfo &tensor : expected.tensors()) {
    const TensorInfo *other = found.lookup(tensor.name);
    bool isSame = other && other->shape == tensor.shape && other->type == tensor.type &&
                  bytes(found, *other) == bytes(expected, tensor);
    if (!checks.that(isSame))
      std::cerr << tensor.name << (other ? " differs\n" : " is missing\n");
  }
}

/// GGUF says every key of `config.json` but what is of files, and few beside them.
static void compareConfigs(Checks &checks, const ModelConfig &found, const ModelConfig &expected) {
  static constexpr StringLiteral ofFiles[] = {"dtype", "rope_parameters"};
  static constexpr StringLiteral beside[] = {"head_dim", "qk_head_dim", "attention_bias", "rope_interleave"};
  for (const auto &[key, value] : expected.values()) {
    const ConfigValue *other = found.find(key);
    if (!is_contained(ofFiles, key) && !checks.equal(other ? other->describe() : "nothing", value.describe()))
      std::cerr << key << " of " << found.origin().str() << '\n';
  }
  for (const auto &[key, value] : found.values())
    if (!checks.that(expected.find(key) || is_contained(beside, key)))
      std::cerr << key << " of " << found.origin().str() << " is " << value.describe() << '\n';
}

static void checkTwins(Checks &checks, const std::string &data) {
  static const std::pair<const char *, const char *> twins[] = {
      {"mixtral", "mixtral"},
      {"mixtral", "mixtral-old"},
      {"qwen2_moe", "qwen2_moe"},
      {"qwen3_moe", "qwen3_moe"},
      {"olmoe", "olmoe"},
      {"granitemoe", "granitemoe"},
      {"granitemoeshared", "granitemoeshared"},
      {"deepseek_v2", "deepseek_v2"},
      {"deepseek_v2", "deepseek_v2-old"},
      {"deepseek_v3", "deepseek_v3"},
      {"deepseek_v3", "deepseek_v3-old"},
  };
  for (auto [folder, file] : twins) {
    Checkpoint original = open(data + "/" + folder), twin = open(data + "/" + file + ".gguf");
    compareTensors(checks, twin, original);
    compareConfigs(checks, twin.config(), original.config());
    checks.that(twin.warnings().empty());
    for (const std::string &warning : twin.warnings())
      std::cerr << warning << '\n';
  }
  for (const char *name : {"mixtral", "qwen3_moe"}) {
    Checkpoint original = open(data + "/" + name), stacked = open(data + "/" + name + "-stacked");
    compareTensors(checks, stacked, original);
    checks.that(Checkpoint::isDirect(stacked.tensors().front()));
    checks.equal(*stacked.config().find("num_local_experts")->asInt(),
                 *original.config().find("num_local_experts")->asInt());
  }
}

/// Views of stacks in every type that GGUF stores matrices in: the file's own bytes.
static void checkTypes(Checks &checks) {
  TemporaryFolder folder;
  constexpr uint64_t experts = 3, rows = 2;
  static constexpr StringLiteral ends[] = {"w1", "w3"};
  for (StringRef name : {"ffn_gate_exps", "ffn_gate_up_exps"}) {
    for (uint32_t id = 0; id < 64; ++id) {
      std::optional<StorageType> type = storageFromGguf(id);
      if (!type)
        continue;
      const StorageTraits &traits = getTraits(*type);
      uint64_t columns = 2 * traits.unitElements, rowBytes = 2 * traits.unitBytes;
      GgufParts parts = smallLlama().keyU32("llama.expert_count", experts).keyU32("llama.expert_used_count", 2);
      parts.tensor(("blk.0." + name + ".weight").str(), {columns, 2 * rows, experts}, id, 0);
      for (uint64_t i = 0; i < experts * 2 * rows * rowBytes; ++i)
        parts.data.u8(i * 7 + i / 256);
      Checkpoint file = open(folder.write("t.gguf", parts.file().text()));
      bool isFused = name == "ffn_gate_up_exps";
      checks.equal(file.tensors().size(), experts * (isFused ? 2 : 1));
      for (uint64_t expert = 0; expert < experts; ++expert) {
        for (auto [part, end] : enumerate(ends)) {
          std::string wanted =
              "model.layers.0.block_sparse_moe.experts." + std::to_string(expert) + "." + end.str() + ".weight";
          const TensorInfo *tensor = file.lookup(wanted);
          if (part == 1 && !isFused) {
            checks.that(!tensor);
            continue;
          }
          int64_t own = isFused ? rows : 2 * rows;
          if (!checks.that(tensor && tensor->type == *type && tensor->rows() == own))
            continue;
          uint64_t begin = (expert * 2 * rows + part * rows) * rowBytes;
          checks.that(Checkpoint::isDirect(*tensor));
          checks.that(file.rawData(*tensor) == parts.data.bytes().slice(begin, own * rowBytes));
          checks.that(file.row(*tensor, own - 1) == parts.data.bytes().slice(begin + (own - 1) * rowBytes, rowBytes));
        }
      }
    }
  }
}

/// All experts as one tensor: a view of a stored stack, else put together; a row is an expert.
static void checkWhole(Checks &checks, const std::string &data) {
  for (const char *file : {"mixtral", "mixtral-stacked", "mixtral.gguf", "mixtral-old.gguf"}) {
    Checkpoint checkpoint = take(Checkpoint::open(Mount{"a", data + "/" + file}));
    for (const char *end : {"w1", "w2", "w3"}) {
      std::string before = "a.model.layers.1.block_sparse_moe.experts.", after = std::string(".") + end + ".weight";
      const TensorInfo *whole = checkpoint.lookup(before + "*" + after);
      if (!checks.that(whole && whole->shape.size() == 3 && whole->rows() == 3 && whole->parts.size() == 3))
        continue;
      bool isTogether = StringRef(file) == "mixtral.gguf" || (StringRef(file) == "mixtral-stacked" && after[2] == '2');
      checks.equal(Checkpoint::isDirect(*whole), isTogether);
      for (int64_t expert : {2, 0, 1}) {
        std::string name = before + std::to_string(expert) + after;
        checks.equal(whole->parts[expert], name);
        std::vector<uint8_t> row = checkpoint.row(*whole, expert).vec();
        checks.that(row == bytes(checkpoint, *checkpoint.lookup(name)));
        checks.that(row == take(checkpoint.readRow(whole->name, expert)).vec());
      }
      checks.that(
          llvm::none_of(checkpoint.tensors(), [&](const TensorInfo &tensor) { return tensor.name == whole->name; }));
    }
    checks.that(!checkpoint.lookup("a.model.layers.1.block_sparse_moe.experts.*.w4.weight"));
    checks.that(!checkpoint.lookup("a.model.layers.*.block_sparse_moe.experts.0.w1.weight"));
  }
}

/// FP8 in stacks is scaled by the scales of its own expert.
static void checkScaledStacks(Checks &checks) {
  TemporaryFolder folder;
  auto open = [&](int rows, StringRef scaleShape, int scales) {
    std::string numbers = std::to_string(2 * rows * 2);
    Bytes file;
    file.string(R"({"m.mlp.experts.gate_up_proj":{"dtype":"F8_E4M3","shape":[2,)" + std::to_string(rows) +
                R"(,2],"data_offsets":[0,)" + numbers +
                R"(]},"m.mlp.experts.gate_up_proj_scale_inv":{"dtype":"F32","shape":)" + scaleShape.str() +
                R"(,"data_offsets":[)" + numbers + "," + std::to_string(2 * rows * 2 + scales * 4) + "]}}");
    for (int i = 0; i < 2 * rows * 2; ++i)
      file.u8(0x38);
    for (int i = 0; i < scales; ++i)
      file.f32(float(i + 1));
    folder.write("model.safetensors", file.text());
    return Checkpoint::open(Mount{"", folder.path("")});
  };
  folder.write("config.json", R"({"model_type":"qwen3_moe","num_experts":2,"quantization_config":{"quant_method":"fp8",
      "weight_block_size":[2,2]}})");
  Checkpoint file = take(open(4, "[2,2,1]", 4));
  checks.equal(file.tensors().size(), 4u);
  float expected = 1;
  for (const char *expert : {"0", "1"})
    for (const char *end : {"gate_proj", "up_proj"}) {
      const TensorInfo *tensor = file.lookup(std::string("m.mlp.experts.") + expert + "." + end + ".weight");
      if (!checks.that(tensor && tensor->shape == SmallVector<int64_t, 4>({2, 2})))
        continue;
      float row[2];
      file.decodeRow(*tensor, 1, row);
      checks.equal(row[0], expected++);
    }
  const TensorInfo *whole = file.lookup("m.mlp.experts.*.up_proj.weight");
  float matrix[4];
  file.decodeRow(*whole, 1, matrix);
  checks.that(matrix[0] == 4 && matrix[3] == 4);
  refused(checks, open(6, "[2,3,1]", 6),
          "tensor `m.mlp.experts.gate_up_proj`: found shape [2, 6, 2], expected halves of a "
          "multiple of the 2 rows of a block");
  refused(checks, open(4, "[2,1,1]", 2),
          "tensor `m.mlp.experts.gate_up_proj_scale_inv`: found shape [2, 1, 1], expected an even number of rows");
  refused(checks, open(4, "[1,2,1]", 2), "found F8_E4M3 without `m.mlp.experts.1.gate_proj.weight_scale_inv`");
}

/// Experts in safetensors: `names` are the numbers there are, each of shape [2] unless it is `odd`.
static Expected<Checkpoint> openExperts(const TemporaryFolder &folder, StringRef config, ArrayRef<int> numbers,
                                        int odd = -1, StringRef type = "F32", StringRef shape = "[2]",
                                        int oddBytes = 8) {
  std::string header;
  int end = 0;
  for (int number : numbers) {
    bool isOdd = number == odd;
    int next = end + (isOdd ? oddBytes : 8);
    header += (header.empty() ? "{" : ",") + ("\"m.experts." + Twine(number) + ".w.weight\":{\"dtype\":\"" +
                                              (isOdd ? type : "F32") + "\",\"shape\":" + (isOdd ? shape : "[2]") +
                                              ",\"data_offsets\":[" + Twine(end) + "," + Twine(next) + "]}")
                                                 .str();
    end = next;
  }
  folder.write("config.json", config);
  folder.write("model.safetensors", safetensors(header + "}", end).text());
  return Checkpoint::open(Mount{"", folder.path("")});
}

static void checkExperts(Checks &checks) {
  TemporaryFolder folder;
  for (StringRef key : {"num_experts", "num_local_experts", "n_routed_experts"}) {
    std::string config = ("{\"" + key + "\": 3}").str();
    checks.that(bool(openExperts(folder, config, {0, 1, 2})));
    refused(checks, openExperts(folder, config, {0, 2}),
            "model.safetensors`: found no tensor `m.experts.1.w.weight` beside `m.experts.0.w.weight`, expected one of "
            "the 3 "
            "experts of `" +
                key.str() + "`");
    refused(checks, openExperts(folder, config, {1, 2}),
            "found no tensor `m.experts.0.w.weight` beside `m.experts.1.w.weight`");
    refused(checks, openExperts(folder, config, {0, 1}), "found no tensor `m.experts.2.w.weight`");
    refused(checks, openExperts(folder, config, {0, 1, 2, 3}),
            "tensor `m.experts.3.w.weight`: found expert 3, expected one of the 3 experts of `" + key.str() + "`");
  }
  // Without a number in the configuration the highest is the last.
  checks.that(bool(openExperts(folder, "{}", {0, 1, 2, 3})));
  refused(checks, openExperts(folder, "{}", {0, 1, 3}),
          "found no tensor `m.experts.2.w.weight` beside `m.experts.0.w.weight`, expected one of every expert");
  refused(checks, openExperts(folder, "{}", {0, 1, 2}, 1, "F32", "[3]", 12),
          "model.safetensors`: tensor `m.experts.1.w.weight`: found F32 of shape [3], expected F32 of shape [2] as "
          "`m.experts.0.w.weight` is");
  refused(checks, openExperts(folder, "{}", {0, 1, 2}, 2, "BF16", "[2]", 4),
          "tensor `m.experts.2.w.weight`: found BF16 of shape [2], expected F32 of shape [2]");
}

static GgufParts smallMixtral(uint32_t experts, uint32_t used) {
  return smallLlama().keyU32("llama.expert_count", experts).keyU32("llama.expert_used_count", used);
}

static Expected<Checkpoint> openGguf(const GgufParts &parts) {
  TemporaryFolder folder;
  return Checkpoint::open(Mount{"", folder.write("m.gguf", parts.file().text())});
}

static void checkStacks(Checks &checks) {
  auto stack = [](ArrayRef<uint64_t> extents, uint32_t experts, StringRef name = "blk.0.ffn_up_exps.weight") {
    GgufParts parts = smallMixtral(experts, 1);
    parts.tensor(name, extents, 0, 0);
    parts.data.raw(std::string(20000, '\0'));
    return openGguf(parts);
  };
  checks.that(bool(stack({4, 2, 3}, 3)));
  // Writers leave out extents of 1.
  checks.that(bool(take(stack({4, 2}, 1)).lookup("model.layers.0.block_sparse_moe.experts.0.w3.weight")));
  refused(checks, stack({4, 2, 3}, 4),
          "m.gguf`: tensor `blk.0.ffn_up_exps.weight`: found shape [3, 2, 4], expected a first extent of 4, "
          "`llama.expert_count`");
  refused(checks, stack({4, 2, 3}, 2), "found shape [3, 2, 4], expected a first extent of 2");
  refused(checks, stack({1, 1, 5000}, 5000), "found shape [5000, 1, 1], expected at most 4096 experts");
  refused(checks, stack({4, 2}, 2), "found shape [2, 4], expected 3 dimensions, of experts and their matrices");
  refused(checks, stack({4, 2, 3, 1}, 3), "found shape [1, 3, 2, 4], expected 3 dimensions");
  refused(checks, stack({4, 3, 2}, 2, "blk.0.ffn_gate_up_exps.weight"),
          "tensor `blk.0.ffn_gate_up_exps.weight`: found shape [2, 3, 4], expected an even number of rows");
  GgufParts twice = smallMixtral(2, 1);
  twice.tensor("blk.0.ffn_up_exps.weight", {4, 2, 2}, 0, 0).tensor("blk.0.ffn_up.1.weight", {4, 2}, 0, 64);
  twice.data.raw(std::string(128, '\0'));
  refused(checks, openGguf(twice), "tensor `model.layers.0.block_sparse_moe.experts.1.w3.weight` is in ");
  GgufParts hole = smallMixtral(2, 1);
  hole.tensor("blk.0.ffn_up.1.weight", {4, 2}, 0, 0);
  hole.data.raw(std::string(128, '\0'));
  refused(checks, openGguf(hole),
          "found no tensor `model.layers.0.block_sparse_moe.experts.0.w3.weight` beside "
          "`model.layers.0.block_sparse_moe.experts.1.w3.weight`, expected one of the 2 experts of "
          "`llama.expert_count`");
}

/// The metadata of a small model of architecture `deepseek2`.
static GgufParts smallDeepseek() {
  GgufParts parts;
  parts.keyString("general.architecture", "deepseek2");
  for (auto [key, value] : {std::pair("context_length", 16),
                            {"embedding_length", 8},
                            {"block_count", 1},
                            {"feed_forward_length", 8},
                            {"attention.head_count", 2},
                            {"attention.kv_lora_rank", 4},
                            {"attention.key_length", 6},
                            {"attention.value_length", 3},
                            {"rope.dimension_count", 2},
                            {"expert_count", 4},
                            {"expert_used_count", 2}})
    parts.keyU32(std::string("deepseek2.") + key, value);
  return parts.keyF32("deepseek2.attention.layer_norm_rms_epsilon", 1e-6f);
}

static void checkLatentHeads(Checks &checks) {
  auto with = [](auto change) {
    GgufParts parts = smallDeepseek();
    change(parts);
    parts.data.raw(std::string(4096, '\0'));
    return openGguf(parts);
  };
  checks.equal(with([](GgufParts &) {})->config().find("model_type")->describe(), "string \"deepseek_v2\"");
  checks.equal(
      with([](GgufParts &p) { p.keyU32("deepseek2.expert_gating_func", 2); })->config().find("model_type")->describe(),
      "string \"deepseek_v3\"");
  checks.equal(with([](GgufParts &p) { p.tensor("blk.7.exp_probs_b.bias", {4}, 0, 0); })
                   ->config()
                   .find("model_type")
                   ->describe(),
               "string \"deepseek_v3\"");
  refused(checks, with([](GgufParts &p) { p.keyU32("deepseek2.expert_gating_func", 3); }),
          "`deepseek2.expert_gating_func`: found 3, expected 1, softmax, or 2, sigmoid");
  refused(checks, with([](GgufParts &p) { p.keyU32("deepseek2.attention.key_length_mla", 2); }),
          "`deepseek2.rope.dimension_count`: found 2, expected an even number below the head size 2 of "
          "`deepseek2.attention.key_length_mla`");
  refused(checks, with([](GgufParts &p) { p.keyU32("deepseek2.expert_group_count", 3); }),
          "`deepseek2.expert_group_count`: found 3, expected a divisor of `deepseek2.expert_count`, 4");
  refused(checks, with([](GgufParts &p) { p.keyU32("deepseek2.expert_group_count", 4); }),
          "`deepseek2.expert_group_used_count`: found 1, expected at most the 4 groups, and enough for the 2 experts");

  auto pair = [&](ArrayRef<uint64_t> keys, ArrayRef<uint64_t> values, uint32_t type = 0) {
    return with([&](GgufParts &p) {
      p.tensor("blk.0.attn_k_b.weight", keys, type, 0);
      if (!values.empty())
        p.tensor("blk.0.attn_v_b.weight", values, 0, 2048);
    });
  };
  Checkpoint joined = take(pair({4, 4, 2}, {4, 3, 2}));
  const TensorInfo *tensor = joined.lookup("model.layers.0.self_attn.kv_b_proj.weight");
  checks.that(tensor && tensor->shape == SmallVector<int64_t, 4>({14, 4}) && tensor->type == StorageType::F32);
  checks.that(!Checkpoint::isDirect(*tensor));
  checks.that(take(pair({32, 4, 2}, {4, 3, 2}, 8)).lookup(tensor->name)->type == StorageType::F32);
  checks.that(take(pair({32, 4, 2}, {4, 3, 2}, 1)).lookup(tensor->name)->type == StorageType::F32);
  refused(checks, pair({4, 4, 2}, {}),
          "m.gguf`: tensor `model.layers.0.self_attn.k_b_proj.weight`: found no "
          "`model.layers.0.self_attn.v_b_proj.weight` beside it, expected both");
  refused(checks, pair({4, 4, 2}, {4, 3, 1}),
          "found shape [2, 4, 4] and, of `model.layers.0.self_attn.v_b_proj.weight`, [1, 3, 4]");
  refused(checks, pair({4, 5, 2}, {4, 3, 2}), "expected [heads, rank, n] and [heads, m, rank]");
  refused(checks, with([](GgufParts &p) { p.tensor("blk.0.attn_v_b.weight", {4, 3, 2}, 0, 0); }),
          "found no `model.layers.0.self_attn.k_b_proj.weight` beside it");
}

/// Keys and values of heads from blocks: the exact numbers of the blocks, transposed or not.
static void checkQuantisedHeads(Checks &checks) {
  GgufParts parts = smallDeepseek();
  // [heads 2, rank 32, dn 32] and [heads 2, dv 1, rank 32], of q8_0.
  parts.tensor("blk.0.attn_k_b.weight", {32, 32, 2}, 8, 0).tensor("blk.0.attn_v_b.weight", {32, 1, 2}, 8, 64 * 34);
  auto block = [&](int i) {
    parts.data.u8(0).u8(0x3c + i % 2); // 1 or 1.25 as f16: 0x3c00, 0x3d00
    for (int j = 0; j < 32; ++j)
      parts.data.u8(i * 3 + j * 5);
  };
  for (int i = 0; i < 64; ++i)
    block(i);
  parts.data.align(32);
  for (int i = 64; i < 66; ++i)
    block(i);
  TemporaryFolder folder;
  Checkpoint file = open(folder.write("m.gguf", parts.file().text()));
  const TensorInfo *tensor = file.lookup("model.layers.0.self_attn.kv_b_proj.weight");
  if (!checks.that(tensor && tensor->shape == SmallVector<int64_t, 4>({66, 32})))
    return;
  auto number = [](int i, int j) { return float(int8_t(i * 3 + j * 5)) * (i % 2 ? 1.25f : 1.0f); };
  std::vector<float> row(32);
  for (int head = 0; head < 2; ++head)
    for (int r : {0, 7, 31, 32}) {
      file.decodeRow(*tensor, head * 33 + r, row);
      bool isSame = true;
      for (int i = 0; i < 32; ++i)
        isSame &= row[i] == (r == 32 ? number(64 + head, i) : number(head * 32 + i, r));
      checks.that(isSame);
    }
}

/// Keys that say that experts answer otherwise than those of the family.
static void checkKeys(Checks &checks) {
  auto with = [](auto change) {
    GgufParts parts = smallMixtral(4, 2);
    change(parts);
    return openGguf(parts);
  };
  checks.that(bool(with([](GgufParts &p) { p.keyU32("llama.expert_gating_func", 1); })));
  for (StringRef key : {"expert_gating_func", "expert_group_count", "expert_shared_count", "leading_dense_block_count",
                        "expert_shared_feed_forward_length"})
    refused(checks, with([&](GgufParts &p) { p.keyU32(("llama." + key).str(), 2); }),
            ("metadata `llama." + key + "`: found u32 2, expected ").str());
  refused(checks, with([](GgufParts &p) { p.keyF32("llama.expert_weights_scale", 2.5f); }),
          "found f32 2.5, expected 0 or 1");
  refused(checks, openGguf(smallMixtral(4, 5)),
          "`llama.expert_used_count`: found 5, expected at most the 4 of `llama.expert_count`");
  refused(checks, openGguf(smallMixtral(4, 0)), "`llama.expert_used_count`: found 0, expected at least 1");
  refused(checks, openGguf(smallLlama().keyU32("llama.expert_count", 4)),
          "`llama.expert_used_count`: found nothing, expected the value of `num_experts_per_tok`");
}

/// The number of experts under its newer or older name.
static void checkAliases(Checks &checks) {
  TemporaryFolder folder;
  auto count = [&](StringRef type, StringRef key, StringRef wanted) {
    Checkpoint file = take(openExperts(folder, ("{\"model_type\":\"" + type + "\",\"" + key + "\":2}").str(), {0, 1}));
    const ConfigValue *value = file.config().find(wanted);
    return value && *value->asInt() == 2;
  };
  for (StringRef key : {"num_experts", "num_local_experts"}) {
    checks.that(count("qwen2_moe", key, "num_experts"));
    checks.that(count("qwen3_moe", key, "num_local_experts"));
    checks.that(count("olmoe", key, "num_experts"));
    checks.that(count("mixtral", key, "num_local_experts"));
  }
  checks.that(count("deepseek_v3", "num_local_experts", "n_routed_experts"));
}

/// Reads every row of what opens.
static int readAll(const std::string &path) {
  Expected<Checkpoint> file = Checkpoint::open(Mount{"", path});
  if (!file) {
    consumeError(file.takeError());
    return 0;
  }
  for (const TensorInfo &tensor : file->tensors())
    for (int64_t row = 0; row < tensor.rows(); ++row)
      (void)file->row(tensor, row);
  return 1;
}

/// No changed byte of a header crashes the readers: what opens can be read.
static void checkDamage(Checks &checks, const std::string &folder, const std::string &name, size_t header) {
  std::string original = readFile(folder + name);
  header = std::min(header, original.size());
  TemporaryFolder temporary;
  if (StringRef(name).ends_with("model.safetensors"))
    temporary.write("config.json", readFile(folder + StringRef(name).drop_back(17).str() + "config.json"));
  std::string target = StringRef(name).ends_with(".gguf") ? "m.gguf" : "model.safetensors";
  temporary.write(target, original);
  std::string path = target == "m.gguf" ? temporary.path(target) : temporary.path("");
  checks.equal(readAll(path), 1);
  int opened = 0;
  for (size_t at = 0; at < header; at += 3) {
    std::string changed = original;
    changed[at] ^= at % 2 ? 0x05 : 0x81;
    temporary.write(target, changed);
    opened += readAll(path);
  }
  checks.that(opened > 0);
}

int main(int argc, char **argv) {
  Checks checks;
  checkTwins(checks, argv[1]);
  checkTypes(checks);
  checkWhole(checks, argv[1]);
  checkScaledStacks(checks);
  checkExperts(checks);
  checkStacks(checks);
  checkLatentHeads(checks);
  checkQuantisedHeads(checks);
  checkKeys(checks);
  checkAliases(checks);
  for (const char *name :
       {"/deepseek_v3.gguf", "/mixtral.gguf", "/qwen2_moe.gguf", "/granitemoeshared/model.safetensors",
        "/qwen3_moe-stacked/model.safetensors", "/../fp8/model.safetensors"})
    checkDamage(checks, argv[1], name, 4000);
  return checks.status();
}
