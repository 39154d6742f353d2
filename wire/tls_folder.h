#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/tls.h"

namespace anybit {

/// The files of one end as scripts/provision lays them out: ca.crt with server.crt, server.key and the list `allowed`,
/// or with client.crt and client.key.
TlsSettings tls_folder(const std::string& folder, TlsContext::Side side);

/// K of a certificate for client-K; none where it is for somebody else. Throws std::runtime_error where the file cannot
/// be read.
std::optional<std::uint32_t> client_of_certificate(const std::string& path);

/// K of "client-K"; none of other names.
std::optional<std::uint32_t> client_of_name(const std::string& name);

}  // namespace anybit
