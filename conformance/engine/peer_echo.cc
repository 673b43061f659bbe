#include "conformance/engine/peer_echo.h"

#include <fmt/format.h>

#include <algorithm>

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kEchoSetup = TimeDelta::Seconds(5);

}  // namespace

crypto::Sha256Digest EchoProof(std::string_view token, ByteView challenge, ByteView request) {
  return crypto::HmacSha256(AsBytes(token)).Compute(challenge, request);
}

bool EchoControl::Fill(std::size_t size, TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  while (buffer.size() < size) {
    const auto piece = channel->Receive(std::max(deadline - RealNow(), TimeDelta::Zero()));
    if (piece) {
      buffer.insert(buffer.end(), piece->bytes.begin(), piece->bytes.end());
    } else if (channel->closed() || Interrupted() || RealNow() >= deadline) {
      return false;
    }
  }
  return true;
}

std::optional<TransportAddress> EchoControl::TakeAddress(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  if (!Fill(2, limit) || buffer[0] != 0) return std::nullopt;
  if (!Fill(1 + EchoAddressSize(buffer[1]), deadline - RealNow())) return std::nullopt;
  ByteReader in(ByteView(buffer).subspan(1));
  const auto address = ReadEchoAddress(in);
  if (!address) return std::nullopt;
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(1 + in.offset()));
  return address;
}

tl::expected<EchoControl, EchoControl::Failure> EchoControl::Open(
    const TransportAddress& control, std::string_view token, EchoKind kind, AddressFamily family,
    const TransportAddress& to, TransportAddress& own) {
  const auto failed = [](std::string reason) {
    return tl::unexpected(Failure{.reason = std::move(reason)});
  };
  ChannelOptions options;
  options.server = control;
  auto channel = Channel::Open(Transport::kTcp, options);
  if (!channel) return failed(channel.error().reason);
  EchoControl echo{std::move(*channel), {}};
  if (!echo.Fill(kEchoChallengeSize, kEchoSetup) ||
      !AsString(echo.buffer).starts_with(kEchoGreeting)) {
    return failed(fmt::format("{} does not answer like rtclab peer-echo", control.ToString()));
  }
  ByteWriter request;
  request.WriteU8(static_cast<uint8_t>(static_cast<uint8_t>(kind) | static_cast<uint8_t>(family)));
  if (kind == EchoKind::kConnect) WriteEchoAddress(request, to);
  ByteWriter answer;
  answer.WriteBytes(
      EchoProof(token, ByteView(echo.buffer).first(kEchoChallengeSize), request.view()));
  answer.WriteBytes(request.view());
  echo.buffer.erase(echo.buffer.begin(), echo.buffer.begin() + kEchoChallengeSize);
  if (auto sent = echo.channel->Send(answer.view()); !sent) return failed(sent.error().reason);
  // A connection of the peer takes its time.
  if (!echo.Fill(1, kEchoSetup + (kind == EchoKind::kConnect ? kEchoConnect : TimeDelta::Zero()))) {
    return failed("peer-echo closed the connection: a wrong token, or it is too old?");
  }
  if (const uint8_t status = echo.buffer[0]; status != 0) {
    echo.Fill(512, TimeDelta::Millis(200));
    return tl::unexpected(Failure{"peer-echo: " + std::string(AsString(echo.buffer).substr(1)),
                                  status == kEchoRefused, status == kEchoNotConnected});
  }
  const auto address = echo.TakeAddress(kEchoSetup);
  if (!address) return failed("peer-echo gave no proper address");
  own = *address;
  return echo;
}

Result<std::unique_ptr<EchoPeer>> EchoPeer::Open(const TransportAddress& control,
                                                 std::string_view token, AddressFamily family) {
  TransportAddress own;
  auto echo = EchoControl::Open(control, token, EchoKind::kUdp, family, {}, own);
  if (!echo) return Fail(echo.error().reason);
  return std::unique_ptr<EchoPeer>(new EchoPeer(std::move(*echo), own));
}

Result<void> EchoPeer::Send(const TransportAddress& to, ByteView data) {
  return control_.channel->Send(EncodeEchoFrame(to, data));
}

std::optional<EchoPeer::Received> EchoPeer::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  while (true) {
    auto frame = TakeEchoFrame(control_.buffer);
    if (!frame) return std::nullopt;
    if (*frame) return Received{std::move((*frame)->datagram), (*frame)->address};
    if (!control_.Fill(control_.buffer.size() + 1, deadline - RealNow())) return std::nullopt;
  }
}

}  // namespace rtclab::conformance
