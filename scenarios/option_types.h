#pragma once

#include <optional>
#include <string>

#include "scenarios/options.h"

namespace anybit {

/// What the user calls the value's type: "an integer", "a list of texts", ...
std::string type_name(const OptionValue& value);

/// `given` as the type that `like` has, or nothing where that loses something. An integer serves as a number, a single
/// value as a list of one, an empty list as any list.
std::optional<OptionValue> convert_like(const OptionValue& given, const OptionValue& like);

/// A TOML basic string with quotes and escapes.
std::string toml_text(std::string_view text);
/// A TOML key: bare where it can be, else quoted.
std::string toml_key(const std::string& key);

/// The shortest decimal that reads back to the same bits, always with a point, an exponent, "inf" or "nan" in it.
std::string shortest_number(double value);

}  // namespace anybit
