#pragma once

#include <functional>
#include <stdexcept>
#include <string>

namespace anybit {

/// Bad input on the command line; what() says what to do.
class CommandError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The exit code of whatever went wrong that is told on standard error.
inline constexpr int kFailed = 1;
/// Of who was asked to end (interrupt.h), as shells give it for Ctrl-C.
inline constexpr int kInterrupted = 130;

/// Does a program's work and returns its exit code. Whatever goes wrong is told on standard error, once, by the
/// program's name; so is standard output that could not be written: a full disk must not pass for success.
int exit_code_of(const std::string& program, const std::function<int()>& work);

}  // namespace anybit
