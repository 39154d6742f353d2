#pragma once

#include "nn/description.h"

namespace anybit {

/// Calls visit(offset of the window's first input pixel, offset of its output pixel) for every output pixel of `rows`
/// examples, in order of memory. Windows start every `stride` pixels; offsets count floats, NHWC.
template <class Visit>
void each_window(const Shape& in, const Shape& out, int stride, int rows, Visit visit) {
  for (int row = 0; row < rows; ++row)
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x)
        visit(static_cast<std::size_t>(row) * in.size() +
                  static_cast<std::size_t>((y * in.width + x) * stride) * static_cast<std::size_t>(in.channels),
              static_cast<std::size_t>(row) * out.size() +
                  static_cast<std::size_t>(y * out.width + x) * static_cast<std::size_t>(out.channels));
}

}  // namespace anybit
