#include "scenarios/overrides.h"

#include <algorithm>
#include <array>

namespace anybit {
namespace {

constexpr std::array<std::string_view, 11> kParts = {"data.partition",          "model",
                                                     "training.method",         "training.objective",
                                                     "training.optimizer",      "federation.strategy",
                                                     "federation.aggregation",  "federation.weighting",
                                                     "federation.uplink",       "federation.downlink",
                                                     "fleet.class.availability"};

std::string trimmed(const std::string& text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> keys(1);
  for (const char letter : path) {
    if (letter == '.')
      keys.emplace_back();
    else
      keys.back() += letter;
  }
  return keys;
}

bool is_text(const TomlNode& node) {
  return node.kind == TomlNode::Kind::value && std::holds_alternative<std::string>(node.value);
}

bool is_name(std::string_view path) {
  if (path == "data.set") return true;
  return path.ends_with(".name") && is_part(path.substr(0, path.size() - 5));
}

const TomlNode* find(const TomlNode& document, const std::vector<std::string>& keys) {
  const TomlNode* node = &document;
  for (const std::string& key : keys)
    if (node) node = node->child(key);
  return node;
}

/// A part that was written as its name alone becomes a table with that name.
void open_part(TomlNode& node) {
  TomlNode name = node;
  name.key = "name";
  node.kind = TomlNode::Kind::table;
  node.children = {std::move(name)};
}

TomlNode& table_at(TomlNode& parent, const std::string& key, const std::string& path, const SourcePosition& where) {
  TomlNode* node = parent.child(key);
  if (!node) {
    TomlNode table;
    table.key = key;
    table.where = where;
    table.kind = TomlNode::Kind::table;
    return parent.children.emplace_back(std::move(table));
  }
  if (is_part(path) && is_text(*node)) open_part(*node);
  if (node->kind != TomlNode::Kind::table)
    throw ScenarioError(where, "'" + path + "' is " + type_name(*node) + ", so nothing can be set below it");
  return *node;
}

void put(TomlNode& parent, TomlNode node, bool as_name) {
  TomlNode* old = parent.child(node.key);
  if (!old)
    parent.children.push_back(std::move(node));
  else if (!(as_name && is_text(*old) && is_text(node) && old->value == node.value))
    *old = std::move(node);
}

}  // namespace

bool is_part(std::string_view path) { return std::find(kParts.begin(), kParts.end(), path) != kParts.end(); }

void apply_override(TomlNode& document, const Override& change) {
  const SourcePosition where = override_position(change.path);
  std::vector<std::string> keys = split(change.path);
  if (std::any_of(keys.begin(), keys.end(), [](const std::string& key) { return key.empty(); }))
    throw ScenarioError(where, "expected key.path=value, the keys parted by single points");
  TomlNode node = parse_value(change.value, where);
  std::string path = change.path;
  const TomlNode* present = find(document, keys);
  if (is_part(path) && is_text(node) && present && present->kind == TomlNode::Kind::table) {
    keys.emplace_back("name");
    path += ".name";
  }
  TomlNode* parent = &document;
  std::string walked;
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    walked += (i == 0 ? "" : ".") + keys[i];
    parent = &table_at(*parent, keys[i], walked, where);
  }
  node.key = keys.back();
  put(*parent, std::move(node), is_name(path) || is_part(path));
}

Override parse_override(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || trimmed(argument.substr(0, equals)).empty())
    throw ScenarioError(override_position(argument), "expected key.path=value");
  return {trimmed(argument.substr(0, equals)), trimmed(argument.substr(equals + 1))};
}

}  // namespace anybit
