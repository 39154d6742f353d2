#include "scenarios/listing.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "scenarios/option_types.h"

namespace anybit {
namespace {

using NamedValues = std::vector<std::pair<std::string, OptionValue>>;

std::string json_scalar(bool value) { return value ? "true" : "false"; }
std::string json_scalar(std::int64_t value) { return std::to_string(value); }
std::string json_scalar(const std::string& value) { return json_text(value); }
std::string json_scalar(double value) {
  return std::isfinite(value) ? shortest_number(value) : json_text(shortest_number(value));
}

template <class Value>
std::string json_scalar(const std::vector<Value>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ", ") + json_scalar(values[i]);
  return text + "]";
}

/// An object from its fields in turn: a name, its JSON, a name, its JSON.
std::string object(std::initializer_list<std::string> fields, std::string_view separator = ", ") {
  std::string text = "{";
  bool is_name = true;
  for (const std::string& field : fields) {
    if (is_name) {
      if (text.size() > 1) text += separator;
      text += json_text(field);
      text += ": ";
    } else {
      text += field;
    }
    is_name = !is_name;
  }
  text += "}";
  return text;
}

std::string json_values(const NamedValues& values) {
  std::string text = "{";
  for (const auto& [name, value] : values) {
    if (text.size() > 1) text += ", ";
    text += json_text(name);
    text += ": ";
    text += to_json(value);
  }
  text += "}";
  return text;
}

std::string json_option(const OptionRow& option) {
  return object({"name", json_text(option.name), "default", to_json(option.fallback), "alternative",
                 to_json(option.alternative), "help", json_text(option.help)});
}

std::string json_neutral(const Neutral& neutral) {
  if (neutral.base.empty()) return object({"base", "null", "reason", json_text(neutral.reason)});
  return object({"base", json_text(neutral.base), "options", json_values(neutral.options), "base_options",
                 json_values(neutral.base_options)});
}

std::string json_row(const RowInfo& row) {
  std::string options = "[";
  for (const OptionRow& option : row.options) {
    options += options.size() == 1 ? "\n    " : ",\n    ";
    options += json_option(option);
  }
  options += "]";
  return object({"name", json_text(row.name), "help", json_text(row.help), "paper", json_text(row.paper), "options",
                 options, "neutral", json_neutral(row.neutral)},
                ",\n   ");
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

}  // namespace

std::string json_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (byte < 0x20) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4U];
      quoted += kHex[byte & 15U];
    } else {
      quoted += letter;
    }
  }
  return quoted + "\"";
}

std::string to_json(const OptionValue& value) {
  return std::visit([](const auto& held) { return json_scalar(held); }, value);
}

std::string rows_to_json(const std::vector<RowInfo>& rows) {
  std::string text;
  for (const RowInfo& row : rows) {
    text += text.empty() ? "[\n  " : ",\n  ";
    text += json_row(row);
  }
  return rows.empty() ? "[]\n" : text + "\n]\n";
}

std::string rows_to_text(const std::vector<RowInfo>& rows) {
  std::size_t names = 0;
  std::size_t settings = 0;
  const auto setting = [](const OptionRow& option) { return option.name + " = " + to_toml(option.fallback); };
  for (const RowInfo& row : rows) {
    names = std::max(names, row.name.size());
    for (const OptionRow& option : row.options) settings = std::max(settings, setting(option).size());
  }
  std::string text;
  for (const RowInfo& row : rows) {
    text += padded(row.name, names) + "  " + row.help + (row.paper.empty() ? "" : " (" + row.paper + ")") + "\n";
    for (const OptionRow& option : row.options)
      text += std::string(names + 4, ' ') + padded(setting(option), settings) + "  " + option.help + "\n";
  }
  return text;
}

}  // namespace anybit
