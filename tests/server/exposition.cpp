#include "tests/server/exposition.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>

namespace anybit {
namespace {

const std::regex kHelp("# HELP ([a-z][a-z0-9_]*) ([^\\\\]+)");
const std::regex kType("# TYPE ([a-z][a-z0-9_]*) (counter|gauge)");
const std::string kLabel = R"([a-z][a-z0-9_]*="(?:[^"\\]|\\[\\"n])*")";
const std::regex kLabelName("([a-z][a-z0-9_]*)=\"");
const std::regex kSample("([a-z][a-z0-9_]*)(\\{" + kLabel + "(?:," + kLabel +
                         ")*\\})? ([-+]?[0-9][0-9.e+-]*|NaN|\\+Inf|-Inf)");

class Reader {
 public:
  void line(const std::string& text) {
    ++number_;
    std::smatch match;
    if (std::regex_match(text, match, kHelp)) {
      help(match[1], match[2]);
    } else if (std::regex_match(text, match, kType)) {
      type(match[1], match[2]);
    } else if (std::regex_match(text, match, kSample)) {
      sample(match[1], match[2], match[3]);
    } else {
      complain("no line of the format: " + text);
    }
  }

  Exposition end() {
    close();
    return std::move(page_);
  }

 private:
  void help(const std::string& name, const std::string& text) {
    close();
    if (page_.series.contains(name)) complain(name + " is there twice");
    name_ = name;
    page_.series[name].help = text;
  }
  void type(const std::string& name, const std::string& type) {
    if (name != name_ || !page_.series[name].samples.empty()) complain("TYPE must follow HELP of the same series");
    if (name.ends_with("_total") != (type == "counter")) complain(name + " is a " + type);
    page_.series[name].type = type;
  }
  void sample(const std::string& name, const std::string& labels, const std::string& value) {
    if (name != name_ || page_.series[name].type.empty()) return complain("a sample outside of its series: " + name);
    std::set<std::string> names;
    for (std::sregex_iterator label(labels.begin(), labels.end(), kLabelName), none; label != none; ++label)
      if (!names.insert((*label)[1]).second) complain("a label is there twice");
    char* end = nullptr;
    const double read = std::strtod(value.c_str(), &end);
    if (*end != '\0') complain("no number: " + value);
    if (page_.series[name].type == "counter" && !(read >= 0)) complain("a counter below 0");
    if (!page_.series[name].samples.emplace(labels, read).second) complain("a sample is there twice: " + labels);
  }
  void close() {
    if (!name_.empty() && page_.series[name_].samples.empty()) complain(name_ + " has no sample");
  }
  void complain(const std::string& why) { page_.mistakes.push_back("line " + std::to_string(number_) + ": " + why); }

  Exposition page_;
  std::string name_;
  int number_ = 0;
};

}  // namespace

double Exposition::value(const std::string& name, const std::string& labels) const {
  const auto found = series.find(name);
  if (found == series.end() || !found->second.samples.contains(labels)) {
    ADD_FAILURE() << "there is no " << name << labels;
    return -1;
  }
  return found->second.samples.at(labels);
}

Exposition read_exposition(const std::string& text) {
  Reader reader;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) reader.line(line);
  Exposition page = reader.end();
  if (!text.ends_with('\n')) page.mistakes.push_back("the last line does not end");
  return page;
}

}  // namespace anybit
