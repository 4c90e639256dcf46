// What routing means. Ties go to the lower index, a NaN before every number; slots of one group keep their order.
//
// RUN: quern-eval %s --entry top --size s=1 | FileCheck %s --check-prefix=TOP
// RUN: quern-eval %s --entry mixture --size s=5 > %t.grouped
// RUN: quern-eval %s --entry apart --size s=5 > %t.apart
// RUN: diff %t.grouped %t.apart
// RUN: not quern-eval %s --entry outside 2>&1 | FileCheck %s --check-prefix=OUTSIDE

quern.parameter @w : tensor<48x32xf32>

// TOP: values
// TOP-NEXT: nan 7 7
// TOP-NEXT: indices
// TOP-NEXT: 3 1 4
quern.entry @top(%x: tensor<?x1xf32, #quern.dims<s>>) -> (tensor<3xf32>, tensor<3xi32>)
    attributes {arg_names = ["x"], result_names = ["values", "indices"]} {
  %c = quern.constant dense<[1.0, 7.0, -2.0, 0x7FC00000, 7.0]> : tensor<5xf32>
  %0, %1 = quern.top_k %c k 3 : tensor<5xf32>
  quern.return %0, %1 : tensor<3xf32>, tensor<3xi32>
}

// Each row through two of three weights …
quern.entry @mixture(%x: tensor<?x32xf32, #quern.dims<s>>, %p: tensor<?x3xf32, #quern.dims<s>>)
    -> tensor<?x16xf32, #quern.dims<s>> attributes {arg_names = ["x", "p"], result_names = ["y"], bounds = {s = 8 : i64}} {
  %w = quern.param @w : tensor<48x32xf32>
  %values, %chosen = quern.top_k %p k 3 : tensor<?x3xf32, #quern.dims<s>>
  %order, %begins = quern.group_rows %chosen groups 3 : tensor<?x3xi32, #quern.dims<s>>
  %0 = quern.matmul %x, %w groups(%order, %begins)
      : tensor<?x32xf32, #quern.dims<s>>, tensor<48x32xf32>, tensor<?x3xi32, #quern.dims<s>>, tensor<4xi32>
  // The sums of all three, whatever their order.
  %big = quern.slice %0 axis 1 offset 0 size 1 : tensor<?x3x16xf32, #quern.dims<s>>
  %1 = quern.max %0, %big : tensor<?x3x16xf32, #quern.dims<s>>, tensor<?x1x16xf32, #quern.dims<s>>
  %2 = quern.slice %1 axis 1 offset 1 size 1 : tensor<?x3x16xf32, #quern.dims<s>>
  %3 = quern.slice %1 axis 1 offset 2 size 1 : tensor<?x3x16xf32, #quern.dims<s>>
  %4 = quern.max %2, %3 : tensor<?x1x16xf32, #quern.dims<s>>, tensor<?x1x16xf32, #quern.dims<s>>
  %5 = quern.reshape %4 : tensor<?x1x16xf32, #quern.dims<s>> to tensor<?x16xf32, #quern.dims<s>>
  quern.return %5 : tensor<?x16xf32, #quern.dims<s>>
}

// … and through all three apart: their largest results are the same.
quern.entry @apart(%x: tensor<?x32xf32, #quern.dims<s>>, %p: tensor<?x3xf32, #quern.dims<s>>)
    -> tensor<?x16xf32, #quern.dims<s>> attributes {arg_names = ["x", "p"], result_names = ["y"], bounds = {s = 8 : i64}} {
  %w = quern.param @w : tensor<48x32xf32>
  %a = quern.slice %w axis 0 offset 0 size 16 : tensor<48x32xf32>
  %b = quern.slice %w axis 0 offset 16 size 16 : tensor<48x32xf32>
  %c = quern.slice %w axis 0 offset 32 size 16 : tensor<48x32xf32>
  %0 = quern.matmul %x, %a : tensor<?x32xf32, #quern.dims<s>>, tensor<16x32xf32>
  %1 = quern.matmul %x, %b : tensor<?x32xf32, #quern.dims<s>>, tensor<16x32xf32>
  %2 = quern.matmul %x, %c : tensor<?x32xf32, #quern.dims<s>>, tensor<16x32xf32>
  %3 = quern.max %0, %1 : tensor<?x16xf32, #quern.dims<s>>, tensor<?x16xf32, #quern.dims<s>>
  %4 = quern.max %3, %2 : tensor<?x16xf32, #quern.dims<s>>, tensor<?x16xf32, #quern.dims<s>>
  quern.return %4 : tensor<?x16xf32, #quern.dims<s>>
}

// OUTSIDE: found the choice 9, expected 0 to 7
quern.entry @outside() -> tensor<1x2xi32> attributes {arg_names = [], result_names = ["y"]} {
  %c = quern.constant dense<[[1, 9]]> : tensor<1x2xi32>
  %order, %begins = quern.group_rows %c groups 8 : tensor<1x2xi32>
  quern.return %order : tensor<1x2xi32>
}
