//===- Dialect.cpp - registration -------------------------------------------------------------===//

#include "dialect/Dialect.h"
#include "dialect/Ops.h"
#include "dialect/Register.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

#include "dialect/Dialect.cpp.inc"
#include "dialect/Interfaces.cpp.inc"

namespace quern {

void QuernDialect::initialize() {
  registerTypes();
  registerAttrs();
  addOperations<
#define GET_OP_LIST
#include "dialect/Ops.cpp.inc"
      >();
}

Operation *QuernDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  if (auto elements = dyn_cast<ElementsAttr>(value))
    return ConstantOp::create(builder, loc, elements);
  return nullptr;
}

void registerDialects(DialectRegistry &registry) {
  registry.insert<QuernDialect, arith::ArithDialect, math::MathDialect>();
}

} // namespace quern
