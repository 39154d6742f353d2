#include "scenarios/document.h"

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "scenarios/option_types.h"

namespace anybit {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

TomlNode convert(const toml::node& node, const std::string& key, const std::string& file);

TomlNode foreign(std::string what) {
  TomlNode node;
  node.kind = TomlNode::Kind::foreign;
  node.foreign = std::move(what);
  return node;
}

TomlNode held(OptionValue value) {
  TomlNode node;
  node.value = std::move(value);
  return node;
}

TomlNode convert_table(const toml::table& table, const std::string& file) {
  TomlNode node;
  node.kind = TomlNode::Kind::table;
  std::vector<std::pair<toml::source_position, TomlNode>> entries;
  for (const auto& [key, entry] : table)
    entries.emplace_back(entry.source().begin, convert(entry, std::string(key.str()), file));
  // The library keeps keys sorted by name; a scenario keeps the order in which they were written.
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& entry : entries) node.children.push_back(std::move(entry.second));
  return node;
}

template <class Value>
std::vector<Value> elements(const toml::array& array) {
  std::vector<Value> values;
  for (const toml::node& entry : array) values.push_back(*entry.value<Value>());
  return values;
}

TomlNode convert_array(const toml::array& array, const std::string& file) {
  if (array.empty()) return held(std::vector<std::int64_t>{});
  if (array.is_homogeneous<std::int64_t>()) return held(elements<std::int64_t>(array));
  if (array.is_homogeneous<std::string>()) return held(elements<std::string>(array));
  if (array.is_array_of_tables()) {
    TomlNode node;
    node.kind = TomlNode::Kind::tables;
    for (const toml::node& entry : array) node.children.push_back(convert(entry, "", file));
    return node;
  }
  if (!std::all_of(array.begin(), array.end(), [](const toml::node& entry) { return entry.is_number(); }))
    return foreign("a list of mixed or nested values");
  std::vector<double> numbers = elements<double>(array);
  if (std::any_of(numbers.begin(), numbers.end(), [](double value) { return std::isnan(value); }))
    return foreign("a list with nan in it");
  return held(std::move(numbers));
}

TomlNode convert_any(const toml::node& node, const std::string& file) {
  if (const auto* table = node.as_table()) return convert_table(*table, file);
  if (const auto* array = node.as_array()) return convert_array(*array, file);
  if (const auto* text = node.as_string()) return held(text->get());
  if (const auto* whole = node.as_integer()) return held(whole->get());
  if (const auto* truth = node.as_boolean()) return held(truth->get());
  if (const auto* number = node.as_floating_point())
    return std::isnan(number->get()) ? foreign("nan") : held(number->get());
  return foreign("a date or time");
}

TomlNode convert(const toml::node& node, const std::string& key, const std::string& file) {
  TomlNode converted = convert_any(node, file);
  converted.key = key;
  converted.where = {file, static_cast<int>(node.source().begin.line)};
  return converted;
}

std::optional<toml::table> parsed(const std::string& text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

/// Decimal digits behind a sign or none: TOML that only its size can make unreadable.
bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.front() != '0' && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

const TomlNode* TomlNode::child(std::string_view name) const {
  if (kind != Kind::table) return nullptr;
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const TomlNode& node) { return node.key == name; });
  return found == children.end() ? nullptr : &*found;
}

TomlNode* TomlNode::child(std::string_view name) { return const_cast<TomlNode*>(std::as_const(*this).child(name)); }

std::string type_name(const TomlNode& node) {
  switch (node.kind) {
    case TomlNode::Kind::value: return type_name(node.value);
    case TomlNode::Kind::table: return "a table";
    case TomlNode::Kind::tables: return "a list of tables";
    case TomlNode::Kind::huge: return "an integer beyond 64 bits";
    case TomlNode::Kind::foreign: return node.foreign;
  }
  return "nothing";
}

void place(TomlNode& node, const SourcePosition& where) {
  node.where = where;
  for (TomlNode& child : node.children) place(child, where);
}

TomlNode parse_document(const std::string& text, const std::string& file) {
  try {
    return convert(toml::parse(text, file), "", file);
  } catch (const toml::parse_error& error) {
    std::string reason(error.description());
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw ScenarioError({file, static_cast<int>(error.source().begin.line)}, reason);
  }
}

std::string read_toml_file(const std::string& path) {
  const auto refuse = [&](const std::string& reason) { throw ScenarioError({path, 0}, reason); };
  if (std::filesystem::is_directory(path)) refuse("is a directory, not a scenario file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) refuse(std::string("cannot be read: ") + std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) refuse("is larger than a scenario can be (1 MiB)");
  return text;
}

TomlNode parse_value(const std::string& text, const SourcePosition& where) {
  TomlNode node = held(text);
  if (const auto table = parsed("value = " + text)) {
    // More than one key means that the text ran on over lines: then it is no value.
    if (table->size() == 1) node = convert_any(*table->get("value"), "");
  } else if (is_integer(text)) {
    node.kind = TomlNode::Kind::huge;
    node.foreign = text;
  } else if (!parsed("value = " + toml_text(text))) {
    throw ScenarioError(where, "the value is not valid UTF-8");
  }
  place(node, where);
  return node;
}

}  // namespace anybit
