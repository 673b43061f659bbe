// Reads and writes SR, RR, SDES, BYE, APP (RFC 3550 section 6) and XR (RFC 3611).
#include "stack/rtp/rtcp_packets.h"

#include <algorithm>

#include "stack/base/overloaded.h"
#include "stack/rtp/rtcp_internal.h"

namespace rtclab::rtp::internal {
namespace {

constexpr std::size_t kReportBlockSize = 24;
constexpr std::size_t kSenderInfoSize = 24;  // with the SSRC
constexpr std::size_t kMaxText = 255;
constexpr uint8_t kXrReceiverReferenceTime = 4;
constexpr uint8_t kXrDlrr = 5;

//   |                 SSRC_n (SSRC of source)                       |
//   | fraction lost |       cumulative number of packets lost       |
//   |           extended highest sequence number received           |
//   |                      interarrival jitter                      |
//   |                         last SR (LSR)                         |
//   |                   delay since last SR (DLSR)                  |
std::vector<ReportBlock> ReadReportBlocks(ByteView blocks, std::size_t count) {
  std::vector<ReportBlock> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const uint8_t* p = blocks.data() + i * kReportBlockSize;
    // 24 bits with sign: to the top of 32 and back.
    const auto lost = static_cast<int32_t>(LoadU32(p + 4) << 8) / 256;
    out.push_back({LoadU32(p), p[4], lost, LoadU32(p + 8), LoadU32(p + 12), LoadU32(p + 16),
                   LoadU32(p + 20)});
  }
  return out;
}

void WriteReportBlocks(RtcpFrame& frame, std::span<const ReportBlock> blocks) {
  for (const ReportBlock& block : blocks) {
    // RFC 3550 appendix A.3: what does not fit 24 bits is held at the limit.
    const int32_t lost = std::clamp<int32_t>(block.cumulative_lost, -0x800000, 0x7FFFFF);
    frame.U32(block.ssrc);
    frame.U32(uint32_t{block.fraction_lost} << 24 | (static_cast<uint32_t>(lost) & 0xFFFFFF));
    frame.U32(block.extended_highest_sequence);
    frame.U32(block.jitter);
    frame.U32(block.last_sender_report);
    frame.U32(block.delay_since_last_sender_report);
  }
}

// Report blocks beyond the first packet's 31.
void AppendFurtherReports(uint32_t sender, std::span<const ReportBlock> blocks, Bytes& out) {
  while (blocks.size() > kMaxRtcpCount) {
    blocks = blocks.subspan(kMaxRtcpCount);
    const auto now = blocks.first(std::min(blocks.size(), kMaxRtcpCount));
    RtcpFrame frame(out, RtcpType::kReceiverReport, now.size());
    frame.U32(sender);
    WriteReportBlocks(frame, now);
  }
}

std::string_view CutText(std::string_view text) { return text.substr(0, kMaxText); }

// One chunk: SSRC, items, and one to four zero bytes up to the next word (section 6.5).
bool ReadSdesChunk(ByteReader& reader, SdesChunk& chunk) {
  const auto ssrc = reader.ReadU32();
  if (!ssrc) return false;
  chunk.ssrc = *ssrc;
  for (;;) {
    const auto type = reader.ReadU8();
    if (!type) return false;
    if (*type == 0) break;
    const auto size = reader.ReadU8();
    const auto text = size ? reader.ReadBytes(*size) : std::nullopt;
    if (!text) return false;
    chunk.items.push_back({static_cast<SdesType>(*type), std::string(AsString(*text))});
  }
  return reader.ReadBytes((4 - reader.offset() % 4) % 4).has_value();
}

Result<Dlrr> ReadDlrr(ByteView data) {
  if (data.size() % 12 != 0) return Fail("DLRR block is not a multiple of three words");
  Dlrr dlrr;
  for (std::size_t at = 0; at < data.size(); at += 12) {
    const uint8_t* p = data.data() + at;
    dlrr.items.push_back({LoadU32(p), LoadU32(p + 4), LoadU32(p + 8)});
  }
  return dlrr;
}

Result<XrBlock> ReadXrBlock(uint8_t type, uint8_t specific, ByteView data) {
  if (type == kXrReceiverReferenceTime) {
    if (data.size() != 8) return Fail("receiver reference time block is not two words");
    return XrBlock{ReceiverReferenceTime{NtpTime::FromU64(LoadU64(data.data()))}};
  }
  if (type == kXrDlrr) {
    auto dlrr = ReadDlrr(data);
    if (!dlrr) return tl::unexpected(dlrr.error());
    return XrBlock{std::move(*dlrr)};
  }
  return XrBlock{UnknownXrBlock{type, specific, Bytes(data.begin(), data.end())}};
}

void WriteXrHeader(RtcpFrame& frame, uint8_t type, uint8_t specific, std::size_t bytes) {
  CHECK(bytes % 4 == 0 && bytes / 4 <= 0xFFFF);
  frame.U8(type);
  frame.U8(specific);
  frame.U16(static_cast<uint16_t>(bytes / 4));
}

}  // namespace

Result<RtcpMessage> ParseSenderReport(const RawRtcp& raw) {
  const uint8_t* p = raw.body.data();
  // What follows the report blocks are profile-specific extensions, which nothing here has.
  if (raw.body.size() < kSenderInfoSize + raw.count * kReportBlockSize) {
    return Fail("SR shorter than its report count says", raw.body.size());
  }
  SenderReport sr{LoadU32(p),      NtpTime::FromU64(LoadU64(p + 4)),
                  LoadU32(p + 12), LoadU32(p + 16),
                  LoadU32(p + 20), ReadReportBlocks(raw.body.subspan(kSenderInfoSize), raw.count)};
  return RtcpMessage{std::move(sr)};
}

void Append(const SenderReport& message, Bytes& out) {
  const std::span<const ReportBlock> blocks = message.reports;
  const auto first = blocks.first(std::min(blocks.size(), kMaxRtcpCount));
  {
    RtcpFrame frame(out, RtcpType::kSenderReport, first.size());
    frame.U32(message.sender_ssrc);
    frame.U32(message.ntp.seconds);
    frame.U32(message.ntp.fraction);
    frame.U32(message.rtp_timestamp);
    frame.U32(message.packet_count);
    frame.U32(message.octet_count);
    WriteReportBlocks(frame, first);
  }
  AppendFurtherReports(message.sender_ssrc, blocks, out);
}

Result<RtcpMessage> ParseReceiverReport(const RawRtcp& raw) {
  if (raw.body.size() < 4 + raw.count * kReportBlockSize) {
    return Fail("RR shorter than its report count says", raw.body.size());
  }
  return RtcpMessage{
      ReceiverReport{LoadU32(raw.body.data()), ReadReportBlocks(raw.body.subspan(4), raw.count)}};
}

void Append(const ReceiverReport& message, Bytes& out) {
  const std::span<const ReportBlock> blocks = message.reports;
  const auto first = blocks.first(std::min(blocks.size(), kMaxRtcpCount));
  {
    RtcpFrame frame(out, RtcpType::kReceiverReport, first.size());
    frame.U32(message.sender_ssrc);
    WriteReportBlocks(frame, first);
  }
  AppendFurtherReports(message.sender_ssrc, blocks, out);
}

Result<RtcpMessage> ParseSourceDescription(const RawRtcp& raw) {
  SourceDescription sdes;
  ByteReader reader(raw.body);
  for (std::size_t i = 0; i < raw.count; ++i) {
    SdesChunk chunk;
    if (!ReadSdesChunk(reader, chunk)) return Fail("SDES ends within a chunk", reader.offset());
    sdes.chunks.push_back(std::move(chunk));
  }
  if (!reader.empty()) return Fail("SDES longer than its chunks", reader.offset());
  return RtcpMessage{std::move(sdes)};
}

void Append(const SourceDescription& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kSourceDescription, message.chunks.size());
  const std::size_t begin = out.size();
  for (const SdesChunk& chunk : message.chunks) {
    frame.U32(chunk.ssrc);
    for (const SdesItem& item : chunk.items) {
      const std::string_view text = CutText(item.text);
      frame.U8(static_cast<uint8_t>(item.type));
      frame.U8(static_cast<uint8_t>(text.size()));
      frame.Raw(AsBytes(text));
    }
    // At least one zero ends the items.
    do {
      frame.U8(0);
    } while ((out.size() - begin) % 4 != 0);
  }
}

Result<RtcpMessage> ParseGoodbye(const RawRtcp& raw) {
  Goodbye bye;
  ByteReader reader(raw.body);
  for (std::size_t i = 0; i < raw.count; ++i) {
    const auto ssrc = reader.ReadU32();
    if (!ssrc) return Fail("BYE shorter than its source count says", reader.offset());
    bye.ssrcs.push_back(*ssrc);
  }
  if (const auto size = reader.ReadU8()) {
    const auto text = reader.ReadBytes(*size);
    if (!text) return Fail("BYE ends within its reason", reader.offset());
    bye.reason = AsString(*text);
    if (reader.remaining() > 3) return Fail("BYE longer than its reason", reader.offset());
  }
  return RtcpMessage{std::move(bye)};
}

void Append(const Goodbye& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kGoodbye, message.ssrcs.size());
  for (const uint32_t ssrc : message.ssrcs) frame.U32(ssrc);
  const std::string_view reason = CutText(message.reason);
  if (reason.empty()) return;
  frame.U8(static_cast<uint8_t>(reason.size()));
  frame.Raw(AsBytes(reason));
}

Result<RtcpMessage> ParseApp(const RawRtcp& raw) {
  if (raw.body.size() < 8) return Fail("APP shorter than SSRC and name", raw.body.size());
  AppPacket app;
  app.subtype = raw.count;
  app.sender_ssrc = LoadU32(raw.body.data());
  std::copy_n(raw.body.begin() + 4, 4, app.name.begin());
  app.data.assign(raw.body.begin() + 8, raw.body.end());
  return RtcpMessage{std::move(app)};
}

void Append(const AppPacket& message, Bytes& out) {
  CHECK(message.data.size() % 4 == 0);
  RtcpFrame frame(out, RtcpType::kApp, message.subtype);
  frame.U32(message.sender_ssrc);
  frame.Raw(AsBytes({message.name.data(), message.name.size()}));
  frame.Raw(message.data);
}

//   |     BT        | type-specific |         block length          |
Result<RtcpMessage> ParseExtendedReport(const RawRtcp& raw) {
  ByteReader reader(raw.body);
  const auto sender = reader.ReadU32();
  if (!sender) return Fail("XR without SSRC", raw.body.size());
  ExtendedReport xr{*sender, {}};
  while (!reader.empty()) {
    const auto type = reader.ReadU8();
    const auto specific = reader.ReadU8();
    const auto words = reader.ReadU16();
    const auto data = words ? reader.ReadBytes(4 * std::size_t{*words}) : std::nullopt;
    if (!data) return Fail("XR ends within a block", reader.offset());
    auto block = ReadXrBlock(*type, *specific, *data);
    if (!block) return Fail(std::move(block.error().reason), reader.offset() - data->size());
    xr.blocks.push_back(std::move(*block));
  }
  return RtcpMessage{std::move(xr)};
}

void Append(const ExtendedReport& message, Bytes& out) {
  RtcpFrame frame(out, RtcpType::kExtendedReport, 0);
  frame.U32(message.sender_ssrc);
  for (const XrBlock& block : message.blocks) {
    std::visit(Overloaded{[&](const ReceiverReferenceTime& b) {
                            WriteXrHeader(frame, kXrReceiverReferenceTime, 0, 8);
                            frame.U32(b.ntp.seconds);
                            frame.U32(b.ntp.fraction);
                          },
                          [&](const Dlrr& b) {
                            WriteXrHeader(frame, kXrDlrr, 0, b.items.size() * 12);
                            for (const DlrrItem& item : b.items) {
                              frame.U32(item.ssrc);
                              frame.U32(item.last_receiver_report);
                              frame.U32(item.delay_since_last_receiver_report);
                            }
                          },
                          [&](const UnknownXrBlock& b) {
                            WriteXrHeader(frame, b.block_type, b.type_specific, b.data.size());
                            frame.Raw(b.data);
                          }},
               block);
  }
}

}  // namespace rtclab::rtp::internal
