#include "sim/transport.h"

namespace anybit {

std::unique_ptr<Transport> make_transport(const Federation& federation, int workers) {
  if (federation.scenario.federation.transport == "tcp") return make_tcp_transport(federation, workers);
  return make_memory_transport(workers);
}

}  // namespace anybit
