// Bodies of messages. Start at fields(): it is the one list of what each message carries, in the order of the bytes.
#include "wire/message.h"

#include <algorithm>
#include <cereal/archives/portable_binary.hpp>
#include <functional>
#include <istream>
#include <ostream>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>

#include "scenarios/width.h"
#include "wire/body.h"
#include "wire/bounded_stream.h"

namespace anybit {
namespace {

// Bulk bytes come last, so that they can be sent from where they lie.
constexpr auto fields(const TaskId*) { return std::tuple(&TaskId::run, &TaskId::round, &TaskId::client); }
constexpr auto fields(const TensorShare*) { return std::tuple(&TensorShare::tensor, &TensorShare::steps); }
constexpr auto fields(const Hello*) {
  return std::tuple(&Hello::client, &Hello::clients, &Hello::kernel_set, &Hello::examples, &Hello::memory,
                    &Hello::widths, &Hello::state_version);
}
constexpr auto fields(const Welcome*) {
  return std::tuple(&Welcome::run, &Welcome::scenario, &Welcome::heartbeat_milliseconds);
}
constexpr auto fields(const TaskMessage*) {
  return std::tuple(&TaskMessage::id, &TaskMessage::planned_rounds, &TaskMessage::version, &TaskMessage::chunks,
                    &TaskMessage::counted, &TaskMessage::layout, &TaskMessage::parameters);
}
constexpr auto fields(const UpdateMessage*) {
  return std::tuple(&UpdateMessage::id, &UpdateMessage::layout, &UpdateMessage::digest, &UpdateMessage::examples,
                    &UpdateMessage::steps, &UpdateMessage::tensors, &UpdateMessage::shares, &UpdateMessage::loss,
                    &UpdateMessage::delta);
}
constexpr auto fields(const Acknowledge*) { return std::tuple(&Acknowledge::id); }
constexpr auto fields(const Reject*) { return std::tuple(&Reject::id, &Reject::reason); }
constexpr auto fields(const Goodbye*) {
  return std::tuple(&Goodbye::reason, &Goodbye::farewell, &Goodbye::wait_milliseconds);
}
constexpr auto fields(const Offer*) {
  return std::tuple(&Offer::id, &Offer::layout, &Offer::parameters, &Offer::digest, &Offer::chunks, &Offer::counted,
                    &Offer::method, &Offer::options);
}
constexpr auto fields(const Accept*) { return std::tuple(&Accept::id); }
constexpr auto fields(const Decline*) { return std::tuple(&Decline::id, &Decline::reason); }
constexpr auto fields(const Heartbeat*) { return std::tuple(); }

template <class M>
constexpr bool bulk_is_last() {
  const auto from = [](auto... field) {
    const bool bulk[] = {std::is_same_v<decltype(field), std::span<const std::uint8_t> M::*>...};
    return std::count(std::begin(bulk), std::end(bulk), true) == 1 && *std::rbegin(bulk);
  };
  return std::apply(from, fields(static_cast<const M*>(nullptr)));
}
static_assert(bulk_is_last<TaskMessage>() && bulk_is_last<UpdateMessage>());

template <class T>
concept Number = std::is_arithmetic_v<T>;

constexpr std::size_t kLongestReason = 1024;
constexpr std::size_t kLongestKernelSet = 64;

/// What a terminal or a log prints as it is: no line of its own, no escape sequence.
bool is_printable(char c) { return c >= ' ' && c <= '~'; }

/// A reason as it may be sent.
std::string plain(const std::string& reason) {
  std::string text = reason.substr(0, kLongestReason);
  for (char& c : text)
    if (!is_printable(c)) c = c == '\n' ? ' ' : '?';
  return text;
}

class Writer {
 public:
  explicit Writer(Bytes& out)
      : buffer_(out),
        stream_(&buffer_),
        archive_(stream_, cereal::PortableBinaryOutputArchive::Options::LittleEndian()) {}

  template <Number T>
  void put(T value) {
    archive_(value);
  }
  template <Number T>
  void put(const std::vector<T>& list) {
    put_span(list.data(), list.size());
  }
  void put(Farewell farewell) { put(static_cast<std::uint8_t>(farewell)); }
  void put(const std::string& text) { put_span(text.data(), text.size()); }
  void put(std::span<const std::uint8_t> bulk) {
    put(static_cast<std::uint64_t>(bulk.size()));
    bulk_ = bulk;
  }
  void put(const std::vector<TensorShare>& list) {
    put(static_cast<std::uint64_t>(list.size()));
    for (const TensorShare& share : list) put(share);
  }
  template <class T>
  requires requires(const T* t) { fields(t); }
  void put(const T& part) {
    std::apply([&](auto... field) { (put(part.*field), ...); }, fields(&part));
  }
  void put(const Reject& reject) {
    put(reject.id);
    put(plain(reject.reason));
  }
  void put(const Goodbye& goodbye) {
    put(plain(goodbye.reason));
    put(goodbye.farewell);
    put(goodbye.wait_milliseconds);
  }
  void put(const Decline& decline) {
    put(decline.id);
    put(plain(decline.reason));
  }

  /// What stands behind all that was written.
  std::span<const std::uint8_t> bulk() const { return bulk_; }

 private:
  template <class T>
  void put_span(const T* data, std::size_t size) {
    put(static_cast<std::uint64_t>(size));
    archive_(cereal::binary_data(data, size * sizeof(T)));
  }

  AppendBuffer buffer_;
  std::ostream stream_;
  cereal::PortableBinaryOutputArchive archive_;
  std::span<const std::uint8_t> bulk_ = {};
};

/// Why a body is refused; never leaves this file.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Reader {
 public:
  Reader(std::span<const std::uint8_t> body, std::span<const std::uint8_t> bulk)
      : buffer_(body), bulk_(bulk), stream_(&buffer_), archive_(stream_) {}

  std::size_t remaining() const { return buffer_.remaining() + bulk_.size(); }

  template <Number T>
  void get(T& value) {
    archive_(value);
  }
  void get(Farewell& farewell) {
    std::uint8_t value = 0;
    get(value);
    farewell = static_cast<Farewell>(value);
  }
  // Cereal's own loaders of containers allocate what the peer declares; these ask the budget first.
  void get(std::span<const std::uint8_t>& bulk) {
    const std::size_t size = declared(1);
    if (bulk_.empty()) {
      bulk = buffer_.take(size);
    } else if (size == bulk_.size() && buffer_.remaining() == 0) {
      bulk = std::exchange(bulk_, {});
    } else {
      throw Refused("body declares " + std::to_string(size) + " bulk bytes and has " + std::to_string(bulk_.size()));
    }
  }
  void get(std::string& text) {
    const std::size_t size = declared(1);
    if (size > buffer_.remaining()) throw Refused("body has bulk bytes in place of text");
    const auto from = buffer_.take(size);
    text.assign(from.begin(), from.end());
  }
  void get(std::vector<std::uint32_t>& list) {
    list.resize(declared(sizeof(std::uint32_t)));
    for (std::uint32_t& value : list) get(value);
  }
  void get(std::vector<TensorShare>& list) {
    list.resize(declared(2 * sizeof(std::uint32_t)));
    for (TensorShare& share : list) get(share);
  }
  template <class T>
  requires requires(const T* t) { fields(t); }
  void get(T& part) {
    std::apply([&](auto... field) { (get(part.*field), ...); }, fields(&part));
  }

 private:
  std::size_t declared(std::size_t element_bytes) {
    std::uint64_t count = 0;
    get(count);
    if (count > remaining() / element_bytes) {
      throw Refused("body declares " + std::to_string(count) + " elements where " + std::to_string(remaining()) +
                    " bytes remain");
    }
    return static_cast<std::size_t>(count);
  }

  BoundedBuffer buffer_;
  std::span<const std::uint8_t> bulk_;  // behind the buffer's end, until it is taken
  std::istream stream_;
  cereal::PortableBinaryInputArchive archive_;
};

/// What the fields' types do not say.
std::string check_values(const UpdateMessage& update) {
  const std::ranges::greater_equal out_of_order;
  if (std::ranges::adjacent_find(update.tensors, out_of_order) != update.tensors.end())
    return "tensors are not ascending";
  if (std::ranges::adjacent_find(update.shares, out_of_order, &TensorShare::tensor) != update.shares.end())
    return "tensor shares are not ascending";
  return "";
}

std::string check_values(const TaskMessage& task) {
  if (task.chunks >= 1 && task.chunks <= kMostChunks) return "";
  return "cuts batches into " + std::to_string(task.chunks) + " chunks, allowed are 1 to " +
         std::to_string(kMostChunks);
}

/// Of a text that people will read.
std::string check_text(const std::string& text, const std::string& what, std::size_t longest) {
  if (text.size() > longest)
    return "has a " + what + " of " + std::to_string(text.size()) + " bytes, allowed are " + std::to_string(longest);
  return std::ranges::all_of(text, is_printable) ? "" : "has a " + what + " that is not printable ASCII";
}

std::string check_reason(const std::string& reason) { return check_text(reason, "reason", kLongestReason); }

/// The widths go into the server's log, a line for each client.
std::string check_values(const Hello& hello) {
  if (hello.widths.size() > kMostWidths || !std::ranges::all_of(hello.widths, is_width))
    return "says widths of its device that are not 2 to 16 or 32, or more than " + std::to_string(kMostWidths);
  return check_text(hello.kernel_set, "kernel set", kLongestKernelSet);
}

std::string check_values(const Reject& reject) { return check_reason(reject.reason); }

std::string check_values(const Decline& decline) { return check_reason(decline.reason); }

std::string check_values(const Goodbye& goodbye) {
  return goodbye.farewell <= Farewell::kOver ? check_reason(goodbye.reason) : "has a farewell that is none";
}

template <class T>
std::string check_values(const T&) {
  return "";
}

template <class T>
std::string read_as(std::span<const std::uint8_t> body, std::span<const std::uint8_t> bulk, Message& message) {
  // Cereal marks little-endian with 1 and takes any odd byte for it; the format knows this one only.
  if (body.empty() || body[0] != 1) return "body is not marked little-endian";
  if (!std::holds_alternative<T>(message)) message.emplace<T>();
  T& into = std::get<T>(message);
  Reader reader(body, bulk);
  reader.get(into);
  if (reader.remaining() != 0) return "body has " + std::to_string(reader.remaining()) + " bytes too many";
  return check_values(into);
}

template <std::size_t... kIndex>
std::string read_kind(std::size_t kind, std::span<const std::uint8_t> body, std::span<const std::uint8_t> bulk,
                      Message& message, std::index_sequence<kIndex...>) {
  std::string reason = "unknown kind";
  const auto read = [&]<class T>(const T*) { reason = read_as<T>(body, bulk, message); };
  ((kind == kIndex ? read(static_cast<std::variant_alternative_t<kIndex, Message>*>(nullptr)) : void()), ...);
  return reason;
}

}  // namespace

std::span<const std::uint8_t> append_body(const Message& message, Bytes& out) {
  Writer writer(out);
  std::visit([&](const auto& alternative) { writer.put(alternative); }, message);
  return writer.bulk();
}

std::span<const std::uint8_t> append_body(const UpdateMessage& message, Bytes& out) {
  Writer writer(out);
  writer.put(message);
  return writer.bulk();
}

std::span<const std::uint8_t> append_body(const TaskMessage& message, const TaskReceiver& receiver, Bytes& out) {
  Writer writer(out);
  const auto put = [&](auto /*id*/, auto planned_rounds, auto version, auto /*chunks*/, auto /*counted*/,
                       auto... rest) {
    writer.put(TaskId{message.id.run, message.id.round, receiver.client});
    writer.put(message.*planned_rounds);
    writer.put(message.*version);
    writer.put(receiver.chunks);
    writer.put(receiver.counted);
    (writer.put(message.*rest), ...);
  };
  std::apply(put, fields(&message));
  return writer.bulk();
}

std::string read_body(std::size_t kind, std::span<const std::uint8_t> body, std::span<const std::uint8_t> bulk,
                      Message& message) {
  try {
    return read_kind(kind, body, bulk, message, std::make_index_sequence<std::variant_size_v<Message>>());
  } catch (const Refused& refused) {
    return refused.what();
  } catch (const cereal::Exception&) {
    return "body ends early";
  }
}

}  // namespace anybit
