// RUN: quern-opt %s --quern-select-schedules --split-input-file --verify-diagnostics
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/none.json 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not quern-opt %S/select-schedules.mlir --quern-select-schedules=database=%S/Inputs/schedules-broken.json 2>&1 | FileCheck %s --check-prefix=BROKEN

// NONE: none.json`: cannot read the schedule database: No such file or directory
// BROKEN: schedules-broken.json`: line 2, column 10: `rows[0].form`: found `1`, expected a name of 1 to 64 letters

// expected-error@below {{has no attribute `quern.target`, expected the #quern.target to compile for}}
module {}
