#include "quant/schedules/schedule.h"

#include <algorithm>
#include <stdexcept>

namespace anybit {
namespace {

int draw_width(DrawName name, std::span<const int> widths) {
  name.purpose = Purpose::kWidths;
  return widths[Stream(name).below(static_cast<std::uint32_t>(widths.size()))];
}

DrawName of_step(const DrawName& draw) { return {draw.seed, Purpose::kWidths, draw.round, draw.client, draw.step, 0}; }
DrawName of_client_round(const DrawName& draw) { return {draw.seed, Purpose::kWidths, draw.round, draw.client, 0, 0}; }
DrawName of_round(const DrawName& draw) { return {draw.seed, Purpose::kWidths, draw.round, 0, 0, 0}; }
DrawName of_client(const DrawName& draw) { return {draw.seed, Purpose::kWidths, 0, draw.client, 0, 0}; }

// One draw for all layers; `name` tells which moments share it.
class SharedWidth final : public BitSchedule {
 public:
  using Name = DrawName (*)(const DrawName&);
  SharedWidth(WidthPlan plan, Name name) : plan_(std::move(plan)), name_(name) {}

  void choose(const Moment& moment, std::span<const SlotSite>, std::span<std::uint8_t> widths) const override {
    plan_.fill(draw_width(name_(moment.draw), plan_.widths), widths);
  }

 private:
  WidthPlan plan_;
  Name name_;
};

class WidthPerLayer final : public BitSchedule {
 public:
  explicit WidthPerLayer(WidthPlan plan) : plan_(std::move(plan)) {}

  void choose(const Moment& moment, std::span<const SlotSite> sites, std::span<std::uint8_t> widths) const override {
    for (const SlotSite& site : sites) {
      DrawName name = of_step(moment.draw);
      name.layer = static_cast<std::uint32_t>(site.layer) + 1;  // 0 is the draw for all layers
      widths[static_cast<std::size_t>(site.slot)] = plan_.width_of(site, draw_width(name, plan_.widths));
    }
  }

 private:
  WidthPlan plan_;
};

class WidthOfDevice final : public BitSchedule {
 public:
  explicit WidthOfDevice(WidthPlan plan) : plan_(std::move(plan)) {}

  void choose(const Moment& moment, std::span<const SlotSite>, std::span<std::uint8_t> widths) const override {
    const std::span<const int> own = moment.device_widths.empty() ? plan_.widths : moment.device_widths;
    plan_.fill(draw_width(of_client(moment.draw), own), widths);
  }

 private:
  WidthPlan plan_;
};

}  // namespace

const std::vector<std::string>& sampling_names() {
  static const std::vector<std::string> names = {"step", "step_layer", "client_round", "round", "device"};
  return names;
}

std::shared_ptr<const BitSchedule> make_schedule(const std::string& sampling, WidthPlan plan) {
  if (sampling == "step") return std::make_shared<SharedWidth>(std::move(plan), of_step);
  if (sampling == "step_layer") return std::make_shared<WidthPerLayer>(std::move(plan));
  if (sampling == "client_round") return std::make_shared<SharedWidth>(std::move(plan), of_client_round);
  if (sampling == "round") return std::make_shared<SharedWidth>(std::move(plan), of_round);
  if (sampling == "device") return std::make_shared<WidthOfDevice>(std::move(plan));
  throw std::invalid_argument("unknown sampling '" + sampling + "'");
}

}  // namespace anybit
