#include <fmt/format.h>

#include "conformance/engine/peer_state.h"

namespace rtclab::conformance {

void Peer::State::Record(bool sent, const TransportAddress& other, ByteView bytes,
                         std::string note) {
  Packet packet;
  packet.sent = sent;
  packet.transport = Transport::kUdp;
  packet.who = name;
  packet.local = address;
  packet.remote = other;
  packet.bytes.assign(bytes.begin(), bytes.end());
  packet.note = std::move(note);
  session->Record(std::move(packet));
}

void Peer::State::Permit(const IpAddress& ip) {
  if (!permitted.insert(ip).second) return;
  relay->CreatePermission(TransportAddress{ip, 9});
}

TransportAddress OwnAddress(Session& session, const PeerOptions& options) {
  const auto own = session.run().own.find(options.family);
  const std::size_t have = own == session.run().own.end() ? 0 : own->second.size();
  if (static_cast<std::size_t>(options.which_address) >= have) {
    throw Stop{{.outcome = Outcome::kSkipped,
                .reason = fmt::format("this host has {} {} address{} for peers", have,
                                      options.family == AddressFamily::kIpv6 ? "IPv6" : "IPv4",
                                      have == 1 ? "" : "es")}};
  }
  return {own->second[static_cast<std::size_t>(options.which_address)],
          options.port.value_or(uint16_t{0})};
}

Peer::Peer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Peer::Peer(Peer&&) noexcept = default;
Peer& Peer::operator=(Peer&&) noexcept = default;
Peer::~Peer() = default;

const TransportAddress& Peer::address() const { return state_->address; }

void Peer::Send(const TransportAddress& relayed, ByteView data, const IpMarks& marks) {
  state_->session->Wait(TimeDelta::Zero());
  if (!state_->session->run().destinations.MaySend(relayed.ip)) {
    throw Stop{
        {.outcome = Outcome::kSkipped,
         .reason = fmt::format("the relayed address {} is not one that was named for the server",
                               relayed.ip.ToString())}};
  }
  if (state_->relay) {
    state_->Permit(relayed.ip);
    state_->relay->SendIndication(relayed, data);
    return;
  }
  const Result<void> sent = state_->socket ? state_->socket->SendTo(relayed, data, marks)
                                           : state_->remote->Send(relayed, data);
  state_->Record(true, relayed, data, sent ? "" : "not sent: " + sent.error().reason);
}

std::optional<Peer::Received> Peer::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  if (state_->relay) {
    while (auto data = state_->relay->ReceiveData(deadline - RealNow())) {
      if (data->has_data) return Received{std::move(data->data), data->peer, {}};
    }
    return std::nullopt;
  }
  while (true) {
    const TimeDelta left = state_->session->Wait(std::max(deadline - RealNow(), TimeDelta::Zero()));
    if (state_->socket) {
      if (auto got = state_->socket->Receive(left)) {
        state_->Record(false, got->from, got->bytes);
        return Received{std::move(got->bytes), got->from, got->marks.traffic_class()};
      }
    } else if (auto got = state_->remote->Receive(left)) {
      state_->Record(false, got->from, got->bytes);
      return Received{std::move(got->bytes), got->from, {}};
    }
    if (left == TimeDelta::Zero()) return std::nullopt;
  }
}

}  // namespace rtclab::conformance
