#include "server/record/scenario_difference.h"

#include <fmt/format.h>

#include <map>
#include <sstream>
#include <string_view>

namespace anybit {
namespace {

using Values = std::map<std::string, std::string>;

/// A table below a repeated one is of the last of those.
std::string numbered(const std::string& table, const std::map<std::string, int>& repeated) {
  for (const auto& [name, count] : repeated)
    if (table.starts_with(name + ".")) return fmt::format("{}[{}]{}", name, count - 1, table.substr(name.size()));
  return table;
}

/// The canonical text is a key a line under table headers; a repeated [[header]] gets its number.
Values values_of(const std::string& text) {
  Values values;
  std::map<std::string, int> repeated;
  std::string table;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[[")) {
      const std::string name = line.substr(2, line.find("]]") - 2);
      table = fmt::format("{}[{}].", name, repeated[name]++);
    } else if (line.starts_with("[")) {
      table = numbered(line.substr(1, line.find(']') - 1), repeated) + ".";
    } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
      values[table + line.substr(0, equals)] = line.substr(equals + 3);
    }
  }
  return values;
}

std::string shown(const Values& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "not there" : found->second;
}

}  // namespace

std::vector<std::string> scenario_difference(const std::string& before, const std::string& now) {
  const Values old_values = values_of(before);
  const Values new_values = values_of(now);
  Values all = old_values;
  all.insert(new_values.begin(), new_values.end());
  std::vector<std::string> differing;
  for (const auto& [key, unused] : all) {
    const std::string old_value = shown(old_values, key);
    const std::string new_value = shown(new_values, key);
    if (old_value != new_value) differing.push_back(fmt::format("{} ({}, now {})", key, old_value, new_value));
  }
  return differing;
}

}  // namespace anybit
