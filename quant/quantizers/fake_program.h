#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "nn/buffer.h"
#include "quant/quantizers/fake_quantizers.h"

namespace anybit {

/// The per-thread form of FakeQuantizers. All its memory is taken at construction and with the first client.
class FakeProgram final : public SlotProgram {
 public:
  FakeProgram(std::shared_ptr<const FakeSettings> settings, const Network& network,
              std::shared_ptr<const Layout> layout);

  void begin_client(std::span<const float> parameters) override;
  /// Throws std::invalid_argument for a width without a learned step where steps are learned.
  void begin_step(std::span<const std::uint8_t> widths, const Moment& moment) override;
  /// Counts the learned steps of the widths that any pass since the step's first begin_step() used. They are the
  /// tensors of Role::kQuantizer; all others are trained in every step.
  void count_trained(std::span<std::uint32_t> steps) const override;
  std::size_t bytes() const override;

  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) override;
  void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                std::span<float> gradient, SlotPass& pass) override;
  bool only_clips(const SlotSite& site, PlainStep& step) const override;

 private:
  static constexpr std::size_t kWidths = kLargestWidth + 1;

  struct SlotState {
    std::uint8_t width = kFloatWidth;
    bool clips = false;                // in the last forward pass
    ChannelGrids grids;                // of the last forward pass
    std::array<int, kWidths> step{};   // tensor of the learned step at a width; -1: none
    std::vector<ChannelGrids> fitted;  // by width, of this client
    std::array<bool, kWidths> is_fitted{};
    int range = -1;  // tensor of the activation range
  };

  bool forward_weight(const SlotSite& site, SlotState& state, std::span<const float> before, std::span<float> after,
                      const SlotPass& pass);
  bool forward_activation(const SlotSite& site, SlotState& state, std::span<const float> before, std::span<float> after,
                          SlotPass& pass);
  void choose_grids(const SlotSite& site, SlotState& state, std::span<const float> weights, const SlotPass& pass);
  void fill_draws(const SlotSite& site, Purpose purpose, float low, float high, std::span<float> out,
                  const SlotPass& pass) const;
  std::span<const float> step_of(const SlotState& state, std::span<const float> parameters) const;

  std::shared_ptr<const FakeSettings> settings_;
  std::shared_ptr<const Layout> layout_;
  FitTiming timing_;
  std::vector<SlotState> slots_;
  std::vector<std::uint8_t> used_;  // by tensor: a learned step of this local step
  DrawName step_;                   // the local step that used_ is of
  bool in_step_ = false;
  FloatBuffer received_;  // what begin_client() saw, where ranges are fitted to it
  FitScratch scratch_;
};

}  // namespace anybit
