//===- Convolution.td - convolution and pooling of images -------------------------------------===//

#ifndef QUERN_OPS_CONVOLUTION_TD
#define QUERN_OPS_CONVOLUTION_TD

include "dialect/ops/Base.td"

class Quern_ImageOp<string opMnemonic, string form>
    : Quern_InferredOp<opMnemonic, [DeclareOpInterfaceMethods<Quern_KernelAnchorOpInterface>, Quern_ImageOpInterface,
                                    Quern_Evaluated]> {
  let results = (outs Quern_F32Tensor:$result);
  let extraClassDefinition = [{
    ::quern::KernelForm $cppClass::getKernelForm() { return ::quern::KernelForm::}] # form # [{; }
  }];
}

/// Height and width of a window, how far it moves, and the rows and columns around the image: top, bottom, left, right.
defvar Quern_Window = (ins DenseI64ArrayAttr:$window,
                           DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
                           DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$pads);
defvar Quern_ImageLayoutArgument =
    (ins DefaultValuedAttr<Quern_ImageLayoutAttr, "::quern::ImageLayout::NCHW">:$layout);

def Quern_Conv2dOp : Quern_ImageOp<"conv2d", "Conv"> {
  let summary = "2-D convolution, as networks mean it: the window is not mirrored";
  let description = [{
    result[n, o, y, x] = Σ input[n, g·C/G + c, y·sy - top + ky·dy, x·sx - left + kx·dx] · weight[o, c, ky, kx], zeros around
    the image, g = ⌊o / (O/G)⌋ the group of o. Products are added in f32, in ascending order of (ky, kx, c).

    In the layout `nchw` images are [n, c, h, w] and the weight [O, C/G, kh, kw], as in checkpoints. In `nhwc`, that of
    kernels, images are [n, h, w, c] and the weight has a row per output, [O, kh·kw·C/G], in the order of the sum.
    The result has ⌊(h + top + bottom - dy·(kh - 1) - 1) / sy⌋ + 1 rows, columns likewise.

    Constraints:
    - conv2d_c1: window, strides and dilations hold 2 positive numbers, pads 4 that are not negative.
    - conv2d_c2: the input is an image of rank 4 whose channels, height and width are static.
    - conv2d_c3: the groups divide channels and outputs.
    - conv2d_c4: the weight has the shape of its layout.
    - conv2d_c5: the window fits into the padded image.

    Example:
    ```mlir
    %0 = quern.conv2d %x, %w window [3, 3] strides [2, 2] pads [1, 1, 1, 1]
        : tensor<?x8x9x9xf32, #quern.dims<n>>, tensor<16x8x3x3xf32>
    ```
  }];
  let arguments = !con((ins Quern_F32Tensor:$input, Quern_FloatTensor:$weight), Quern_Window,
                       (ins DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
                            DefaultValuedAttr<I64Attr, "1">:$groups),
                       Quern_ImageLayoutArgument);
  let assemblyFormat = [{
    $input `,` $weight `window` $window (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)?
    (`groups` $groups^)? (`layout` $layout^)? attr-dict `:` type($input) `,` type($weight)
  }];
}

class Quern_PoolOp<string opMnemonic> : Quern_ImageOp<opMnemonic, "Pool"> {
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
