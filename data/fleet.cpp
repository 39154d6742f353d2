#include "data/fleet.h"

#include <algorithm>
#include <limits>

#include "nn/arithmetic.h"
#include "nn/random.h"

namespace anybit {
namespace {

constexpr const char* kAlways = "always";

bool takes_time(const FleetClass& one) {
  return tasks_take_time(one) || one.drop_out > 0 || one.energy_flop > 0 || one.energy_byte > 0 || one.idle_power > 0 ||
         one.availability.name != kAlways;
}

/// Of the file that names a trace; a name that was typed is looked for where it was typed.
std::filesystem::path folder_of(const SourcePosition& where) {
  return from_override(where) ? "." : std::filesystem::path(where.file).parent_path();
}

}  // namespace

bool tasks_take_time(const FleetClass& one) { return one.compute > 0 || one.down > 0 || one.up > 0 || one.latency > 0; }

int Fleet::class_of(std::uint32_t client) const {
  if (classes_.empty()) return -1;
  const double draw = Stream({.seed = seed_, .purpose = Purpose::kFleet, .client = client}).uniform();
  double covered = 0;
  for (std::size_t i = 0; i + 1 < classes_.size(); ++i) {
    covered += classes_[i].share;
    if (draw < covered) return static_cast<int>(i);
  }
  return static_cast<int>(classes_.size()) - 1;
}

const FleetClass* Fleet::device_class(std::uint32_t client) const {
  const int index = class_of(client);
  return index < 0 ? nullptr : &classes_[static_cast<std::size_t>(index)];
}

std::span<const int> Fleet::widths(std::uint32_t client) const {
  const FleetClass* one = device_class(client);
  return one ? std::span<const int>(one->widths) : std::span<const int>();
}

double Fleet::compute(std::uint32_t client) const {
  const FleetClass* one = device_class(client);
  if (!one || one->compute == 0 || one->compute_spread == 0) return one ? one->compute : 0;
  Stream stream({.seed = seed_, .purpose = Purpose::kDevice, .client = client});
  return one->compute * fixed_exp(one->compute_spread * stream.normal());
}

const Availability* Fleet::availability(std::uint32_t client) const {
  if (availabilities_.empty()) return nullptr;
  return availabilities_[static_cast<std::size_t>(class_of(client))].get();
}

bool Fleet::available(std::uint32_t client, double time) const {
  const Availability* when = availability(client);
  return !when || when->available(client, time);
}

double Fleet::next_available(std::uint32_t client, double time) const {
  const Availability* when = availability(client);
  return when ? when->next(client, time) : time;
}

double Fleet::available_until(std::uint32_t client, double time) const {
  const Availability* when = availability(client);
  return when ? when->until(client, time) : std::numeric_limits<double>::infinity();
}

double Fleet::longest_available(std::uint32_t client) const {
  const Availability* when = availability(client);
  return when ? when->longest(client) : std::numeric_limits<double>::infinity();
}

bool Fleet::takes_time() const {
  return std::any_of(classes_.begin(), classes_.end(), [](const FleetClass& one) { return anybit::takes_time(one); });
}

Fleet make_fleet(const Scenario& scenario, const std::vector<std::string>& directories) {
  Fleet fleet(scenario.fleet, scenario.seed);
  Mistakes mistakes;
  for (std::size_t i = 0; i < scenario.fleet.size(); ++i) {
    const auto is_member = [&fleet, i](std::uint32_t client) { return fleet.class_of(client) == static_cast<int>(i); };
    const Part& when = scenario.fleet[i].availability;
    const AvailabilitySource source{.seed = scenario.seed,
                                    .clients = scenario.data.clients,
                                    .is_member = is_member,
                                    .beside = folder_of(when.where),
                                    .directories = directories,
                                    .files = &fleet.traces_};
    mistakes.check([&] { fleet.availabilities_.push_back(availabilities().make(when, source)); });
  }
  mistakes.throw_if_any();
  const auto is_always = [](const FleetClass& one) { return one.availability.name == kAlways; };
  if (std::ranges::all_of(fleet.classes_, is_always)) fleet.availabilities_.clear();  // nobody needs to ask
  return fleet;
}

}  // namespace anybit
