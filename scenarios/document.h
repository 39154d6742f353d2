#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/options.h"

namespace anybit {

/// A TOML document as a tree with positions: what the schema reads and overrides change. The TOML library stays behind
/// document.cpp.
struct TomlNode {
  enum class Kind {
    value,    // `value`
    table,    // `children`, in the order of writing
    tables,   // an array of tables; `children` are the tables
    huge,     // an integer beyond 64 bits; `foreign` has its digits
    foreign,  // something that no scenario holds (a date, a list of lists, nan); `foreign` names it
  };

  std::string key;
  SourcePosition where;
  Kind kind = Kind::value;
  OptionValue value = false;
  std::vector<TomlNode> children = {};
  std::string foreign = {};

  const TomlNode* child(std::string_view name) const;
  TomlNode* child(std::string_view name);
};

/// What the user calls the node's type: "an integer", "a table", "a date", ...
std::string type_name(const TomlNode& node);

/// Sets the position of the node and of everything below it.
void place(TomlNode& node, const SourcePosition& where);

/// Parses a whole file. Throws ScenarioError at the line of a syntax error.
TomlNode parse_document(const std::string& text, const std::string& file);

/// The text of such a file. Throws ScenarioError where it cannot be read, or is larger than 1 MiB.
std::string read_toml_file(const std::string& path);

/// Parses one value as it may stand behind "=", every position in it being `where`. What is not TOML is a string, but
/// for an integer of too many digits.
TomlNode parse_value(const std::string& text, const SourcePosition& where);

}  // namespace anybit
