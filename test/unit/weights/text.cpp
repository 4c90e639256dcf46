/// Tokenizers of checkpoints give the ids of an independent implementation; broken vocabularies are
/// refused.
///
/// usage: text DATA [CHECKPOINT CASES]

#include "frontend/checkpoint/Checkpoint.h"
#include "frontend/checkpoint/GgufVocabulary.h"
#include "frontend/checkpoint/HfText.h"
#include "runtime/llm/text/quern_text.h"
#include "test/unit/weights/Files.h"

#include <nlohmann/json.hpp>

#include <cstdlib>

using namespace llvm;
using namespace quern::frontend;
using namespace quern::test;

static TextAssets readText(const std::string &path) { return take(take(Checkpoint::open(Mount{"", path})).readText()); }

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

/// Every case of `casesPath` with the tokenizer of `text`.
static void checkCases(Checks &checks, const TextAssets &text, StringRef casesPath) {
  char *error = nullptr;
  quern_tokenizer *tokenizer = quern_tokenizer_new(bytes(text.tokenizerJson), text.tokenizerJson.size(), &error);
  if (!tokenizer)
    std::cerr << error << '\n';
  if (!checks.that(tokenizer))
    return;
  quern_bytes note;
  checks.that(quern_tokenizer_try(bytes(text.tokenizerJson), text.tokenizerJson.size(), &note, &error));
  nlohmann::json cases = nlohmann::json::parse(readFile(casesPath));
  for (const nlohmann::json &example : cases["cases"]) {
    std::string prompt = example["text"];
    checks.that(encode(tokenizer, prompt, false) == example["ids"].get<std::vector<uint32_t>>());
    // Where they are not given, there is no special token in the text.
    const char *special = example.contains("ids_special") ? "ids_special" : "ids";
    checks.that(encode(tokenizer, prompt, true) == example[special].get<std::vector<uint32_t>>());
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
template <typename Change> static Expected<TextAssets> vocabulary(StringRef model, StringRef pre, Change change) {
  GgufParts parts = smallLlama();
  parts.keyString("tokenizer.ggml.model", model).keyString("tokenizer.ggml.pre", pre);
  change(parts);
  Bytes file = parts.file();
  return readGgufText(take(GgufFile::parse(file.bytes(), "f")));
}

static void checkVocabularies(Checks &checks) {
  auto listed = [](GgufParts &p) { p.keyStrings("tokenizer.ggml.tokens", {"a", "b", "ab", "</s>"}); };
  auto tokens = [&](GgufParts &p) {
    listed(p);
    p.keyStrings("tokenizer.ggml.merges", {"a b"});
  };
  auto with = [&](auto change) {
    return vocabulary("gpt2", "gpt-2", [&](GgufParts &p) {
      tokens(p);
      change(p);
    });
  };
  auto withMerges = [&](ArrayRef<StringRef> merges) {
    return vocabulary("gpt2", "gpt-2", [&](GgufParts &p) {
      listed(p);
      p.keyStrings("tokenizer.ggml.merges", merges);
    });
  };
  checks.that(bool(with([](GgufParts &) {})));
  refused(checks, vocabulary("gpt2", "odd", tokens), "found pre-tokenizer `odd`, expected one of");
  refused(checks, vocabulary("bert", "gpt-2", tokens), "found `bert`, expected `gpt2` or `llama`");
  refused(checks, vocabulary("llama", "default", tokens), "expected a score per token");
  refused(checks, vocabulary("gpt2", "gpt-2", [](GgufParts &p) { p.keyStrings("tokenizer.ggml.tokens", {"\xff"}); }),
          "token 0: found `\\xFF`, expected UTF-8");
  refused(checks, withMerges({"b a"}), "entry 0: found `b a`, expected two tokens that join to a third");
  refused(checks, withMerges({""}), "entry 0: found nothing, expected two tokens");
  refused(checks, withMerges({}), "`tokenizer.ggml.merges`: found none, expected the pairs");
  refused(checks, vocabulary("gpt2", "gpt-2", listed), "`tokenizer.ggml.merges`: found nothing, expected the pairs");
  refused(checks, with([](GgufParts &p) { p.keyI32s("tokenizer.ggml.token_type", {1, 1}); }),
          "found an array of 2 i32, expected an array of 4 integers");
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

/// The warnings that a file of bytes' pairs brings, line by line; empty if it is refused.
template <typename Change> static std::string warningsOf(StringRef pre, Change change) {
  GgufParts parts = smallLlama();
  parts.keyString("tokenizer.ggml.model", "gpt2").keyStrings("tokenizer.ggml.merges", {"a b"});
  if (!pre.empty())
    parts.keyString("tokenizer.ggml.pre", pre);
  change(parts);
  Bytes file = parts.file();
  TextAssets text = take(readGgufText(take(GgufFile::parse(file.bytes(), "f"))));
  return join(text.warnings, "\n");
}

/// What llama.cpp loads is loaded, with a word.
static void checkOddVocabularies(Checks &checks) {
  auto tokens = [](ArrayRef<StringRef> list) {
    return [=](GgufParts &p) {
      p.keyStrings("tokenizer.ggml.tokens", list);
      p.keyI32s("tokenizer.ggml.token_type", std::vector<int32_t>(list.size(), 1));
    };
  };
  checks.equal(warningsOf("gpt-2", [](GgufParts &p) { p.keyStrings("tokenizer.ggml.tokens", {"a", "b", "ab"}); }),
               "`f`: metadata `tokenizer.ggml.token_type`: found nothing, expected the kind of each token; "
               "no token is special");
  checks.equal(warningsOf("gpt-2", tokens({"a", "b", "ab"})), "");
  checks.equal(warningsOf("", tokens({"a", "b", "ab"})),
               "`f`: metadata `tokenizer.ggml.pre`: found nothing, assumed `default`; texts may be "
               "cut otherwise than the model expects");
  checks.equal(warningsOf("gpt-2", tokens({"a", "b", "ab", "a"})),
               "`f`: metadata `tokenizer.ggml.tokens`: tokens 0 and 3 are both `a`; texts become "
               "the last one, and the others print nothing");
  checks.equal(warningsOf("gpt-2", tokens({"a", "", "b", "ab", ""})),
               "`f`: metadata `tokenizer.ggml.tokens`: token 1 and 1 more: found an empty text; no "
               "text becomes it");
  checks.equal(warningsOf("gpt-2",
                          [](GgufParts &p) {
                            p.keyStrings("tokenizer.ggml.tokens", {"a", "b", "ab"});
                            p.keyI32s("tokenizer.ggml.token_type", {1, 0, 7});
                          }),
               "`f`: metadata `tokenizer.ggml.token_type`: token 1 and 1 more: found kind 0, "
               "expected 1 to 6; taken as 1, a normal token");

  // The last of two tokens is what texts become; an empty one is never.
  TextAssets text = take(vocabulary("gpt2", "gpt-2", [](GgufParts &p) {
    p.keyStrings("tokenizer.ggml.tokens", {"a", "", "b", "ab", "a"});
    p.keyStrings("tokenizer.ggml.merges", {"a b"});
  }));
  char *error = nullptr;
  quern_tokenizer *tokenizer = quern_tokenizer_new(bytes(text.tokenizerJson), text.tokenizerJson.size(), &error);
  if (!checks.that(tokenizer))
    return;
  checks.that(encode(tokenizer, "aba", true) == std::vector<uint32_t>{3, 4});
  quern_tokenizer_free(tokenizer);
}

/// Known ends end an answer whatever kind a file gives them, and are found in texts.
static void checkEnds(Checks &checks) {
  for (int32_t kind : {1, 3, 4}) {
    TextAssets text = take(vocabulary("gpt2", "gpt-2", [&](GgufParts &p) {
      p.keyStrings("tokenizer.ggml.tokens", {"a", "b", "ab", "<|im_end|>", "</s>"});
      p.keyStrings("tokenizer.ggml.merges", {"a b"});
      p.keyI32s("tokenizer.ggml.token_type", {1, 1, 1, kind, kind});
    }));
    checks.that(text.stopIds == std::vector<int32_t>{3});
    checks.that(StringRef(text.tokenizerJson).contains("\"content\":\"<|im_end|>\""));
  }
}

/// A folder with the tokenizer of the small model, changed, and files beside it.
class TokenizerFolder {
public:
  explicit TokenizerFolder(const std::string &data)
      : tokenizer(nlohmann::json::parse(readFile(data + "/llama-gqa/tokenizer.json"))) {
    folder.write("config.json", R"({"eos_token_id":2})");
  }

  TextAssets read() {
    folder.write("tokenizer.json", tokenizer.dump());
    return take(readHfText(folder.path("")));
  }
  /// The ids of `prompt`, as the library gives them.
  std::vector<uint32_t> encode(StringRef prompt) {
    TextAssets text = read();
    char *error = nullptr;
    quern_tokenizer *made = quern_tokenizer_new(bytes(text.tokenizerJson), text.tokenizerJson.size(), &error);
    if (!made) {
      std::cerr << error << '\n';
      return {};
    }
    std::vector<uint32_t> ids = ::encode(made, prompt, true);
    quern_tokenizer_free(made);
    return ids;
  }
  /// Takes tokens 1 and 2, the signs of a turn, out of the tokenizer.
  void dropTurns() {
    nlohmann::json &added = tokenizer["added_tokens"];
    added.erase(added.begin() + 1, added.end());
    tokenizer["model"]["vocab"].erase("<|im_start|>");
    tokenizer["model"]["vocab"].erase("<|im_end|>");
  }

  nlohmann::json tokenizer;
  TemporaryFolder folder;
};

static const std::vector<uint32_t> turn = {1, 120, 118, 270};

/// Added tokens that only a file beside the tokenizer names.
static void checkAddedTokens(Checks &checks, const std::string &data) {
  TokenizerFolder without(data);
  without.dropTurns();
  checks.that(without.encode("<|im_start|>user") != turn);

  TokenizerFolder configured(data);
  configured.dropTurns();
  configured.folder.write("tokenizer_config.json", R"({"added_tokens_decoder":{
      "1":{"content":"<|im_start|>","special":true},"2":{"content":"<|im_end|>","special":true}}})");
  checks.that(configured.encode("<|im_start|>user") == turn);
  // The older files do not count beside it.
  configured.folder.write("added_tokens.json", R"({"her":99})");
  checks.that(configured.encode("<|im_start|>user") == turn);

  TokenizerFolder older(data);
  older.dropTurns();
  older.folder.write("added_tokens.json", R"({"<|im_start|>":1,"<|im_end|>":2})");
  older.folder.write("special_tokens_map.json", R"({"eos_token":{"content":"<|im_end|>"}})");
  checks.that(older.encode("<|im_start|>user") == turn);
  TextAssets text = older.read();
  checks.equal(text.eosToken, "<|im_end|>");
  nlohmann::json added = nlohmann::json::parse(text.tokenizerJson)["added_tokens"];
  checks.equal(added[1].dump(), R"({"content":"<|im_start|>","id":1,"lstrip":false,"normalized":)"
                                R"(true,"rstrip":false,"single_word":false,"special":false})");
  checks.that(added[2]["special"] == true && added[2]["normalized"] == false);

  older.folder.write("added_tokens.json", R"({"<|im_start|>":3})");
  refused(checks, readHfText(older.folder.path("")),
          "added token `<|im_start|>` has number 3, which is token `\\xC4\\x80`");
  older.folder.write("added_tokens.json", R"({"<|im_start|>":-1})");
  refused(checks, readHfText(older.folder.path("")),
          "added_tokens.json`: found token `<|im_start|>` with number -1, expected a text and its "
          "number");

  // A token with a role that the vocabulary alone knows is found in texts.
  TokenizerFolder role(data);
  role.tokenizer["added_tokens"].erase(1);
  role.folder.write("tokenizer_config.json", R"({"bos_token":"<|im_start|>"})");
  checks.that(role.encode("<|im_start|>user") == turn);
  // Nothing to add: the file goes on as it is.
  TokenizerFolder whole(data);
  checks.equal(whole.read().tokenizerJson, whole.tokenizer.dump());
}

/// The token in front of a text is the post-processor's, whatever files call it.
static void checkFirstToken(Checks &checks, const std::string &data) {
  using nlohmann::json;
  json start = json::parse(R"({"SpecialToken":{"id":"<|im_start|>","type_id":0}})");
  json text = json::parse(R"({"Sequence":{"id":"A","type_id":0}})");
  auto processor = [&](json single) {
    return json{{"type", "TemplateProcessing"},
                {"single", std::move(single)},
                {"pair", json::array({text})},
                {"special_tokens", json::parse(R"({"<|im_start|>":{"id":"<|im_start|>","ids":[1],
                                                  "tokens":["<|im_start|>"]}})")}};
  };
  TokenizerFolder folder(data);
  checks.that(!folder.read().addBos);
  folder.tokenizer["post_processor"] = processor({start, text});
  checks.that(folder.read().addBos && folder.read().bosId == 1);
  checks.that(folder.read().warnings.empty());
  folder.tokenizer["post_processor"] = {{"type", "Sequence"}, {"processors", json::array({processor({start, text})})}};
  checks.that(folder.read().addBos && folder.read().bosId == 1);
  folder.tokenizer["post_processor"] =
      json::parse(R"({"type":"RobertaProcessing","cls":["<|im_start|>",1],"sep":["<|im_end|>",2]})");
  checks.that(folder.read().addBos && folder.read().bosId == 1);
  checks.equal(folder.read().warnings.size(), 1u);
  folder.tokenizer["post_processor"] = processor({text, start});
  checks.that(!folder.read().addBos && folder.read().warnings.size() == 1);
  folder.tokenizer["post_processor"] = processor({start, start, text});
  folder.folder.write("tokenizer.json", folder.tokenizer.dump());
  refused(checks, readHfText(folder.folder.path("")),
          "`post_processor`: found 2 tokens in front of a text, expected 1 at most");

  TokenizerFolder mapped(data);
  mapped.folder.write("special_tokens_map.json", R"({"bos_token":"<|im_start|>","eos_token":"<|im_end|>"})");
  mapped.folder.write("tokenizer_config.json", R"({"add_bos_token":true})");
  checks.that(mapped.read().addBos && mapped.read().bosToken == "<|im_start|>");
  checks.that(mapped.read().stopIds == std::vector<int32_t>{0, 2});
}

/// Tokens that are made of others in more ways than any model's are refused at once.
static void checkManyMerges(Checks &checks) {
  std::string texts(4096, 'a');
  std::vector<StringRef> tokens;
  for (size_t size = 1; size <= texts.size(); ++size)
    tokens.push_back(StringRef(texts).take_front(size));
  refused(checks,
          vocabulary("llama", "default",
                     [&](GgufParts &p) {
                       p.keyStrings("tokenizer.ggml.tokens", tokens);
                       p.keyF32s("tokenizer.ggml.scores", std::vector<float>(tokens.size(), 0));
                     }),
          "found tokens that are made of others in too many ways");
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
  quern_tokenizer *tokenizer = quern_tokenizer_new(bytes(text.tokenizerJson), text.tokenizerJson.size(), &error);
  if (!checks.that(tokenizer))
    return;
  auto ids = [&](StringRef prompt) { return encode(tokenizer, prompt, true); };
  checks.that(ids("aba") == std::vector<uint32_t>{4, 2, 6});
  checks.that(ids("ab ab") == std::vector<uint32_t>{7, 7});
  checks.that(ids("a!") == std::vector<uint32_t>{4, 2, 1});
  checks.that(ids("").empty());
  quern_tokenizer_free(tokenizer);
}

/// What is read from a folder with these files, and nothing else.
static Expected<TextAssets> readFolder(std::initializer_list<std::pair<StringRef, StringRef>> files) {
  TemporaryFolder folder;
  for (auto [name, content] : files)
    folder.write(name, content);
  return readHfText(folder.path(""));
}

/// Broken files from before `tokenizer.json`.
static void checkOlderFiles(Checks &checks) {
  auto merges = [&](StringRef vocabulary, StringRef lines, StringRef config = "{}") {
    return readFolder({{"vocab.json", vocabulary}, {"merges.txt", lines}, {"tokenizer_config.json", config}});
  };
  StringRef letters = R"({"a": 0, "b": 1, "ab": 2})";
  for (StringRef lines : {"#version: 0.2\na b\n", "a b", "a b\r\n\n"})
    checks.that(StringRef(take(merges(letters, lines)).tokenizerJson).contains(R"([["a","b"]])"));
  refused(checks, merges(letters, "a b\na b c\n"), "merges.txt` line 2: found `a b c`, expected two tokens");
  refused(checks, merges(letters, "a\n"), "line 1: found `a`");
  refused(checks, merges("[]", ""), "vocab.json`: found a list, expected an object");
  refused(checks, merges(letters, "", R"({"tokenizer_class": "CLIPTokenizer"})"),
          "found a tokenizer of class `CLIPTokenizer`, expected");
  refused(checks, merges(letters, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 26\n"),
          "merges.txt`: found a pointer of Git LFS");
  refused(checks, readFolder({{"vocab.json", "{}"}}), "found no `merges.txt` beside it");

  auto model = [](StringRef bytes) { return readFolder({{"tokenizer.model", bytes}}); };
  // A piece `a`, and what is not one: its number, kind of value, length and bytes.
  std::string piece("\x0a\x03\x0a\x01"
                    "a",
                    5);
  checks.that(bool(model(piece)));
  refused(checks, model(""), "found an empty file, expected a SentencePiece model");
  refused(checks, model("\x12\x02\x18\x01"), "found no pieces, expected a SentencePiece model");
  refused(checks, model("version https"), "at byte 0: found a field of kind 6");
  refused(checks, model(StringRef(piece).drop_back()), "at byte 0: found a field of 3 bytes where 2 are left");
  refused(checks, model("\xff\xff"), "at byte 0: found the start of a number, expected its end");
  refused(checks, model(piece + piece), "piece 1: found `a`, expected a text of its own");
  refused(checks, model(StringRef("\x0a\x03\x0a\x01\xff", 5)), "piece 0: found `\\xFF`, expected UTF-8");
  refused(checks, model(StringRef("\x0a\x02\x18\x09", 4)), "piece 0: found kind 9, expected 1 to 6");
  refused(checks, model(StringRef("\x0a\x05\x15\x00\x00\xc0\x7f", 7)), "piece 0: found a score that is no number");
  refused(checks, model(piece + std::string("\x12\x02\x18\x03", 4)),
          "found a model of type 3, expected 1 (Unigram) or 2");
  refused(checks, model(piece + std::string("\x12\x03\xc0\x01\x01", 5)), "found `treat_whitespace_as_suffix`");
}

int main(int argc, char **argv) {
  Checks checks;
  std::string data = argv[1];
  if (argc == 4) {
    checkCases(checks, readText(argv[2]), argv[3]);
    return checks.status();
  }
  std::string tiny = data + "/tokenizer/tiny.json";
  checkCases(checks, readText(data + "/gguf/llama-gqa-f32.gguf"), tiny);
  checkCases(checks, readText(data + "/llama-gqa"), tiny);
  // The files that tokenizers had before.
  checkCases(checks, take(readHfText(data + "/tokenizer/gpt2")), tiny);
  for (std::string kind : {"bpe", "unigram"}) {
    std::string folder = data + "/tokenizer/sentencepiece/" + kind;
    checkCases(checks, take(readHfText(folder)), folder + "/golden.json");
  }
  checkOlderFiles(checks);
  checkAssets(checks, data);
  checkVocabularies(checks);
  checkOddVocabularies(checks);
  checkEnds(checks);
  checkAddedTokens(checks, data);
  checkFirstToken(checks, data);
  checkManyMerges(checks);
  checkScores(checks);
  return checks.status();
}
