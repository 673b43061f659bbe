#include "conformance/engine/peer_echo_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "stack/crypto/constant_time.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kEchoHandshake = TimeDelta::Seconds(5);
// How long a datagram or a piece of a stream that came from the tester waits at most.
constexpr TimeDelta kEchoTurn = TimeDelta::Millis(5);
// How long a listener waits between two looks at its tester.
constexpr TimeDelta kEchoLook = TimeDelta::Millis(50);
// What the relay's connection still gets when the tester has ended its own.
constexpr TimeDelta kEchoLinger = TimeDelta::Seconds(10);
constexpr std::size_t kEchoProofSize = 32;

bool Holds(const std::vector<IpPrefix>& prefixes, const IpAddress& ip) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&ip](const IpPrefix& p) { return p.Contains(ip); });
}

}  // namespace

void EchoSession::Run(const std::atomic<bool>& stop, bool full) {
  const auto request = Handshake();
  if (!request) return;
  if (full) return Refuse(kEchoRefused, "no more peers at a time");
  const auto own = Own(request->family);
  if (!own) return Refuse(kEchoRefused, own.error().reason);
  end_ = RealNow() + options_.max_life;
  switch (request->kind) {
    case EchoKind::kUdp:
      return RunUdp(stop, *own);
    case EchoKind::kListen:
      return RunListener(stop, *own);
    case EchoKind::kConnect:
      return RunConnection(stop, *own, request->to);
  }
}

bool EchoSession::Fill(std::size_t size, Timestamp deadline) {
  while (buffer_.size() < size) {
    const auto piece = channel_->Receive(std::max(deadline - RealNow(), TimeDelta::Zero()));
    if (!piece) return false;
    buffer_.insert(buffer_.end(), piece->bytes.begin(), piece->bytes.end());
  }
  return true;
}

std::optional<EchoSession::Request> EchoSession::Handshake() {
  Bytes challenge(kEchoChallengeSize);
  std::copy(kEchoGreeting.begin(), kEchoGreeting.end(), challenge.begin());
  if (getentropy(challenge.data() + kEchoGreeting.size(),
                 kEchoChallengeSize - kEchoGreeting.size()) != 0) {
    return std::nullopt;
  }
  if (!channel_->Send(challenge)) return std::nullopt;
  const Timestamp deadline = RealNow() + kEchoHandshake;
  std::size_t size = kEchoProofSize + 1;
  if (!Fill(size, deadline)) return std::nullopt;
  const uint8_t family = buffer_[kEchoProofSize] & 0x0f;
  const auto kind = static_cast<EchoKind>(buffer_[kEchoProofSize] & 0xf0);
  if (kind == EchoKind::kConnect) size += EchoAddressSize(family);
  if (!Fill(size, deadline)) return std::nullopt;
  const ByteView asked = ByteView(buffer_).subspan(kEchoProofSize, size - kEchoProofSize);
  const auto proof = EchoProof(options_.token, challenge, asked);
  if (!crypto::ConstantTimeEqual(proof, ByteView(buffer_).first(kEchoProofSize))) {
    return std::nullopt;
  }
  if (family != 4 && family != 6) return std::nullopt;
  Request request{kind, static_cast<AddressFamily>(family), {}};
  if (kind == EchoKind::kConnect) {
    ByteReader in(asked.subspan(1));
    const auto to = ReadEchoAddress(in);
    if (!to || to->family() != request.family) return std::nullopt;
    request.to = *to;
  } else if (kind != EchoKind::kUdp && kind != EchoKind::kListen) {
    return std::nullopt;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
  return request;
}

void EchoSession::Refuse(uint8_t status, std::string_view why) {
  Bytes refusal = {status};
  const ByteView words = AsBytes(why);
  refusal.insert(refusal.end(), words.begin(), words.end());
  (void)channel_->Send(refusal);
}

bool EchoSession::Welcome(const TransportAddress& address) {
  ByteWriter welcome;
  welcome.WriteU8(0);
  WriteEchoAddress(welcome, address);
  return channel_->Send(welcome.view()).has_value();
}

Result<IpAddress> EchoSession::Own(AddressFamily family) const {
  for (const IpAddress& ip : options_.addresses) {
    if (ip.family() == family) return ip;
  }
  if (channel_->local().family() == family) return channel_->local().ip;
  return Fail(fmt::format("no {} address here: --address names one",
                          family == AddressFamily::kIpv6 ? "IPv6" : "IPv4"));
}

bool EchoSession::Over(const std::atomic<bool>& stop) const {
  return stop || Interrupted() || RealNow() >= end_;
}

// --- UDP.

void EchoSession::RunUdp(const std::atomic<bool>& stop, const IpAddress& own) {
  auto socket = PeerSocket::Bind({own, 0});
  if (!socket) return Refuse(kEchoRefused, socket.error().reason);
  if (!Welcome(socket->local())) return;
  while (!Over(stop) && !channel_->closed()) {
    if (auto got = socket->Receive(kEchoTurn)) {
      if (!channel_->Send(EncodeEchoFrame(got->from, got->bytes))) return;
    }
    if (!Forward(*socket)) return;
  }
}

bool EchoSession::Forward(PeerSocket& socket) {
  if (const auto piece = channel_->Receive(TimeDelta::Zero())) {
    buffer_.insert(buffer_.end(), piece->bytes.begin(), piece->bytes.end());
  }
  while (true) {
    const auto frame = TakeEchoFrame(buffer_);
    if (!frame) return false;
    if (!*frame) return true;
    if (!Holds(options_.allow, (*frame)->address.ip)) continue;
    if (++sent_ > options_.max_datagrams) return false;
    (void)socket.SendTo((*frame)->address, (*frame)->datagram);
  }
}

// --- TCP, RFC 6062.

void EchoSession::RunListener(const std::atomic<bool>& stop, const IpAddress& own) {
  auto listener = PeerListener::Listen({own, 0});
  if (!listener) return Refuse(kEchoRefused, listener.error().reason);
  if (!Welcome(listener->local())) return;
  while (!Over(stop)) {
    // The tester has nothing to say before it is told of a connection: what comes is its end, or kept for later.
    if (const auto piece = channel_->Receive(TimeDelta::Zero())) {
      buffer_.insert(buffer_.end(), piece->bytes.begin(), piece->bytes.end());
    }
    if (channel_->closed()) return;
    const auto relay = listener->Accept(kEchoLook);
    if (!relay) continue;
    if (!Holds(options_.allow, relay->remote().ip)) {
      relay->Reset();
      continue;
    }
    if (Welcome(relay->remote())) Join(stop, *relay);
    return;
  }
}

void EchoSession::RunConnection(const std::atomic<bool>& stop, const IpAddress& own,
                                const TransportAddress& to) {
  if (!Holds(options_.connect, to.ip)) {
    return Refuse(kEchoRefused, fmt::format("peers here do not connect to {}: --connect allows it",
                                            to.ip.ToString()));
  }
  ChannelOptions open;
  open.server = to;
  open.local = TransportAddress{own, 0};
  open.connect_timeout = kEchoConnect;
  const auto attempt = Channel::TryOpen(Transport::kTcp, open);
  if (!attempt.channel) return Refuse(kEchoNotConnected, attempt.reason);
  if (Welcome(attempt.channel->local())) Join(stop, *attempt.channel);
}

bool EchoSession::Half::Pass(TimeDelta limit, uint64_t& left) {
  if (const auto piece = from.Receive(limit)) {
    if (piece->bytes.size() > left) return false;
    left -= piece->bytes.size();
    return to.Send(piece->bytes).has_value();
  }
  if (!from.closed()) return true;
  if (from.close_reason() != "closed") return false;
  to.CloseWrite();
  ended = true;
  return true;
}

void EchoSession::Join(const std::atomic<bool>& stop, Channel& relay) {
  Half down{relay, *channel_}, up{*channel_, relay};
  uint64_t left = options_.max_bytes;
  bool sound = buffer_.empty() || relay.Send(buffer_).has_value();
  while (sound && !Over(stop) && !(down.ended && up.ended)) {
    // One that has ended is not asked again: it would answer at once, for ever.
    if (!down.ended) sound = down.Pass(kEchoTurn, left);
    if (!sound || up.ended) continue;
    sound = up.Pass(down.ended ? kEchoTurn : TimeDelta::Zero(), left);
    if (up.ended) end_ = std::min(end_, RealNow() + kEchoLinger);
  }
  if (sound && down.ended && up.ended) return;
  relay.Reset();
  channel_->Reset();
}

}  // namespace rtclab::conformance
