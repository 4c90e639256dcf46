//===- Mounts.cpp - What one mount brings along ---------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Mounts.h"

#include "frontend/checkpoint/Experts.h"
#include "frontend/checkpoint/ForeignFiles.h"
#include "frontend/checkpoint/Fp8.h"
#include "frontend/checkpoint/GgufModel.h"
#include "frontend/checkpoint/GgufVocabulary.h"
#include "frontend/checkpoint/HfConfig.h"
#include "frontend/checkpoint/HfText.h"
#include "frontend/checkpoint/HfVocabulary.h"
#include "frontend/checkpoint/LatentHeads.h"
#include "frontend/checkpoint/MedusaHeads.h"
#include "frontend/checkpoint/Safetensors.h"
#include "runtime/Inputs.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <set>

using namespace llvm;
using namespace quern::frontend;

/// The largest shard index that is read.
static constexpr uint64_t maxIndexBytes = 100'000'000;

static std::string inFolder(StringRef folder, StringRef name) {
  SmallString<256> path = folder;
  sys::path::append(path, name);
  return path.str().str();
}

/// A safetensors file has no magic; its header is an object.
static bool looksLikeSafetensors(ArrayRef<uint8_t> bytes) { return bytes.size() > 8 && bytes[8] == '{'; }

/// Reads the header of a mapped safetensors file.
static Expected<MountedFile> openSafetensors(std::unique_ptr<MappedFile> file) {
  if (!looksLikeSafetensors(file->bytes()))
    if (Error error = refuseForeign(file->bytes(), file->path(), "a safetensors file"))
      return error;
  Expected<std::vector<StoredTensor>> tensors = parseSafetensors(file->bytes(), file->path());
  if (!tensors)
    return tensors.takeError();
  return MountedFile{std::move(file), std::move(*tensors)};
}

/// Opens every shard that the index names, each once, in order of their names.
static Error openShards(StringRef indexPath, MountedSource &source) {
  Expected<std::string> text = readSmallFile(indexPath, maxIndexBytes);
  if (!text)
    return text.takeError();
  Expected<std::map<std::string, std::string>> index = parseShardIndex(*text, indexPath);
  if (!index)
    return index.takeError();
  std::set<std::string> shards;
  for (const auto &[name, shard] : *index)
    shards.insert(shard);
  for (const std::string &shard : shards) {
    Expected<std::unique_ptr<MappedFile>> mapped = MappedFile::open(inFolder(source.folder, shard));
    if (!mapped)
      return refuse(toString(mapped.takeError()) + "; `" + indexPath + "` names it as a shard");
    Expected<MountedFile> file = openSafetensors(std::move(*mapped));
    if (!file)
      return file.takeError();
    if (Error error = checkShard(*index, shard, file->tensors, indexPath))
      return error;
    source.files.push_back(std::move(*file));
  }
  return Error::success();
}

/// The file of a folder that a mount of that name means; empty where it means the model's.
static StringRef ownFile(StringRef mount) { return mount == medusaMount ? "medusa_lm_head.safetensors" : ""; }

/// Says what a folder without weights has in their place.
static Error refuseFolder(StringRef folder, StringRef own) {
  constexpr size_t longestList = 4;
  std::set<std::string> others;
  bool isForeign = false;
  std::error_code code;
  for (sys::fs::directory_iterator entry(folder, code), end; entry != end && !code; entry.increment(code)) {
    StringRef name = sys::path::filename(entry->path());
    for (StringRef extension : {".safetensors", ".gguf", ".bin", ".pt", ".pth", ".h5", ".onnx"})
      if (name.ends_with(extension) && others.size() < longestList) {
        others.insert(inBackticks(name));
        isForeign |= extension != ".safetensors" && extension != ".gguf";
      }
  }
  std::string found = others.empty() ? "neither of them" : join(others, ", ");
  std::string hint = "name the file itself if it is a GGUF or safetensors file that is called otherwise";
  if (others.count(inBackticks(ownFile(medusaMount))))
    hint += ", and mount heads of Medusa with `medusa_head=FOLDER`";
  if (isForeign)
    hint += ", convert other files to safetensors with the library that wrote them";
  return refuse("`" + folder + "`: found " + found + ", expected " + (own.empty() ? "" : "`" + own + "`, ") +
                "`model.safetensors` or `model.safetensors.index.json`; " + hint);
}

static Expected<MountedSource> openFolder(StringRef folder, StringRef own) {
  MountedSource source;
  source.folder = folder.str();
  std::string single = inFolder(folder, "model.safetensors");
  if (!own.empty() && sys::fs::exists(inFolder(folder, own)))
    single = inFolder(folder, own);
  std::string index = inFolder(folder, "model.safetensors.index.json");
  if (!sys::fs::exists(single)) {
    if (!sys::fs::exists(index))
      return refuseFolder(folder, own);
    if (Error error = openShards(index, source))
      return error;
    return source;
  }
  Expected<std::unique_ptr<MappedFile>> mapped = MappedFile::open(single);
  if (!mapped)
    return mapped.takeError();
  Expected<MountedFile> file = openSafetensors(std::move(*mapped));
  if (!file)
    return file.takeError();
  source.files.push_back(std::move(*file));
  return source;
}

static Expected<MountedSource> openGguf(std::unique_ptr<MappedFile> mapped) {
  Expected<GgufFile> container = GgufFile::parse(mapped->bytes(), mapped->path());
  if (!container)
    return container.takeError();
  Expected<std::vector<StoredTensor>> tensors = readGgufTensors(*container);
  if (!tensors)
    return tensors.takeError();
  MountedSource source;
  source.files.push_back({std::move(mapped), std::move(*tensors)});
  if (Error error = joinLatentHeads(source.files.front()))
    return error;
  source.gguf = std::move(*container);
  return source;
}

static Expected<MountedSource> openFile(StringRef path) {
  Expected<std::unique_ptr<MappedFile>> mapped = MappedFile::open(path);
  if (!mapped)
    return mapped.takeError();
  ArrayRef<uint8_t> bytes = (*mapped)->bytes();
  StringRef extension = sys::path::extension(path);
  bool isGguf = GgufFile::hasMagic(bytes);
  if (!isGguf && !looksLikeSafetensors(bytes))
    if (Error error = refuseForeign(bytes, path, "a GGUF or safetensors file"))
      return error;
  if (isGguf || extension == ".gguf")
    return openGguf(std::move(*mapped));
  if (path.ends_with(".index.json"))
    return refuse("`" + path +
                  "`: found an index, expected a GGUF or safetensors file; name the "
                  "folder that it is in");
  if (!looksLikeSafetensors(bytes) && extension != ".safetensors")
    return refuse("`" + path + "`: found `" + printable(toStringRef(bytes.take_front(8))) +
                  "`, expected a GGUF or safetensors file");
  MountedSource source;
  source.folder = sys::path::parent_path(path).str();
  Expected<MountedFile> file = openSafetensors(std::move(*mapped));
  if (!file)
    return file.takeError();
  source.files.push_back(std::move(*file));
  return source;
}

/// What may lie beside the tensors of a checkpoint and belong to it, read by this command or not.
static constexpr StringLiteral companions[] = {"config.json",
                                               "generation_config.json",
                                               "preprocessor_config.json",
                                               "tokenizer.json",
                                               "tokenizer.model",
                                               "tokenizer_config.json",
                                               "special_tokens_map.json",
                                               "added_tokens.json",
                                               "vocab.json",
                                               "vocab.txt",
                                               "merges.txt",
                                               "chat_template.jinja",
                                               "chat_template.json"};

Expected<MountedSource> quern::frontend::openSource(StringRef path, StringRef mount) {
  Expected<MountedSource> source = sys::fs::is_directory(path) ? openFolder(path, ownFile(mount)) : openFile(path);
  if (source && !source->gguf)
    for (StringRef name : companions)
      quern::runtime::rememberInput(inFolder(source->folder, name));
  return source;
}

bool MountedSource::hasConfig() const { return gguf || sys::fs::exists(inFolder(folder, "config.json")); }

Expected<ModelConfig> MountedSource::readConfig() const {
  return gguf ? readGgufConfig(*gguf) : readHfConfig(inFolder(folder, "config.json"));
}

Error MountedSource::arrange(const ModelConfig &config) {
  if (!gguf) {
    Expected<Fp8Format> format = readFp8Format(config);
    if (!format)
      return format.takeError();
    if (Error error = splitStacks(files, config, *format))
      return error;
    if (Error error = scaleFp8(files, *format))
      return error;
  }
  return checkExperts(files, config);
}

std::vector<std::string> MountedSource::listConfigWarnings() const {
  return gguf ? listUnknownKeys(*gguf) : std::vector<std::string>();
}

bool MountedSource::hasText() const { return gguf ? hasVocabulary(*gguf) : !findTokenizerFile(folder).empty(); }

Expected<TextAssets> MountedSource::readText() const {
  if (!gguf)
    return readHfText(folder);
  Expected<TextAssets> text = readGgufText(*gguf);
  if (text)
    text->tokenizerFile = gguf->path().str();
  return text;
}

std::string MountedSource::findImageConfig() const {
  std::string path = inFolder(folder, "preprocessor_config.json");
  return !gguf && sys::fs::exists(path) ? path : "";
}
