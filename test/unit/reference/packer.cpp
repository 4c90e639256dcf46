//===- packer.cpp - packing a weight and reading it back gives its values ---------------------===//

#include "codegen/Packer.h"
#include "dialect/PackedLayout.h"
#include "dialect/RandomValues.h"
#include "dialect/Reference.h"
#include "dialect/Register.h"
#include "test/unit/Check.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

using namespace mlir;
using namespace quern;

namespace {

/// Gives the same bytes for each row of each tensor.
class FixedRows final : public ParameterSource {
public:
  explicit FixedRows(std::vector<uint8_t> row) : row(std::move(row)) {}
  llvm::Expected<llvm::ArrayRef<uint8_t>> readRow(llvm::StringRef, int64_t) override { return llvm::ArrayRef(row); }

private:
  std::vector<uint8_t> row;
};

class PackerTest {
public:
  explicit PackerTest(test::Checks &checks) : checks(checks) {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  void roundTrip(const std::string &element, int64_t n, int64_t k, Packing packing = Packing::Panels);
  void concat();
  void exponents();
  void placement();
  void processes();
  void refuses(const std::string &element, std::vector<uint8_t> row, const std::string &message,
               Packing packing = Packing::Panels);

private:
  OwningOpRef<ModuleOp> parse(const std::string &text) { return parseSourceString<ModuleOp>(text, &context); }
  /// What the packer writes for `module`, and where.
  std::string pack(ModuleOp module, ParameterSource &source,
                   llvm::SmallVector<codegen::ParameterPlacement> &placements);

  MLIRContext context;
  test::Checks &checks;
};

std::string PackerTest::pack(ModuleOp module, ParameterSource &source,
                             llvm::SmallVector<codegen::ParameterPlacement> &placements) {
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  uint64_t size = 0;
  placements = *codegen::placeParameters(module, size);
  if (succeeded(codegen::packParameters(module, placements, source, os)))
    checks.equal(bytes.size(), size);
  return bytes;
}

/// `quern.parameter @w` and an entry that reads it.
std::string readWeight(const std::string &type, const std::string &init = "", Packing packing = Packing::Panels) {
  return "quern.parameter @w : " + type + " packing <" + stringifyPacking(packing).str() + ">" + init +
         "\nquern.entry @read() -> " + type + " {\n  %0 = quern.param @w : " + type + "\n  quern.return %0 : " + type +
         "\n}\n";
}

std::string tensor(int64_t n, int64_t k, const std::string &element) {
  return "tensor<" + std::to_string(n) + "x" + std::to_string(k) + "x" + element + ">";
}

void PackerTest::roundTrip(const std::string &element, int64_t n, int64_t k, Packing packing) {
  OwningOpRef<ModuleOp> module = parse(readWeight(tensor(n, k, element), "", packing));
  RandomParameters source(*module);
  llvm::SmallVector<codegen::ParameterPlacement> placements;
  std::string bytes = pack(*module, source, placements);
  std::vector<float> found = codegen::unpackWeight(placements[0], llvm::arrayRefFromStringRef(bytes));
  ParameterOp weight = *module->getOps<ParameterOp>().begin();
  std::vector<float> expected = Evaluator(*module, source).evaluateParameter(weight)->readFloats();
  if (!checks.that(found == expected))
    llvm::errs() << "  weight " << n << " x " << k << " of " << element << "\n";
}

/// Blocks of two weights, joined without being dequantised.
void PackerTest::concat() {
  std::string type = tensor(24, 64, "!quern.block<q4_1>"), part = tensor(12, 64, "!quern.block<q4_1>");
  OwningOpRef<ModuleOp> module =
      parse("quern.parameter @a : " + part + "\nquern.parameter @b : " + part + "\n" +
            readWeight(type, " {\n  %0 = quern.param @a : " + part + "\n  %1 = quern.param @b : " + part +
                                 "\n  %2 = quern.concat %0, %1 axis 0 : " + part + ", " + part +
                                 "\n  quern.yield %2 : " + type + "\n}"));
  RandomParameters source(*module);
  llvm::SmallVector<codegen::ParameterPlacement> placements;
  std::string bytes = pack(*module, source, placements);
  if (!checks.equal(placements.size(), 1u) || !checks.equal(placements[0].name, "w"))
    return;
  std::vector<float> found = codegen::unpackWeight(placements[0], llvm::arrayRefFromStringRef(bytes));
  std::vector<float> expected;
  SymbolTable symbols(*module);
  for (const char *name : {"a", "b"}) {
    auto parameter = symbols.lookup<ParameterOp>(name);
    std::vector<float> values = Evaluator(*module, source).evaluateParameter(parameter)->readFloats();
    expected.insert(expected.end(), values.begin(), values.end());
  }
  checks.that(found == expected);
}

/// Both zeros, what is below the smallest normal number, and the ends of what a base holds keep all their bits; two
/// panels of two blocks take 2 · (64 + 2 · 832) bytes.
void PackerTest::exponents() {
  OwningOpRef<ModuleOp> module = parse(readWeight(tensor(17, 35, "bf16"), "", Packing::Panels13));
  std::vector<uint16_t> row(35, 0);
  llvm::copy(std::initializer_list<uint16_t>{0x8000, 0x0001, 0x80ff, 0x3100, 0xb17f, 0x3fff, 0xbf80}, row.end() - 7);
  std::vector<uint8_t> stored(70);
  std::memcpy(stored.data(), row.data(), stored.size());
  FixedRows source(stored);
  llvm::SmallVector<codegen::ParameterPlacement> placements;
  std::string bytes = pack(*module, source, placements);
  checks.equal(bytes.size(), 2u * (64 + 2 * 832));
  std::vector<float> found = codegen::unpackWeight(placements[0], llvm::arrayRefFromStringRef(bytes));
  for (int64_t i = 0; i < 17 * 35; ++i)
    checks.equal(llvm::bit_cast<uint32_t>(found[i]), uint32_t(row[i % 35]) << 16);
}

/// Dense parameters lie as they are, each at a multiple of 64.
void PackerTest::placement() {
  OwningOpRef<ModuleOp> module = parse(R"(
    quern.parameter @unused : tensor<4xf32>
    quern.parameter @a : tensor<3xf32>
    quern.parameter @b : tensor<2x1x3xf32>
    quern.entry @read() -> (tensor<3xf32>, tensor<2x1x3xf32>) {
      %0 = quern.param @a : tensor<3xf32>
      %1 = quern.param @b : tensor<2x1x3xf32>
      quern.return %0, %1 : tensor<3xf32>, tensor<2x1x3xf32>
    })");
  RandomParameters source(*module);
  llvm::SmallVector<codegen::ParameterPlacement> placements;
  std::string bytes = pack(*module, source, placements);
  checks.equal(placements.size(), 2u);
  checks.equal(placements[0].offset, 0u);
  checks.equal(placements[1].offset, 64u);
  checks.equal(bytes.size(), 64u + 24u);
  llvm::ArrayRef<uint8_t> second = *source.readRow("b", 1);
  checks.that(std::memcmp(bytes.data() + 64 + 12, second.data(), 12) == 0);
}

/// Several processes write what one does, from where the weights begin; what one refuses or cannot write is an error.
void PackerTest::processes() {
  std::string parameters, body, types, values;
  for (int i = 0; i < 9; ++i) {
    std::string n = std::to_string(i), type = tensor(16 + 5 * i, 64, i % 2 ? "f32" : "!quern.block<q4_1>");
    parameters += "quern.parameter @w" + n + " : " + type + " packing <panels>\n";
    body += "  %" + n + " = quern.param @w" + n + " : " + type + "\n";
    types += (i ? ", " : "") + type;
    values += (i ? ", %" : "%") + n;
  }
  OwningOpRef<ModuleOp> module = parse(parameters + "quern.entry @read() -> (" + types + ") {\n" + body +
                                       "  quern.return " + values + " : " + types + "\n}\n");
  RandomParameters source(*module);
  llvm::SmallVector<codegen::ParameterPlacement> placements;
  std::string expected = pack(*module, source, placements);
  std::FILE *file = std::tmpfile();
  codegen::WeightsFile place{fileno(file), 100, "weights"};
  checks.that(succeeded(codegen::packParameters(*module, placements, source, place, 3)));
  std::string found(expected.size() + 1, 0);
  checks.equal(pread(place.descriptor, found.data(), found.size(), 100), ssize_t(expected.size()));
  found.resize(expected.size());
  checks.that(found == expected);

  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
  int full = open("/dev/full", O_WRONLY);
  checks.that(failed(codegen::packParameters(*module, placements, source, {full, 0, "a file"}, 3)));
  checks.equal(message, "could not write `a file`: No space left on device");
  close(full);
  FixedRows none({});
  checks.that(failed(codegen::packParameters(*module, placements, none, place, 3)));
  checks.equal(message, "row 0 of tensor `w7` has 0 bytes, expected 256");
  std::fclose(file);
}

void PackerTest::refuses(const std::string &element, std::vector<uint8_t> row, const std::string &message,
                         Packing packing) {
  OwningOpRef<ModuleOp> module = parse(readWeight(tensor(2, 32, element), "", packing));
  FixedRows source(std::move(row));
  std::string found;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { found = diagnostic.str(); });
  llvm::SmallVector<codegen::ParameterPlacement> placements;
  pack(*module, source, placements);
  checks.equal(found, message);
}

} // namespace

int main() {
  test::Checks checks;
  PackerTest test(checks);
  for (int64_t n : {1, 16, 17, 35}) {
    for (const char *element : {"f32", "f16", "bf16"})
      for (int64_t k : {1, 7, 64})
        test.roundTrip(element, n, k);
    for (int64_t k : {1, 7, 32, 70})
      test.roundTrip("bf16", n, k, Packing::Panels13);
    for (const char *format : {"q8_0", "q4_0", "q4_1", "q5_0", "q5_1"})
      for (int64_t k : {32, 96})
        test.roundTrip(std::string("!quern.block<") + format + ">", n, k);
    for (const char *format : {"q4_k", "q5_k", "q6_k"})
      for (int64_t k : {256, 512})
        test.roundTrip(std::string("!quern.block<") + format + ">", n, k);
  }
  test.concat();
  test.exponents();
  test.placement();
  test.processes();

  std::vector<uint8_t> floats(32 * 4, 0), halves(32 * 2, 0), blocks(20, 0);
  floats[5 * 4 + 2] = 0x80, floats[5 * 4 + 3] = 0x7f; // infinity at column 5
  test.refuses("f32", floats, "tensor `w` has a value at row 0, column 5 that is not finite");
  halves[2 * 31 + 1] = 0x7e; // a NaN at column 31
  test.refuses("f16", halves, "tensor `w` has a value at row 0, column 31 that is not finite");
  blocks[3] = 0x7c; // an infinite minimum
  test.refuses("!quern.block<q4_1>", blocks, "tensor `w` has a scale or minimum at row 0, column 0 that is not finite");
  std::vector<uint8_t> spread(32 * 2, 0);
  spread[1] = 0x3f, spread[3] = 0x30; // 15 pairs of exponents apart
  test.refuses("bf16", spread, "row 0 of tensor `w` has exponents that do not fit 13 bits", Packing::Panels13);
  test.refuses("bf16", {1, 2, 3}, "row 0 of tensor `w` has 3 bytes, expected 64");
  return checks.status();
}
