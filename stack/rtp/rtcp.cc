#include "stack/rtp/rtcp.h"

#include "stack/rtp/rtcp_internal.h"

namespace rtclab::rtp {
namespace {

using internal::RawRtcp;

Result<RtcpMessage> ParseOneRtcp(const RawRtcp& raw) {
  switch (static_cast<RtcpType>(raw.type)) {
    case RtcpType::kSenderReport:
      return internal::ParseSenderReport(raw);
    case RtcpType::kReceiverReport:
      return internal::ParseReceiverReport(raw);
    case RtcpType::kSourceDescription:
      return internal::ParseSourceDescription(raw);
    case RtcpType::kGoodbye:
      return internal::ParseGoodbye(raw);
    case RtcpType::kApp:
      return internal::ParseApp(raw);
    case RtcpType::kExtendedReport:
      return internal::ParseExtendedReport(raw);
    case RtcpType::kTransportFeedback:
    case RtcpType::kPayloadFeedback:
      return internal::ParseFeedback(raw);
  }
  return UnknownRtcp{raw.type, raw.count, Bytes(raw.body.begin(), raw.body.end())};
}

// The packet at `at`, its end in `next`.
Result<RawRtcp> SplitRtcp(ByteView datagram, std::size_t at, std::size_t& next) {
  if (datagram.size() - at < internal::kRtcpHeaderSize)
    return Fail("RTCP ends within a packet header", at);
  const uint8_t first = datagram[at];
  if (first >> 6 != 2) return Fail("RTCP version is not 2", at);
  RawRtcp raw{static_cast<uint8_t>(first & 0x1f), datagram[at + 1], {}};
  const std::size_t size = 4 * (std::size_t{LoadU16(datagram.data() + at + 2)} + 1);
  if (datagram.size() - at < size) return Fail("RTCP packet longer than its datagram", at + 2);
  next = at + size;
  raw.body = datagram.subspan(at + internal::kRtcpHeaderSize, size - internal::kRtcpHeaderSize);
  if ((first & 0x20) != 0) {
    // RFC 3550 section 6.4.1: only the last packet of a compound is padded, by whole words.
    if (next != datagram.size()) return Fail("RTCP padding before the last packet", at);
    // Chromium counts the one to three bytes that fill up the last word of transport-wide feedback as padding.
    const bool part_of_a_word = raw.type == static_cast<uint8_t>(RtcpType::kTransportFeedback) &&
                                raw.count == kFmtTransportWide;
    const std::size_t padding = datagram.back();
    if (padding == 0 || (padding % 4 != 0 && !part_of_a_word) || padding > raw.body.size()) {
      return Fail("RTCP padding count does not fit the packet", datagram.size() - 1);
    }
    raw.body = raw.body.first(raw.body.size() - padding);
  }
  return raw;
}

}  // namespace

Result<std::vector<RtcpMessage>> ParseRtcp(ByteView datagram, RtcpForm form) {
  if (datagram.empty()) return Fail("RTCP datagram of no bytes", 0);
  std::vector<RtcpMessage> messages;
  for (std::size_t at = 0; at < datagram.size();) {
    std::size_t next = 0;
    const auto raw = SplitRtcp(datagram, at, next);
    if (!raw) return tl::unexpected(raw.error());
    const bool report = raw->type == static_cast<uint8_t>(RtcpType::kSenderReport) ||
                        raw->type == static_cast<uint8_t>(RtcpType::kReceiverReport);
    if (at == 0 && form == RtcpForm::kCompound && !report) {
      return Fail("compound RTCP does not begin with SR or RR", 1);
    }
    auto message = ParseOneRtcp(*raw);
    if (!message) {
      return Fail(std::move(message.error().reason),
                  at + internal::kRtcpHeaderSize + message.error().offset);
    }
    messages.push_back(std::move(*message));
    at = next;
  }
  return messages;
}

void AppendRtcp(const RtcpMessage& message, Bytes& out) {
  std::visit(
      [&out](const auto& m) {
        if constexpr (std::is_same_v<std::decay_t<decltype(m)>, UnknownRtcp>) {
          CHECK(m.body.size() % 4 == 0);
          internal::RtcpFrame frame(out, m.packet_type, m.count);
          frame.Raw(m.body);
        } else {
          internal::Append(m, out);
        }
      },
      message);
}

Bytes BuildRtcp(std::span<const RtcpMessage> messages) {
  Bytes out;
  out.reserve(256);
  for (const RtcpMessage& message : messages) AppendRtcp(message, out);
  return out;
}

}  // namespace rtclab::rtp
