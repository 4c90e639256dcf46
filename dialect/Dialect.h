//===- Dialect.h - the dialect's types, attributes and interfaces -----------------------------===//

#ifndef QUERN_DIALECT_DIALECT_H
#define QUERN_DIALECT_DIALECT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/TensorEncoding.h"

#include "dialect/BlockFormats.h"
#include "dialect/Dialect.h.inc"
#include "dialect/Enums.h.inc"
#include "dialect/Tensor.h"
#include "dialect/Work.h"

#define GET_TYPEDEF_CLASSES
#include "dialect/Types.h.inc"

#include "dialect/AttrInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/Attrs.h.inc"

#include "dialect/Interfaces.h.inc"

#endif // QUERN_DIALECT_DIALECT_H
