//===- stream.cpp - rows of parameters are those of the whole ---------------------------------===//

#include "dialect/ParameterStream.h"
#include "dialect/RandomValues.h"
#include "dialect/Reference.h"
#include "dialect/Register.h"
#include "test/unit/Check.h"

#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace quern;

namespace {

/// Every way in which rows of a result come from rows of operands, or do not.
constexpr const char *text = R"mlir(
quern.parameter @a : tensor<40x64xf16>
quern.parameter @b : tensor<8x64xf16>
quern.parameter @blocks : tensor<40x64x!quern.block<q4_0>>
quern.parameter @column : tensor<48x1xf32>
quern.parameter @row : tensor<64xf32>
quern.parameter @square : tensor<64x64xf32>
quern.parameter @joined : tensor<48x64xbf16> {
  %0 = quern.param @a : tensor<40x64xf16>
  %1 = quern.param @b : tensor<8x64xf16>
  %2 = quern.concat %0, %1 axis 0 : tensor<40x64xf16>, tensor<8x64xf16>
  %3 = quern.cast %2 : tensor<48x64xf16> to tensor<48x64xbf16>
  quern.yield %3 : tensor<48x64xbf16>
}
quern.parameter @scaled : tensor<48x64xf32> {
  %0 = quern.param @joined : tensor<48x64xbf16>
  %1 = quern.cast %0 : tensor<48x64xbf16> to tensor<48x64xf32>
  %2 = quern.param @column : tensor<48x1xf32>
  %3 = quern.mul %1, %2 : tensor<48x64xf32>, tensor<48x1xf32>
  %4 = quern.param @row : tensor<64xf32>
  %5 = quern.add %3, %4 : tensor<48x64xf32>, tensor<64xf32>
  quern.yield %5 : tensor<48x64xf32>
}
quern.parameter @cut : tensor<50x64xf32> {
  %0 = quern.param @blocks : tensor<40x64x!quern.block<q4_0>>
  %1 = quern.cast %0 : tensor<40x64x!quern.block<q4_0>> to tensor<40x64xf32>
  %2 = quern.slice %1 axis 0 offset 15 size 25 : tensor<40x64xf32>
  %3 = quern.slice %1 axis 0 offset 2 size 25 : tensor<40x64xf32>
  %4 = quern.concat %2, %3 axis 0 : tensor<25x64xf32>, tensor<25x64xf32>
  quern.yield %4 : tensor<50x64xf32>
}
quern.parameter @turned : tensor<64x48xf32> {
  %0 = quern.param @scaled : tensor<48x64xf32>
  %1 = quern.transpose %0 [1, 0] : tensor<48x64xf32>
  %2 = quern.param @square : tensor<64x64xf32>
  %3 = quern.matmul %2, %0 : tensor<64x64xf32>, tensor<48x64xf32>
  %4 = quern.add %1, %3 : tensor<64x48xf32>, tensor<64x48xf32>
  quern.yield %4 : tensor<64x48xf32>
}
quern.parameter @shaped : tensor<24x2x64xf32> {
  %0 = quern.param @scaled : tensor<48x64xf32>
  %1 = quern.reshape %0 : tensor<48x64xf32> to tensor<24x2x64xf32>
  %2 = quern.softmax %1 : tensor<24x2x64xf32>
  quern.yield %2 : tensor<24x2x64xf32>
}
quern.parameter @entries : tensor<64xf32> {
  %0 = quern.iota : tensor<64xf32>
  %1 = quern.param @row : tensor<64xf32>
  %2 = quern.add %0, %1 : tensor<64xf32>, tensor<64xf32>
  quern.yield %2 : tensor<64xf32>
}
)mlir";

void compare(ParameterOp parameter, ModuleOp module, test::Checks &checks) {
  RandomParameters source(module);
  FailureOr<Tensor> value = Evaluator(module, source).evaluateParameter(parameter);
  if (!checks.that(succeeded(value)))
    return;
  int64_t rows = value->getShape().front(), rowBytes = value->getBytes().size() / rows;
  ArrayRef<uint8_t> bytes = value->getBytes();
  // All at once, some that overlap, and backwards.
  for (int64_t count : {rows, int64_t(7), int64_t(1)}) {
    ParameterStream stream(parameter, source);
    for (int64_t first = rows - count; first >= 0; first -= std::max<int64_t>(1, count / 2)) {
      FailureOr<Tensor> part = stream.read(first, count);
      if (!checks.that(succeeded(part)))
        return;
      checks.equal(part->getShape().front(), count);
      checks.that(part->getBytes() == bytes.slice(first * rowBytes, count * rowBytes));
    }
  }
  ParameterStream stream(parameter, source);
  for (int64_t row = 0; row < rows; ++row) {
    FailureOr<ArrayRef<uint8_t>> part = stream.readRow(row);
    checks.that(succeeded(part) && *part == bytes.slice(row * rowBytes, rowBytes));
  }
}

} // namespace

int main() {
  test::Checks checks;
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!checks.that(bool(module)))
    return checks.status();
  int compared = 0;
  for (auto parameter : module->getOps<ParameterOp>())
    if (!parameter.isExternal()) {
      compare(parameter, *module, checks);
      ++compared;
    }
  checks.equal(compared, 6);
  return checks.status();
}
