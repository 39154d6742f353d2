#pragma once

#include <memory>
#include <vector>

#include "nn/gradient.h"
#include "nn/layers/layer.h"
#include "nn/layers/onednn.h"

namespace anybit {

/// What a thread owns. Buffers are per node; a ReLU that its predecessor took over shares the predecessor's.
struct Workspace::Machine {
  /// One node's kernels and buffers.
  struct Station {
    std::unique_ptr<Layer> layer;  // null: fused into the node before
    std::size_t storage = 0;       // node whose buffers it uses
    FloatBuffer output;
    FloatBuffer gradient;
    float* arrived = nullptr;     // in this backward pass: `gradient`, or a consumer's own that it hands on as it is
    bool masks_gradient = false;  // the layer changes its output's gradient in place
    int weighted = -1;            // index of the weighted layer, -1: none
    int consumers = 0;
  };
  /// One weighted layer's slots: buffers for the values after, and whether they are in use in this pass.
  struct Slots {
    FloatBuffer weight;
    FloatBuffer activation;
    bool weight_used = false;
    bool activation_used = false;
  };

  std::shared_ptr<const Network> network;
  std::vector<int> rungs;
  Mode mode;
  OneDnn onednn;
  std::vector<Station> stations;
  std::vector<Slots> slots;
  std::size_t network_size = 0;  // of the network's own tensors; the method's follow
  FloatBuffer images;
  std::vector<std::uint8_t> labels;
  FloatBuffer branch;          // a consumer's gradient of a node that has one of another already, before they are added
  std::vector<bool> stepped;   // by tensor of the network: a layer took descend()'s step in the last pass
  NodeTimes* times = nullptr;  // where somebody watches

  Machine(std::shared_ptr<const Network> of, int batch, Mode how);
  void plan_fusion();
  void make_stations();
  void make_station(std::size_t node);
  const FloatBuffer& output_of(int node) const {
    return node < 0 ? images : stations[stations[static_cast<std::size_t>(node)].storage].output;
  }
  bool is_relu(int node) const {
    return node >= 0 &&
           std::holds_alternative<Relu>(network->description().nodes[static_cast<std::size_t>(node)].operation);
  }
  bool read_by_max_pool(int node) const;
  int rung_for(int live) const;
  std::size_t bytes() const;
};

}  // namespace anybit
