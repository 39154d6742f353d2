#include "scenarios/section_reader.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "scenarios/byte_count.h"
#include "scenarios/comma_list.h"
#include "scenarios/option_types.h"
#include "scenarios/overrides.h"
#include "scenarios/width.h"

namespace anybit {
namespace {

constexpr std::size_t kMostOptions = 1000;  // each is looked for among all

std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = nearest(name, known);
  return near.empty() ? "; known: " + comma_list(known) : "; did you mean '" + near + "'?";
}

std::string limits_text(Limits limits) {
  if (limits.most == std::numeric_limits<std::int64_t>::max()) return "at least " + std::to_string(limits.least);
  return std::to_string(limits.least) + " to " + std::to_string(limits.most);
}

/// The first value that stands in the list twice.
template <class Value>
const Value* repeated(const std::vector<Value>& values) {
  for (auto value = values.begin(); value != values.end(); ++value)
    if (std::find(values.begin(), value, *value) != value) return &*value;
  return nullptr;
}

}  // namespace

SectionReader::SectionReader(const TomlNode* section, std::string path, Mistakes& mistakes)
    : section_(section), path_(std::move(path)), mistakes_(mistakes) {}

std::string SectionReader::full(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

SourcePosition SectionReader::where(std::string_view key) const {
  if (!section_) return {mistakes_.file(), 1};
  const TomlNode* node = section_->child(key);
  return node ? node->where : section_->where;
}

void SectionReader::refuse(std::string_view key, const std::string& reason) {
  mistakes_.add(key_mistake(where(key), full(key), reason));
}

bool SectionReader::asked(const std::string& key) const {
  return std::find(asked_.begin(), asked_.end(), key) != asked_.end();
}

const TomlNode* SectionReader::take(const std::string& key, bool required) {
  if (!asked(key)) asked_.push_back(key);
  const TomlNode* node = section_ ? section_->child(key) : nullptr;
  if (!node && required) refuse(key, "is missing");
  return node;
}

template <class Value>
std::optional<Value> SectionReader::read(const std::string& key, bool required) {
  const TomlNode* node = take(key, required);
  if (!node) return std::nullopt;
  const OptionValue wanted = Value{};
  if (node->kind == TomlNode::Kind::value)
    if (const auto value = convert_like(node->value, wanted)) return std::get<Value>(*value);
  refuse(key, "expected " + type_name(wanted) + ", not " + type_name(*node));
  return std::nullopt;
}

std::string SectionReader::text(const std::string& key, const std::optional<std::string>& fallback) {
  return read<std::string>(key, !fallback).value_or(fallback.value_or(""));
}

std::string SectionReader::choice(const std::string& key, const std::string& fallback,
                                  const std::vector<std::string>& known) {
  std::string value = text(key, fallback);
  if (std::find(known.begin(), known.end(), value) != known.end()) return value;
  refuse(key, "unknown '" + value + "'; known: " + comma_list(known));
  return fallback;
}

std::int64_t SectionReader::integer(const std::string& key, Limits limits, std::optional<std::int64_t> fallback) {
  const std::int64_t safe = fallback.value_or(0);
  if (const TomlNode* node = take(key, false); node && node->kind == TomlNode::Kind::huge) {
    refuse(key, node->foreign + " is out of range; accepted: " + std::to_string(limits.least) + " to " +
                    std::to_string(limits.most));
    return safe;
  }
  const auto value = read<std::int64_t>(key, !fallback);
  if (!value) return safe;
  if (*value >= limits.least && *value <= limits.most) return *value;
  refuse(key, std::to_string(*value) + " is out of range; accepted: " + limits_text(limits));
  return safe;
}

double SectionReader::number(const std::string& key, double least, std::optional<double> fallback) {
  const auto value = read<double>(key, !fallback);
  if (!value) return fallback.value_or(least);
  if (std::isfinite(*value) && *value >= least) return *value;
  refuse(key, shortest_number(*value) + " is out of range; accepted: finite and at least " + shortest_number(least));
  return fallback.value_or(least);
}

double SectionReader::number_within(const std::string& key, double least, double most, double fallback) {
  const double value = read<double>(key, false).value_or(fallback);
  if (value >= least && value <= most) return value;
  refuse(key, shortest_number(value) + " is out of range; accepted: " + shortest_number(least) + " to " +
                  shortest_number(most));
  return fallback;
}

double SectionReader::byte_count(const std::string& key, double fallback) {
  const TomlNode* node = take(key, false);
  if (!node) return fallback;
  const auto* text = node->kind == TomlNode::Kind::value ? std::get_if<std::string>(&node->value) : nullptr;
  if (!text) {
    const double bytes = number(key, 0, fallback);
    if (bytes <= kMostByteCount) return bytes;
    refuse(key, shortest_number(bytes) + " is out of range; accepted: at most 2^63 bytes");
    return fallback;
  }
  if (const auto bytes = parse_byte_count(*text)) return *bytes;
  refuse(key,
         "'" + *text + "' is no number of bytes; accepted: a number, or one of B, kB, MB, GB, MiB, GiB, as in 512MB");
  return fallback;
}

std::vector<int> SectionReader::widths(const std::string& key, const std::optional<std::vector<int>>& fallback) {
  const std::vector<int> safe = fallback.value_or(std::vector<int>{kFloatWidth});
  const auto bits = read<std::vector<std::int64_t>>(key, !fallback);
  if (!bits) return safe;
  if (bits->empty()) refuse(key, "the list is empty");
  if (const auto* twice = repeated(*bits)) refuse(key, std::to_string(*twice) + " is listed twice");
  std::vector<int> widths;
  for (const std::int64_t width : *bits) {
    if (is_width(width))
      widths.push_back(static_cast<int>(width));
    else
      refuse(key, std::to_string(width) + " is no width; accepted: 2 to 16, or 32 for float");
  }
  return widths;
}

int SectionReader::width_or_zero(const std::string& key) {
  const std::int64_t bits = integer(key, {0, kFloatWidth}, 0);
  if (bits == 0 || is_width(bits)) return static_cast<int>(bits);
  refuse(key, std::to_string(bits) + " is no width; accepted: 2 to 16, 32 for float, 0 for as the others");
  return 0;
}

std::vector<std::string> SectionReader::texts(const std::string& key, const std::vector<std::string>& fallback,
                                              const std::vector<std::string>& known) {
  std::vector<std::string> values = read<std::vector<std::string>>(key, false).value_or(fallback);
  if (values.empty()) refuse(key, "the list is empty");
  if (const auto* twice = repeated(values)) refuse(key, "'" + *twice + "' is listed twice");
  const auto is_known = [&](const std::string& value) {
    return known.empty() || std::find(known.begin(), known.end(), value) != known.end();
  };
  for (const std::string& value : values)
    if (!is_known(value)) refuse(key, "unknown '" + value + "'; known: " + comma_list(known));
  std::erase_if(values, [&](const std::string& value) { return !is_known(value); });
  return values;
}

Part SectionReader::part(const std::string& key, const std::optional<std::string>& fallback_name) {
  assert(is_part(full(key)));
  const TomlNode* node = take(key, false);
  const bool is_table = node && node->kind == TomlNode::Kind::table;
  if (node && !is_table) {
    Part named{read<std::string>(key, false).value_or(""), Options(full(key), {"name"}), node->where};
    return named;
  }
  if (!node && fallback_name) return {*fallback_name, Options(full(key), {"name"}), {"default", 0}};
  SectionReader inner(node, full(key), mistakes_);
  Part part{inner.text("name", fallback_name), Options(), inner.where("name")};
  part.options = inner.take_options();
  return part;
}

const TomlNode* SectionReader::section(const std::string& key) {
  const TomlNode* node = take(key, false);
  if (!node || node->kind == TomlNode::Kind::table) return node;
  refuse(key, "expected a table, not " + type_name(*node));
  return nullptr;
}

std::vector<TomlNode> SectionReader::sections(const std::string& key) {
  const TomlNode* node = take(key, false);
  if (!node) return {};
  if (node->kind == TomlNode::Kind::tables) return node->children;
  if (node->kind == TomlNode::Kind::value && node->value == OptionValue(std::vector<std::int64_t>{})) return {};
  refuse(key, "expected tables headed [[" + full(key) + "]], not " + type_name(*node));
  return {};
}

void SectionReader::know(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) take(key, false);
}

Options SectionReader::take_options() {
  Options options(path_, asked_);
  if (!section_) return options;
  for (const TomlNode& node : section_->children) {
    if (asked(node.key)) continue;
    if (options.entries().size() == kMostOptions) {
      refuse(node.key, "there are more than " + std::to_string(kMostOptions) + " options; nothing has so many");
      break;
    }
    if (node.kind == TomlNode::Kind::value)
      options.set(node.key, node.value, node.where);
    else if (node.kind == TomlNode::Kind::foreign || node.kind == TomlNode::Kind::huge)
      refuse(node.key,
             type_name(node) + " cannot be used here; an option is a number, a text, true or false, or a list");
    else
      refuse(node.key, "an option cannot be " + type_name(node) + suggestion(node.key, asked_));
  }
  return options;
}

void SectionReader::finish() {
  if (!section_) return;
  const std::string in = path_.empty() ? "" : " in [" + path_ + "]";
  for (const TomlNode& node : section_->children)
    if (!asked(node.key))
      mistakes_.add({node.where, "unknown key '" + node.key + "'" + in + suggestion(node.key, asked_), full(node.key)});
}

}  // namespace anybit
