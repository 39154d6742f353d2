#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

#include "nn/buffer.h"

namespace anybit {

/// oneDNN as one workspace uses it: an engine, a stream, and one scratchpad for all its primitives. Scratchpads are
/// supplied by us because the library's own belong to the thread that created the primitive (specs E, trap 1).
/// Include in .cpp files only.
class OneDnn {
 public:
  OneDnn() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  const dnnl::engine& engine() const { return engine_; }
  dnnl::stream& stream() { return stream_; }
  /// Attributes that every primitive here is made with; relu appends max(0, .) to its output.
  static dnnl::primitive_attr attributes(bool relu = false);
  void reserve_scratch(std::size_t bytes);
  float* scratch() { return scratch_.data(); }
  std::size_t scratch_bytes() const { return scratch_.size() * sizeof(float); }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  FloatBuffer scratch_;
};

/// A primitive with its argument table made once: calls only exchange pointers and allocate nothing of ours. It calls
/// oneDNN's C interface, whose C++ one makes that table anew at each call.
class Prepared {
 public:
  Prepared() = default;
  /// `arguments` lists (DNNL_ARG_..., description); the scratchpad is added.
  Prepared(OneDnn& onednn, dnnl::primitive primitive, const dnnl::memory::desc& scratchpad,
           const std::vector<std::pair<int, dnnl::memory::desc>>& arguments);

  explicit operator bool() const { return static_cast<bool>(primitive_); }
  void set(int argument, const float* data);
  void run(OneDnn& onednn);

 private:
  dnnl::primitive primitive_{};
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;  // of memories_, the scratchpad last
};

/// A copy between two layouts of the same tensor; empty where they are equal.
Prepared prepare_reorder(OneDnn& onednn, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

/// Throws std::logic_error if oneDNN chose its reference code on x86: that is a hundredfold slower (specs E, trap 3).
void refuse_reference(const char* implementation, const char* what);

/// Plain NHWC activations, OIHW weights, vectors.
dnnl::memory::desc nhwc(int rows, int height, int width, int channels);
dnnl::memory::desc matrix(int rows, int columns, bool transposed = false);

}  // namespace anybit
