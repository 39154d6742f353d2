#pragma once

#include <cstdint>
#include <string>

namespace anybit {

/// Splits HOST:PORT, where an IPv6 address stands in brackets, which are taken off. Returns "" or what is wrong with
/// it: "has no port", "the port is none".
std::string split_host_port(const std::string& text, std::string& host, std::uint16_t& port);

}  // namespace anybit
