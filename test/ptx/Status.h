//===- Status.h - what the driver returns ------------------------------------------------------===//

#ifndef QUERN_TEST_PTX_STATUS_H
#define QUERN_TEST_PTX_STATUS_H

namespace quern::ptx {

enum class Status : int {
#define PTX_ERROR(Name, Number, Text, Description) Name = Number,
#include "test/ptx/Errors.def"
};

/// `CUDA_ERROR_INVALID_VALUE` and "invalid argument"; null for a number that is none.
const char *getName(Status status);
const char *getDescription(Status status);

} // namespace quern::ptx

#endif // QUERN_TEST_PTX_STATUS_H
