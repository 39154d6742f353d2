#pragma once

#include <map>
#include <sstream>
#include <string>

namespace anybit {

/// Of what `check` prints, the number of "memory   21.3 MB with 1 thread: ...".
inline double promised_bytes(const std::string& report) {
  const std::map<std::string, double> units{{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}};
  std::istringstream line(report.substr(report.find("\nmemory ") + 8));
  double number = 0;
  std::string unit;
  line >> number >> unit;
  return number * units.at(unit);
}

}  // namespace anybit
