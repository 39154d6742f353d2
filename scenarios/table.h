#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scenarios/options.h"

namespace anybit {

/// One option of a table row. The type of `fallback` is the option's type. `alternative` is a second valid value that
/// must change what the row computes: a test walks every table and compares the bytes of a run with each.
struct OptionRow {
  std::string name;
  OptionValue fallback;
  OptionValue alternative;
  std::string help;
  /// Options that must be set for the alternative to matter, e.g. {{"activations", 8}}.
  std::vector<std::pair<std::string, OptionValue>> alternative_with = {};
};

/// "These options make the row equal that other row, bit for bit" (DESIGN D5), or the reason why there are none.
struct Neutral {
  std::string base;                                               // name of the base row; empty: none
  std::vector<std::pair<std::string, OptionValue>> options = {};  // of this row
  std::vector<std::pair<std::string, OptionValue>> base_options = {};
  std::string reason = {};  // why none, where base is empty
};

/// What `anybit-sim list` prints of a row, whatever it makes.
struct RowInfo {
  std::string name;
  std::string help;   // one line
  std::string paper;  // source with year, or "" for the obvious
  std::vector<OptionRow> options = {};
  Neutral neutral = {"", {}, {}, ""};
};

/// Checks a part's options against its row and fills in the defaults, in the row's order. ScenarioError names the
/// nearest known option for an unknown one, and the expected type for a wrong one.
/// An integer serves as a number and a single value as a list of one; both are stored as the fallback's type, so that
/// the canonical text is one. `where`: the place of the part, which stands for that of what is not written.
Options resolve_options(const RowInfo& row, const Options& given, const SourcePosition& where = {"default", 0});

/// Every mistake in a part's options: unknown ones, wrong types, and the values that `make` refuses, each key's first.
/// `make` stops at the first value that it refuses, so it is asked again with a valid stand-in there: the fallback, and
/// in a second pass the alternative, because a mistake that only one of the two brings about is the stand-in's, not the
/// user's. Where the alternative is refused itself, as of an option that may only stand there as its default, the
/// fallback stands in then, too. What else `make` throws, e.g. for a missing file, is no matter of options. `where`: as
/// above.
std::vector<ScenarioError> option_mistakes(const RowInfo& row, const Options& given,
                                           const std::function<void(const Options&)>& make,
                                           const SourcePosition& where = {"default", 0});

/// Where the part's name came from an override, removes the options that the file wrote for the old row and `row` does
/// not know, and returns their names. Options that were set by overrides themselves stay, and stay mistakes.
std::vector<std::string> drop_foreign_options(const RowInfo& row, Part& part);

/// Throws "unknown FAMILY 'x'; known: a, b, c (did you mean 'a'?)" at the part's place.
[[noreturn]] void refuse_name(const std::string& family, const Part& part, const std::vector<RowInfo>& rows);

/// A family: name -> maker (DESIGN D12). Explicit, in one place per family, no self-registration.
template <class Made, class... Arguments>
class Table {
 public:
  struct Row {
    RowInfo info;
    /// Gets resolved options, checks their values and throws ScenarioError at the first wrong one. Cheap and without
    /// effects: mistakes() calls it several times and drops what it made.
    std::function<Made(const Options&, Arguments...)> make;
  };

  Table(std::string family, std::vector<Row> rows) : family_(std::move(family)), rows_(std::move(rows)) {}

  const std::string& family() const { return family_; }
  const std::vector<Row>& rows() const { return rows_; }

  std::vector<RowInfo> infos() const {
    std::vector<RowInfo> all;
    for (const Row& row : rows_) all.push_back(row.info);
    return all;
  }

  const Row& row(const Part& part) const {
    for (const Row& candidate : rows_)
      if (candidate.info.name == part.name) return candidate;
    refuse_name(family_, part, infos());
  }

  /// The part with every default filled in; ScenarioError for a name or option that the table does not know.
  Part resolve(const Part& part) const {
    return {part.name, resolve_options(row(part).info, part.options, part.where), part.where};
  }

  /// Every mistake of the part: an unknown name, or all that is wrong with its options. What was made to find out is
  /// dropped.
  std::vector<ScenarioError> mistakes(const Part& part, const Arguments&... arguments) const {
    try {
      const Row& found = row(part);
      return option_mistakes(
          found.info, part.options, [&](const Options& options) { (void)found.make(options, arguments...); },
          part.where);
    } catch (const ScenarioError& unknown_name) {
      return {unknown_name};
    }
  }

  /// Makes the named member; throws as the maker does.
  Made make(const Part& part, Arguments... arguments) const {
    const Row& found = row(part);
    return found.make(resolve_options(found.info, part.options, part.where), std::forward<Arguments>(arguments)...);
  }

 private:
  std::string family_;
  std::vector<Row> rows_;
};

}  // namespace anybit
