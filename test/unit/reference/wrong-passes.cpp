//===- wrong-passes.cpp - passes that quern-opt's checks have to find wrong --------------------===//
//
// wrong-passes MODE: runs a pass that is wrong in this way, with both checks around it.
//
//===------------------------------------------------------------------------------------------===//

#include "dialect/Ops.h"
#include "dialect/Register.h"
#include "tools/ReferenceCheck.h"
#include "tools/RoundTripCheck.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace quern;

namespace {

/// `test.forgetful`: its text lacks its attributes, and is none at all where one of them is `unreadable`.
class ForgetfulOp : public Op<ForgetfulOp> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ForgetfulOp)
  using Op::Op;
  static StringRef getOperationName() { return "test.forgetful"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
  static ParseResult parse(OpAsmParser &, OperationState &) { return success(); }
  void print(OpAsmPrinter &printer) {
    if ((*this)->hasAttr("unreadable"))
      printer << " )";
  }
};

struct TestDialect : Dialect {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestDialect)
  explicit TestDialect(MLIRContext *context) : Dialect(getDialectNamespace(), context, TypeID::get<TestDialect>()) {
    addOperations<ForgetfulOp>();
  }
  static StringRef getDialectNamespace() { return "test"; }
};

/// Does `mode` to the module.
struct WrongPass : PassWrapper<WrongPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WrongPass)
  explicit WrongPass(StringRef mode) : mode(mode) {}
  StringRef getName() const override { return "WrongPass"; }

  void runOnOperation() override {
    if (mode == "value") {
      getOperation().walk([](SubOp op) { op->setOperands({op.getRhs(), op.getLhs()}); });
    } else if (mode != "nothing") {
      OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
      Operation *op = builder.create(OperationState(builder.getUnknownLoc(), "test.forgetful"));
      op->setAttr(mode, builder.getUnitAttr());
    }
  }

  StringRef mode;
};

constexpr const char *text = R"mlir(
quern.entry @f(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = quern.sub %a, %b : tensor<4xf32>, tensor<4xf32>
  quern.return %0 : tensor<4xf32>
}
)mlir";

} // namespace

int main(int argc, char **argv) {
  DialectRegistry registry;
  registerDialects(registry);
  registry.insert<TestDialect>();
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  PassManager passes(&context);
  passes.addPass(std::make_unique<WrongPass>(argv[1]));
  passes.addInstrumentation(createReferenceCheck());
  passes.addInstrumentation(createRoundTripCheck());
  return failed(passes.run(*module));
}
