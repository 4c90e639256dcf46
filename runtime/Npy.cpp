//===- Npy.cpp - arrays in NumPy's file format -------------------------------------------------===//

#include "runtime/Npy.h"

#include "quern/Format.h"

#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

namespace quern::runtime {

namespace {

/// What the header's dictionary says.
struct Header {
  std::string dtype;
  bool isFortranOrder = false;
  std::vector<int64_t> shape;
};

/// Reads the dictionary: a Python literal with exactly the keys `descr`, `fortran_order` and `shape`.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}
  std::optional<Header> parse();

private:
  void skipSpace() {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\n'))
      text.remove_prefix(1);
  }
  bool take(std::string_view word) {
    skipSpace();
    if (!text.starts_with(word))
      return false;
    text.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string> takeString();
  std::optional<int64_t> takeInteger();
  bool takeShape(std::vector<int64_t> &shape);
  bool takeField(Header &header, unsigned &seen);

  std::string_view text;
};

std::optional<std::string> HeaderParser::takeString() {
  skipSpace();
  if (text.empty() || (text[0] != '\'' && text[0] != '"'))
    return std::nullopt;
  size_t end = text.find(text[0], 1);
  if (end == std::string_view::npos)
    return std::nullopt;
  std::string value(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return value;
}

std::optional<int64_t> HeaderParser::takeInteger() {
  skipSpace();
  int64_t value = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (value > (std::numeric_limits<int64_t>::max() - 9) / 10)
      return std::nullopt;
    value = value * 10 + (text[digits] - '0');
  }
  if (!digits)
    return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool HeaderParser::takeShape(std::vector<int64_t> &shape) {
  if (!take("("))
    return false;
  while (!take(")")) {
    std::optional<int64_t> size = takeInteger();
    if (!size || shape.size() == 32)
      return false;
    shape.push_back(*size);
    if (!take(",") && !(skipSpace(), text.starts_with(")")))
      return false;
  }
  return true;
}

bool HeaderParser::takeField(Header &header, unsigned &seen) {
  std::optional<std::string> key = takeString();
  if (!key || !take(":"))
    return false;
  if (*key == "descr") {
    seen |= 1;
    std::optional<std::string> dtype = takeString();
    header.dtype = dtype.value_or("");
    return dtype.has_value();
  }
  if (*key == "fortran_order") {
    seen |= 2;
    header.isFortranOrder = take("True");
    return header.isFortranOrder || take("False");
  }
  seen |= 4;
  return *key == "shape" && header.shape.empty() && takeShape(header.shape);
}

std::optional<Header> HeaderParser::parse() {
  Header header;
  unsigned seen = 0;
  if (!take("{"))
    return std::nullopt;
  while (!take("}")) {
    if (!takeField(header, seen))
      return std::nullopt;
    take(",");
  }
  skipSpace();
  if (seen != 7 || !text.empty())
    return std::nullopt;
  return header;
}

} // namespace

static Error refuse(const std::string &name, const std::string &text) { return Error{"`" + name + "`: " + text}; }

/// The number of elements, or nothing when they are more than `limit`.
static std::optional<uint64_t> countElements(const std::vector<int64_t> &shape, uint64_t limit) {
  uint64_t count = 1;
  for (int64_t size : shape)
    if (size == 0)
      return 0;
  for (int64_t size : shape) {
    if (static_cast<uint64_t>(size) > limit / count)
      return std::nullopt;
    count *= static_cast<uint64_t>(size);
  }
  return count;
}

/// 64-bit integers into a tensor of 32-bit ones.
static Result<Tensor> narrow(std::string_view elements, Tensor tensor, const std::string &name) {
  std::span<int32_t> values = tensor.get<int32_t>();
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t value;
    std::memcpy(&value, elements.data() + i * sizeof(value), sizeof(value));
    if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max())
      return refuse(name,
                    "element " + std::to_string(i) + " is " + std::to_string(value) + ", which does not fit into i32");
    values[i] = static_cast<int32_t>(value);
  }
  return tensor;
}

static Result<Tensor> readElements(const Header &header, std::string_view elements, const std::string &name) {
  bool isFloat = header.dtype == "<f4";
  bool isWide = header.dtype == "<i8";
  if (!isFloat && !isWide && header.dtype != "<i4") {
    bool areObjects = header.dtype.ends_with('O');
    std::string found = areObjects ? "Python objects, which only Python can read" : "of type `" + header.dtype + "`";
    return refuse(name, "the elements are " + (header.dtype.empty() ? "of no type" : found) +
                            ", expected `<f4`, `<i4` or `<i8`");
  }
  if (header.isFortranOrder && header.shape.size() > 1)
    return refuse(name, "the array is in Fortran order, expected C order");
  uint64_t elementSize = isWide ? 8 : 4;
  std::optional<uint64_t> count = countElements(header.shape, elements.size() / elementSize);
  if (!count || *count * elementSize != elements.size())
    return refuse(name, "the shape " + formatShape(header.shape) + " of `" + header.dtype + "` does not match the " +
                            std::to_string(elements.size()) + " bytes that the file holds");
  Tensor tensor(isFloat ? DType::F32 : DType::I32, header.shape);
  if (isWide)
    return narrow(elements, std::move(tensor), name);
  if (!elements.empty())
    std::memcpy(tensor.mutableView().data, elements.data(), elements.size());
  return tensor;
}

Result<Tensor> parseNpy(std::string_view bytes, const std::string &name) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY")
    return refuse(name, "not a NumPy array: the file does not begin with `\\x93NUMPY`");
  auto byteAt = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  uint32_t version = byteAt(6);
  if (version < 1 || version > 3)
    return refuse(name, "NumPy format version " + std::to_string(version) + ", expected 1 to 3");
  size_t start = version == 1 ? 10 : 12;
  uint64_t length = byteAt(8) | byteAt(9) << 8;
  if (version > 1 && bytes.size() >= start)
    length |= byteAt(10) << 16 | byteAt(11) << 24;
  if (bytes.size() < start || bytes.size() - start < length)
    return refuse(name, "the header takes " + std::to_string(length) + " bytes, the file has " +
                            std::to_string(bytes.size()));
  std::optional<Header> header = HeaderParser(bytes.substr(start, length)).parse();
  if (!header)
    return refuse(name, "the header is not a dictionary of `descr`, `fortran_order` and `shape`");
  return readElements(*header, bytes.substr(start + length), name);
}

Result<Tensor> readNpy(const std::string &path) {
  Result<FileDescriptor> file = FileDescriptor::openForReading(path);
  if (!file)
    return file.error();
  Result<std::string> bytes = readAll(file->get(), "`" + path + "`");
  if (!bytes)
    return bytes.error();
  return parseNpy(*bytes, path);
}

std::string formatNpyHeader(DType dtype, std::span<const int64_t> shape) {
  std::string sizes;
  for (int64_t size : shape)
    sizes += std::to_string(size) + ", ";
  if (shape.size() > 1)
    sizes.resize(sizes.size() - 2);
  else if (shape.size() == 1)
    sizes.pop_back();
  std::string text = std::string("{'descr': '") + (dtype == DType::F32 ? "<f4" : "<i4") +
                     "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // The elements begin at a multiple of 64; the header ends with a line feed.
  size_t length = (10 + text.size() + 1 + 63) / 64 * 64 - 10;
  text.resize(length - 1, ' ');
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xff);
  header += static_cast<char>(length >> 8);
  return header + text + "\n";
}

Result<void> writeNpy(const std::string &path, const TensorView &value) {
  Result<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.error();
  std::string header = formatNpyHeader(value.dtype, value.shape);
  size_t bytes = getElementSize(value.dtype);
  for (int64_t size : value.shape)
    bytes *= static_cast<size_t>(size);
  if (Result<void> done = file->write(header.data(), header.size()); !done)
    return done;
  if (Result<void> done = file->write(value.data, bytes); !done)
    return done;
  return file->finish();
}

} // namespace quern::runtime
