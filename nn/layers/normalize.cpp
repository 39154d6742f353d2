#include "nn/layers/normalize.h"

#include <type_traits>

namespace anybit {
namespace {

/// Calls run(std::bool_constant): the loops below have the ReLU compiled in or not.
template <class Run>
void with_relu(bool relu, Run run) {
  if (relu) {
    run(std::true_type{});
  } else {
    run(std::false_type{});
  }
}

/// The gradient that passes the ReLU behind y = factor x + offset.
template <bool kRelu, class T>
T passed(const T& x, const T& dy, const float* factor, const float* offset) {
  if constexpr (kRelu) {
    return x * Plane::load<T>(factor) + Plane::load<T>(offset) > T{} ? dy : T{};
  } else {
    return dy;
  }
}

}  // namespace

void plane_sums(const Plane& plane, const float* x, FloatBuffer& sums) {
  plane.sum<1>([x]<class T>(std::size_t at, std::size_t) { return std::array<T, 1>{Plane::load<T>(x + at)}; },
               {sums.data()});
}

void plane_squares(const Plane& plane, const float* x, const FloatBuffer& mean, FloatBuffer& sums) {
  const float* const m = mean.data();
  plane.sum<1>(
      [x, m]<class T>(std::size_t at, std::size_t lane) {
        const T centred = Plane::load<T>(x + at) - Plane::load<T>(m + lane);
        return std::array<T, 1>{centred * centred};
      },
      {sums.data()});
}

void normalize_plane(const Plane& plane, const float* x, const NormLanes& norm, bool relu, float* y) {
  const float* const f = norm.factor.data();
  const float* const o = norm.offset.data();
  with_relu(relu, [&](auto kRelu) {
    plane.each([=]<class T>(std::size_t at, std::size_t lane) {
      const T value = Plane::load<T>(x + at) * Plane::load<T>(f + lane) + Plane::load<T>(o + lane);
      if constexpr (kRelu) {
        Plane::store<T>(y + at, value > T{} ? value : T{});
      } else {
        Plane::store<T>(y + at, value);
      }
    });
  });
}

void gradient_sums(const Plane& plane, const float* x, const float* dy, const FloatBuffer& mean, const NormLanes& norm,
                   bool relu, FloatBuffer& sums, FloatBuffer& products) {
  const float* const m = mean.data();
  const float* const f = norm.factor.data();
  const float* const o = norm.offset.data();
  with_relu(relu, [&](auto kRelu) {
    plane.sum<2>(
        [=]<class T>(std::size_t at, std::size_t lane) {
          const T value = Plane::load<T>(x + at);
          const T g = passed<kRelu, T>(value, Plane::load<T>(dy + at), f + lane, o + lane);
          return std::array<T, 2>{g, g * (value - Plane::load<T>(m + lane))};
        },
        {sums.data(), products.data()});
  });
}

void norm_input_gradient(const Plane& plane, const float* x, const float* dy, const NormLanes& norm, bool relu,
                         const FloatBuffer& slope, const FloatBuffer& constant, float* dx) {
  const float* const f = norm.factor.data();
  const float* const o = norm.offset.data();
  const float* const s = slope.data();
  const float* const c = constant.data();
  with_relu(relu, [&](auto kRelu) {
    plane.each([=]<class T>(std::size_t at, std::size_t lane) {
      const T value = Plane::load<T>(x + at);
      const T g = passed<kRelu, T>(value, Plane::load<T>(dy + at), f + lane, o + lane);
      Plane::store<T>(dx + at,
                      Plane::load<T>(f + lane) * g + Plane::load<T>(s + lane) * value + Plane::load<T>(c + lane));
    });
  });
}

}  // namespace anybit
