// Reads and writes RTPFB and PSFB (RFC 4585 section 6, RFC 5104 section 4, REMB).
#include "stack/rtp/rtcp_feedback.h"

#include <algorithm>

#include "stack/rtp/rtcp_internal.h"

namespace rtclab::rtp::internal {
namespace {

constexpr uint32_t kRembIdentifier = 0x52454D42;  // "REMB"
constexpr std::size_t kFeedbackSsrcs = 8;
constexpr int kMaxExponent = 63;

// A rate of `mantissa` << `exponent`; whatever is beyond the type is its largest value.
DataRate DecodeRate(uint32_t mantissa, uint32_t exponent) {
  const int64_t largest = DataRate::PlusInfinity().bps() - 1;
  if (mantissa == 0) return DataRate::BitsPerSec(0);
  if (exponent > 45) return DataRate::BitsPerSec(largest);
  return DataRate::BitsPerSec(int64_t{mantissa} << exponent);
}

// The other way, rounded down to `bits` of mantissa.
void EncodeRate(DataRate rate, int bits, uint32_t& mantissa, uint32_t& exponent) {
  uint64_t value = static_cast<uint64_t>(std::max<int64_t>(rate.bps(), 0));
  exponent = 0;
  while (value >> bits != 0 && exponent < kMaxExponent) {
    value >>= 1;
    ++exponent;
  }
  mantissa = static_cast<uint32_t>(value);
}

//   |            PID                |             BLP               |
Nack ReadNack(uint32_t sender, uint32_t media, ByteView fci) {
  Nack nack{sender, media, {}};
  for (std::size_t at = 0; at < fci.size(); at += 4) {
    const uint16_t pid = LoadU16(fci.data() + at);
    const uint16_t blp = LoadU16(fci.data() + at + 2);
    nack.lost.push_back(pid);
    for (int i = 0; i < 16; ++i) {
      if ((blp >> i & 1) != 0) nack.lost.push_back(static_cast<uint16_t>(pid + i + 1));
    }
  }
  return nack;
}

//   |                              SSRC                             |
//   | MxTBR Exp |  MxTBR Mantissa                 |Measured Overhead|
Result<std::vector<BitrateLimit>> ReadLimits(ByteView fci) {
  if (fci.size() % 8 != 0) return Fail("TMMBR or TMMBN item cut short", kFeedbackSsrcs);
  std::vector<BitrateLimit> limits;
  for (std::size_t at = 0; at < fci.size(); at += 8) {
    const uint32_t word = LoadU32(fci.data() + at + 4);
    limits.push_back({LoadU32(fci.data() + at), DecodeRate(word >> 9 & 0x1FFFF, word >> 26),
                      static_cast<uint16_t>(word & 0x1FF)});
  }
  return limits;
}

void WriteLimits(RtcpFrame& frame, uint32_t sender, std::span<const BitrateLimit> limits) {
  frame.U32(sender);
  frame.U32(0);  // RFC 5104 section 4.2.1.2: the media source is not used
  for (const BitrateLimit& limit : limits) {
    uint32_t mantissa = 0;
    uint32_t exponent = 0;
    EncodeRate(limit.max_total_rate, 17, mantissa, exponent);
    frame.U32(limit.ssrc);
    frame.U32(exponent << 26 | mantissa << 9 | std::min<uint32_t>(limit.overhead_bytes, 0x1FF));
  }
}

//   |            First        |        Number           | PictureID |
SliceLoss ReadSlices(uint32_t sender, uint32_t media, ByteView fci) {
  SliceLoss sli{sender, media, {}};
  for (std::size_t at = 0; at < fci.size(); at += 4) {
    const uint32_t word = LoadU32(fci.data() + at);
    sli.slices.push_back({static_cast<uint16_t>(word >> 19),
                          static_cast<uint16_t>(word >> 6 & 0x1FFF),
                          static_cast<uint8_t>(word & 0x3F)});
  }
  return sli;
}

//   |      PB       |0| Payload Type|    Native RPSI bit string     |
//   |   defined per codec          ...                | Padding (0) |
Result<RtcpMessage> ReadRpsi(uint32_t sender, uint32_t media, ByteView fci) {
  if (fci.size() < 4) return Fail("RPSI without FCI", kFeedbackSsrcs);
  const std::size_t unused = fci[0];
  if (unused > 8 * (fci.size() - 2))
    return Fail("RPSI padding longer than the message", kFeedbackSsrcs);
  const ByteView bits = fci.subspan(2, fci.size() - 2 - unused / 8);
  return RtcpMessage{ReferencePictureSelection{sender, media, static_cast<uint8_t>(fci[1] & 0x7f),
                                               Bytes(bits.begin(), bits.end()),
                                               static_cast<uint8_t>(unused % 8)}};
}

//   |                              SSRC                             |
//   | Seq nr.       |    Reserved                                   |
Result<RtcpMessage> ReadFir(uint32_t sender, ByteView fci) {
  if (fci.empty() || fci.size() % 8 != 0) return Fail("FIR item cut short", kFeedbackSsrcs);
  FullIntraRequest fir{sender, {}};
  for (std::size_t at = 0; at < fci.size(); at += 8)
    fir.items.push_back({LoadU32(fci.data() + at), fci[at + 4]});
  return RtcpMessage{std::move(fir)};
}

//   |  Unique identifier 'R' 'E' 'M' 'B'                            |
//   |  Num SSRC     | BR Exp    |  BR Mantissa                      |
//   |   SSRC feedback                                               |
Result<RtcpMessage> ReadRemb(uint32_t sender, ByteView fci) {
  if (fci.size() < 8) return Fail("REMB cut short", kFeedbackSsrcs + fci.size());
  const uint32_t word = LoadU32(fci.data() + 4);
  const std::size_t count = word >> 24;
  if (fci.size() != 8 + 4 * count)
    return Fail("REMB length does not match its count", kFeedbackSsrcs + 4);
  Remb remb{sender, DecodeRate(word & 0x3FFFF, word >> 18 & 0x3F), {}};
  for (std::size_t i = 0; i < count; ++i) remb.ssrcs.push_back(LoadU32(fci.data() + 8 + 4 * i));
  return RtcpMessage{std::move(remb)};
}

Result<RtcpMessage> KeepFeedback(const RawRtcp& raw, uint32_t sender, uint32_t media,
                                 ByteView fci) {
  return RtcpMessage{UnknownFeedback{raw.type == static_cast<uint8_t>(RtcpType::kPayloadFeedback),
                                     raw.count, sender, media, Bytes(fci.begin(), fci.end())}};
}

Result<RtcpMessage> ReadTransportLayer(const RawRtcp& raw, uint32_t sender, uint32_t media,
                                       ByteView fci) {
  switch (raw.count) {
    case kFmtNack:
      if (fci.empty()) return Fail("NACK without FCI", kFeedbackSsrcs);
      return RtcpMessage{ReadNack(sender, media, fci)};
    case kFmtTmmbr:
    case kFmtTmmbn: {
      auto limits = ReadLimits(fci);
      if (!limits) return tl::unexpected(limits.error());
      if (raw.count == kFmtTmmbn) return RtcpMessage{Tmmbn{sender, std::move(*limits)}};
      if (limits->empty()) return Fail("TMMBR without FCI", kFeedbackSsrcs);
      return RtcpMessage{Tmmbr{sender, std::move(*limits)}};
    }
    case kFmtTransportWide: {
      auto feedback = ParseTransportFci(fci);
      if (!feedback)
        return Fail(std::move(feedback.error().reason), kFeedbackSsrcs + feedback.error().offset);
      feedback->sender_ssrc = sender;
      feedback->media_ssrc = media;
      return RtcpMessage{std::move(*feedback)};
    }
    default:
      return KeepFeedback(raw, sender, media, fci);
  }
}

Result<RtcpMessage> ReadPayloadSpecific(const RawRtcp& raw, uint32_t sender, uint32_t media,
                                        ByteView fci) {
  switch (raw.count) {
    case kFmtPli:
      if (!fci.empty()) return Fail("PLI with FCI", kFeedbackSsrcs);
      return RtcpMessage{PictureLoss{sender, media}};
    case kFmtSli:
      if (fci.empty()) return Fail("SLI without FCI", kFeedbackSsrcs);
      return RtcpMessage{ReadSlices(sender, media, fci)};
    case kFmtRpsi:
      return ReadRpsi(sender, media, fci);
    case kFmtFir:
      return ReadFir(sender, fci);
    case kFmtApplicationLayer:
      if (fci.size() >= 4 && LoadU32(fci.data()) == kRembIdentifier) return ReadRemb(sender, fci);
      return KeepFeedback(raw, sender, media, fci);
    default:
      return KeepFeedback(raw, sender, media, fci);
  }
}

}  // namespace

Result<RtcpMessage> ParseFeedback(const RawRtcp& raw) {
  const bool payload = raw.type == static_cast<uint8_t>(RtcpType::kPayloadFeedback);
  if (!payload && raw.count == kFmtCongestionControl) {
    // RFC 8888 has no media source of its own: its blocks begin after the sender's SSRC.
    if (raw.body.size() < 4) return Fail("feedback message without SSRC", raw.body.size());
    auto feedback = ParseCongestionFci(raw.body.subspan(4));
    if (!feedback) return Fail(std::move(feedback.error().reason), 4 + feedback.error().offset);
    feedback->sender_ssrc = LoadU32(raw.body.data());
    return RtcpMessage{std::move(*feedback)};
  }
  if (raw.body.size() < kFeedbackSsrcs)
    return Fail("feedback message without its SSRCs", raw.body.size());
  const uint32_t sender = LoadU32(raw.body.data());
  const uint32_t media = LoadU32(raw.body.data() + 4);
  const ByteView fci = raw.body.subspan(kFeedbackSsrcs);
  return payload ? ReadPayloadSpecific(raw, sender, media, fci)
                 : ReadTransportLayer(raw, sender, media, fci);
}

void Append(const Nack& message, Bytes& out) {
  CHECK(!message.lost.empty());
  RtcpFrame frame(out, RtcpType::kTransportFeedback, kFmtNack);
  frame.U32(message.sender_ssrc);
  frame.U32(message.media_ssrc);
  for (std::size_t i = 0; i < message.lost.size();) {
    const uint16_t pid = message.lost[i++];
    uint16_t blp = 0;
    for (; i < message.lost.size(); ++i) {
      const auto after = static_cast<uint16_t>(message.lost[i] - pid - 1);
      if (after > 15) break;
      blp = static_cast<uint16_t>(blp | 1u << after);
    }
    frame.U16(pid);
    frame.U16(blp);
  }
}

void Append(const Tmmbr& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kTransportFeedback, kFmtTmmbr);
  WriteLimits(frame, message.sender_ssrc, message.limits);
}

void Append(const Tmmbn& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kTransportFeedback, kFmtTmmbn);
  WriteLimits(frame, message.sender_ssrc, message.limits);
}

void Append(const TransportFeedback& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kTransportFeedback, kFmtTransportWide);
  frame.U32(message.sender_ssrc);
  frame.U32(message.media_ssrc);
  AppendTransportFci(message, frame.out());
}

void Append(const CongestionFeedback& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kTransportFeedback, kFmtCongestionControl);
  frame.U32(message.sender_ssrc);
  AppendCongestionFci(message, frame.out());
}

void Append(const PictureLoss& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kPayloadFeedback, kFmtPli);
  frame.U32(message.sender_ssrc);
  frame.U32(message.media_ssrc);
}

void Append(const SliceLoss& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kPayloadFeedback, kFmtSli);
  frame.U32(message.sender_ssrc);
  frame.U32(message.media_ssrc);
  for (const LostSlice& slice : message.slices) {
    frame.U32((slice.first & 0x1FFFu) << 19 | (slice.number & 0x1FFFu) << 6 |
              (slice.picture_id & 0x3Fu));
  }
}

void Append(const ReferencePictureSelection& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kPayloadFeedback, kFmtRpsi);
  const std::size_t fill = (4 - (2 + message.bit_string.size()) % 4) % 4;
  frame.U32(message.sender_ssrc);
  frame.U32(message.media_ssrc);
  frame.U8(static_cast<uint8_t>(8 * fill + message.unused_bits % 8));
  frame.U8(message.payload_type & 0x7f);
  frame.Raw(message.bit_string);
}

void Append(const FullIntraRequest& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kPayloadFeedback, kFmtFir);
  frame.U32(message.sender_ssrc);
  frame.U32(0);  // RFC 5104 section 4.3.1.2: the media source is not used
  for (const FirItem& item : message.items) {
    frame.U32(item.ssrc);
    frame.U32(uint32_t{item.sequence_number} << 24);
  }
}

void Append(const Remb& message, Bytes& out) {
  CHECK(message.ssrcs.size() <= 255);
  uint32_t mantissa = 0;
  uint32_t exponent = 0;
  EncodeRate(message.bitrate, 18, mantissa, exponent);
  RtcpFrame frame(out, RtcpType::kPayloadFeedback, kFmtApplicationLayer);
  frame.U32(message.sender_ssrc);
  frame.U32(0);
  frame.U32(kRembIdentifier);
  frame.U32(static_cast<uint32_t>(message.ssrcs.size()) << 24 | exponent << 18 | mantissa);
  for (const uint32_t ssrc : message.ssrcs) frame.U32(ssrc);
}

void Append(const UnknownFeedback& message, Bytes& out) {
  CHECK(message.fci.size() % 4 == 0);
  RtcpFrame frame(
      out, message.payload_specific ? RtcpType::kPayloadFeedback : RtcpType::kTransportFeedback,
      message.fmt);
  frame.U32(message.sender_ssrc);
  frame.U32(message.media_ssrc);
  frame.Raw(message.fci);
}

}  // namespace rtclab::rtp::internal
