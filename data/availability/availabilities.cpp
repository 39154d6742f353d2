#include "data/availability/availability.h"

namespace anybit {

const AvailabilityTable& availabilities() {
  static const AvailabilityTable table("availability", {
                                                           always_row(),
                                                           diurnal_row(),
                                                           trace_row(),
                                                       });
  return table;
}

}  // namespace anybit
