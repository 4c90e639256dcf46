/// NumPy's files: what is read and written, and every way in which they can be broken.

#include "runtime/Npy.h"
#include "Check.h"

#include <cstring>
#include <string>

using namespace quern::runtime;
using quern::test::Checks;

namespace {

std::string makeFile(const std::string &dictionary, const std::string &elements, char version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  if (version > 1)
    bytes += std::string(2, '\0');
  return bytes + dictionary + elements;
}

std::string describe(const std::string &dtype, const std::string &shape, const char *order = "False") {
  return "{'descr': '" + dtype + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

void testRead(Checks &checks) {
  const int32_t integers[] = {1, -2, 3, 4, 5, 6};
  std::string bytes(reinterpret_cast<const char *>(integers), sizeof(integers));
  for (char version : {1, 2, 3}) {
    Result<Tensor> tensor = parseNpy(makeFile(describe("<i4", "(2, 3)"), bytes, version), "x");
    if (!checks.that(static_cast<bool>(tensor)))
      return;
    checks.equal(formatShape(tensor->getShape()), "[2, 3]");
    checks.that(tensor->getDType() == DType::I32);
    checks.equal(tensor->get<int32_t>()[1], -2);
  }
  const int64_t wide[] = {7, -8};
  std::string wideBytes(reinterpret_cast<const char *>(wide), sizeof(wide));
  Result<Tensor> narrowed = parseNpy(makeFile(describe("<i8", "(2,)"), wideBytes), "x");
  checks.that(narrowed && narrowed->get<int32_t>()[1] == -8);
  Result<Tensor> scalar = parseNpy(makeFile(describe("<f4", "()"), bytes.substr(0, 4)), "x");
  checks.that(scalar && scalar->getElementCount() == 1 && scalar->getShape().empty());
  // Sizes beside a zero may be absurd.
  Result<Tensor> empty = parseNpy(makeFile(describe("<f4", "(9000000000000000000, 4, 0)"), ""), "x");
  checks.that(empty && empty->getElementCount() == 0);
  // One axis has no order.
  checks.that(static_cast<bool>(parseNpy(makeFile(describe("<i4", "(6,)", "True"), bytes), "x")));
}

void testRefuse(Checks &checks) {
  std::string four(4, '\0');
  auto refuses = [&](const std::string &bytes, const std::string &reason,
                     std::source_location where = std::source_location::current()) {
    Result<Tensor> tensor = parseNpy(bytes, "x.npy");
    if (checks.that(!tensor, where))
      checks.that(tensor.error().message.find(reason) != std::string::npos, where);
  };
  refuses("", "not a NumPy array");
  refuses("\x93NUMPY", "not a NumPy array");
  refuses("PK\x03\x04 a zip file of arrays", "not a NumPy array");
  refuses(makeFile(describe("<i4", "(1,)"), four, 4), "version 4");
  refuses(makeFile(describe("<i4", "(1,)"), four).substr(0, 40), "the header takes");
  refuses(makeFile(describe("<f8", "(1,)"), four + four), "`<f8`");
  refuses(makeFile(describe(">i4", "(1,)"), four), "`>i4`");
  refuses(makeFile(describe("|O", "(1,)"), four), "Python objects");
  refuses(makeFile(describe("", "(1,)"), four), "of no type");
  refuses(makeFile(describe("<i4", "(1, 1)", "True"), four), "Fortran order");
  refuses(makeFile(describe("<i4", "(2,)"), four), "does not match the 4 bytes");
  refuses(makeFile(describe("<i4", "(1,)"), four + "x"), "does not match the 5 bytes");
  refuses(makeFile(describe("<i4", "(4294967296, 4294967296, 4294967296)"), four), "does not match");
  refuses(makeFile(describe("<i4", "(99999999999999999999999,)"), four), "not a dictionary");
  refuses(makeFile(describe("<i4", "(-1,)"), four), "not a dictionary");
  refuses(makeFile(describe("<i4", "(1"), four), "not a dictionary");
  refuses(makeFile("{'descr': '<i4', 'shape': (1,)}", four), "not a dictionary");
  refuses(makeFile("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}", four), "not a dictionary");
  refuses(makeFile("{'descr': '<i4", four), "not a dictionary");
  refuses(makeFile("", four), "not a dictionary");
  const int64_t large[] = {int64_t{1} << 40};
  refuses(makeFile(describe("<i8", "(1,)"), std::string(reinterpret_cast<const char *>(large), 8)),
          "does not fit into i32");
}

void testWrite(Checks &checks) {
  for (const std::vector<int64_t> &shape : {std::vector<int64_t>{}, {3}, {2, 5}, {1, 2, 3}}) {
    Tensor tensor(DType::F32, shape);
    for (size_t i = 0; i < tensor.get<float>().size(); ++i)
      tensor.get<float>()[i] = static_cast<float>(i) + 0.5f;
    std::string header = formatNpyHeader(DType::F32, tensor.getShape());
    checks.equal(header.size() % 64, 0u);
    std::string bytes = header + std::string(static_cast<const char *>(tensor.view().data), tensor.getByteCount());
    Result<Tensor> read = parseNpy(bytes, "x");
    if (!checks.that(static_cast<bool>(read)))
      continue;
    checks.equal(formatShape(read->getShape()), formatShape(shape));
    checks.that(std::memcmp(read->view().data, tensor.view().data, tensor.getByteCount()) == 0);
  }
  checks.equal(formatNpyHeader(DType::I32, std::vector<int64_t>{3}).substr(10, 57),
               "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }");
}

} // namespace

int main() {
  Checks checks;
  testRead(checks);
  testRefuse(checks);
  testWrite(checks);
  return checks.status();
}
