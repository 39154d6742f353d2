// Accepting and deadlines; one connection is session.cpp. Everything runs inside poll(), on the driver's thread; there
// is no lock because there is nothing to share.
#include "server/sessions.h"

#include <algorithm>
#include <asio.hpp>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "server/session.h"

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kSweep{100};

std::unique_ptr<TlsContext> tls_of(const SessionSettings& settings) {
  return settings.tls ? std::make_unique<TlsContext>(*settings.tls, TlsContext::Side::kServer) : nullptr;
}

std::string address_of(const tcp::socket& socket) {
  asio::error_code error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  return error ? "an unknown address" : endpoint.address().to_string() + ":" + std::to_string(endpoint.port());
}

}  // namespace

struct Sessions::State {
  State(const SessionSettings& settings, SessionListener& listener)
      : tls(tls_of(settings)),
        shared{.settings = settings,
               .listener = listener,
               .tls = tls.get(),
               .largest_body = settings.limits.body,
               .post = [this](std::function<void()> work) { asio::post(io, std::move(work)); },
               .gone = [this](ConnectionId id) { remove(id); }} {
    listen();
  }

  void listen();
  void accept();
  void accepted(const asio::error_code& error, tcp::socket socket);
  void sweep();
  void remove(ConnectionId id);
  Session* find(ConnectionId id);
  std::vector<std::shared_ptr<Session>> all() const;

  const std::unique_ptr<TlsContext> tls;  // null: plain
  SharedBySessions shared;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  std::uint16_t port = 0;
  std::map<ConnectionId, std::shared_ptr<Session>> sessions;
  ConnectionId last_id = 0;
  Clock::time_point next_sweep = Clock::now() + kSweep;
  bool accepting = false;
  bool stopping = false;
};

void Sessions::State::listen() {
  const SessionSettings& settings = shared.settings;
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(settings.address), settings.port);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
    port = acceptor.local_endpoint().port();
  } catch (const std::system_error& error) {
    throw std::runtime_error("cannot listen on " + settings.address + ":" + std::to_string(settings.port) + ": " +
                             error.what() + "; choose another address or port (--listen)");
  }
  accept();
}

void Sessions::State::accept() {
  if (accepting || stopping || sessions.size() >= shared.settings.connections) return;
  accepting = true;
  acceptor.async_accept(
      [this](const asio::error_code& error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void Sessions::State::accepted(const asio::error_code& error, tcp::socket socket) {
  accepting = false;
  if (stopping || error) return;  // too few descriptors, say: the next sweep tries again
  asio::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const std::string address = address_of(socket);
  auto session =
      std::make_shared<Session>(shared, ++last_id, address,
                                tls ? make_tls_stream(std::move(socket), *tls) : make_plain_stream(std::move(socket)));
  sessions.emplace(last_id, session);
  session->start();
  accept();
}

void Sessions::State::sweep() {
  const Clock::time_point now = Clock::now();
  // What came meanwhile is not read yet: who is served late is not late.
  const Clock::duration own_pause = now - next_sweep < kOwnPause ? Clock::duration(0) : now - next_sweep;
  next_sweep = now + kSweep;
  const bool list_changed = tls && tls->look_again();
  if (list_changed && !tls->mistake_of_list().empty())
    shared.settings.warn(tls->mistake_of_list() + "; who is not on it by that is sent away");
  for (const auto& session : all()) {
    if (list_changed) session->check_allowed(*tls);
    session->excuse(own_pause);
    session->check_deadlines(now);
  }
  accept();
}

void Sessions::State::remove(ConnectionId id) {
  sessions.erase(id);
  accept();
}

/// A copy: ending one changes the map.
std::vector<std::shared_ptr<Session>> Sessions::State::all() const {
  std::vector<std::shared_ptr<Session>> all;
  for (const auto& [id, session] : sessions) all.push_back(session);
  return all;
}

Session* Sessions::State::find(ConnectionId id) {
  const auto found = sessions.find(id);
  return found == sessions.end() || !found->second->joined() ? nullptr : found->second.get();
}

void SessionListener::held(ClientRange /*clients*/) {}
void SessionListener::staging(std::size_t /*uploads*/) {}
void SessionListener::turned_away(const std::string&, const std::string&) {}

Sessions::Sessions(const SessionSettings& settings, SessionListener& listener)
    : state_(std::make_unique<State>(settings, listener)) {}

Sessions::~Sessions() = default;

std::uint16_t Sessions::port() const { return state_->port; }

void Sessions::poll(std::chrono::milliseconds timeout) {
  State& state = *state_;
  const Clock::time_point end = Clock::now() + timeout;
  const auto work = asio::make_work_guard(state.io);
  state.shared.something_happened = false;
  do {
    if (Clock::now() >= state.next_sweep) state.sweep();
    if (state.io.poll_one() == 0) state.io.run_one_until(std::min(end, state.next_sweep));
  } while (!state.shared.something_happened && Clock::now() < end);
}

void Sessions::post(std::function<void()> work) {
  asio::post(state_->io, [this, work = std::move(work)] {
    state_->shared.something_happened = true;
    work();
  });
}

bool Sessions::send(ConnectionId connection, std::shared_ptr<const Bytes> frame, std::shared_ptr<const Bytes> bulk) {
  Session* session = state_->find(connection);
  if (session != nullptr) session->send({std::move(frame), std::move(bulk)});
  return session != nullptr;
}

bool Sessions::send(ConnectionId connection, const Message& message) {
  return send(connection, std::make_shared<const Bytes>(encode_frame(message)));
}

void Sessions::close(ConnectionId connection, const Goodbye& goodbye) {
  if (Session* session = state_->find(connection)) session->end(goodbye, true);
}

void Sessions::hold(std::optional<Goodbye> goodbye) { state_->shared.held = std::move(goodbye); }

void Sessions::dismiss(const Goodbye& goodbye) {
  hold(goodbye);
  for (const auto& session : state_->all()) session->dismiss(goodbye);
}

void Sessions::stop(const Goodbye& goodbye, std::chrono::milliseconds timeout) {
  const Clock::time_point end = Clock::now() + timeout;
  state_->stopping = true;
  asio::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& session : state_->all()) session->end(goodbye, true);
  while (!state_->sessions.empty() && Clock::now() < end) poll(std::min(kSweep, timeout));
}

void Sessions::limit_bodies(std::size_t most) {
  state_->shared.largest_body = std::min(most, state_->shared.settings.limits.body);
}

void Sessions::free_spares() { state_->shared.spares = {}; }

std::size_t Sessions::open() const { return state_->sessions.size(); }

std::uint64_t Sessions::turned_away() const { return state_->shared.turned_away; }

const std::map<TlsFailure, std::uint64_t>& Sessions::refusals() const { return state_->shared.refusals; }

std::uint64_t Sessions::broke_rules() const { return state_->shared.broke_rules; }

std::uint64_t Sessions::too_slow() const { return state_->shared.too_slow; }

}  // namespace anybit
