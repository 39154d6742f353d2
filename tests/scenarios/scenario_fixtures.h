#pragma once

#include <functional>
#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace anybit {

/// The shortest scenario there is: eight lines, only the required keys.
inline const std::string kSmallest =
    "[data]\n"
    "set = \"glyphs\"\n"
    "clients = 20\n"
    "[model]\n"
    "name = \"mlp\"\n"
    "[federation]\n"
    "rounds = 3\n"
    "cohort = 5\n";

inline Scenario read(const std::string& text, const std::vector<Override>& overrides = {}) {
  return parse_scenario(text, "a.toml", overrides);
}

/// The mistakes that reading finds.
inline std::vector<std::string> mistakes_of(const std::string& text, const std::vector<Override>& overrides = {}) {
  try {
    read(text, overrides);
  } catch (const ScenarioErrors& errors) {
    return errors.lines();
  }
  return {};
}

/// What the ScenarioError of an action says.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "nothing thrown";
}

using Lines = std::vector<std::string>;

}  // namespace anybit
