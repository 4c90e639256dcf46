//===- ParameterSource.h - where the values of checkpoint tensors come from -------------------===//

#ifndef QUERN_DIALECT_PARAMETERSOURCE_H
#define QUERN_DIALECT_PARAMETERSOURCE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace quern {

/// Reads the tensors of a checkpoint by the names of a module's external parameters. The frontend's readers implement
/// it; the packer and the reference evaluator use it.
class ParameterSource {
public:
  virtual ~ParameterSource() = default;

  /// The stored bytes of row `row` of tensor `name`: all but the first axis, in the tensor's element type (blocks as
  /// GGUF stores them). A tensor of rank 0 or 1 is one row. Valid until the next call.
  virtual llvm::Expected<llvm::ArrayRef<uint8_t>> readRow(llvm::StringRef name, int64_t row) = 0;
};

} // namespace quern

#endif // QUERN_DIALECT_PARAMETERSOURCE_H
