#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace anybit {

/// A file of lines "NAME NUMBER NUMBER ...", comments from '#': what the scripts in tests/golden write.
class GoldenFile {
 public:
  explicit GoldenFile(const std::string& name) {
    const std::string path = std::string(ANYBIT_SOURCE_DIR) + "/tests/golden/" + name;
    std::ifstream in(path);
    if (!in) throw std::runtime_error("cannot read " + path);
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string key;
      if (!(words >> key) || key[0] == '#') continue;
      for (double number = 0; words >> number;) values_[key].push_back(number);
    }
  }

  const std::vector<double>& operator[](const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) throw std::out_of_range("no golden values named " + key);
    return found->second;
  }

 private:
  std::map<std::string, std::vector<double>> values_;
};

}  // namespace anybit
