/// Weight files made by tests: whole ones, and ones that are wrong in one place.
#ifndef QUERN_TEST_UNIT_WEIGHTS_FILES_H
#define QUERN_TEST_UNIT_WEIGHTS_FILES_H

#include "test/unit/Check.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

namespace quern::test {

/// Little-endian bytes, one number or text after the other.
class Bytes {
public:
  Bytes &u8(uint8_t value) { return number(value, 1); }
  Bytes &u32(uint32_t value) { return number(value, 4); }
  Bytes &u64(uint64_t value) { return number(value, 8); }
  Bytes &f32(float value);
  Bytes &raw(llvm::StringRef text);
  /// A text with its length as u64 in front, as GGUF writes strings.
  Bytes &string(llvm::StringRef text) { return u64(text.size()).raw(text); }
  /// Zeros up to a multiple of `alignment`.
  Bytes &align(uint64_t alignment);

  llvm::StringRef text() const { return data; }
  llvm::ArrayRef<uint8_t> bytes() const { return {reinterpret_cast<const uint8_t *>(data.data()), data.size()}; }

private:
  Bytes &number(uint64_t value, int width);

  std::string data;
};

/// A GGUF file in pieces, each of which a test may replace.
struct GgufParts {
  std::string magic = "GGUF";
  uint32_t version = 3;
  /// Metadata values, each with its key and type; `count` of them.
  Bytes metadata;
  uint64_t metadataCount = 0;
  /// Rows of the table of tensors; `count` of them.
  Bytes tensors;
  uint64_t tensorCount = 0;
  /// What follows the header, from a multiple of 32 on.
  Bytes data;

  GgufParts &keyU32(llvm::StringRef key, uint32_t value);
  GgufParts &keyF32(llvm::StringRef key, float value);
  GgufParts &keyString(llvm::StringRef key, llvm::StringRef value);
  GgufParts &keyStrings(llvm::StringRef key, llvm::ArrayRef<llvm::StringRef> values);
  GgufParts &keyI32s(llvm::StringRef key, llvm::ArrayRef<int32_t> values);
  GgufParts &keyF32s(llvm::StringRef key, llvm::ArrayRef<float> values);
  /// `extents` innermost first, as GGUF has them.
  GgufParts &tensor(llvm::StringRef name, llvm::ArrayRef<uint64_t> extents, uint32_t type, uint64_t offset);
  /// A tensor of f32 whose numbers are appended to the data.
  GgufParts &tensorF32(llvm::StringRef name, llvm::ArrayRef<uint64_t> extents, llvm::ArrayRef<float> values);

  Bytes file() const;
};

/// The metadata that a model of architecture `llama` must have: 1 layer, hidden
/// size 8, 2 heads of 4, 1 key and value head unless said otherwise.
GgufParts smallLlama(uint32_t heads = 2, uint32_t keyHeads = 1);

/// A safetensors file with that header and so many bytes of zeros after it.
Bytes safetensors(llvm::StringRef header, uint64_t space);

/// The whole content of a file; fails the test program if it can't be read.
std::string readFile(llvm::StringRef path);

/// A new folder that is removed with everything in it.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  /// The path of a file in the folder.
  std::string path(llvm::StringRef name) const;
  /// Writes a file and returns its path.
  std::string write(llvm::StringRef name, llvm::StringRef content) const;

private:
  std::string folder;
};

/// Checks that an error was returned and that its message contains `part`.
void refused(Checks &checks, llvm::Error error, llvm::StringRef part,
             std::source_location where = std::source_location::current());

/// The same for a value that should not have come.
template <typename T>
void refused(Checks &checks, llvm::Expected<T> value, llvm::StringRef part,
             std::source_location where = std::source_location::current()) {
  refused(checks, value.takeError(), part, where);
}

/// The value, or the end of the test program with the error's message.
template <typename T> T take(llvm::Expected<T> value, std::source_location where = std::source_location::current()) {
  if (value)
    return std::move(*value);
  std::cerr << where.file_name() << ':' << where.line() << ": found an error: " << llvm::toString(value.takeError())
            << '\n';
  std::exit(1);
}

} // namespace quern::test

#endif
