#pragma once

#include <string>
#include <vector>

namespace anybit {

/// Becomes the script of that name in scripts/, with these words behind it; its exit code is the program's. The script
/// is looked for in scripts/ beside the program, then in the sources that it was built from. CommandError where there
/// is none or no Python.
[[noreturn]] void become_script(const std::string& name, const std::vector<std::string>& words);

}  // namespace anybit
