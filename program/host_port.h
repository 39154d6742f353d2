#pragma once

#include <cstdint>
#include <string>

namespace anybit {

/// Splits HOST:PORT, where an IPv6 address stands in brackets, which are taken off. Returns "" or what is wrong with
/// it: "has no port", "the port must be a number up to 65535".
std::string split_host_port(const std::string& text, std::string& host, std::uint16_t& port);

/// Whether a host is written as a number, IPv4 or IPv6.
bool is_address(const std::string& host);

/// Whether what is sent to a host stays on this machine: a loopback address, or "localhost". Nothing is looked up, and
/// a name that only begins like an address (127.example.org) is a name.
bool is_loopback(const std::string& host);

}  // namespace anybit
