#include "sim/transport.h"

namespace anybit {

Traffic Transport::traffic() const {
  Traffic sum;
  for (const Line& line : lines_) {
    sum.down += line.traffic.down;
    sum.up += line.traffic.up;
  }
  return sum;
}

std::unique_ptr<Transport> make_transport(const Federation& federation, int workers) {
  if (federation.scenario.federation.transport == "tcp") return make_tcp_transport(federation, workers);
  return make_memory_transport(workers);
}

}  // namespace anybit
