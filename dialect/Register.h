//===- Register.h - entry to the dialect ------------------------------------------------------===//

#ifndef QUERN_DIALECT_REGISTER_H
#define QUERN_DIALECT_REGISTER_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quern {

/// Registers the quern dialect and those its ops build on (arith, math).
void registerDialects(mlir::DialectRegistry &registry);

} // namespace quern

#endif // QUERN_DIALECT_REGISTER_H
