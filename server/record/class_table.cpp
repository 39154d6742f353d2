#include "server/record/class_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace anybit {

namespace {

constexpr const char* kTitle =
    "accuracy in % by class of the fleet, at its widths, on data of its own clients (unseen: nobody trained on it)\n";

std::string percent(const std::optional<double>& value) { return value ? fmt::format("{:.2f}", 100 * *value) : "-"; }

}  // namespace

std::string class_table(const std::vector<ClassAccuracy>& classes) {
  std::size_t longest = std::string("class").size();
  for (const ClassAccuracy& one : classes) longest = std::max(longest, one.name.size());
  const auto row = [&](const std::string& name, const auto&... cells) {
    return fmt::format("{:<{}}{:>9}{:>9}{:>9}{:>13}{:>8}{:>8}\n", name, longest, cells...);
  };
  std::string text = kTitle + row("class", "share", "clients", "weights", "activations", "own", "unseen");
  for (const ClassAccuracy& one : classes)
    text += row(one.name, fmt::format("{:.4g}", one.share), one.clients, one.weights, one.activations, percent(one.own),
                percent(one.unseen));
  return text;
}

}  // namespace anybit
