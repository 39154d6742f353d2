#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "wire/message.h"

namespace anybit {

// Bodies of frames: what stands between a frame's header and its end. Used by frame.cpp; others use frames.

/// Appends the body in Cereal's portable binary, little-endian, but for its bulk bytes, which are its last. Returns
/// those: a view of the message's, empty where the kind has none.
std::span<const std::uint8_t> append_body(const Message& message, Bytes& out);
std::span<const std::uint8_t> append_body(const UpdateMessage& message, Bytes& out);
/// The body as `receiver` gets it.
std::span<const std::uint8_t> append_body(const TaskMessage& message, const TaskReceiver& receiver, Bytes& out);

/// Reads a body that must be used up to its last byte; where `bulk` is not empty it is the body's end and lies apart.
/// `kind` is the message's index in the variant, and in its range. Returns "" or the reason for refusal.
std::string read_body(std::size_t kind, std::span<const std::uint8_t> body, std::span<const std::uint8_t> bulk,
                      Message& message);

}  // namespace anybit
