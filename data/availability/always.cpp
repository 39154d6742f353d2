#include <limits>

#include "data/availability/availability.h"

namespace anybit {
namespace {

class Always final : public Availability {
 public:
  bool available(std::uint32_t, double) const override { return true; }
  double next(std::uint32_t, double time) const override { return time; }
  double until(std::uint32_t, double) const override { return std::numeric_limits<double>::infinity(); }
  double longest(std::uint32_t) const override { return std::numeric_limits<double>::infinity(); }
};

}  // namespace

AvailabilityTable::Row always_row() {
  return {{"always", "at any time", "", {}, {"", {}, {}, "the row that others are compared with"}},
          [](const Options&, const AvailabilitySource&) { return std::make_shared<const Always>(); }};
}

}  // namespace anybit
