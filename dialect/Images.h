//===- Images.h - sizes and windows of images -------------------------------------------------===//

#ifndef QUERN_DIALECT_IMAGES_H
#define QUERN_DIALECT_IMAGES_H

#include "dialect/Ops.h"
#include "dialect/Shapes.h"

namespace quern {

/// Which axes of an image are what.
struct ImageAxes {
  explicit ImageAxes(ImageLayout layout)
      : channel(layout == ImageLayout::NCHW ? 1 : 3), height(layout == ImageLayout::NCHW ? 2 : 1), width(height + 1) {}

  int64_t channel, height, width;
};

/// One axis, height or width, of a window that slides over an image.
struct WindowAxis {
  int64_t size, stride, before, after, dilation;
  bool ceil;

  /// How many places of the padded axis the window spans.
  int64_t span() const { return dilation * (size - 1) + 1; }
  /// How many windows fit `extent` places of the image; 0 where none does.
  int64_t count(int64_t extent) const;
};

/// The window of `op` along the height (0) or the width (1).
WindowAxis getWindowAxis(ImageOpInterface op, unsigned axis);

} // namespace quern

#endif // QUERN_DIALECT_IMAGES_H
