#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/system/impairing_proxy.h"
#include "tests/system/lan.h"

namespace anybit {

/// Starts all twenty clients of a server that runs, number 4 of them far away: a round that waits for it takes a sixth
/// of a second at least, so that what strikes after some rounds finds others left, on a busy machine too. Returns the
/// way there, which must stay.
inline std::unique_ptr<ImpairingProxy> start_clients_one_far_away(Lan& lan) {
  constexpr std::uint32_t kFar = 4;
  auto way = std::make_unique<ImpairingProxy>(lan.port(),
                                              [](int) { return Impairment{.delay = std::chrono::milliseconds{40}}; });
  lan.lead_clients_to(way->port());
  lan.start_client(kFar);
  lan.lead_clients_to(0);
  lan.start_clients(0, kFar);
  lan.start_clients(kFar + 1, 20);
  return way;
}

inline void expect_a_run_that_goes_on(const Lan& lan) {
  EXPECT_FALSE(lan.folder().has("server/run/model.ckpt")) << "the run was over when the kill struck";
}

}  // namespace anybit
