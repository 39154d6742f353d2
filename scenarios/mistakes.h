#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anybit {

/// Where a value was written: a scenario file and its line, or "--set key.path" / "default" with line 0.
struct SourcePosition {
  std::string file;
  int line = 0;
};

/// The position of an override from the command line, and whether a position is one.
SourcePosition override_position(const std::string& path);
bool from_override(const SourcePosition& where);

/// "file:line" or just the file where there is no line.
std::string to_string(const SourcePosition& where);

/// A mistake in what the user wrote. what() is "file:line: reason".
class ScenarioError : public std::runtime_error {
 public:
  /// `key`: the dotted path of the key or table that it is about, e.g. "data.proxy"; empty where it is about several.
  ScenarioError(SourcePosition where, const std::string& reason, std::string key = {});
  const SourcePosition& where() const { return where_; }
  const std::string& key() const { return key_; }

 private:
  SourcePosition where_;
  std::string key_;
};

/// A mistake in the value of a key. what() names the key once: where the place, an override of this very key, does not.
ScenarioError key_mistake(SourcePosition where, const std::string& key, const std::string& reason);

/// Several mistakes at once, each named once: those of a file by line, file after file, then those of overrides. what()
/// is one "file:line: reason" a line.
class ScenarioErrors : public std::runtime_error {
 public:
  explicit ScenarioErrors(std::vector<ScenarioError> mistakes);
  const std::vector<ScenarioError>& mistakes() const { return mistakes_; }
  std::vector<std::string> lines() const;

 private:
  std::vector<ScenarioError> mistakes_;
};

/// Collects everything that is wrong with a scenario, so that the user sees it at once.
class Mistakes {
 public:
  /// `file`: the scenario's, for what is missing in it.
  explicit Mistakes(std::string file = {}) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  void add(ScenarioError mistake);
  void add(const std::vector<ScenarioError>& mistakes);
  /// Runs the body and keeps the mistakes that it throws, one or several.
  void check(const std::function<void()>& body);

  const std::vector<ScenarioError>& found() const { return found_; }
  bool empty() const { return found_.empty(); }
  /// Whether one is about this key, or about one below it: then nothing that follows from its value can be said.
  bool about(std::string_view key) const;
  /// Throws ScenarioErrors if there are any.
  void throw_if_any() const;

 private:
  std::string file_;
  std::vector<ScenarioError> found_;
};

}  // namespace anybit
