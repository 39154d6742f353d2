#pragma once

#include <map>
#include <string>
#include <vector>

namespace anybit {

/// One series of a page in Prometheus' text format.
struct Series {
  std::string type;
  std::string help;
  std::map<std::string, double> samples;  // by labels as they stand there, {name="value",...} or nothing
};

/// A page, by the names of its series.
struct Exposition {
  std::map<std::string, Series> series;
  std::vector<std::string> mistakes;  // as "line 3: why"; empty: the page keeps to the format

  double value(const std::string& name, const std::string& labels = "") const;
};

/// Reads a page more strictly than the format asks for: each series opens with HELP and TYPE, stands together and has a
/// sample; names and labels are in small letters; counters, and no others, end in _total; nothing is there twice; every
/// line ends; there are no time stamps, comments or empty lines.
Exposition read_exposition(const std::string& text);

}  // namespace anybit
