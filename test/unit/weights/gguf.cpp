/// Broken GGUF files: each is refused with the place, what was found and what was expected.

#include "frontend/checkpoint/GgufModel.h"
#include "test/unit/weights/Files.h"

#include <cmath>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static Expected<GgufFile> parse(const Bytes &file) { return GgufFile::parse(file.bytes(), "f"); }

/// Whether the container can be read; the error if not.
static Error parse(const GgufParts &parts) {
  Bytes file = parts.file();
  return parse(file).takeError();
}

/// What `read` makes of the container, which must be right.
template <typename Read> static auto reading(const GgufParts &parts, Read read) {
  Bytes file = parts.file();
  return read(take(parse(file)));
}

static void checkHeader(Checks &checks) {
  refused(checks, parse(Bytes()), "`f` at byte 0: found nothing, expected `GGUF`");
  refused(checks, parse(Bytes().raw("GGML0000")), "found `GGML`, expected `GGUF`");
  refused(checks, parse(Bytes().raw("GGUF")), "found 0 bytes up to the end of the file");
  GgufParts parts;
  parts.version = 1;
  refused(checks, parse(parts), "`f` at byte 4: found GGUF version 1, expected 2 or 3");
  parts.version = 0x03000000;
  refused(checks, parse(parts), "found a big-endian file");
  parts.version = 2;
  checks.that(!parse(parts));
  parts.metadataCount = UINT64_MAX;
  refused(checks, parse(parts),
          "`f` at byte 16: found a count of 18446744073709551615 metadata values, expected at "
          "most ");
  parts.metadataCount = 0;
  parts.tensorCount = uint64_t(1) << 63;
  refused(checks, parse(parts), "`f` at byte 8: found a count of 9223372036854775808 tensors, expected at most ");
}

static void checkMetadata(Checks &checks) {
  auto value = [](Bytes metadata) {
    GgufParts parts;
    parts.metadata = std::move(metadata);
    parts.metadataCount = 1;
    return parse(parts);
  };
  refused(checks, value(Bytes().u64(70000).raw(std::string(70000, 'k'))),
          "found a metadata key of 70000 bytes, expected at most 65535");
  refused(checks, value(Bytes().string("k").u32(13)), "found value type 13, expected 0 to 12");
  refused(checks, value(Bytes().string("k").u32(7).u8(2)), "found truth value 2, expected 0 or 1");
  refused(checks, value(Bytes().string("k").u32(8).u64(1 << 30)),
          "found a string of 1073741824 bytes, expected at most ");
  refused(checks, value(Bytes().string("k").u32(9).u32(0).u64(UINT64_MAX)),
          "found a count of 18446744073709551615 elements of an array, expected at most");
  refused(checks, value(Bytes().string("k").u32(9).u32(8).u64(uint64_t(1) << 61)),
          "found a count of 2305843009213693952 elements of an array, expected at most");
  Bytes nested;
  nested.string("k").u32(9);
  for (int i = 0; i < 100; ++i)
    nested.u32(9).u64(1);
  refused(checks, value(std::move(nested)), "found more than 8 arrays in each other");
  checks.that(!value(Bytes().string("k").u32(9).u32(9).u64(1).u32(0).u64(2).u8(1).u8(2)));

  GgufParts twice;
  twice.keyU32("k", 1).keyU32("k", 2);
  refused(checks, parse(twice), "metadata key `k` occurs twice");
  for (uint32_t alignment : {0u, 3u, 1u << 21})
    refused(checks, parse(GgufParts().keyU32("general.alignment", alignment)),
            "metadata `general.alignment`: found " + std::to_string(alignment) + ", expected a power of two up to");
  refused(checks, parse(GgufParts().keyString("general.alignment", "32")), "found string `32`, expected an integer");
}

static void checkTensors(Checks &checks) {
  auto tensor = [](ArrayRef<uint64_t> extents, uint32_t type, uint64_t offset) {
    GgufParts parts;
    parts.tensor("t", extents, type, offset);
    parts.data.raw(std::string(64, '\0'));
    return parse(parts);
  };
  checks.that(!tensor({16}, 0, 0));
  refused(checks, tensor({}, 0, 0), "tensor `t`: found 0 dimensions, expected 1 to 4");
  refused(checks, tensor({1, 1, 1, 1, 1}, 0, 0), "found 5 dimensions, expected 1 to 4");
  refused(checks, tensor({0}, 0, 0), "found shape [0], expected extents of at least 1");
  refused(checks, tensor({16, 0}, 0, 0), "found shape [0, 16]");
  refused(checks, tensor({uint64_t(1) << 63}, 0, 0), "expected extents of at least 1");
  refused(checks, tensor({uint64_t(1) << 40, uint64_t(1) << 40}, 0, 0), "expected less than 2^62 elements");
  refused(checks, tensor({uint64_t(1) << 61}, 0, 0), "expected less than 2^62 bytes");
  refused(checks, tensor({16}, 10, 0), "found type `Q2_K`, expected one of `F32`");
  refused(checks, tensor({16}, 99, 0), "found type number 99, expected one of `F32`");
  refused(checks, tensor({16}, 8, 0), "found rows of 16 elements, expected a multiple of the 32");
  refused(checks, tensor({16}, 0, 8), "found offset 8, expected a multiple of the alignment 32");
  refused(checks, tensor({16}, 0, 32),
          "found 32 bytes from its offset 32 to the end of the file, "
          "expected 64 for shape [16] of F32");
  refused(checks, tensor({16}, 0, uint64_t(0) - 32), "found 0 bytes from its offset");

  GgufParts overlap;
  overlap.tensor("a", {16}, 0, 0).tensor("b", {8}, 0, 32);
  overlap.data.raw(std::string(64, '\0'));
  refused(checks, parse(overlap), "tensor `b` starts at byte");
  GgufParts same;
  same.tensor("a", {8}, 0, 0).tensor("a", {8}, 0, 32);
  same.data.raw(std::string(64, '\0'));
  refused(checks, parse(same), "tensor `a` occurs twice");
}

static void checkArchitectures(Checks &checks) {
  refused(checks, reading(GgufParts(), readGgufTensors),
          "`general.architecture`: found nothing, expected one of `llama`, `qwen2moe`, ");
  refused(checks, reading(GgufParts().keyString("general.architecture", "gemma"), readGgufConfig),
          "found `gemma`, expected one of `llama`");
  refused(checks, reading(GgufParts().keyU32("split.count", 3), readGgufTensors),
          "`split.count`: found one of 3 parts of a model, expected a whole one");
}

/// Configurations with one key that is missing or wrong.
static void checkConfigs(Checks &checks) {
  auto config = [](auto change) {
    GgufParts parts = smallLlama();
    change(parts);
    return reading(parts, readGgufConfig);
  };
  checks.that(bool(config([](GgufParts &) {})));
  refused(checks, reading(GgufParts().keyString("general.architecture", "llama"), readGgufConfig),
          "`llama.context_length`: found nothing, expected the value of "
          "`max_position_embeddings`");
  refused(checks, config([](GgufParts &p) { p.keyString("llama.rope.freq_base", "x"); }),
          "`llama.rope.freq_base`: found string `x`, expected a number");
  refused(checks, config([](GgufParts &p) { p.keyF32("llama.rope.freq_base", NAN); }),
          "found a number that is not finite");
  refused(checks, config([](GgufParts &p) { p.keyString("llama.rope.scaling.type", "su"); }),
          "found `su`, expected `none`, `linear` or `yarn`");
  refused(checks, config([](GgufParts &p) { p.keyString("llama.rope.scaling.type", "linear"); }),
          "`llama.rope.scaling.factor`: found nothing, expected a factor above 0");
  refused(checks, config([](GgufParts &p) { p.keyU32("llama.rope.dimension_count", 6); }),
          "`llama.rope.dimension_count`: found 6, expected the head size 4");
  refused(checks, config([](GgufParts &p) { p.keyI32s("llama.vocab_size", {3, 4}); }),
          "found a list of different numbers");

  ModelConfig yarn = take(config([](GgufParts &p) {
    p.keyString("llama.rope.scaling.type", "yarn")
        .keyF32("llama.rope.scaling.factor", 4.0f)
        .keyU32("llama.rope.scaling.original_context_length", 8)
        .keyU32("llama.rope.dimension_count", 4)
        .keyI32s("llama.vocab_size", {3, 3});
  }));
  checks.equal(*yarn.find("rope_parameters.rope_type")->asString(), "yarn");
  checks.equal(*yarn.find("rope_parameters.factor")->asDouble(), 4.0);
  checks.equal(*yarn.find("rope_parameters.original_max_position_embeddings")->asInt(), 8);
  checks.equal(*yarn.find("vocab_size")->asInt(), 3);
}

/// A factor is linear unless something else is said, also under its older key.
static void checkRopeScaling(Checks &checks) {
  auto scaling = [](auto change) {
    GgufParts parts = smallLlama();
    change(parts);
    ModelConfig config = take(reading(parts, readGgufConfig));
    const ConfigValue *type = config.find("rope_parameters.rope_type");
    const ConfigValue *factor = config.find("rope_parameters.factor");
    return (type ? type->describe() : "none") + ", " + (factor ? factor->describe() : "none");
  };
  std::string linear = "string \"linear\", number 4";
  checks.equal(scaling([](GgufParts &p) { p.keyF32("llama.rope.scale_linear", 4); }), linear);
  checks.equal(scaling([](GgufParts &p) { p.keyF32("llama.rope.scaling.factor", 4); }), linear);
  checks.equal(scaling([](GgufParts &p) {
                 p.keyString("llama.rope.scaling.type", "linear").keyF32("llama.rope.scaling.factor", 4);
               }),
               linear);
  checks.equal(scaling([](GgufParts &p) {
                 p.keyString("llama.rope.scaling.type", "none").keyF32("llama.rope.scaling.factor", 4);
               }),
               "none, none");
  for (float neutral : {0.0f, 1.0f})
    checks.equal(scaling([&](GgufParts &p) { p.keyF32("llama.rope.scale_linear", neutral); }), "none, none");
  GgufParts negative = smallLlama();
  negative.keyF32("llama.rope.scale_linear", -2);
  refused(checks, reading(negative, readGgufConfig),
          "`llama.rope.scale_linear`: found f32 -2, expected a factor above 0");
}

/// Keys that change results are refused unless neutral; unknown ones are warned of.
static void checkInfluences(Checks &checks) {
  auto with = [](auto change) {
    GgufParts parts = smallLlama();
    change(parts);
    return reading(parts, readGgufConfig);
  };
  for (StringRef key : {"attention.clamp_kqv", "attn_logit_softcapping", "embedding_scale", "final_logit_softcapping",
                        "logit_scale", "residual_scale"}) {
    std::string name = ("llama." + key).str();
    refused(checks, with([&](GgufParts &p) { p.keyF32(name, 0.5f); }), "`" + name + "`: found f32 0.5, expected 0");
    checks.that(bool(with([&](GgufParts &p) { p.keyF32(name, 0); })));
  }
  checks.that(bool(with([](GgufParts &p) { p.keyF32("llama.logit_scale", 1); })));
  checks.that(bool(with([](GgufParts &p) { p.keyU32("llama.expert_count", 0).keyU32("llama.expert_used_count", 0); })));
  refused(checks, with([](GgufParts &p) { p.keyI32s("llama.rope.dimension_sections", {1, 1}); }),
          "found an array of 2 i32, expected 0");
  for (uint32_t window : {0, 4, 1 << 20}) {
    auto config = with([&](GgufParts &p) { p.keyU32("llama.attention.sliding_window", window); });
    if (checks.that(bool(config)))
      checks.equal(*config->find("sliding_window")->asInt(), int64_t(window));
  }
  checks.that(bool(with([](GgufParts &p) { p.keyF32("llama.attention.scale", 0.5f); })));
  refused(checks, with([](GgufParts &p) { p.keyF32("llama.attention.scale", 0.25f); }),
          "`llama.attention.scale`: found f32 0.25, expected 0 or one over the root");
  refused(checks, with([](GgufParts &p) { p.keyU32("llama.attention.value_length", 8); }),
          "found 8, expected the head size 4");
  refused(checks, with([](GgufParts &p) { p.keyString("llama.hidden_activation", "gelu"); }),
          "found `gelu`, expected `silu`");
  refused(checks, with([](GgufParts &p) { p.keyF32("llama.rope.scaling.attn_factor", 2); }),
          "expected 1 where the type of scaling is not `yarn`");

  auto unknown = [](GgufParts parts) { return reading(parts, listUnknownKeys); };
  checks.equal(unknown(smallLlama()).size(), 0u);
  GgufParts odd = smallLlama().keyU32("llama.odd\n", 7).keyU32("general.odd", 7);
  if (checks.equal(unknown(odd).size(), 1u))
    checks.equal(unknown(odd).front(), "`f`: metadata `llama.odd\\n`: found u32 7; the key is not "
                                       "known and has no influence");
  for (int i = 0; i < 20; ++i)
    odd.keyU32("llama.odd" + std::to_string(i), 7);
  checks.equal(unknown(odd).back(), "`f`: found 13 more metadata keys that are not known and have no influence");
}

static void checkHeads(Checks &checks) {
  GgufParts parts = smallLlama();
  parts.tensor("blk.0.attn_q.weight", {8, 6}, 0, 0);
  parts.data.raw(std::string(8 * 6 * 4, '\0'));
  refused(checks, reading(parts, readGgufTensors),
          "`llama.attention.head_count`: found 2, expected heads of an even number of rows among "
          "the 6 of tensor `blk.0.attn_q.weight`");
  GgufParts keys = smallLlama(/*heads=*/2, /*keyHeads=*/3);
  refused(checks, reading(keys, readGgufConfig),
          "`llama.attention.head_count_kv`: found 3, expected a divisor of "
          "`llama.attention.head_count`, 2");
  GgufParts width = smallLlama(/*heads=*/3, /*keyHeads=*/3);
  refused(checks, reading(width, readGgufConfig),
          "`llama.attention.head_count`: found 3, expected a divisor of "
          "`llama.embedding_length`, 8");
  refused(checks, reading(smallLlama(/*heads=*/0, /*keyHeads=*/1), readGgufConfig),
          "`llama.attention.head_count`: found 0, expected at least 1");
}

/// No prefix and no single changed byte of a real file's header crashes or hangs
/// the reader; whatever it accepts lies inside the file.
static void checkDamage(Checks &checks, StringRef path) {
  std::string original = readFile(path);
  GgufFile whole = take(GgufFile::parse(arrayRefFromStringRef(original), "f"));
  size_t header = original.size();
  for (const StoredTensor &tensor : whole.tensors())
    header = std::min<size_t>(header, tensor.offset);
  int accepted = 0;
  for (size_t size = 0; size < header; size += 3) {
    std::vector<uint8_t> prefix(original.begin(), original.begin() + size);
    Expected<GgufFile> file = GgufFile::parse(prefix, "f");
    accepted += bool(file);
    consumeError(file.takeError());
  }
  checks.equal(accepted, 0);
  bool inside = true;
  for (size_t at = 0; at < header; at += 2) {
    std::vector<uint8_t> changed(original.begin(), original.end());
    changed[at] ^= 0x81;
    Expected<GgufFile> file = GgufFile::parse(changed, "f");
    if (!file) {
      consumeError(file.takeError());
      continue;
    }
    for (const StoredTensor &tensor : file->tensors())
      inside &= tensor.offset <= changed.size() && tensor.bytes <= changed.size() - tensor.offset;
  }
  checks.that(inside);
}

int main(int argc, char **argv) {
  Checks checks;
  checkHeader(checks);
  checkMetadata(checks);
  checkTensors(checks);
  checkArchitectures(checks);
  checkConfigs(checks);
  checkRopeScaling(checks);
  checkInfluences(checks);
  checkHeads(checks);
  checkDamage(checks, argv[1]);
  return checks.status();
}
