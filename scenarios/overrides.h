#pragma once

#include <string_view>
#include <vector>

#include "scenarios/document.h"
#include "scenarios/scenario.h"

namespace anybit {

/// Whether the dotted path is a part: a name with options, which may also be written as the name alone.
bool is_part(std::string_view path);

/// Sets the value at the override's path in the document, making tables on the way; every new node is placed at
/// "--set path". A part's name that is already the same keeps its place in the file, so its options stay its own.
/// Throws ScenarioError for a path that leads through something that is no table.
void apply_override(TomlNode& document, const Override& change);

}  // namespace anybit
