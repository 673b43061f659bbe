#include "conformance/engine/peer_echo.h"

#include <fmt/format.h>

#include <algorithm>

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kEchoSetup = TimeDelta::Seconds(5);

}  // namespace

crypto::Sha256Digest EchoProof(std::string_view token, ByteView challenge, uint8_t family) {
  const std::array<uint8_t, 1> tail = {family};
  return crypto::HmacSha256(AsBytes(token)).Compute(challenge, tail);
}

bool EchoPeer::Fill(std::size_t size, TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  while (buffer_.size() < size) {
    const auto piece = channel_->Receive(std::max(deadline - RealNow(), TimeDelta::Zero()));
    if (piece) {
      buffer_.insert(buffer_.end(), piece->bytes.begin(), piece->bytes.end());
    } else if (channel_->closed() || Interrupted() || RealNow() >= deadline) {
      return false;
    }
  }
  return true;
}

Result<std::unique_ptr<EchoPeer>> EchoPeer::Open(const TransportAddress& control,
                                                 std::string_view token, AddressFamily family) {
  ChannelOptions options;
  options.server = control;
  auto channel = Channel::Open(Transport::kTcp, options);
  if (!channel) return Fail(channel.error().reason);
  std::unique_ptr<EchoPeer> peer(new EchoPeer(std::move(*channel)));
  if (!peer->Fill(kEchoChallengeSize, kEchoSetup) ||
      !AsString(peer->buffer_).starts_with(kEchoGreeting)) {
    return Fail(fmt::format("{} does not answer like rtclab peer-echo", control.ToString()));
  }
  const auto wanted = static_cast<uint8_t>(family);
  ByteWriter answer;
  answer.WriteBytes(EchoProof(token, ByteView(peer->buffer_).first(kEchoChallengeSize), wanted));
  answer.WriteU8(wanted);
  peer->buffer_.erase(peer->buffer_.begin(), peer->buffer_.begin() + kEchoChallengeSize);
  if (auto sent = peer->channel_->Send(answer.view()); !sent) return Fail(sent.error().reason);
  const std::size_t address_size = family == AddressFamily::kIpv4 ? 7 : 19;
  if (!peer->Fill(1, kEchoSetup)) return Fail("peer-echo closed the connection: a wrong token?");
  if (peer->buffer_[0] != 0) {
    peer->Fill(512, TimeDelta::Millis(200));
    return Fail("peer-echo: " + std::string(AsString(peer->buffer_).substr(1)));
  }
  if (!peer->Fill(1 + address_size, kEchoSetup)) return Fail("peer-echo gave no address");
  ByteReader in(ByteView(peer->buffer_).subspan(1));
  const auto address = ReadEchoAddress(in);
  if (!address) return Fail("peer-echo gave no proper address");
  peer->address_ = *address;
  peer->buffer_.erase(peer->buffer_.begin(),
                      peer->buffer_.begin() + static_cast<std::ptrdiff_t>(1 + in.offset()));
  return peer;
}

Result<void> EchoPeer::Send(const TransportAddress& to, ByteView data) {
  return channel_->Send(EncodeEchoFrame(to, data));
}

std::optional<EchoPeer::Received> EchoPeer::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  while (true) {
    auto frame = TakeEchoFrame(buffer_);
    if (!frame) return std::nullopt;
    if (*frame) return Received{std::move((*frame)->datagram), (*frame)->address};
    if (!Fill(buffer_.size() + 1, deadline - RealNow())) return std::nullopt;
  }
}

}  // namespace rtclab::conformance
