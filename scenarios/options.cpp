#include "scenarios/options.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "scenarios/option_types.h"

namespace anybit {
namespace {

char lower(char letter) { return static_cast<char>(std::tolower(static_cast<unsigned char>(letter))); }

/// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other; case does not count.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

/// The value at the entry as `Value`, converted where that loses nothing.
template <class Value>
Value converted(const Options& options, const Options::Entry& entry) {
  const OptionValue wanted = Value{};
  if (const auto value = convert_like(entry.value, wanted)) return std::get<Value>(*value);
  options.refuse(entry.key, "expected " + type_name(wanted) + ", not " + type_name(entry.value));
}

}  // namespace

const Options::Entry* Options::find(std::string_view key) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries_.end() ? nullptr : &*found;
}

void Options::set(std::string key, OptionValue value, SourcePosition where) {
  for (Entry& entry : entries_) {
    if (entry.key != key) continue;
    entry.value = std::move(value);
    entry.where = std::move(where);
    return;
  }
  entries_.push_back({std::move(key), std::move(value), std::move(where)});
}

void Options::erase(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
}

const Options::Entry& Options::at(std::string_view key) const {
  if (const Entry* entry = find(key)) return *entry;
  refuse(key, "is missing");
}

bool Options::boolean(std::string_view key) const { return converted<bool>(*this, at(key)); }
std::int64_t Options::integer(std::string_view key) const { return converted<std::int64_t>(*this, at(key)); }
double Options::number(std::string_view key) const { return converted<double>(*this, at(key)); }

double Options::non_negative(std::string_view key) const {
  const double value = number(key);
  require(std::isfinite(value) && value >= 0.0, key, "must be a finite number that is not negative");
  return value;
}

const std::string& Options::text(std::string_view key) const {
  const Entry& entry = at(key);
  if (const auto* text = std::get_if<std::string>(&entry.value)) return *text;
  refuse(key, "expected text, not " + type_name(entry.value));
}

std::vector<std::int64_t> Options::integers(std::string_view key) const {
  return converted<std::vector<std::int64_t>>(*this, at(key));
}

std::vector<double> Options::numbers(std::string_view key) const {
  return converted<std::vector<double>>(*this, at(key));
}

std::vector<std::string> Options::texts(std::string_view key) const {
  return converted<std::vector<std::string>>(*this, at(key));
}

std::string Options::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Options::refuse(std::string_view key, const std::string& reason) const {
  const std::string full = path_of(key);
  const Entry* entry = find(key);
  const SourcePosition where = entry ? entry->where : SourcePosition{"default", 0};
  throw key_mistake(where, full, reason);
}

void Options::require(bool holds, std::string_view key, const std::string& reason) const {
  if (!holds) refuse(key, reason);
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t fewest = 0;
  for (const std::string& candidate : known) {
    const std::size_t edits = edit_distance(name, candidate);
    const std::size_t near = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (edits > near || candidate.empty()) continue;
    if (best.empty() || edits < fewest) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

}  // namespace anybit
