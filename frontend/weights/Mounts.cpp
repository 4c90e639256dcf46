//===- Mounts.cpp - What one mount brings along ---------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/weights/Mounts.h"

#include "frontend/weights/GgufLlama.h"
#include "frontend/weights/GgufVocabulary.h"
#include "frontend/weights/HfConfig.h"
#include "frontend/weights/HfText.h"
#include "frontend/weights/Safetensors.h"

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

/// Maps a safetensors file and reads its header.
static Expected<MountedFile> openSafetensors(std::unique_ptr<MappedFile> file) {
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
      return refuse("`" + indexPath + "`: shard `" + printable(shard) +
                    "`: " + toString(mapped.takeError()));
    Expected<MountedFile> file = openSafetensors(std::move(*mapped));
    if (!file)
      return file.takeError();
    if (Error error = checkShard(*index, shard, file->tensors, indexPath))
      return error;
    source.files.push_back(std::move(*file));
  }
  return Error::success();
}

static Expected<MountedSource> openFolder(StringRef folder) {
  MountedSource source;
  source.folder = folder.str();
  std::string single = inFolder(folder, "model.safetensors");
  std::string index = inFolder(folder, "model.safetensors.index.json");
  if (!sys::fs::exists(single)) {
    if (!sys::fs::exists(index))
      return refuse(
          "`" + folder +
          "`: found neither `model.safetensors` nor "
          "`model.safetensors.index.json`; name the file itself if it is called otherwise");
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
  source.gguf = std::move(*container);
  return source;
}

static Expected<MountedSource> openFile(StringRef path) {
  Expected<std::unique_ptr<MappedFile>> mapped = MappedFile::open(path);
  if (!mapped)
    return mapped.takeError();
  ArrayRef<uint8_t> bytes = (*mapped)->bytes();
  StringRef extension = sys::path::extension(path);
  if (GgufFile::hasMagic(bytes) || extension == ".gguf")
    return openGguf(std::move(*mapped));
  // A safetensors file has no magic; its header is an object.
  bool looksRight = bytes.size() > 8 && bytes[8] == '{';
  if (!looksRight && extension != ".safetensors")
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

Expected<MountedSource> quern::frontend::openSource(StringRef path) {
  return sys::fs::is_directory(path) ? openFolder(path) : openFile(path);
}

bool MountedSource::hasConfig() const {
  return gguf || sys::fs::exists(inFolder(folder, "config.json"));
}

Expected<ModelConfig> MountedSource::readConfig() const {
  return gguf ? readGgufConfig(*gguf) : readHfConfig(inFolder(folder, "config.json"));
}

bool MountedSource::hasText() const {
  return gguf ? hasVocabulary(*gguf) : sys::fs::exists(inFolder(folder, "tokenizer.json"));
}

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
