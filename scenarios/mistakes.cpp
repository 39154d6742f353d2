#include "scenarios/mistakes.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace anybit {
namespace {

constexpr std::string_view kOverridePrefix = "--set ";

std::vector<ScenarioError> in_order(std::vector<ScenarioError> mistakes) {
  std::vector<std::string> files;  // few: the scenario, and those that it names
  for (const ScenarioError& mistake : mistakes) {
    const SourcePosition& where = mistake.where();
    if (where.line > 0 && std::ranges::find(files, where.file) == files.end()) files.push_back(where.file);
  }
  const auto place = [&](const ScenarioError& mistake) {
    const int line = mistake.where().line;
    if (line == 0) return std::make_pair(files.end(), line);
    return std::make_pair(std::ranges::find(files, mistake.where().file), line);
  };
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [&](const ScenarioError& a, const ScenarioError& b) { return place(a) < place(b); });
  std::vector<ScenarioError> once;
  std::set<std::string_view> told;
  for (const ScenarioError& mistake : mistakes)
    if (told.insert(mistake.what()).second) once.push_back(mistake);
  return once;
}

std::string joined(const std::vector<ScenarioError>& mistakes) {
  std::string text;
  for (const ScenarioError& mistake : mistakes) {
    if (!text.empty()) text += '\n';
    text += mistake.what();
  }
  return text;
}

}  // namespace

SourcePosition override_position(const std::string& path) { return {std::string(kOverridePrefix) + path, 0}; }

bool from_override(const SourcePosition& where) { return where.line == 0 && where.file.starts_with(kOverridePrefix); }

std::string to_string(const SourcePosition& where) {
  return where.line == 0 ? where.file : where.file + ":" + std::to_string(where.line);
}

ScenarioError::ScenarioError(SourcePosition where, const std::string& reason, std::string key)
    : std::runtime_error(to_string(where) + ": " + reason), where_(std::move(where)), key_(std::move(key)) {}

ScenarioError key_mistake(SourcePosition where, const std::string& key, const std::string& reason) {
  const bool said = where.file == override_position(key).file;
  return {std::move(where), said ? reason : key + ": " + reason, key};
}

ScenarioErrors::ScenarioErrors(std::vector<ScenarioError> mistakes)
    : std::runtime_error(joined(in_order(mistakes))), mistakes_(in_order(std::move(mistakes))) {}

std::vector<std::string> ScenarioErrors::lines() const {
  std::vector<std::string> lines;
  for (const ScenarioError& mistake : mistakes_) lines.emplace_back(mistake.what());
  return lines;
}

void Mistakes::add(ScenarioError mistake) { found_.push_back(std::move(mistake)); }

void Mistakes::add(const std::vector<ScenarioError>& mistakes) {
  found_.insert(found_.end(), mistakes.begin(), mistakes.end());
}

void Mistakes::check(const std::function<void()>& body) {
  try {
    body();
  } catch (const ScenarioErrors& several) {
    add(several.mistakes());
  } catch (const ScenarioError& mistake) {
    add(mistake);
  }
}

bool Mistakes::about(std::string_view key) const {
  return std::any_of(found_.begin(), found_.end(), [&](const ScenarioError& mistake) {
    const std::string_view path = mistake.key();
    return path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '.');
  });
}

void Mistakes::throw_if_any() const {
  if (!found_.empty()) throw ScenarioErrors(found_);
}

}  // namespace anybit
