// RUN: quern-opt %s --quern-select-schedules --split-input-file --verify-diagnostics
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/none.json 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-broken.json 2>&1 | FileCheck %s --check-prefix=BROKEN
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-version.json 2>&1 | FileCheck %s --check-prefix=VERSION
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-missing.json 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-target.json 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-kernel.json 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-number.json 2>&1 | FileCheck %s --check-prefix=NUMBER

// NONE: none.json`: cannot read the schedule database: No such file or directory
// BROKEN: schedules-broken.json`: no valid JSON: [{{[0-9]+:[0-9]+, byte=[0-9]+}}]
// VERSION: found version 2, expected a schedule database of version 1
// MISSING: `targets` is missing or no object
// TARGET: target `zen4` is no object; expected a schedule per kernel
// KERNEL: schedule of `k` is no object; expected a number per parameter
// NUMBER: parameter `rows` of `k` is no integer

// expected-error@below {{has no attribute `quern.target`, expected the #quern.target to compile for}}
module {}
