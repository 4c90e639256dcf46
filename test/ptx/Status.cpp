//===- Status.cpp - what the driver returns ----------------------------------------------------===//

#include "test/ptx/Status.h"

namespace quern::ptx {

const char *getName(Status status) {
  switch (status) {
#define PTX_ERROR(Name, Number, Text, Description)                                                                     \
  case Status::Name:                                                                                                   \
    return Text;
#include "test/ptx/Errors.def"
  }
  return nullptr;
}

const char *getDescription(Status status) {
  switch (status) {
#define PTX_ERROR(Name, Number, Text, Description)                                                                     \
  case Status::Name:                                                                                                   \
    return Description;
#include "test/ptx/Errors.def"
  }
  return nullptr;
}

} // namespace quern::ptx
