/// Tokenizers of checkpoints give the ids of an independent implementation; broken vocabularies are
/// refused.
///
/// usage: text DATA [CHECKPOINT CASES]

#include "frontend/weights/Checkpoint.h"
#include "frontend/weights/GgufVocabulary.h"
#include "runtime/llm/text/quern_text.h"
#include "test/unit/weights/Files.h"

#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static TextAssets readText(const std::string &path) {
  return take(take(Checkpoint::open(Mount{"", path})).readText());
}

static const uint8_t *bytes(StringRef text) { return text.bytes_begin(); }

static std::vector<uint32_t> encode(quern_tokenizer *tokenizer, StringRef text, bool special) {
  quern_ids ids;
  char *error = nullptr;
  if (!quern_tokenizer_encode(tokenizer, bytes(text), text.size(), special, &ids, &error)) {
    std::cerr << error << '\n';
    std::exit(1);
  }
  std::vector<uint32_t> result(ids.data, ids.data + ids.size);
  std::free(ids.data);
  return result;
}

/// Every case of `casesPath` with the tokenizer of `checkpoint`.
static void checkCases(Checks &checks, const std::string &checkpoint, StringRef casesPath) {
  TextAssets text = readText(checkpoint);
  char *error = nullptr;
  quern_tokenizer *tokenizer =
      quern_tokenizer_new(bytes(text.tokenizerJson), text.tokenizerJson.size(), &error);
  if (!tokenizer)
    std::cerr << error << '\n';
  if (!checks.that(tokenizer))
    return;
  nlohmann::json cases = nlohmann::json::parse(readFile(casesPath));
  for (const nlohmann::json &example : cases["cases"]) {
    std::string prompt = example["text"];
    checks.that(encode(tokenizer, prompt, false) == example["ids"].get<std::vector<uint32_t>>());
    checks.that(encode(tokenizer, prompt, true) ==
                example["ids_special"].get<std::vector<uint32_t>>());
  }
  quern_tokenizer_free(tokenizer);
}

static void checkAssets(Checks &checks, const std::string &data) {
  for (StringRef model : {"/llama-gqa", "/gguf/llama-gqa-f32.gguf"}) {
    TextAssets text = readText(data + model.str());
    checks.equal(text.bosToken, "<|im_start|>");
    checks.equal(text.eosToken, "<|im_end|>");
    checks.that(text.bosId == 1 && !text.addBos);
    checks.that(text.chatTemplates.size() == 1 && text.chatTemplates.front().name == "default");
    checks.that(StringRef(text.chatTemplates.front().source).starts_with("{% for message in messages %}"));
    checks.equal(text.stopIds.back(), 2);
  }
  checks.that(readText(data + "/llama-headdim").tokenizerJson.empty());
}

/// A vocabulary of that model and pre-tokenizer, changed in one place.
template <typename Change>
static Expected<TextAssets> vocabulary(StringRef model, StringRef pre, Change change) {
  GgufParts parts = smallLlama();
  parts.keyString("tokenizer.ggml.model", model).keyString("tokenizer.ggml.pre", pre);
  change(parts);
  Bytes file = parts.file();
  return readGgufText(take(GgufFile::parse(file.bytes(), "f")));
}

static void checkVocabularies(Checks &checks) {
  auto tokens = [](GgufParts &p) {
    p.keyStrings("tokenizer.ggml.tokens", {"a", "b", "ab", "</s>"});
  };
  auto with = [&](auto change) {
    return vocabulary("gpt2", "gpt-2", [&](GgufParts &p) {
      tokens(p);
      change(p);
    });
  };
  checks.that(bool(with([](GgufParts &) {})));
  refused(checks, vocabulary("gpt2", "odd", tokens), "found pre-tokenizer `odd`, expected one of");
  refused(checks, vocabulary("bert", "gpt-2", tokens), "found `bert`, expected `gpt2` or `llama`");
  refused(checks, vocabulary("llama", "default", tokens), "expected a score per token");
  refused(checks,
          vocabulary("gpt2", "gpt-2",
                     [](GgufParts &p) { p.keyStrings("tokenizer.ggml.tokens", {"a", "b", "a"}); }),
          "tokens 0 and 2 are both `a`");
  refused(checks,
          vocabulary("gpt2", "gpt-2",
                     [](GgufParts &p) { p.keyStrings("tokenizer.ggml.tokens", {"\xff"}); }),
          "token 0: found `\\xFF`, expected UTF-8");
  refused(checks, with([](GgufParts &p) { p.keyStrings("tokenizer.ggml.merges", {"b a"}); }),
          "entry 0: found `b a`, expected two tokens that join to a third");
  refused(checks, with([](GgufParts &p) { p.keyStrings("tokenizer.ggml.merges", {""}); }),
          "entry 0: found ``");
  refused(checks, with([](GgufParts &p) { p.keyI32s("tokenizer.ggml.token_type", {1, 1}); }),
          "found an array of 2 i32, expected an array of 4 integers");
  refused(checks, with([](GgufParts &p) { p.keyI32s("tokenizer.ggml.token_type", {1, 1, 1, 9}); }),
          "token 3: found kind 9, expected 1 to 6");
  refused(checks, with([](GgufParts &p) { p.keyU32("tokenizer.ggml.eos_token_id", 4); }),
          "found token 4, expected one of the 4 tokens");
  refused(checks, with([](GgufParts &p) { p.keyString("tokenizer.chat_template", "\xff"); }),
          "found bytes that are not UTF-8");
  TextAssets named = take(with([](GgufParts &p) {
    p.keyString("tokenizer.chat_template", "a").keyString("tokenizer.chat_template.tool_use", "b");
  }));
  checks.that(named.chatTemplates.size() == 2 && named.chatTemplates[0].name == "default" &&
              named.chatTemplates[1].name == "tool_use" && named.chatTemplates[1].source == "b");
  checks.equal(named.chatTemplates[1].place, "`f`: metadata `tokenizer.chat_template.tool_use`");

  TextAssets llama3 = take(vocabulary("gpt2", "llama-bpe", [&](GgufParts &p) {
    tokens(p);
    p.keyU32("tokenizer.ggml.bos_token_id", 0).keyU32("tokenizer.ggml.eot_token_id", 3);
  }));
  checks.that(llama3.addBos && llama3.stopIds == std::vector<int32_t>{3});
}

/// SentencePiece: spaces become a sign, unknown characters bytes, and pairs are
/// joined by the score of what they make.
static void checkScores(Checks &checks) {
  TextAssets text = take(vocabulary("llama", "default", [](GgufParts &p) {
    p.keyStrings("tokenizer.ggml.tokens", {"<unk>", "<0x21>", "a", "b", "\xe2\x96\x81", "ab", "ba",
                                           "\xe2\x96\x81"
                                           "ab"});
    p.keyF32s("tokenizer.ggml.scores", {0, 0, -4, -5, -6, -3, -1, -2});
    p.keyI32s("tokenizer.ggml.token_type", {2, 6, 1, 1, 1, 1, 1, 1});
    p.keyU32("tokenizer.ggml.unknown_token_id", 0).keyU32("tokenizer.ggml.bos_token_id", 0);
  }));
  checks.that(text.addBos);
  char *error = nullptr;
  quern_tokenizer *tokenizer =
      quern_tokenizer_new(bytes(text.tokenizerJson), text.tokenizerJson.size(), &error);
  if (!checks.that(tokenizer))
    return;
  auto ids = [&](StringRef prompt) { return encode(tokenizer, prompt, true); };
  checks.that(ids("aba") == std::vector<uint32_t>{4, 2, 6});
  checks.that(ids("ab ab") == std::vector<uint32_t>{7, 7});
  checks.that(ids("a!") == std::vector<uint32_t>{4, 2, 1});
  checks.that(ids("").empty());
  quern_tokenizer_free(tokenizer);
}

int main(int argc, char **argv) {
  Checks checks;
  std::string data = argv[1];
  if (argc == 4) {
    checkCases(checks, argv[2], argv[3]);
    return checks.status();
  }
  checkCases(checks, data + "/gguf/llama-gqa-f32.gguf", data + "/tokenizer/tiny.json");
  checkCases(checks, data + "/llama-gqa", data + "/tokenizer/tiny.json");
  checkAssets(checks, data);
  checkVocabularies(checks);
  checkScores(checks);
  return checks.status();
}
