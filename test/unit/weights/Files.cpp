#include "test/unit/weights/Files.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace llvm;
using namespace quern::test;

Bytes &Bytes::number(uint64_t value, int width) {
  for (int i = 0; i < width; ++i)
    data.push_back(char(value >> (8 * i)));
  return *this;
}

Bytes &Bytes::f32(float value) { return u32(bit_cast<uint32_t>(value)); }

Bytes &Bytes::raw(StringRef text) {
  data.append(text.begin(), text.end());
  return *this;
}

Bytes &Bytes::align(uint64_t alignment) {
  while (data.size() % alignment != 0)
    data.push_back('\0');
  return *this;
}

GgufParts &GgufParts::keyU32(StringRef key, uint32_t value) {
  metadata.string(key).u32(4).u32(value);
  ++metadataCount;
  return *this;
}

GgufParts &GgufParts::keyF32(StringRef key, float value) {
  metadata.string(key).u32(6).f32(value);
  ++metadataCount;
  return *this;
}

GgufParts &GgufParts::keyString(StringRef key, StringRef value) {
  metadata.string(key).u32(8).string(value);
  ++metadataCount;
  return *this;
}

GgufParts &GgufParts::keyStrings(StringRef key, ArrayRef<StringRef> values) {
  metadata.string(key).u32(9).u32(8).u64(values.size());
  for (StringRef value : values)
    metadata.string(value);
  ++metadataCount;
  return *this;
}

GgufParts &GgufParts::keyI32s(StringRef key, ArrayRef<int32_t> values) {
  metadata.string(key).u32(9).u32(5).u64(values.size());
  for (int32_t value : values)
    metadata.u32(uint32_t(value));
  ++metadataCount;
  return *this;
}

GgufParts &GgufParts::keyF32s(StringRef key, ArrayRef<float> values) {
  metadata.string(key).u32(9).u32(6).u64(values.size());
  for (float value : values)
    metadata.f32(value);
  ++metadataCount;
  return *this;
}

GgufParts &GgufParts::tensor(StringRef name, ArrayRef<uint64_t> extents, uint32_t type, uint64_t offset) {
  tensors.string(name).u32(extents.size());
  for (uint64_t extent : extents)
    tensors.u64(extent);
  tensors.u32(type).u64(offset);
  ++tensorCount;
  return *this;
}

GgufParts &GgufParts::tensorF32(StringRef name, ArrayRef<uint64_t> extents, ArrayRef<float> values) {
  data.align(32);
  tensor(name, extents, 0, data.text().size());
  for (float value : values)
    data.f32(value);
  return *this;
}

Bytes GgufParts::file() const {
  Bytes file;
  file.raw(magic).u32(version).u64(tensorCount).u64(metadataCount);
  file.raw(metadata.text()).raw(tensors.text()).align(32).raw(data.text());
  return file;
}

GgufParts quern::test::smallLlama(uint32_t heads, uint32_t keyHeads) {
  GgufParts parts;
  parts.keyString("general.architecture", "llama")
      .keyU32("llama.context_length", 16)
      .keyU32("llama.embedding_length", 8)
      .keyU32("llama.block_count", 1)
      .keyU32("llama.feed_forward_length", 8)
      .keyU32("llama.attention.head_count", heads)
      .keyU32("llama.attention.head_count_kv", keyHeads)
      .keyF32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  return parts;
}

Bytes quern::test::safetensors(StringRef header, uint64_t space) {
  Bytes file;
  file.string(header).raw(std::string(space, '\0'));
  return file;
}

std::string quern::test::readFile(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(path);
  if (buffer)
    return (*buffer)->getBuffer().str();
  std::cerr << path.str() << ": " << buffer.getError().message() << '\n';
  std::exit(1);
}

TemporaryFolder::TemporaryFolder() {
  SmallString<128> path;
  if (sys::fs::createUniqueDirectory("quern-test", path)) {
    std::cerr << "can't make a folder for the test\n";
    std::exit(1);
  }
  folder = path.str().str();
}

TemporaryFolder::~TemporaryFolder() { sys::fs::remove_directories(folder); }

std::string TemporaryFolder::path(StringRef name) const {
  SmallString<128> result(folder);
  sys::path::append(result, name);
  return result.str().str();
}

std::string TemporaryFolder::write(StringRef name, StringRef content) const {
  std::error_code error;
  raw_fd_ostream stream(path(name), error);
  stream << content;
  return path(name);
}

void quern::test::refused(Checks &checks, Error error, StringRef part, std::source_location where) {
  if (!error) {
    std::cerr << "nothing was refused, expected `" << part.str() << "`\n";
    checks.that(false, where);
    return;
  }
  std::string message = toString(std::move(error));
  bool contained = StringRef(message).contains(part);
  if (!contained)
    std::cerr << "found the message `" << message << "`, expected one with `" << part.str() << "`\n";
  checks.that(contained, where);
}
