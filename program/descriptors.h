#pragma once

#include <cstddef>

namespace anybit {

/// Lets this process have so many files and sockets open at once, or as many as the system allows. Returns how many.
std::size_t raise_descriptor_limit(std::size_t wanted);

}  // namespace anybit
