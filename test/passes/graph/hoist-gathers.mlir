// RUN: quern-opt %s --quern-hoist-gathers --cse | FileCheck %s
// RUN: quern-opt %s --quern-hoist-gathers --remark-format=emitRemark --remarks-filter-missed=rewrite 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=APART

quern.parameter @w : tensor<8x4xf32>
quern.parameter @down : tensor<4x8xf32>
quern.parameter @norm : tensor<4xf32>
quern.parameter @table : tensor<32x4xf32>

// Up to what is no row by row function of anything: a residual block whose result only the gather reads.
// CHECK-LABEL: quern.entry @block(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32, #quern.dims<s>>, %[[WANT:.*]]: tensor<?xi32, #quern.dims<r>>)
// CHECK: %[[ROWS:.*]] = quern.gather %[[X]][%[[WANT]]] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
// CHECK-NOT: #quern.dims<s>
// CHECK: quern.rms_norm %{{.*}} : tensor<?x4xf32, #quern.dims<r>>, tensor<4xf32>
// CHECK: quern.matmul %{{.*}} : tensor<?x4xf32, #quern.dims<r>>, tensor<8x4xf32>
// CHECK: quern.reshape %{{.*}} : tensor<?x8xf32, #quern.dims<r>> to tensor<?x2x4xf32, #quern.dims<r>>
// CHECK: quern.softmax %{{.*}} : tensor<?x2x4xf32, #quern.dims<r>>
// CHECK: quern.reshape %{{.*}} : tensor<?x2x4xf32, #quern.dims<r>> to tensor<?x8xf32, #quern.dims<r>>
// CHECK: quern.matmul %{{.*}} : tensor<?x8xf32, #quern.dims<r>>, tensor<4x8xf32>
// CHECK: %[[Y:.*]] = quern.add %{{.*}} : tensor<?x4xf32, #quern.dims<r>>, tensor<?x4xf32, #quern.dims<r>>
// CHECK-NEXT: quern.return %[[Y]]
quern.entry @block(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x4xf32, #quern.dims<r>> {
  %norm = quern.param @norm : tensor<4xf32>
  %w = quern.param @w : tensor<8x4xf32>
  %down = quern.param @down : tensor<4x8xf32>
  %0 = quern.rms_norm %x, %norm eps 1.0e-05 : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %1 = quern.matmul %0, %w : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  %2 = quern.reshape %1 : tensor<?x8xf32, #quern.dims<s>> to tensor<?x2x4xf32, #quern.dims<s>>
  %3 = quern.softmax %2 : tensor<?x2x4xf32, #quern.dims<s>>
  %4 = quern.reshape %3 : tensor<?x2x4xf32, #quern.dims<s>> to tensor<?x8xf32, #quern.dims<s>>
  %5 = quern.matmul %4, %down : tensor<?x8xf32, #quern.dims<s>>, tensor<4x8xf32>
  %6 = quern.add %x, %5 : tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>
  %7 = quern.gather %6[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %7 : tensor<?x4xf32, #quern.dims<r>>
}

// One row of many: a bias that every row shares stays as it is.
// CHECK-LABEL: quern.entry @one(
// CHECK: %[[ROW:.*]] = quern.gather %{{.*}} : tensor<?x4xf32, #quern.dims<s>>, tensor<1xi32>
// CHECK-NEXT: quern.add %[[ROW]], %{{.*}} : tensor<1x4xf32>, tensor<4xf32>
quern.entry @one(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<1xi32>) -> tensor<1x4xf32> {
  %bias = quern.param @norm : tensor<4xf32>
  %0 = quern.add %x, %bias : tensor<?x4xf32, #quern.dims<s>>, tensor<4xf32>
  %1 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<1xi32>
  quern.return %1 : tensor<1x4xf32>
}

// Both gathers want the same rows.
// CHECK-LABEL: quern.entry @twice(
// CHECK: %[[ROWS:.*]] = quern.gather
// CHECK-NEXT: %[[N:.*]] = quern.neg %[[ROWS]] : tensor<?x4xf32, #quern.dims<r>>
// CHECK-NEXT: quern.return %[[N]], %[[N]]
quern.entry @twice(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>)
    -> (tensor<?x4xf32, #quern.dims<r>>, tensor<?x4xf32, #quern.dims<r>>) {
  %0 = quern.neg %x : tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  %2 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1, %2 : tensor<?x4xf32, #quern.dims<r>>, tensor<?x4xf32, #quern.dims<r>>
}

// All rows are read, too.
// APART-DAG: gather | {{.*}}Function=all | {{.*}}Reason="something else reads other rows"
// CHECK-LABEL: quern.entry @all(
// CHECK: quern.neg %{{.*}} : tensor<?x4xf32, #quern.dims<s>>
// CHECK-NEXT: quern.gather
quern.entry @all(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>)
    -> (tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<r>>) {
  %0 = quern.neg %x : tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %0, %1 : tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<r>>
}

// Other rows are wanted, too.
// APART-DAG: gather | {{.*}}Function=others | {{.*}}Reason="something else reads other rows"
// CHECK-LABEL: quern.entry @others(
// CHECK: quern.neg %{{.*}} : tensor<?x4xf32, #quern.dims<s>>
// CHECK-NEXT: quern.gather
quern.entry @others(%x: tensor<?x4xf32, #quern.dims<s>>, %a: tensor<?xi32, #quern.dims<r>>, %b: tensor<1xi32>)
    -> (tensor<?x4xf32, #quern.dims<r>>, tensor<1x4xf32>) {
  %0 = quern.neg %x : tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.gather %0[%a] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  %2 = quern.gather %0[%b] : tensor<?x4xf32, #quern.dims<s>>, tensor<1xi32>
  quern.return %1, %2 : tensor<?x4xf32, #quern.dims<r>>, tensor<1x4xf32>
}

// A table that parameters alone decide is computed once.
// APART-DAG: gather | {{.*}}Function=constant | {{.*}}Reason="the rows are not those of a step"
// CHECK-LABEL: quern.entry @constant(
// CHECK: quern.neg %{{.*}} : tensor<32x4xf32>
// CHECK-NEXT: quern.gather
quern.entry @constant(%want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x4xf32, #quern.dims<r>> {
  %table = quern.param @table : tensor<32x4xf32>
  %0 = quern.neg %table : tensor<32x4xf32>
  %1 = quern.gather %0[%want] : tensor<32x4xf32>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x4xf32, #quern.dims<r>>
}

// The rows are the elements that the op sums over.
// APART-DAG: gather | {{.*}}Function=across | {{.*}}Reason="no operand has the rows"
// CHECK-LABEL: quern.entry @across(
// CHECK: quern.softmax %{{.*}} : tensor<?xf32, #quern.dims<s>>
// CHECK-NEXT: quern.gather
quern.entry @across(%x: tensor<?xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?xf32, #quern.dims<r>> {
  %0 = quern.softmax %x : tensor<?xf32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?xf32, #quern.dims<r>>
}

// Rows that are no numbers are not gathered, but computed again of what is.
// CHECK-LABEL: quern.entry @masked(
// CHECK: quern.compare <lt>, %{{.*}} : tensor<?x4xf32, #quern.dims<r>>, tensor<?x4xf32, #quern.dims<r>>
// CHECK-NEXT: quern.select %{{.*}} : tensor<?x4xi1, #quern.dims<r>>
// CHECK-NEXT: quern.return
quern.entry @masked(%x: tensor<?x4xf32, #quern.dims<s>>, %y: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>)
    -> tensor<?x4xf32, #quern.dims<r>> {
  %0 = quern.compare <lt>, %x, %y : tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.select %0, %x, %y : tensor<?x4xi1, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>
  %2 = quern.gather %1[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %2 : tensor<?x4xf32, #quern.dims<r>>
}
// CHECK-LABEL: quern.entry @integers(
// CHECK: %[[ROWS:.*]] = quern.gather %{{.*}} : tensor<?x4xi32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
// CHECK-NEXT: quern.reshape %[[ROWS]] : tensor<?x4xi32, #quern.dims<r>> to tensor<?x2x2xi32, #quern.dims<r>>
quern.entry @integers(%x: tensor<?x4xi32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x2x2xi32, #quern.dims<r>> {
  %0 = quern.reshape %x : tensor<?x4xi32, #quern.dims<s>> to tensor<?x2x2xi32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x2x2xi32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x2x2xi32, #quern.dims<r>>
}

// An op of two results, and what each row looks up in itself.
// CHECK-LABEL: quern.entry @lookup(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32, #quern.dims<s>>, %[[WANT:.*]]: tensor<?xi32, #quern.dims<r>>)
// CHECK: %[[ROWS:.*]] = quern.gather %[[X]][%[[WANT]]]
// CHECK-NEXT: %{{.*}}, %[[CHOSEN:.*]] = quern.top_k %[[ROWS]] k 2 : tensor<?x8xf32, #quern.dims<r>>
// CHECK-NEXT: %[[Y:.*]] = quern.gather %[[ROWS]][%[[CHOSEN]]] axis 1 batch 1
// CHECK-NEXT: quern.return %[[Y]]
quern.entry @lookup(%x: tensor<?x8xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x2xf32, #quern.dims<r>> {
  %values, %chosen = quern.top_k %x k 2 : tensor<?x8xf32, #quern.dims<s>>
  %0 = quern.gather %x[%chosen] axis 1 batch 1 : tensor<?x8xf32, #quern.dims<s>>, tensor<?x2xi32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x2xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x2xf32, #quern.dims<r>>
}

// Indices that are computed row by row are no table.
// APART-DAG: gather | {{.*}}Function=indices | {{.*}}Reason="something else reads other rows"
// CHECK-LABEL: quern.entry @indices(
// CHECK: quern.reshape
// CHECK-NEXT: quern.gather
quern.entry @indices(%x: tensor<?x1xi32, #quern.dims<s>>) -> tensor<?xi32, #quern.dims<s>> {
  %0 = quern.reshape %x : tensor<?x1xi32, #quern.dims<s>> to tensor<?xi32, #quern.dims<s>>
  %1 = quern.gather %0[%0] : tensor<?xi32, #quern.dims<s>>, tensor<?xi32, #quern.dims<s>>
  quern.return %1 : tensor<?xi32, #quern.dims<s>>
}

// Columns, and rows that lie in two axes, are not what a row by row function has on axis 0.
// APART-DAG: gather | {{.*}}Function=columns | {{.*}}Reason="what is chosen are no rows, one by one"
// APART-DAG: gather | {{.*}}Function=tables | {{.*}}Reason="what is chosen are no rows, one by one"
// CHECK-LABEL: quern.entry @columns(
// CHECK: quern.neg
// CHECK-NEXT: quern.gather
quern.entry @columns(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?x1xi32, #quern.dims<s>>) -> tensor<?x1xf32, #quern.dims<s>> {
  %0 = quern.neg %x : tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.gather %0[%want] axis 1 batch 1 : tensor<?x4xf32, #quern.dims<s>>, tensor<?x1xi32, #quern.dims<s>>
  quern.return %1 : tensor<?x1xf32, #quern.dims<s>>
}
// CHECK-LABEL: quern.entry @tables(
// CHECK: quern.neg
// CHECK-NEXT: quern.gather
quern.entry @tables(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?x2xi32, #quern.dims<r>>) -> tensor<?x2x4xf32, #quern.dims<r>> {
  %0 = quern.neg %x : tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?x2xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x2x4xf32, #quern.dims<r>>
}

// What is read as f32 would be another type.
// APART-DAG: gather | {{.*}}Function=narrow | {{.*}}Reason="an operand's rows are neither f32 nor integers"
// CHECK-LABEL: quern.entry @narrow(
// CHECK: quern.reshape
// CHECK-NEXT: quern.gather
quern.entry @narrow(%x: tensor<?x4xf16, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x2x2xf32, #quern.dims<r>> {
  %0 = quern.reshape %x : tensor<?x4xf16, #quern.dims<s>> to tensor<?x2x2xf16, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x2x2xf16, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x2x2xf32, #quern.dims<r>>
}

// Rows of a mask that is given are gathered.
// CHECK-LABEL: quern.entry @given(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32, #quern.dims<s>>, %[[MASK:.*]]: tensor<?x4xi1, #quern.dims<s>>, %[[WANT:.*]]: tensor<?xi32, #quern.dims<r>>)
// CHECK-DAG: %[[M:.*]] = quern.gather %[[MASK]][%[[WANT]]] : tensor<?x4xi1, #quern.dims<s>>
// CHECK-DAG: quern.gather %[[X]][%[[WANT]]]
// CHECK: quern.select %[[M]], %{{.*}} : tensor<?x4xi1, #quern.dims<r>>
quern.entry @given(%x: tensor<?x4xf32, #quern.dims<s>>, %mask: tensor<?x4xi1, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>)
    -> tensor<?x4xf32, #quern.dims<r>> {
  %0 = quern.select %mask, %x, %x : tensor<?x4xi1, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>, tensor<?x4xf32, #quern.dims<s>>
  %1 = quern.gather %0[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x4xf32, #quern.dims<r>>
}

// Experts: what the wanted rows choose is found for them alone, and only what they choose is multiplied.
// CHECK-LABEL: quern.entry @experts(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32, #quern.dims<s>>, %[[WANT:.*]]: tensor<?xi32, #quern.dims<r>>)
// CHECK: %[[ROWS:.*]] = quern.gather %[[X]][%[[WANT]]] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
// CHECK-NOT: #quern.dims<s>
// CHECK: %[[SCORES:.*]] = quern.softmax %{{.*}} : tensor<?x8xf32, #quern.dims<r>>
// CHECK: %[[VALUES:.*]], %[[CHOSEN:.*]] = quern.top_k %[[SCORES]] k 2 : tensor<?x8xf32, #quern.dims<r>>
// CHECK: %[[ORDER:.*]], %[[BEGINS:.*]] = quern.group_rows %[[CHOSEN]] groups 8 : tensor<?x2xi32, #quern.dims<r>>
// CHECK: %[[UP:.*]] = quern.matmul %[[ROWS]], %{{.*}} groups(%[[ORDER]], %[[BEGINS]]) : tensor<?x4xf32, #quern.dims<r>>
// CHECK: %[[INNER:.*]] = quern.silu %[[UP]] : tensor<?x2x8xf32, #quern.dims<r>>
// CHECK: %[[DOWN:.*]] = quern.matmul %[[INNER]], %{{.*}} groups(%[[ORDER]], %[[BEGINS]]) : tensor<?x2x8xf32, #quern.dims<r>>
// CHECK: quern.combine %[[DOWN]], %[[VALUES]] : tensor<?x2x4xf32, #quern.dims<r>>, tensor<?x2xf32, #quern.dims<r>>
quern.parameter @ups : tensor<64x4xf32>
quern.parameter @downs : tensor<32x8xf32>
quern.entry @experts(%x: tensor<?x4xf32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x4xf32, #quern.dims<r>> {
  %router = quern.param @w : tensor<8x4xf32>
  %ups = quern.param @ups : tensor<64x4xf32>
  %downs = quern.param @downs : tensor<32x8xf32>
  %0 = quern.matmul %x, %router : tensor<?x4xf32, #quern.dims<s>>, tensor<8x4xf32>
  %1 = quern.softmax %0 : tensor<?x8xf32, #quern.dims<s>>
  %values, %chosen = quern.top_k %1 k 2 : tensor<?x8xf32, #quern.dims<s>>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<?x2xi32, #quern.dims<s>>
  %2 = quern.matmul %x, %ups groups(%order, %begins)
      : tensor<?x4xf32, #quern.dims<s>>, tensor<64x4xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %3 = quern.silu %2 : tensor<?x2x8xf32, #quern.dims<s>>
  %4 = quern.matmul %3, %downs groups(%order, %begins)
      : tensor<?x2x8xf32, #quern.dims<s>>, tensor<32x8xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %5 = quern.combine %4, %values : tensor<?x2x4xf32, #quern.dims<s>>, tensor<?x2xf32, #quern.dims<s>>
  %6 = quern.gather %5[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %6 : tensor<?x4xf32, #quern.dims<r>>
}

// Choices that are given are gathered, too.
// CHECK-LABEL: quern.entry @chosen(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32, #quern.dims<s>>, %[[CHOSEN:.*]]: tensor<?x2xi32, #quern.dims<s>>, %[[WANT:.*]]: tensor<?xi32, #quern.dims<r>>)
// CHECK-DAG: %[[ROWS:.*]] = quern.gather %[[X]][%[[WANT]]]
// CHECK-DAG: %[[CHOICES:.*]] = quern.gather %[[CHOSEN]][%[[WANT]]] : tensor<?x2xi32, #quern.dims<s>>
// CHECK: %[[ORDER:.*]], %[[BEGINS:.*]] = quern.group_rows %[[CHOICES]] groups 8
// CHECK: quern.matmul %[[ROWS]], %{{.*}} groups(%[[ORDER]], %[[BEGINS]])
quern.entry @chosen(%x: tensor<?x4xf32, #quern.dims<s>>, %chosen: tensor<?x2xi32, #quern.dims<s>>, %want: tensor<?xi32, #quern.dims<r>>)
    -> tensor<?x2x8xf32, #quern.dims<r>> {
  %ups = quern.param @ups : tensor<64x4xf32>
  %order, %begins = quern.group_rows %chosen groups 8 : tensor<?x2xi32, #quern.dims<s>>
  %0 = quern.matmul %x, %ups groups(%order, %begins)
      : tensor<?x4xf32, #quern.dims<s>>, tensor<64x4xf32>, tensor<?x2xi32, #quern.dims<s>>, tensor<9xi32>
  %1 = quern.gather %0[%want] : tensor<?x2x8xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %1 : tensor<?x2x8xf32, #quern.dims<r>>
}

// Attention ends it: which rows of the cache a row sees is not gathered.
// APART-DAG: gather | {{.*}}Function=attention | {{.*}}Reason="the table is not computed row by row"
// CHECK-LABEL: quern.entry @attention(
// CHECK: quern.attend
// CHECK-NEXT: quern.gather %{{.*}} : tensor<?x1x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
// CHECK-NEXT: quern.reshape %{{.*}} : tensor<?x1x4xf32, #quern.dims<r>> to tensor<?x4xf32, #quern.dims<r>>
quern.entry @attention(%x: tensor<?x1x4xf32, #quern.dims<s>>, %at: tensor<?x!quern.position, #quern.dims<s>>,
                       %keys: tensor<32x1x4xf32>, %want: tensor<?xi32, #quern.dims<r>>) -> tensor<?x4xf32, #quern.dims<r>> {
  %0 = quern.attend %x, %keys, %keys at %at scale 1.0
      : tensor<?x1x4xf32, #quern.dims<s>>, tensor<32x1x4xf32>, tensor<32x1x4xf32>, tensor<?x!quern.position, #quern.dims<s>>
  %1 = quern.reshape %0 : tensor<?x1x4xf32, #quern.dims<s>> to tensor<?x4xf32, #quern.dims<s>>
  %2 = quern.gather %1[%want] : tensor<?x4xf32, #quern.dims<s>>, tensor<?xi32, #quern.dims<r>>
  quern.return %2 : tensor<?x4xf32, #quern.dims<r>>
}
