#include "quant/method.h"

namespace anybit {

std::shared_ptr<const Layout> make_layout(const Network& network, const Method& method) {
  std::vector<TensorSpec> tensors = network.tensors();
  if (method.quantizers)
    for (TensorSpec& own : method.quantizers->tensors(network)) tensors.push_back(std::move(own));
  return std::make_shared<const Layout>(std::move(tensors));
}

Parameters make_parameters(const Network& network, const Method& method, std::shared_ptr<const Layout> layout,
                           std::uint64_t seed) {
  Parameters parameters(std::move(layout));
  network.initialize(parameters.values, seed);
  if (method.quantizers) method.quantizers->initialize(network, *parameters.layout, parameters.values);
  return parameters;
}

std::size_t client_floats(const Method& method, const Layout& layout) {
  return method.client_state ? method.client_state->floats(layout) : 0;
}

}  // namespace anybit
