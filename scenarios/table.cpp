#include "scenarios/table.h"

#include <algorithm>
#include <map>

#include "scenarios/comma_list.h"
#include "scenarios/option_types.h"

namespace anybit {
namespace {

std::vector<std::string> option_names(const RowInfo& row) {
  std::vector<std::string> names;
  for (const OptionRow& option : row.options) names.push_back(option.name);
  return names;
}

bool knows(const RowInfo& row, const std::string& key) {
  return std::any_of(row.options.begin(), row.options.end(),
                     [&](const OptionRow& option) { return option.name == key; });
}

std::string unknown_option(const RowInfo& row, const Options& given, const std::string& key) {
  std::vector<std::string> candidates = option_names(row);
  std::string reason = "'" + row.name + "' has no option '" + key +
                       "'; known: " + (candidates.empty() ? "none" : comma_list(candidates));
  candidates.insert(candidates.end(), given.keys_beside().begin(), given.keys_beside().end());
  const std::string near = nearest(key, candidates);
  if (!near.empty()) reason += " (did you mean '" + near + "'?)";
  return reason;
}

struct Mistake {
  std::string key;
  std::string reason;
};

/// Fills `resolved` and returns the mistakes.
std::vector<Mistake> resolve(const RowInfo& row, const Options& given, const SourcePosition& where, Options& resolved) {
  std::vector<Mistake> mistakes;
  for (const Options::Entry& entry : given.entries())
    if (!knows(row, entry.key)) mistakes.push_back({entry.key, unknown_option(row, given, entry.key)});
  for (const OptionRow& option : row.options) {
    const Options::Entry* entry = given.find(option.name);
    if (!entry) {
      resolved.set(option.name, option.fallback, where);
    } else if (auto value = convert_like(entry->value, option.fallback)) {
      resolved.set(option.name, std::move(*value), entry->where);
    } else {
      mistakes.push_back({option.name, "expected " + type_name(option.fallback) + " such as " +
                                           to_toml(option.fallback) + ", not " + type_name(entry->value)});
    }
  }
  return mistakes;
}

using StandIns = std::vector<OptionValue OptionRow::*>;

/// The values that `make` refuses, in the order in which it comes to them; a refused one gives way to the first of its
/// stand-ins, and a refused stand-in to the next. Options that are not set (they have the wrong type) have the first
/// from the start.
Mistakes refused_values(const RowInfo& row, Options options, const StandIns& stand_ins,
                        const std::function<void(const Options&)>& make) {
  Mistakes refused;
  std::map<std::string, std::size_t> replaced;  // how often, by key
  for (const OptionRow& option : row.options)
    if (!options.has(option.name)) options.set(option.name, option.*stand_ins[0]);
  /// False where the last stand-in is refused, too.
  const auto put_aside = [&](const std::vector<ScenarioError>& mistakes) {
    for (const ScenarioError& mistake : mistakes) {
      const std::size_t turn = replaced[mistake.key()]++;
      if (turn == stand_ins.size()) return false;
      if (turn == 0) refused.add(mistake);
      for (const OptionRow& option : row.options)
        if (options.path_of(option.name) == mistake.key()) options.set(option.name, option.*stand_ins[turn]);
    }
    return true;
  };
  for (std::size_t tries = 0; tries <= row.options.size() * stand_ins.size(); ++tries) {
    try {
      make(options);
      break;
    } catch (const ScenarioError& mistake) {
      if (!put_aside({mistake})) break;
    } catch (const ScenarioErrors& several) {
      if (!put_aside(several.mistakes())) break;
    } catch (const std::exception&) {
      break;
    }
  }
  return refused;
}

}  // namespace

Options resolve_options(const RowInfo& row, const Options& given, const SourcePosition& where) {
  Options resolved(given.path(), given.keys_beside());
  const std::vector<Mistake> mistakes = resolve(row, given, where, resolved);
  if (!mistakes.empty()) given.refuse(mistakes.front().key, mistakes.front().reason);
  return resolved;
}

std::vector<ScenarioError> option_mistakes(const RowInfo& row, const Options& given,
                                           const std::function<void(const Options&)>& make,
                                           const SourcePosition& where) {
  Options resolved(given.path(), given.keys_beside());
  Mistakes found;
  for (const Mistake& mistake : resolve(row, given, where, resolved))
    found.check([&] { given.refuse(mistake.key, mistake.reason); });
  const Mistakes with_fallbacks = refused_values(row, resolved, {&OptionRow::fallback}, make);
  const Mistakes with_alternatives =
      refused_values(row, resolved, {&OptionRow::alternative, &OptionRow::fallback}, make);
  for (const ScenarioError& mistake : with_fallbacks.found())
    if (with_alternatives.about(mistake.key())) found.add(mistake);
  return found.found();
}

std::vector<std::string> drop_foreign_options(const RowInfo& row, Part& part) {
  std::vector<std::string> dropped;
  if (!from_override(part.where)) return dropped;
  for (const Options::Entry& entry : part.options.entries())
    if (!knows(row, entry.key) && !from_override(entry.where)) dropped.push_back(entry.key);
  for (const std::string& key : dropped) part.options.erase(key);
  return dropped;
}

void refuse_name(const std::string& family, const Part& part, const std::vector<RowInfo>& rows) {
  std::vector<std::string> names;
  for (const RowInfo& row : rows) names.push_back(row.name);
  std::string reason = "unknown " + family + " '" + part.name + "'; known: " + comma_list(names);
  const std::string near = nearest(part.name, names);
  if (!near.empty()) reason += " (did you mean '" + near + "'?)";
  throw ScenarioError(part.where, reason, part.options.path());
}

}  // namespace anybit
