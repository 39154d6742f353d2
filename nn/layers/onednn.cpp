#include "nn/layers/onednn.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <string>

namespace anybit {

using Tag = dnnl::memory::format_tag;
constexpr auto kFloat = dnnl::memory::data_type::f32;

dnnl::primitive_attr OneDnn::attributes(bool relu) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops after;
    after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attributes.set_post_ops(after);
  }
  return attributes;
}

void OneDnn::reserve_scratch(std::size_t bytes) {
  const std::size_t floats = (bytes + sizeof(float) - 1) / sizeof(float);
  if (scratch_.size() < floats) scratch_.resize(floats);
}

Prepared::Prepared(OneDnn& onednn, dnnl::primitive primitive, const dnnl::memory::desc& scratchpad,
                   const std::vector<std::pair<int, dnnl::memory::desc>>& arguments)
    : primitive_(std::move(primitive)) {
  onednn.reserve_scratch(scratchpad.get_size());
  const auto add = [&](int argument, const dnnl::memory::desc& description) {
    memories_.emplace_back(description, onednn.engine(), nullptr);
    arguments_.push_back({argument, memories_.back().get()});
  };
  for (const auto& [argument, description] : arguments) add(argument, description);
  add(DNNL_ARG_SCRATCHPAD, scratchpad);
}

void Prepared::set(int argument, const float* data) {
  const auto is_it = [&](const dnnl_exec_arg_t& known) { return known.arg == argument; };
  const auto found = std::find_if(arguments_.begin(), arguments_.end(), is_it);
  assert(found != arguments_.end());
  // oneDNN takes inputs and outputs alike as void*; it does not write to inputs.
  memories_[static_cast<std::size_t>(found - arguments_.begin())].set_data_handle(const_cast<float*>(data));
}

void Prepared::run(OneDnn& onednn) {
  set(DNNL_ARG_SCRATCHPAD, onednn.scratch());
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), onednn.stream().get(),
                                                 static_cast<int>(arguments_.size()), arguments_.data()),
                          "oneDNN could not run a primitive");
}

Prepared prepare_reorder(OneDnn& onednn, const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  if (from == to) return {};
  const dnnl::reorder::primitive_desc chosen(onednn.engine(), from, onednn.engine(), to, OneDnn::attributes());
  return {onednn, dnnl::reorder(chosen), chosen.scratchpad_desc(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}};
}

void refuse_reference([[maybe_unused]] const char* implementation, [[maybe_unused]] const char* what) {
#if defined(__x86_64__)
  if (std::string(implementation).find("ref") == 0)
    throw std::logic_error(std::string(what) + ": oneDNN fell back to its reference code '" + implementation + "'");
#endif
}

dnnl::memory::desc nhwc(int rows, int height, int width, int channels) {
  return {{rows, channels, height, width}, kFloat, Tag::nhwc};
}

dnnl::memory::desc matrix(int rows, int columns, bool transposed) {
  return {{rows, columns}, kFloat, transposed ? Tag::ba : Tag::ab};
}

}  // namespace anybit
