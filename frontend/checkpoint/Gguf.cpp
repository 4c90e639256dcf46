//===- Gguf.cpp - GGUF container files ------------------------------------===//
//
// Part of the Quern project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontend/checkpoint/Gguf.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace quern::frontend;
using namespace llvm::support::endian;

namespace {

/// The deepest nesting of arrays in arrays that is followed.
constexpr unsigned maxArrayDepth = 8;
/// The longest key, as the format says.
constexpr uint64_t maxKeyLength = 65535;
/// The most dimensions of a tensor, as the format says.
constexpr uint32_t maxGgufRank = 4;
/// The least that a metadata value takes: its key's length, type, one byte.
constexpr uint64_t minMetadataBytes = 8 + 4 + 1;
/// The least that a row of the table of tensors takes: its name's length, number of
/// dimensions, one extent, type, offset.
constexpr uint64_t minTensorBytes = 8 + 4 + 8 + 4 + 8;
/// The largest alignment that is believed.
constexpr int64_t maxAlignment = 1 << 20;

/// Reads little-endian values and remembers the first thing that went wrong;
/// after that, every read gives zero or nothing.
class Cursor {
public:
  Cursor(ArrayRef<uint8_t> bytes, StringRef path) : bytes(bytes), path(path) {}

  uint64_t position() const { return at; }
  bool failed() const { return !problem.empty(); }
  uint64_t remaining() const { return bytes.size() - at; }

  /// Records a problem at `place`, for the first one only.
  void fail(uint64_t place, const Twine &message) {
    if (!failed())
      problem = ("`" + path + "` at byte " + Twine(place) + ": " + message).str();
  }

  /// What went wrong; call only if something did.
  Error takeError() const { return refuse(problem); }

  /// The bytes from `begin` to here.
  ArrayRef<uint8_t> since(uint64_t begin) const { return bytes.slice(begin, at - begin); }

  /// `count` bytes of `what`, or none.
  ArrayRef<uint8_t> take(uint64_t count, StringRef what) {
    if (failed())
      return {};
    if (count > remaining()) {
      fail(at, "found " + Twine(remaining()) + " bytes up to the end of the file, expected " + Twine(count) +
                   " bytes of " + what);
      return {};
    }
    ArrayRef<uint8_t> taken = bytes.slice(at, count);
    at += count;
    return taken;
  }

  /// Passes over `count` bytes of `what`.
  void skip(uint64_t count, StringRef what) { (void)take(count, what); }

  uint32_t u32(StringRef what) {
    ArrayRef<uint8_t> taken = take(4, what);
    return taken.empty() ? 0 : read32le(taken.data());
  }

  uint64_t u64(StringRef what) {
    ArrayRef<uint8_t> taken = take(8, what);
    return taken.empty() ? 0 : read64le(taken.data());
  }

  /// A string with its length in front.
  ArrayRef<uint8_t> string(StringRef what, uint64_t limit = UINT64_MAX) {
    uint64_t place = at;
    uint64_t length = u64(what);
    if (length > limit)
      fail(place, "found " + what + " of " + Twine(length) + " bytes, expected at most " + Twine(limit));
    else if (length > remaining())
      fail(place, "found " + what + " of " + Twine(length) + " bytes, expected at most " + Twine(remaining()) +
                      " up to the end of the file");
    return take(length, what);
  }

  /// A number of `what`, each of which takes `width` bytes at least.
  uint64_t count(StringRef what, uint64_t width) {
    uint64_t place = at;
    uint64_t number = u64("a number of " + what.str());
    // Other numbers may follow before the first of them; that they fit too is seen there.
    uint64_t most = remaining() / width;
    if (number > most)
      fail(place, "found a count of " + Twine(number) + " " + what + ", expected at most " + Twine(most) +
                      " up to the end of the file");
    return failed() ? 0 : number;
  }

private:
  ArrayRef<uint8_t> bytes;
  StringRef path;
  uint64_t at = 0;
  std::string problem;
};

} // namespace

/// Bytes of one scalar of that type; 0 for strings and arrays.
static std::optional<uint64_t> scalarWidth(uint32_t type) {
  static constexpr uint64_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  if (type >= std::size(widths))
    return std::nullopt;
  return widths[type];
}

static uint32_t readType(Cursor &cursor) {
  uint64_t place = cursor.position();
  uint32_t type = cursor.u32("a value's type");
  if (!scalarWidth(type))
    cursor.fail(place, "found value type " + Twine(type) + ", expected 0 to 12");
  return cursor.failed() ? 0 : type;
}

static GgufValue readValue(Cursor &cursor, uint32_t type, unsigned depth);

static GgufValue readArray(Cursor &cursor, unsigned depth) {
  if (depth == maxArrayDepth)
    cursor.fail(cursor.position(), "found more than " + Twine(maxArrayDepth) + " arrays in each other");
  uint32_t elementType = readType(cursor);
  uint64_t width = *scalarWidth(elementType);
  // Strings and arrays begin with 8 and 12 bytes each.
  uint64_t count = cursor.count("elements of an array", width ? width : 8);
  uint64_t begin = cursor.position();
  if (cursor.failed())
    return {};
  if (width)
    cursor.skip(count * width, "an array");
  for (uint64_t i = 0; !width && i < count && !cursor.failed(); ++i)
    readValue(cursor, elementType, depth + 1);
  return GgufValue(GgufType(elementType), count, cursor.since(begin));
}

static GgufValue readValue(Cursor &cursor, uint32_t type, unsigned depth) {
  if (GgufType(type) == GgufType::Array)
    return readArray(cursor, depth);
  uint64_t place = cursor.position();
  bool isString = GgufType(type) == GgufType::String;
  ArrayRef<uint8_t> payload = isString ? cursor.string("a string") : cursor.take(*scalarWidth(type), "a value");
  if (cursor.failed())
    return {};
  if (GgufType(type) == GgufType::Bool && payload.front() > 1)
    cursor.fail(place, "found truth value " + Twine(unsigned(payload.front())) + ", expected 0 or 1");
  return GgufValue(GgufType(type), payload);
}

static void readMetadata(Cursor &cursor, uint64_t count, std::map<std::string, GgufValue, std::less<>> &metadata) {
  for (uint64_t i = 0; i < count && !cursor.failed(); ++i) {
    uint64_t place = cursor.position();
    std::string key = toStringRef(cursor.string("a metadata key", maxKeyLength)).str();
    GgufValue value = readValue(cursor, readType(cursor), 0);
    if (!cursor.failed() && !metadata.emplace(key, value).second)
      cursor.fail(place, "metadata key " + inBackticks(key) + " occurs twice");
  }
}

/// Reads one row of the table of tensors; its offset is relative for now.
static StoredTensor readTensor(Cursor &cursor, uint64_t alignment) {
  uint64_t place = cursor.position();
  StoredTensor tensor;
  tensor.name = toStringRef(cursor.string("a tensor's name", maxNameLength)).str();
  std::string label = "tensor " + inBackticks(tensor.name) + ": ";
  uint32_t rank = cursor.u32("a tensor's number of dimensions");
  if (!cursor.failed() && (rank < 1 || rank > maxGgufRank))
    cursor.fail(place, label + "found " + Twine(rank) + " dimensions, expected 1 to " + Twine(maxGgufRank));
  for (uint32_t i = 0; i < rank && !cursor.failed(); ++i) {
    uint64_t extent = cursor.u64("a tensor's extent");
    // Too large ones become negative, which no extent may be.
    tensor.shape.insert(tensor.shape.begin(), int64_t(extent));
  }
  uint32_t type = cursor.u32("a tensor's type");
  tensor.offset = cursor.u64("a tensor's offset");
  if (cursor.failed())
    return tensor;
  std::optional<StorageType> storage = storageFromGguf(type);
  if (!storage) {
    cursor.fail(place, label + "found type " + describeGgufType(type) + ", expected one of " + listGgufTypes());
    return tensor;
  }
  tensor.type = *storage;
  Expected<uint64_t> bytes = storedBytes(tensor.shape, tensor.type);
  if (!bytes)
    cursor.fail(place, label + toString(bytes.takeError()));
  else
    tensor.bytes = *bytes;
  if (tensor.offset % alignment != 0)
    cursor.fail(place, label + "found offset " + Twine(tensor.offset) + ", expected a multiple of the alignment " +
                           Twine(alignment));
  return tensor;
}

/// Makes the offset absolute and checks that the numbers lie in the file.
static Error placeTensor(StoredTensor &tensor, uint64_t begin, uint64_t fileSize, StringRef path) {
  uint64_t space = begin < fileSize ? fileSize - begin : 0;
  if (tensor.offset > space || tensor.bytes > space - tensor.offset)
    return refuse("`" + path + "`: tensor " + inBackticks(tensor.name) + ": found " +
                  Twine(space > tensor.offset ? space - tensor.offset : 0) + " bytes from its offset " +
                  Twine(tensor.offset) + " to the end of the file, expected " + Twine(tensor.bytes) + " for shape " +
                  printShape(tensor.shape) + " of " + getTraits(tensor.type).name);
  tensor.offset += begin;
  return Error::success();
}

bool GgufFile::hasMagic(ArrayRef<uint8_t> bytes) {
  return bytes.size() >= 4 && toStringRef(bytes.take_front(4)) == "GGUF";
}

/// Reads magic and version.
static void readPreamble(Cursor &cursor, ArrayRef<uint8_t> bytes) {
  if (!GgufFile::hasMagic(bytes))
    cursor.fail(0, "found " + (bytes.empty() ? "nothing" : "`" + printable(toStringRef(bytes.take_front(4))) + "`") +
                       ", expected `GGUF`");
  cursor.skip(4, "magic");
  uint32_t version = cursor.u32("a version");
  if (version != 0 && (version & 0xffff) == 0)
    cursor.fail(4, "found a big-endian file, expected a little-endian one");
  if (version != 2 && version != 3)
    cursor.fail(4, "found GGUF version " + Twine(version) + ", expected 2 or 3");
}

Expected<GgufFile> GgufFile::parse(ArrayRef<uint8_t> bytes, StringRef path) {
  GgufFile result;
  result.file = path.str();
  Cursor cursor(bytes, path);
  readPreamble(cursor, bytes);
  uint64_t tensorCount = cursor.count("tensors", minTensorBytes);
  uint64_t metadataCount = cursor.count("metadata values", minMetadataBytes);
  readMetadata(cursor, metadataCount, result.values);
  if (cursor.failed())
    return cursor.takeError();

  Expected<std::optional<int64_t>> alignment = result.getInt("general.alignment");
  if (!alignment)
    return alignment.takeError();
  int64_t align = alignment->value_or(32);
  if (align < 1 || align > maxAlignment || !isPowerOf2_64(align))
    return result.refuseKey("general.alignment",
                            "found " + Twine(align) + ", expected a power of two up to " + Twine(maxAlignment));

  for (uint64_t i = 0; i < tensorCount && !cursor.failed(); ++i)
    result.allTensors.push_back(readTensor(cursor, align));
  if (cursor.failed())
    return cursor.takeError();
  uint64_t begin = alignTo(cursor.position(), align);
  for (StoredTensor &tensor : result.allTensors)
    if (Error error = placeTensor(tensor, begin, bytes.size(), path))
      return error;
  if (Error error = checkDisjoint(result.allTensors, path))
    return error;
  return result;
}

const GgufValue *GgufFile::find(StringRef key) const {
  auto entry = values.find(key);
  return entry == values.end() ? nullptr : &entry->second;
}

Error GgufFile::refuseKey(StringRef key, const Twine &message) const {
  return refuse("`" + file + "`: metadata `" + key + "`: " + message);
}

Expected<std::optional<int64_t>> GgufFile::getInt(StringRef key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (std::optional<int64_t> integer = value->asInt())
    return integer;
  return refuseKey(key, "found " + value->describe() + ", expected an integer");
}

Expected<std::optional<double>> GgufFile::getDouble(StringRef key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (std::optional<double> number = value->asDouble())
    return number;
  return refuseKey(key, "found " + value->describe() + ", expected a number");
}

Expected<std::optional<std::string>> GgufFile::getString(StringRef key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  std::optional<StringRef> text = value->asString();
  if (!text)
    return refuseKey(key, "found " + value->describe() + ", expected a string");
  if (!isUtf8(*text))
    return refuseKey(key, "found bytes that are not UTF-8");
  return text->str();
}

Expected<std::optional<bool>> GgufFile::getBool(StringRef key) const {
  const GgufValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (std::optional<bool> truth = value->asBool())
    return truth;
  return refuseKey(key, "found " + value->describe() + ", expected a truth value");
}
