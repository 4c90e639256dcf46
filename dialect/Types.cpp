//===- Types.cpp - element types and the planned buffer ---------------------------------------===//

#include "dialect/Dialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

/// Parses the keyword of a block format.
static FailureOr<quern::BlockFormat> parseFormat(AsmParser &parser) {
  StringRef keyword;
  SMLoc place = parser.getCurrentLocation();
  if (failed(parser.parseKeyword(&keyword)))
    return failure();
  if (std::optional<quern::BlockFormat> format = quern::parseBlockFormat(keyword))
    return *format;
  return parser.emitError(place) << "found `" << keyword << "`, expected a block format such as `q8_0`";
}

#define GET_TYPEDEF_CLASSES
#include "dialect/Types.cpp.inc"

void quern::QuernDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/Types.cpp.inc"
      >();
}
