// RUN: quern-eval %s --entry arith --in x=1,2,3,4 --in y=10,-20 --size s=2 | FileCheck %s --check-prefix=ARITH
// RUN: quern-eval %s --entry functions --in x=-1.5,0,0.5,2 | FileCheck %s --check-prefix=FUNCTIONS
// RUN: quern-eval %s --entry choose --in x=1,5,3 --in y=4,2,3 | FileCheck %s --check-prefix=CHOOSE
// RUN: quern-eval %s --entry casts --in x=2.5,-2.5,65536,1 | FileCheck %s --check-prefix=CASTS
// RUN: quern-eval %s --entry map --in x=1,2,3,4,5,6 --in y=1,0,-1 --size s=2 | FileCheck %s --check-prefix=MAP

// ARITH: sum: tensor<2x2xf32>
// ARITH-NEXT: 11 -18
// ARITH-NEXT: 13 -16
// ARITH: product: tensor<2x2xf32>
// ARITH-NEXT: 10 -40
// ARITH-NEXT: 30 -80
// ARITH: quotient
// ARITH-NEXT: 0.1 -0.1
// ARITH-NEXT: 0.3 -0.2
quern.entry @arith(%x: tensor<?x2xf32, #quern.dims<s>>, %y: tensor<2xf32>)
    -> (tensor<?x2xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>)
    attributes {arg_names = ["x", "y"], result_names = ["sum", "product", "quotient"]} {
  %0 = quern.add %x, %y : tensor<?x2xf32, #quern.dims<s>>, tensor<2xf32>
  %1 = quern.mul %x, %y : tensor<?x2xf32, #quern.dims<s>>, tensor<2xf32>
  %2 = quern.div %x, %y : tensor<?x2xf32, #quern.dims<s>>, tensor<2xf32>
  quern.return %0, %1, %2 : tensor<?x2xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>,
    tensor<?x2xf32, #quern.dims<s>>
}

// FUNCTIONS: 0: tensor<4xf32>
// FUNCTIONS-NEXT: 0.18243 0.5 0.62246 0.8808
// FUNCTIONS-NEXT: 1: tensor<4xf32>
// FUNCTIONS-NEXT: -0.27364 0 0.31123 1.7616
// FUNCTIONS-NEXT: 2: tensor<4xf32>
// FUNCTIONS-NEXT: -0.10021 0 0.34573 1.9545
// FUNCTIONS-NEXT: 3: tensor<4xf32>
// FUNCTIONS-NEXT: 0 0 0.5 2
// FUNCTIONS-NEXT: 4: tensor<4xf32>
// FUNCTIONS-NEXT: -2 0 0 2
quern.entry @functions(%x: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) attributes {arg_names = ["x"]} {
  %0 = quern.sigmoid %x : tensor<4xf32>
  %1 = quern.silu %x : tensor<4xf32>
  %2 = quern.gelu %x : tensor<4xf32>
  %3 = quern.relu %x : tensor<4xf32>
  %4 = quern.floor %x : tensor<4xf32>
  quern.return %0, %1, %2, %3, %4 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHOOSE: 1 2 3
quern.entry @choose(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> attributes {arg_names = ["x", "y"]} {
  %0 = quern.compare <lt>, %x, %y : tensor<3xf32>, tensor<3xf32>
  %1 = quern.select %0, %x, %y : tensor<3xi1>, tensor<3xf32>, tensor<3xf32>
  quern.return %1 : tensor<3xf32>
}

// CASTS: 0: tensor<4xi32>
// CASTS-NEXT: 2 -2 65536 1
// CASTS-NEXT: 1: tensor<4xf16>
// CASTS-NEXT: 2.5 -2.5 inf 1
quern.entry @casts(%x: tensor<4xf32>) -> (tensor<4xi32>, tensor<4xf16>) attributes {arg_names = ["x"]} {
  %0 = quern.cast %x : tensor<4xf32> to tensor<4xi32>
  %1 = quern.cast %x : tensor<4xf32> to tensor<4xf16>
  quern.return %0, %1 : tensor<4xi32>, tensor<4xf16>
}

// MAP: 0: tensor<2x3xf32>
// MAP-NEXT: 3 4 5
// MAP-NEXT: 9 10 11
quern.entry @map(%x: tensor<?x3xf32, #quern.dims<s>>, %y: tensor<3xf32>) -> tensor<?x3xf32, #quern.dims<s>>
    attributes {arg_names = ["x", "y"]} {
  %0 = quern.map (%x, %y) : tensor<?x3xf32, #quern.dims<s>>, tensor<3xf32> -> tensor<?x3xf32, #quern.dims<s>> {
  ^bb0(%a: f32, %b: f32):
    %two = arith.constant 2.0 : f32
    %1 = arith.mulf %a, %two : f32
    %2 = arith.addf %1, %b : f32
    quern.yield %2 : f32
  }
  quern.return %0 : tensor<?x3xf32, #quern.dims<s>>
}
