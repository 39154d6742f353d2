#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/document.h"

namespace anybit {

/// What a value may be, ends included.
struct Limits {
  std::int64_t least;
  std::int64_t most;
};

/// Reads one table of a document key by key. Every read checks type and limits, notes a mistake and returns the
/// fallback where something is wrong, zero or empty where there is none: then the key must be there. finish() refuses
/// the keys that nobody asked for.
class SectionReader {
 public:
  /// `section` may be null: then nothing is written and fallbacks are read.
  SectionReader(const TomlNode* section, std::string path, Mistakes& mistakes);

  /// The place of a key, or of the section where the key is not written.
  SourcePosition where(std::string_view key = {}) const;

  std::string text(const std::string& key, const std::optional<std::string>& fallback);
  /// A text that is one of `known`.
  std::string choice(const std::string& key, const std::string& fallback, const std::vector<std::string>& known);
  std::int64_t integer(const std::string& key, Limits limits, std::optional<std::int64_t> fallback);
  /// Finite and at least `least`.
  double number(const std::string& key, double least, std::optional<double> fallback);
  /// From `least` to `most`.
  double number_within(const std::string& key, double least, double most, double fallback);
  /// Bytes, 0 or more, counted up to 2^63: a number, or a text such as "512MB".
  double byte_count(const std::string& key, double fallback = 0);
  /// Widths in bits: 2 to 16, or 32 for float; none twice, at least one.
  std::vector<int> widths(const std::string& key, const std::optional<std::vector<int>>& fallback);
  /// One width, or 0.
  int width_or_zero(const std::string& key);
  /// Texts, none twice, at least one; each one of `known` unless that is empty.
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& fallback,
                                 const std::vector<std::string>& known);
  /// A part: a table with a name and options, or the name alone.
  Part part(const std::string& key, const std::optional<std::string>& fallback_name);
  /// A table below this one; null where it is not written.
  const TomlNode* section(const std::string& key);
  /// The tables of an array of tables.
  std::vector<TomlNode> sections(const std::string& key);

  /// As if these keys had been asked for: what finish() does not refuse, and suggests.
  void know(const std::vector<std::string>& keys);
  /// All keys that nobody asked for, as options that the folders above will check.
  Options take_options();
  void refuse(std::string_view key, const std::string& reason);
  /// Refuses the keys that nobody asked for, with the nearest known one.
  void finish();

 private:
  const TomlNode* take(const std::string& key, bool required);
  template <class Value>
  std::optional<Value> read(const std::string& key, bool required);
  std::string full(std::string_view key) const;
  bool asked(const std::string& key) const;

  const TomlNode* section_;
  std::string path_;
  Mistakes& mistakes_;
  std::vector<std::string> asked_;
};

}  // namespace anybit
