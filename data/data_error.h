#pragma once

#include <stdexcept>

namespace anybit {

/// A file that is missing or broken; what() names the path, the place in it, and what to do.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace anybit
