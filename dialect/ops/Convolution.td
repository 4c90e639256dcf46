//===- Convolution.td - convolution and pooling of images -------------------------------------===//

#ifndef QUERN_OPS_CONVOLUTION_TD
#define QUERN_OPS_CONVOLUTION_TD

include "dialect/ops/Base.td"

/// The answers of a product with a weight.
defvar Quern_ImageProduct = [{
    ::mlir::Value $cppClass::getMainTensor() { return getWeight(); }
    ::quern::ResultView $cppClass::getResultView() { return ::quern::ResultView::Panels; }
}];

class Quern_ImageOp<string opMnemonic, string form, string more>
    : Quern_InferredOp<opMnemonic, !listconcat(Quern_Anchor, [Quern_ImageOpInterface, Quern_Evaluated])> {
  let results = (outs Quern_F32Tensor:$result);
  let extraClassDefinition = [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::}] # form # [{; }
    ::mlir::OpOperand &$cppClass::getRowsOperand() { return getInputMutable(); }
    bool $cppClass::takesEpilogue() { return true; }
    bool $cppClass::mayPrecede() { return false; }
    bool $cppClass::sharesKernelWith(::quern::KernelAnchorOpInterface) { return false; }
    ::std::optional<::quern::WorkTerm> $cppClass::getElementsRead(::mlir::OpOperand &) { return ::std::nullopt; }
  }] # more;
}

/// Height and width of a window, how far it moves, and the rows and columns around the image: top, bottom, left, right.
defvar Quern_Window = (ins DenseI64ArrayAttr:$window,
                           DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                           DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads);
defvar Quern_ImageLayoutArgument =
    (ins DefaultValuedAttr<Quern_ImageLayoutAttr, "::quern::ImageLayout::NCHW">:$layout);

def Quern_Conv2dOp : Quern_ImageOp<"conv2d", "Conv", Quern_ImageProduct> {
  let summary = "2-D convolution, as networks mean it: the window is not mirrored";
  let description = [{
    result[n, o, y, x] = Σ input[n, g·C/G + c, y·sy - top + ky·dy, x·sx - left + kx·dx] · weight[o, c, ky, kx], zeros
    around the image, g = ⌊o / (O/G)⌋ the group of o. Products are added in f32, in ascending order of (ky, kx, c).

    In the layout `nchw` images are [n, c, h, w] and the weight [O, C/G, kh, kw], as in checkpoints. In `nhwc`, that of
    kernels, images are [n, h, w, c] and the weight has a row per output, [O, kh·kw·C/G], in the order of the sum.
    With images of bf16 the products of a pair of channels are added as in `quern.matmul`, the second before the first.
    The result has ⌊(h + top + bottom - dy·(kh - 1) - 1) / sy⌋ + 1 rows, columns likewise.

    Constraints:
    - conv2d_c1: window, strides and dilations hold 2 positive numbers, pads 4 that are not negative.
    - conv2d_c2: the input is an image of rank 4 whose channels, height and width are static.
    - conv2d_c3: the groups divide channels and outputs.
    - conv2d_c4: the weight has the shape of its layout.
    - conv2d_c5: the window fits into the padded image.
    - conv2d_c6: an image of bf16 needs a weight of bf16, one group, and pairs of channels.

    Example:
    ```mlir
    %0 = quern.conv2d %x, %w window [3, 3] strides [2, 2] pads [1, 1, 1, 1]
        : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x8x3x3xf32>
    ```
  }];
  let arguments = !con((ins Quern_ConvolvedTensor:$input, Quern_FloatTensor:$weight), Quern_Window,
                       (ins DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                            DefaultValuedAttr<I64Attr, "1">:$groups),
                       Quern_ImageLayoutArgument);
  let assemblyFormat = [{
    $input `,` $weight `window` $window (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)?
    (`groups` $groups^)? (`layout` $layout^)? attr-dict `:` type($input) `,` type($weight)
  }];
}

/// The window of a convolution that moves by one place, and how many results of it are computed at once, by fewer
/// products.
defvar Quern_WinogradWindow = (ins DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$tile);

def Quern_WinogradFilterOp : Quern_InferredOp<"winograd_filter", [Quern_Evaluated]> {
  let summary = "the filters of a convolution as `winograd` takes them";
  let description = [{
    result[o, (py·Px + px)·C + c] = Σ_ky Σ_kx Gy[py, ky] · Gx[px, kx] · weight[o, (ky·kw + kx)·C + c], py < Py, px < Px,
    with the matrices G of F(tile, window) for each axis (dialect/Winograd.h) and P = tile + window - 1 points. Computed
    in f64, rounded once.

    Constraints:
    - winograd_filter_c1: window and tile hold 2 positive numbers, with at most 10 points for each axis.
    - winograd_filter_c2: the weight has rank 2, static, with a row per output of as many values per place of the
      window.

    Example: `%0 = quern.winograd_filter %w window [3, 3] tile [4, 4] : tensor<96x576xf32>`
  }];
  let arguments = !con((ins Quern_F32Tensor:$weight), Quern_WinogradWindow);
  let results = (outs Quern_F32Tensor:$result);
  let assemblyFormat = "$weight `window` $window `tile` $tile attr-dict `:` type($weight)";
}

def Quern_WinogradOp : Quern_ImageOp<"winograd", "Winograd", Quern_ImageProduct # [{
    ::llvm::StringRef $cppClass::getArithmetic() { return "f32"; }
    bool $cppClass::takesPrologue(::mlir::Operation *) { return false; }
}]> {
  let summary = "2-D convolution by Winograd's minimal filtering";
  let description = [{
    What `conv2d` computes for images [n, h, w, c], with other roundings: a tile of my × mx results comes from Py × Px
    places d of the padded image, all its channels apart:

    v[py, px, c] = Σ_iy Σ_ix By[py, iy] · Bx[px, ix] · d[iy, ix, c],
    s[py, px] = Σ_c v[py, px, c] · weight[o, (py·Px + px)·C + c],
    result[ty·my + y, tx·mx + x] = Σ_py Σ_px Ay[y, py] · Ax[x, px] · s[py, px]

    with the matrices Aᵀ and Bᵀ of F(tile, window) for each axis (dialect/Winograd.h). All sums are f32 in ascending
    order, those of the transforms along the height first, terms with the factor 0 left out. The weight comes from
    `winograd_filter`. An axis of the window of size 1 has a tile of 1.

    Constraints:
    - winograd_c1: window and tile hold 2 positive numbers, with at most 10 points for each axis; pads hold 4 that are
      not negative.
    - winograd_c2: the input is an image of rank 4 whose channels, height and width are static.
    - winograd_c3: the weight has a row per output with as many values per point as the image has channels.
    - winograd_c4: the window fits into the padded image.

    Example:
    ```mlir
    %0 = quern.winograd %x, %u window [3, 3] tile [4, 4] pads [1, 1, 1, 1] : tensor<1x35x35x64xf32>, tensor<96x2304xf32>
    ```
  }];
  let arguments = !con((ins Quern_F32Tensor:$input, Quern_F32Tensor:$weight), Quern_WinogradWindow,
                       (ins DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads));
  let assemblyFormat = [{
    $input `,` $weight `window` $window `tile` $tile (`pads` $pads^)? attr-dict `:` type($input) `,` type($weight)
  }];
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<int64_t> getStrides() {
      static constexpr int64_t ones[] = {1, 1};
      return ones;
    }
    ::quern::ImageLayout getLayout() { return ::quern::ImageLayout::NHWC; }
  }];
}

class Quern_PoolOp<string opMnemonic> : Quern_ImageOp<opMnemonic, "Pool", [{
    ::mlir::Value $cppClass::getMainTensor() { return getResult(); }
    ::quern::ResultView $cppClass::getResultView() { return ::quern::ResultView::Dense; }
    ::llvm::StringRef $cppClass::getArithmetic() { return "f32"; }
    bool $cppClass::takesPrologue(::mlir::Operation *) { return false; }
    ::llvm::SmallVector<::quern::WorkTerm> $cppClass::getOperations() { return {}; }
}]> {
  let hasVerifier = 1;
  let assemblyFormat = [{
    $input `window` $window (`strides` $strides^)? (`pads` $pads^)? (`ceil` $ceil^)? (`layout` $layout^)?
    attr-dict `:` type($input)
  }];
}

def Quern_MaxPoolOp : Quern_PoolOp<"max_pool"> {
  let summary = "the largest value of each channel in each window";
  let description = [{
    What lies around the image does not count. The result has ⌊(h + top + bottom - kh) / sy⌋ + 1 rows; with `ceil`
    ⌈…⌉ + 1, but no window begins at or behind the bottom padding. Columns likewise.

    Constraints:
    - max_pool_c1: window and strides hold 2 positive numbers, pads 4 that are not negative and smaller than the window.
    - max_pool_c2: the input is an image of rank 4 whose channels, height and width are static.
    - max_pool_c3: the window fits into the padded image.

    Example: `%0 = quern.max_pool %x window [3, 3] strides [2, 2] : tensor<1x8x9x9xf32>`
  }];
  let arguments = !con((ins Quern_F32Tensor:$input), Quern_Window, (ins UnitAttr:$ceil), Quern_ImageLayoutArgument);
}

def Quern_AvgPoolOp : Quern_PoolOp<"avg_pool"> {
  let summary = "the mean of each channel in each window";
  let description = [{
    The sum of the image's values in ascending order, divided by how many there are; with `include_pad` by the number of
    places in the padded image (not beyond it, where `ceil` lets a window hang over). Sizes as for `max_pool`.

    Constraints:
    - avg_pool_c1: window and strides hold 2 positive numbers, pads 4 that are not negative and smaller than the window.
    - avg_pool_c2: the input is an image of rank 4 whose channels, height and width are static.
    - avg_pool_c3: the window fits into the padded image.

    Example: `%0 = quern.avg_pool %x window [3, 3] pads [1, 1, 1, 1] include_pad : tensor<1x8x9x9xf32>`
  }];
  let arguments = !con((ins Quern_F32Tensor:$input), Quern_Window, (ins UnitAttr:$ceil, UnitAttr:$include_pad),
                       Quern_ImageLayoutArgument);
  let assemblyFormat = [{
    $input `window` $window (`strides` $strides^)? (`pads` $pads^)? (`ceil` $ceil^)? (`include_pad` $include_pad^)?
    (`layout` $layout^)? attr-dict `:` type($input)
  }];
}

#endif // QUERN_OPS_CONVOLUTION_TD
