// What only the values show: the evaluator says what it found and ends with status 1.
//
// RUN: not quern-eval %s --entry bound --size s=5 2>&1 | FileCheck %s --check-prefix=BOUND
// RUN: not quern-eval %s --entry gather --in i=0,7 2>&1 | FileCheck %s --check-prefix=GATHER
// RUN: not quern-eval %s --entry gather --in i=-1,0 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not quern-eval %s --entry columns --in i=0,2 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not quern-eval %s --entry position --in at=3,0,0 2>&1 | FileCheck %s --check-prefix=POSITION
// RUN: not quern-eval %s --entry row --in at=0,2,0 2>&1 | FileCheck %s --check-prefix=ROW
// RUN: not quern-eval %s --entry first --in at=0,1,2 2>&1 | FileCheck %s --check-prefix=FIRST
// RUN: not quern-eval %s --entry cycle 2>&1 | FileCheck %s --check-prefix=CYCLE
// RUN: not quern-eval %s --entry unnamed 2>&1 | FileCheck %s --check-prefix=UNNAMED
// RUN: not quern-eval %s --entry outside 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// RUN: not quern-eval %s --entry missing 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quern-eval %s --entry bound --in x=1,2,3 2>&1 | FileCheck %s --check-prefix=COUNT

// BOUND: error: dimension `s` has size 5, expected at most 4
// COUNT: error: no value for input `x` of type 'tensor<2xf32>'
quern.entry @bound(%x: tensor<?xf32, #quern.dims<s>>) -> tensor<?xf32, #quern.dims<s>>
    attributes {arg_names = ["x"], bounds = {s = 4 : i64}} {
  quern.return %x : tensor<?xf32, #quern.dims<s>>
}

// GATHER: error: found index 7, expected one of the table's 4 of axis 0
// NEGATIVE: error: found index -1, expected one of the table's 4 of axis 0
quern.entry @gather(%i: tensor<2xi32>) -> tensor<2xf32> attributes {arg_names = ["i"]} {
  %table = quern.iota : tensor<4xf32>
  %0 = quern.gather %table[%i] : tensor<4xf32>, tensor<2xi32>
  quern.return %0 : tensor<2xf32>
}

// COLUMNS: error: found index 2, expected one of the table's 2 of axis 1
quern.entry @columns(%i: tensor<2x1xi32>) -> tensor<2x1xf32> attributes {arg_names = ["i"]} {
  %table = quern.constant dense<1.0> : tensor<2x2xf32>
  %0 = quern.gather %table[%i] axis 1 batch 1 : tensor<2x2xf32>, tensor<2x1xi32>
  quern.return %0 : tensor<2x1xf32>
}

// POSITION: error: found position 3, expected one of the table's 2
quern.entry @position(%at: tensor<1x!quern.position>) -> tensor<1x1x2xf32> attributes {arg_names = ["at"]} {
  %x = quern.constant dense<1.0> : tensor<1x1x2xf32>
  %table = quern.constant dense<1.0> : tensor<2x1x2xf32>
  %0 = quern.rope %x at %at, %table : tensor<1x1x2xf32>, tensor<1x!quern.position>, tensor<2x1x2xf32>
  quern.return %0 : tensor<1x1x2xf32>
}

// ROW: error: found row 2, expected one of the cache's 2
quern.state cache @cache : tensor<2x1x2xf32>
quern.entry @row(%at: tensor<1x!quern.position>) -> tensor<2x1x2xf32> attributes {arg_names = ["at"]} {
  %x = quern.constant dense<1.0> : tensor<1x1x2xf32>
  %0 = quern.state_ref @cache : tensor<2x1x2xf32>
  %1 = quern.cache_append %0, %x at %at : tensor<2x1x2xf32>, tensor<1x1x2xf32>, tensor<1x!quern.position>
  quern.return %1 : tensor<2x1x2xf32>
}

// FIRST: error: found first row 2, expected 0 to the token's own, 1
quern.entry @first(%at: tensor<1x!quern.position>) -> tensor<1x1x2xf32> attributes {arg_names = ["at"]} {
  %x = quern.constant dense<1.0> : tensor<1x1x2xf32>
  %0 = quern.constant dense<1.0> : tensor<2x1x2xf32>
  %1 = quern.attend %x, %0, %0 at %at scale 1.0
      : tensor<1x1x2xf32>, tensor<2x1x2xf32>, tensor<2x1x2xf32>, tensor<1x!quern.position>
  quern.return %1 : tensor<1x1x2xf32>
}

// CYCLE: error: `a` needs its own value
quern.parameter @a : tensor<2xf32> {
  %0 = quern.param @b : tensor<2xf32>
  quern.yield %0 : tensor<2xf32>
}
quern.parameter @b : tensor<2xf32> {
  %0 = quern.param @a : tensor<2xf32>
  quern.yield %0 : tensor<2xf32>
}
quern.entry @cycle() -> tensor<2xf32> {
  %0 = quern.param @a : tensor<2xf32>
  quern.return %0 : tensor<2xf32>
}

// UNNAMED: error: a dimension of 'tensor<?xf32, #quern.dims<t>>' has no size: no argument has it
quern.entry @unnamed() -> tensor<?xf32, #quern.dims<t>> {
  %0 = quern.iota : tensor<?xf32, #quern.dims<t>>
  quern.return %0 : tensor<?xf32, #quern.dims<t>>
}

// OUTSIDE: error: buffer of 'tensor<4xf32>' at offset 64 leaves the arena of 72 bytes
quern.kernel @copy(%x: tensor<4xf32>) -> tensor<4xf32> attributes {form = #quern.form<map>} {
  quern.yield %x : tensor<4xf32>
}
quern.program @outside(%x: !quern.buffer<tensor<4xf32>>, %y: !quern.buffer<tensor<4xf32>>)
    attributes {arg_names = ["x"], arena_bytes = 72 : i64} {
  %0 = quern.arena 64, 16 : !quern.buffer<tensor<4xf32>>
  quern.launch @copy(%x) into (%0) : !quern.buffer<tensor<4xf32>> to !quern.buffer<tensor<4xf32>>
  quern.end
}

// MISSING: error: the module has no entry or program `missing`
