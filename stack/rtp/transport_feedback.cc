#include "stack/rtp/transport_feedback.h"

#include <algorithm>

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

constexpr std::size_t kTransportFixedFci = 8;
constexpr std::size_t kMaxRun = 0x1FFF;
constexpr std::size_t kOneBitSymbols = 14;
constexpr std::size_t kTwoBitSymbols = 7;

enum Symbol : uint8_t { kNotReceived = 0, kSmallDelta = 1, kLargeDelta = 2, kReservedSymbol = 3 };

Symbol SymbolOf(const TransportStatus& status) {
  if (!status.received) return kNotReceived;
  return status.delta >= 0 && status.delta <= 255 ? kSmallDelta : kLargeDelta;
}

// Reads the chunks; leaves the symbol of each packet in `delta` until the deltas are read.
bool ReadChunks(ByteReader& reader, std::size_t count, std::vector<TransportStatus>& packets) {
  while (packets.size() < count) {
    const auto chunk = reader.ReadU16();
    if (!chunk) return false;
    const std::size_t left = count - packets.size();
    if ((*chunk & 0x8000) == 0) {
      const auto symbol = static_cast<int16_t>(*chunk >> 13 & 3);
      const std::size_t run = std::min<std::size_t>(*chunk & kMaxRun, left);
      if (symbol == kReservedSymbol || run == 0) return false;
      packets.insert(packets.end(), run, {symbol != kNotReceived, symbol});
      continue;
    }
    const bool two_bit = (*chunk & 0x4000) != 0;
    const std::size_t symbols = two_bit ? kTwoBitSymbols : kOneBitSymbols;
    const int bits = two_bit ? 2 : 1;
    for (std::size_t i = 0; i < std::min(symbols, left); ++i) {
      const int shift = 14 - bits * static_cast<int>(i + 1);
      const auto symbol = static_cast<int16_t>(*chunk >> shift & (two_bit ? 3 : 1));
      if (symbol == kReservedSymbol) return false;
      packets.push_back({symbol != kNotReceived, symbol});
    }
  }
  return true;
}

// How many packets from `at` on have the same symbol, up to the longest run.
std::size_t RunLength(const std::vector<TransportStatus>& packets, std::size_t at) {
  const Symbol symbol = SymbolOf(packets[at]);
  const std::size_t end = std::min(packets.size(), at + kMaxRun);
  std::size_t i = at + 1;
  while (i < end && SymbolOf(packets[i]) == symbol) ++i;
  return i - at;
}

void AppendU16(Bytes& out, uint16_t v) {
  out.push_back(static_cast<uint8_t>(v >> 8));
  out.push_back(static_cast<uint8_t>(v));
}

// Writes one chunk for the packets from `at` on and gives how many it covers.
std::size_t AppendChunk(const std::vector<TransportStatus>& packets, std::size_t at, Bytes& out) {
  const std::size_t run = RunLength(packets, at);
  const std::size_t left = packets.size() - at;
  if (run >= kOneBitSymbols || run == left) {
    AppendU16(out, static_cast<uint16_t>(SymbolOf(packets[at]) << 13 | run));
    return run;
  }
  std::size_t small = 0;  // how many could go into one-bit symbols
  while (small < std::min(left, kOneBitSymbols) && SymbolOf(packets[at + small]) != kLargeDelta)
    ++small;
  const bool two_bit = small < std::min(left, kOneBitSymbols);
  if (two_bit && run >= kTwoBitSymbols) {
    AppendU16(out, static_cast<uint16_t>(SymbolOf(packets[at]) << 13 | run));
    return run;
  }
  const std::size_t symbols = std::min(left, two_bit ? kTwoBitSymbols : kOneBitSymbols);
  const int bits = two_bit ? 2 : 1;
  unsigned chunk = two_bit ? 0xC000 : 0x8000;
  for (std::size_t i = 0; i < symbols; ++i) {
    chunk |= static_cast<unsigned>(SymbolOf(packets[at + i]))
             << (14 - bits * static_cast<int>(i + 1));
  }
  AppendU16(out, static_cast<uint16_t>(chunk));
  return symbols;
}

}  // namespace

Result<TransportFeedback> ParseTransportFci(ByteView fci) {
  if (fci.size() < kTransportFixedFci)
    return Fail("transport feedback ends within its header", fci.size());
  TransportFeedback feedback;
  feedback.base_sequence = LoadU16(fci.data());
  const std::size_t count = LoadU16(fci.data() + 2);
  if (count == 0) return Fail("transport feedback about no packet", 2);
  const uint32_t word = LoadU32(fci.data() + 4);
  feedback.reference_time = static_cast<int32_t>(word) >> 8;  // keeps the sign
  feedback.feedback_count = static_cast<uint8_t>(word);
  ByteReader reader(fci.subspan(kTransportFixedFci));
  // A run covers up to 8191 packets with two bytes, so the count says nothing about the length: the
  // vector grows with what is read.
  feedback.packets.reserve(std::min<std::size_t>(count, 8 * fci.size()));
  if (!ReadChunks(reader, count, feedback.packets)) {
    return Fail("transport feedback with a bad packet chunk", kTransportFixedFci + reader.offset());
  }
  for (TransportStatus& status : feedback.packets) {
    if (!status.received) continue;
    if (status.delta == kSmallDelta) {
      const auto delta = reader.ReadU8();
      if (!delta) return Fail("transport feedback ends within its deltas", fci.size());
      status.delta = *delta;
    } else {
      const auto delta = reader.ReadU16();
      if (!delta) return Fail("transport feedback ends within its deltas", fci.size());
      status.delta = static_cast<int16_t>(*delta);
    }
  }
  return feedback;
}

void AppendTransportFci(const TransportFeedback& feedback, Bytes& out) {
  CHECK(!feedback.packets.empty() && feedback.packets.size() <= 0xFFFF);
  const std::size_t begin = out.size();
  AppendU16(out, feedback.base_sequence);
  AppendU16(out, static_cast<uint16_t>(feedback.packets.size()));
  const auto reference = static_cast<uint32_t>(feedback.reference_time);
  out.push_back(static_cast<uint8_t>(reference >> 16));
  AppendU16(out, static_cast<uint16_t>(reference));
  out.push_back(feedback.feedback_count);
  for (std::size_t at = 0; at < feedback.packets.size();)
    at += AppendChunk(feedback.packets, at, out);
  for (const TransportStatus& status : feedback.packets) {
    switch (SymbolOf(status)) {
      case kSmallDelta:
        out.push_back(static_cast<uint8_t>(status.delta));
        break;
      case kLargeDelta:
        AppendU16(out, static_cast<uint16_t>(status.delta));
        break;
      default:
        break;
    }
  }
  while ((out.size() - begin) % 4 != 0) out.push_back(0);
}

}  // namespace rtclab::rtp
