#include "scenarios/option_types.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace anybit {
namespace {

std::string toml_scalar(bool value) { return value ? "true" : "false"; }
std::string toml_scalar(std::int64_t value) { return std::to_string(value); }
std::string toml_scalar(double value) { return shortest_number(value); }
std::string toml_scalar(const std::string& value) { return toml_text(value); }

template <class Value>
std::string toml_scalar(const std::vector<Value>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) text += ", ";
    text += toml_scalar(values[i]);
  }
  return text + "]";
}

struct TypeName {
  std::string operator()(bool) const { return "true or false"; }
  std::string operator()(std::int64_t) const { return "an integer"; }
  std::string operator()(double) const { return "a number"; }
  std::string operator()(const std::string&) const { return "text"; }
  std::string operator()(const std::vector<std::int64_t>&) const { return "a list of integers"; }
  std::string operator()(const std::vector<double>&) const { return "a list of numbers"; }
  std::string operator()(const std::vector<std::string>&) const { return "a list of texts"; }
};

/// Tries to make the wanted type of whatever is given; the general case is that it cannot be done.
template <class Wanted>
struct Convert {
  template <class Given>
  std::optional<OptionValue> operator()(const Given&) const {
    return std::nullopt;
  }
  std::optional<OptionValue> operator()(const Wanted& same) const { return same; }
};

template <>
struct Convert<double> {
  template <class Given>
  std::optional<OptionValue> operator()(const Given&) const {
    return std::nullopt;
  }
  std::optional<OptionValue> operator()(double same) const { return same; }
  std::optional<OptionValue> operator()(std::int64_t whole) const { return static_cast<double>(whole); }
};

template <class Element>
struct Convert<std::vector<Element>> {
  template <class Given>
  std::optional<OptionValue> operator()(const Given& given) const {
    const std::optional<OptionValue> element = Convert<Element>{}(given);
    if (!element) return std::nullopt;
    return std::vector<Element>{std::get<Element>(*element)};
  }
  template <class Given>
  std::optional<OptionValue> operator()(const std::vector<Given>& given) const {
    std::vector<Element> list;
    for (const Given& value : given) {
      const std::optional<OptionValue> element = Convert<Element>{}(value);
      if (!element) return std::nullopt;
      list.push_back(std::get<Element>(*element));
    }
    return list;
  }
};

}  // namespace

std::string type_name(const OptionValue& value) { return std::visit(TypeName{}, value); }

std::optional<OptionValue> convert_like(const OptionValue& given, const OptionValue& like) {
  return std::visit([&](const auto& wanted) { return std::visit(Convert<std::decay_t<decltype(wanted)>>{}, given); },
                    like);
}

std::string shortest_number(double value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string toml_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4U];
      quoted += kHex[byte & 15U];
    } else {
      quoted += letter;
    }
  }
  return quoted + "\"";
}

std::string toml_key(const std::string& key) {
  constexpr std::string_view kBare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (!key.empty() && key.find_first_not_of(kBare) == std::string::npos) return key;
  return toml_text(key);
}

std::string to_toml(const OptionValue& value) {
  return std::visit([](const auto& held) { return toml_scalar(held); }, value);
}

}  // namespace anybit
