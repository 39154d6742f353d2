#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scenarios/mistakes.h"

namespace anybit {

/// One value of a scenario. A list holds integers, numbers or strings; an empty list is of integers.
using OptionValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// The value as TOML, numbers in the shortest form that reads back to the same bits.
std::string to_toml(const OptionValue& value);

/// An ordered table of named values with the place each was written at. The folders above read a part's options
/// through it; the scenario layer itself does not know what they mean (DESIGN, The house).
class Options {
 public:
  struct Entry {
    std::string key;
    OptionValue value;
    SourcePosition where;
  };

  /// `keys_beside`: keys of the same table that are not options, e.g. "name"; a misspelt one is found among them.
  explicit Options(std::string path = {}, std::vector<std::string> keys_beside = {})
      : path_(std::move(path)), keys_beside_(std::move(keys_beside)) {}

  /// The dotted path of the table, e.g. "training.method", and of a key in it; for messages.
  const std::string& path() const { return path_; }
  std::string path_of(std::string_view key) const;
  const std::vector<std::string>& keys_beside() const { return keys_beside_; }
  const std::vector<Entry>& entries() const { return entries_; }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  const Entry* find(std::string_view key) const;

  /// Sets or replaces a value; the order of first setting is kept.
  void set(std::string key, OptionValue value, SourcePosition where = {"default", 0});
  void erase(std::string_view key);

  /// Typed reading. The key must be there (a table row fills in defaults) and of the type, else ScenarioError.
  /// An integer serves where a number is asked for, also in lists.
  bool boolean(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double number(std::string_view key) const;
  double non_negative(std::string_view key) const;  // a finite number of 0 or more
  const std::string& text(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;

  /// Throws ScenarioError at the key's place: "file:line: path.key: reason".
  [[noreturn]] void refuse(std::string_view key, const std::string& reason) const;
  /// refuse(key, reason) unless `holds`.
  void require(bool holds, std::string_view key, const std::string& reason) const;

 private:
  const Entry& at(std::string_view key) const;

  std::string path_;
  std::vector<std::string> keys_beside_;
  std::vector<Entry> entries_;
};

/// A named member of a family with its options: `{ name = "mqat", widths = [8, 4] }`. `where` is the place of the name.
struct Part {
  std::string name;
  Options options;
  SourcePosition where;
};

/// The known name that is nearest to `name` by edit distance; empty where none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

}  // namespace anybit
