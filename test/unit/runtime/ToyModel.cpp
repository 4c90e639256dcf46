#include "ToyModel.h"

#include "FakeHalide.h"
#include "quern/Format.h"

#include <algorithm>
#include <bit>
#include <iterator>

// The size of the tokenizer that stands behind the weights; the build says it.
#ifdef TOY_TOKENIZER_BYTES
#define TOY_STRING(x) #x
#define TOY_EXPAND(x) TOY_STRING(x)
#define TOY_TEXT                                                                                                       \
  R"({"tokenizer": {"offset": 1280, "bytes": )" TOY_EXPAND(TOY_TOKENIZER_BYTES) R"(},
      "chat_template": "{{ bos_token }}user: {{ messages[0]['content'] }}", "bos": "<|endoftext|>",
      "eos": "<|im_end|>", "bos_id": 0, "eos_ids": [2], "add_bos": false, "vocab_size": 320})"
#else
#define TOY_TEXT "null"
#endif

extern "C" const uint8_t quern_description[] = R"({
  "version": 3, "model": "Toy",
  "entries": [
    {"name": "forward", "role": "language_model",
     "inputs": [{"name": "tokens", "dtype": "i32", "shape": ["s"], "below": [320]},
                {"name": "at", "dtype": "position", "shape": ["s"]},
                {"name": "want", "dtype": "i32", "shape": ["r"], "below": ["s"]}],
     "results": [{"name": "logits", "dtype": "f32", "shape": ["r", 320]}],
     "symbols": ["s", "r"], "bounds": {"s": 8, "r": 8}},
    {"name": "scale",
     "inputs": [{"name": "x", "dtype": "f32", "shape": ["n", 4]}, {"name": "factor", "dtype": "f32", "shape": [1]}],
     "results": [{"name": "y", "dtype": "f32", "shape": ["n", 4]}],
     "symbols": ["n"], "bounds": {"n": 1000}},
    {"name": "pick",
     "inputs": [{"name": "x", "dtype": "f32", "shape": [10]},
                {"name": "i", "dtype": "i32", "shape": ["n"], "below": [10]}],
     "results": [{"name": "y", "dtype": "f32", "shape": ["n"]}],
     "symbols": ["n"], "bounds": {"n": 16}}],
  "states": [{"name": "tokens", "kind": "cache", "bytes": 3072, "dtype": "i32", "shape": [600],
              "layout": {"bytes": 4, "lanes": [1, 0], "groups": 1, "elements": [1, 1], "heads": [1, 0],
                         "pages": 256}}],
  "weights_bytes": 1280,
  "parameters": [{"name": "weight", "dtype": "f32", "shape": [320], "offset": 0, "bytes": 1280}],
  "targets": [
    {"name": "future", "features": ["avx2", "teleport"],
     "programs": [{"entry": 0, "when": {}, "arena_bytes": 0, "kernels": []},
                  {"entry": 1, "when": {}, "arena_bytes": 0, "kernels": []},
                  {"entry": 2, "when": {}, "arena_bytes": 0, "kernels": []}]},
    {"name": "plain", "features": [],
     "programs": [{"entry": 0, "when": {"s": 1, "r": 1}, "arena_bytes": 64,
                   "kernels": [{"symbol": "toy_step", "form": "map", "arithmetic": "i8", "location": "toy.qn:1",
                                "bytes": [[1280], [8, "s"]], "operations": [[10, "s", "@visible"]]}]},
                  {"entry": 0, "when": {"s": 2, "r": 2}, "arena_bytes": 0, "kernels": []},
                  {"entry": 0, "when": {}, "arena_bytes": 128,
                   "kernels": [{"symbol": "toy_step", "form": "map", "location": "toy.qn:1",
                                "bytes": [[1280], [8, "s"]], "operations": [[10, "s", "@visible"]]}]},
                  {"entry": 1, "when": {}, "arena_bytes": 0, "kernels": []},
                  {"entry": 2, "when": {}, "arena_bytes": 0, "kernels": []}]}],
  "quantization": {"f32": 1280}, "exact": true, "text": )" TOY_TEXT R"(,
  "versions": {"quern": "0.1.0"}})";
extern "C" const uint64_t quern_description_size = sizeof(quern_description) - 1;

namespace quern::test {

namespace {

ToyCounts counts;

/// The place in the cache of row `row`.
int32_t findRow(const QuernProgramArgs *args, int32_t row) {
  return args->pages[row / QUERN_PAGE_ROWS] * QUERN_PAGE_ROWS + row % QUERN_PAGE_ROWS;
}

/// What a token sees of the cache, itself the last.
std::vector<int32_t> getSeen(const QuernProgramArgs *args, const QuernPosition &at) {
  const auto *cache = static_cast<const int32_t *>(args->states[0]);
  uint64_t ancestors = quern_ancestors(&at);
  int32_t tree = ancestors ? at.row - 63 + std::countl_zero(ancestors) : at.row + 1;
  std::vector<int32_t> seen;
  for (int32_t row = at.first; row < tree; ++row)
    seen.push_back(cache[findRow(args, row)]);
  for (; ancestors; ancestors &= ancestors - 1)
    seen.push_back(cache[findRow(args, tree + std::countr_zero(ancestors))]);
  return seen;
}

int32_t runForward(const QuernProgramArgs *args) {
  const auto *tokens = static_cast<const int32_t *>(args->operands[0]);
  const auto *positions = static_cast<const QuernPosition *>(args->operands[1]);
  const auto *wanted = static_cast<const int32_t *>(args->operands[2]);
  auto *logits = static_cast<float *>(args->operands[3]);
  const auto *weights = static_cast<const float *>(args->weights);
  auto *cache = static_cast<int32_t *>(args->states[0]);
  auto rowOf = [&](int32_t token) { return positions[token].row; };
  auto firstOf = [&](int32_t token) { return positions[token].first; };
  if (args->profile)
    args->profile(args->profile_context, 0, 1);
  int32_t visible = 0, first = firstOf(0);
  for (int32_t i = 0; i < args->dims[0]; ++i) {
    cache[findRow(args, rowOf(i))] = tokens[i];
    visible = std::max(visible, rowOf(i) - firstOf(i) + 1);
    first = firstOf(i) == first ? first : -1;
  }
  for (int32_t r = 0; r < args->dims[1]; ++r) {
    int32_t next = predictToy(getSeen(args, positions[wanted[r]]));
    for (int32_t v = 0; v < toyVocab; ++v)
      logits[r * toyVocab + v] = weights[v] - static_cast<float>((v - next + toyVocab) % toyVocab) / 16.0f;
  }
  if (args->profile)
    args->profile(args->profile_context, 0, 0);
  ++counts.programs;
  return args->visible == visible && args->first == first ? 0 : -1;
}

int32_t runSingle(const QuernProgramArgs *args) {
  ++counts.single;
  return args->dims[0] == 1 && args->dims[1] == 1 ? runForward(args) : -2;
}

int32_t runPair(const QuernProgramArgs *args) {
  ++counts.pairs;
  return args->dims[0] == 2 && args->dims[1] == 2 ? runForward(args) : -2;
}

/// One row of `scale`, through a block of scratch memory as a kernel might.
int scaleRow(void *user, int row, uint8_t *closure) {
  const auto *args = reinterpret_cast<const QuernProgramArgs *>(closure);
  const auto *x = static_cast<const float *>(args->operands[0]) + 4 * row;
  float factor = *static_cast<const float *>(args->operands[1]);
  auto *y = static_cast<float *>(args->operands[2]) + 4 * row;
  if (factor < 0) {
    halide_error(user, "the factor is negative\n");
    return -7;
  }
  auto *scratch = static_cast<float *>(halide_malloc(user, 16));
  for (int i = 0; i < 4; ++i)
    scratch[i] = x[i] * factor;
  std::copy(scratch, scratch + 4, y);
  halide_free(user, scratch);
  return 0;
}

int32_t runScale(const QuernProgramArgs *args) {
  auto *closure = reinterpret_cast<uint8_t *>(const_cast<QuernProgramArgs *>(args));
  return halide_do_par_for(nullptr, scaleRow, 0, args->dims[0], closure);
}

int32_t runPick(const QuernProgramArgs *args) {
  const auto *x = static_cast<const float *>(args->operands[0]);
  const auto *indices = static_cast<const int32_t *>(args->operands[1]);
  auto *y = static_cast<float *>(args->operands[2]);
  for (int32_t i = 0; i < args->dims[0]; ++i)
    y[i] = x[indices[i]];
  return 0;
}

/// The programs of a target that no machine has.
int32_t refuse(const QuernProgramArgs *) { return -3; }

constexpr QuernProgram programs[] = {refuse, refuse, refuse, runSingle, runPair, runForward, runScale, runPick};

} // namespace

std::string_view getToyDescription() {
  return {reinterpret_cast<const char *>(quern_description), sizeof(quern_description) - 1};
}

int32_t predictToy(std::span<const int32_t> tokens) {
  int64_t sum = 0;
  for (int32_t token : tokens)
    sum += token;
  int64_t next = 7 * int64_t{tokens.back()} + 3 * sum + 5 * static_cast<int64_t>(tokens.size());
  return static_cast<int32_t>(next % toyVocab);
}

ToyCounts getToyCounts() { return counts; }

} // namespace quern::test

extern "C" const struct QuernProgramTable quern_programs = {std::size(quern::test::programs), quern::test::programs};
