#include "sim/profile.h"

#include <fmt/format.h>

#include <chrono>

#include "nn/fma_peak.h"
#include "nn/winograd.h"
#include "sim/client_player.h"

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Plays clients and adds up what their steps took.
class Watched {
 public:
  explicit Watched(const Federation& federation)
      : clients_(federation.data->clients), player_(federation), times_(federation.training.network->shapes().size()) {
    player_.play(0);  // the first client pays for what all others use again
    player_.watch(&times_);
  }

  void play_for(double seconds) {
    const auto begin = Clock::now();
    for (std::uint32_t client = 0; seconds_since(begin) < seconds; client = (client + 1) % clients_)
      player_.play(client);
    seconds_ = seconds_since(begin);
  }

  const NodeTimes& times() const { return times_; }
  double seconds() const { return seconds_; }

 private:
  std::uint32_t clients_;
  ClientPlayer player_;
  NodeTimes times_;
  double seconds_ = 0;
};

/// Multiply-adds and bytes of a node for one example, and bytes of its weights.
struct NodeWork {
  double flops = 0;
  double activations = 0;
  double weights = 0;
};

/// Multiply-adds that a node's pass takes, over those of its definition.
double done_share(const Network& network, int node) {
  const auto index = static_cast<std::size_t>(node);
  const auto* convolution = std::get_if<Convolution>(&network.description().nodes[index].operation);
  if (convolution == nullptr) return 1;
  const Shape& output = network.shapes()[index];
  return takes_winograd(*convolution, network.input_of(node), output) ? winograd_share(output) : 1;
}

NodeWork work_of(const Network& network, int node) {
  NodeWork work;
  const Node& what = network.description().nodes[static_cast<std::size_t>(node)];
  work.activations = static_cast<double>(network.shapes()[static_cast<std::size_t>(node)].size());
  for (std::size_t k = 0; k < what.inputs.size(); ++k)
    work.activations += static_cast<double>(network.input_of(node, static_cast<int>(k)).size());
  for (const WeightedLayer& layer : network.weighted_layers())
    if (layer.node == node) {
      work.flops = layer.flops * done_share(network, node);
      work.weights = static_cast<double>(network.tensors()[static_cast<std::size_t>(layer.weight)].size);
    }
  return work;
}

LayerCost layer_cost(const Network& network, const NodeTimes& times, int node, double batch) {
  const auto index = static_cast<std::size_t>(node);
  const NodeWork work = work_of(network, node);
  const auto steps = static_cast<double>(times.steps);
  const bool reads_image = network.description().nodes[index].inputs[0] < 0;
  LayerCost cost;
  cost.name = network.description().nodes[index].name;
  cost.forward = {times.forward[index] / steps, work.flops * batch, 4 * (work.activations * batch + work.weights)};
  // The weights' gradient and, unless the layer reads the image, its input's: each a product of the forward's size.
  const double products = reads_image ? 1 : 2;
  cost.backward = {times.backward[index] / steps, work.flops * batch * products,
                   4 * (work.activations * batch * products + work.weights * products)};
  return cost;
}

void add(PassCost& sum, const PassCost& cost) {
  sum.seconds += cost.seconds;
  sum.flops += cost.flops;
  sum.bytes += cost.bytes;
}

std::string pass_text(const PassCost& cost, double peak) {
  const std::string share =
      cost.flops > 0 && cost.seconds > 0 ? fmt::format("{:.0f} %", 100 * cost.flops / cost.seconds / peak) : "-";
  return fmt::format("{:>10.1f}{:>10.2f}{:>10.2f}{:>8}", cost.seconds * 1e6, cost.flops * 1e-6, cost.bytes * 1e-6,
                     share);
}

std::string line(const std::string& name, const PassCost& forward, const PassCost& backward, double peak) {
  return fmt::format("{:<14}{}  {}\n", name, pass_text(forward, peak), pass_text(backward, peak));
}

std::string share_line(const char* name, double seconds, double of) {
  return fmt::format("{:<14}{:>10.1f}  {:.1f} % of the step\n", name, seconds * 1e6, 100 * seconds / of);
}

}  // namespace

PassCost Profile::network() const {
  PassCost sum;
  for (const LayerCost& layer : layers) {
    add(sum, layer.forward);
    add(sum, layer.backward);
  }
  return sum;
}

double Profile::rest() const { return seconds - network().seconds - slots - loss; }

Profile profile(const Federation& federation, double seconds) {
  Watched watched(federation);
  Profile made;
  made.peak = fma_peak();
  watched.play_for(seconds);
  made.peak = (made.peak + fma_peak()) / 2;  // before and after
  const NodeTimes& times = watched.times();
  const auto steps = static_cast<double>(times.steps);
  made.batch = static_cast<double>(times.examples) / steps;
  made.seconds = watched.seconds() / steps;
  made.slots = times.slots / steps;
  made.loss = times.loss / steps;
  const Network& network = *federation.training.network;
  for (int node = 0; node < static_cast<int>(times.forward.size()); ++node)
    if (times.forward[static_cast<std::size_t>(node)] > 0)
      made.layers.push_back(layer_cost(network, times, node, made.batch));
  return made;
}

std::string profile_text(const Profile& profile) {
  const double peak = profile.peak;
  std::string text = fmt::format("{:<14}{:-^38}  {:-^38}\n", "", " forward ", " backward ");
  const std::string heads = fmt::format("{:>10}{:>10}{:>10}{:>8}", "us", "MFLOP", "MB", "peak");
  text += fmt::format("{:<14}{}  {}\n", "layer", heads, heads);
  PassCost forward;
  PassCost backward;
  for (const LayerCost& layer : profile.layers) {
    text += line(layer.name, layer.forward, layer.backward, peak);
    add(forward, layer.forward);
    add(backward, layer.backward);
  }
  text += line("all layers", forward, backward, peak);
  const PassCost whole = profile.network();
  text += fmt::format("\n{:<14}{:>10.1f} us for a batch of {:.1f}, {:.0f} examples a second\n", "step",
                      profile.seconds * 1e6, profile.batch, profile.batch / profile.seconds);
  text += share_line("layers", whole.seconds, profile.seconds);
  text += share_line("quantization", profile.slots, profile.seconds);
  text += share_line("loss", profile.loss, profile.seconds);
  text += share_line("the rest", profile.rest(), profile.seconds);
  text += fmt::format(
      "{:<14}{:>10.1f} GFLOP/s, {:.0f} % of the core's {:.1f} (multiply-adds on registers); of the "
      "layers' time alone {:.0f} %\n",
      "speed", whole.flops / profile.seconds * 1e-9, 100 * whole.flops / profile.seconds / peak, peak * 1e-9,
      100 * whole.flops / whole.seconds / peak);
  return text;
}

}  // namespace anybit
