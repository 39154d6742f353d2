#include <cmath>
#include <limits>
#include <utility>

#include "data/availability/availability.h"
#include "data/availability/time_grid.h"
#include "nn/random.h"
#include "scenarios/option_types.h"

namespace anybit {
namespace {

constexpr double kHours = 24;
constexpr double kLeastHours = 0.024;  // a thousandth of a day: longer than a step of the grid

/// The hours from one hour of the clock to another, past midnight where the second is the earlier.
double hours_between(double from, double to) { return to > from ? to - from : to - from + kHours; }

struct Hours {
  double from;
  double to;
  std::vector<double> zones;
  double jitter;
  double day;  // seconds
};

/// Available in the same hours of every day. A client's zone and shift are draws of its own, made anew each time that
/// somebody asks: nothing is kept for it.
class Diurnal final : public Availability {
 public:
  Diurnal(Hours hours, std::uint64_t seed)
      : hours_(std::move(hours)),
        day_(on_grid(hours_.day)),
        length_(on_grid(hours_between(hours_.from, hours_.to) * day_ / kHours)),
        seed_(seed) {}

  bool available(std::uint32_t client, double time) const override {
    return length_ >= day_ || since(begin(client), time) < length_;
  }

  double next(std::uint32_t client, double time) const override {
    return available(client, time) ? time : turn(client, time);
  }

  double until(std::uint32_t client, double time) const override { return turn(client, time); }

  double longest(std::uint32_t) const override {
    return length_ >= day_ ? std::numeric_limits<double>::infinity() : length_;
  }

 private:
  /// Seconds after the run's beginning, or before it, at which the client's hours begin.
  double begin(std::uint32_t client) const {
    Stream stream({.seed = seed_, .purpose = Purpose::kAvailability, .client = client});
    const double zone = hours_.zones[stream.below(static_cast<std::uint32_t>(hours_.zones.size()))];
    const double shift = hours_.jitter > 0 ? hours_.jitter * stream.normal() : 0;
    return on_grid((hours_.from - zone + shift) * day_ / kHours);
  }

  /// Seconds from the latest beginning of the hours to `time`.
  double since(double begin, double time) const {
    const double passed = std::fmod(time - begin, day_);
    return passed < 0 ? passed + day_ : passed;
  }

  /// The first time after `time` at which the hours begin or end.
  double turn(std::uint32_t client, double time) const {
    if (length_ >= day_) return std::numeric_limits<double>::infinity();
    const double passed = since(begin(client), time);
    return on_grid(time + ((passed < length_ ? length_ : day_) - passed));
  }

  Hours hours_;
  double day_;     // seconds
  double length_;  // of them, those at which it is available
  std::uint64_t seed_;
};

void require_within(const Options& options, const char* key, double least, double most) {
  const auto values = options.numbers(key);
  for (const double value : values)
    options.require(value >= least && value <= most, key,
                    shortest_number(value) + " is out of range; accepted: " + shortest_number(least) + " to " +
                        shortest_number(most));
}

Hours read_hours(const Options& options) {
  require_within(options, "from", 0, kHours);
  require_within(options, "to", 0, kHours);
  require_within(options, "zones", -12, 14);
  require_within(options, "jitter", 0, 12);
  require_within(options, "day", 1, 1e9);
  Hours hours{options.number("from"), options.number("to"), options.numbers("zones"), options.number("jitter"),
              options.number("day")};
  options.require(!hours.zones.empty(), "zones", "the list is empty; [0.0] is one zone");
  const double length = hours_between(hours.from, hours.to);
  options.require(hours.from != hours.to && length >= kLeastHours && length <= kHours, "to",
                  "must be at least " + shortest_number(kLeastHours) +
                      " hours after 'from'; for devices that are there at any time take \"always\"");
  return hours;
}

}  // namespace

AvailabilityTable::Row diurnal_row() {
  return {{"diurnal",
           "in the same hours of every day, by the client's own clock: idle, charging and on Wi-Fi at night",
           "Bonawitz et al., Towards federated learning at scale: system design, MLSys 2019, sections 3 and 9",
           {{"from", 22.0, 8.0, "hour of local time from which on a device is available, 0 to 24"},
            {"to", 7.0, 20.0, "hour up to which it is; the next day's where it is not after `from`"},
            {"zones", std::vector<double>{0.0}, std::vector<double>{-8.0, 8.0},
             "hours that local time is ahead of the run's, one of them drawn for each client"},
            {"jitter", 1.0, 0.0, "hours, standard deviation of a client's own shift of its hours"},
            {"day", 86400.0, 3600.0, "seconds of a day"}},
           {"always", {{"from", 0.0}, {"to", 24.0}}, {}, ""}},
          [](const Options& options, const AvailabilitySource& source) {
            return std::make_shared<const Diurnal>(read_hours(options), source.seed);
          }};
}

}  // namespace anybit
