//===- quern-opt.cpp - runs passes on IR, for tests and for compiler engineers ----------------===//

#include "dialect/Register.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  quern::registerDialects(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Quern's optimizer driver\n", registry));
}
