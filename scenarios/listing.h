#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/table.h"

namespace anybit {

/// A JSON string with quotes and escapes. The text is taken for UTF-8.
std::string json_text(std::string_view text);

/// A value as JSON. Numbers that JSON does not have (inf, nan) become strings.
std::string to_json(const OptionValue& value);

/// A table as a JSON array, an object a row: name, help, paper, options (objects of name, default, alternative, help)
/// and neutral, which is {"base", "options", "base_options"}, or {"base": null, "reason"} where the row has none.
std::string rows_to_json(const std::vector<RowInfo>& rows);

/// A table for the screen: a line a row with its help and paper, then a line an option with its default.
std::string rows_to_text(const std::vector<RowInfo>& rows);

}  // namespace anybit
