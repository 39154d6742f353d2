#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/hand_fleet.h"
#include "tests/sim/whole_run.h"

namespace anybit {

/// A logistic model of 784 x 10 and four examples a client, so a task takes kTaskFlops. Bytes: 7,850 float32 each way
/// and a frame around them. Client k belongs to the class that the draw gives it; times are told by class.
inline std::string scenario(const std::string& federation, const std::string& fleet, int clients) {
  return "name = \"hand\"\nseed = 3\n[data]\nset = \"glyphs\"\nclients = " + std::to_string(clients) +
         "\nexamples = 4\npartition = \"writer\"\n[model]\nname = \"logistic\"\n[training]\nbatch = 4\n"
         "optimizer = { name = \"sgd\", rate = 0.1 }\n[federation]\n" +
         federation + "\n" + fleet + "\n[evaluate]\nweights = [32]\n";
}

inline Federation federation_of(const std::string& text) {
  return make_federation(resolve_scenario(parse_scenario(text, "hand.toml", {}), {}).scenario, {});
}

inline std::string device(const std::string& name, double share, const std::string& keys) {
  return "[[fleet.class]]\nname = \"" + name + "\"\nshare = " + std::to_string(share) + "\nwidths = [8]\n" + keys +
         "\n";
}

struct Course {
  std::vector<RoundRecord> rounds;
  std::vector<LoggedEvent> events;
  FederationState state;
};

inline Course course_of(const Federation& federation, int threads = 1) {
  Course course;
  FederationRun run(federation, federation.first_state(), threads,
                    [&](const LoggedEvent& event) { course.events.push_back(event); });
  while (auto record = run.next_round()) {
    record->seconds = 0;
    course.rounds.push_back(std::move(*record));
  }
  course.state = run.state();
  return course;
}

inline std::string seconds_for(double flops, double seconds) { return "compute = " + std::to_string(flops / seconds); }

inline constexpr const char* kNights =
    "\navailability = { name = \"diurnal\", from = 22, to = 6, zones = [0], jitter = 0.0 }";

inline const std::string kLearned = "method = { name = \"mqat\", widths = [8, 4, 2], range = \"learned\" }\n";

/// With a method whose updates name the steps of those widths alone that were trained.
inline std::string learned(std::string text) { return text.insert(text.find("optimizer ="), kLearned); }

}  // namespace anybit
