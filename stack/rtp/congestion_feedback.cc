#include "stack/rtp/congestion_feedback.h"

#include "stack/base/check.h"

namespace rtclab::rtp {
namespace {

constexpr std::size_t kCongestionBlockHeader = 8;

}  // namespace

Result<CongestionFeedback> ParseCongestionFci(ByteView fci) {
  CongestionFeedback feedback;
  if (fci.size() < 4) return Fail("congestion feedback without a report timestamp", fci.size());
  const std::size_t end = fci.size() - 4;
  std::size_t at = 0;
  while (at < end) {
    if (end - at < kCongestionBlockHeader)
      return Fail("congestion feedback ends within a block header", at);
    CongestionBlock block;
    block.ssrc = LoadU32(fci.data() + at);
    block.begin_sequence = LoadU16(fci.data() + at + 4);
    const std::size_t count = LoadU16(fci.data() + at + 6);
    at += kCongestionBlockHeader;
    const std::size_t size = (count + count % 2) * 2;
    if (count > kMaxMetricsPerBlock)
      return Fail("congestion feedback block of over 16384 metrics", at - 2);
    if (end - at < size) return Fail("congestion feedback ends within its metrics", end);
    block.metrics.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const uint16_t metric = LoadU16(fci.data() + at + 2 * i);
      if ((metric & 0x8000) == 0) {
        block.metrics.emplace_back();  // the other bits are to be ignored
      } else {
        block.metrics.push_back(
            {true, static_cast<uint8_t>(metric >> 13 & 3), static_cast<uint16_t>(metric & 0x1FFF)});
      }
    }
    at += size;
    feedback.blocks.push_back(std::move(block));
  }
  feedback.report_timestamp = LoadU32(fci.data() + end);
  return feedback;
}

void AppendCongestionFci(const CongestionFeedback& feedback, Bytes& out) {
  for (const CongestionBlock& block : feedback.blocks) {
    const std::size_t count = block.metrics.size();
    CHECK(count <= kMaxMetricsPerBlock);
    std::size_t at = out.size();
    out.resize(at + kCongestionBlockHeader + (count + count % 2) * 2);
    StoreU32(out.data() + at, block.ssrc);
    StoreU16(out.data() + at + 4, block.begin_sequence);
    StoreU16(out.data() + at + 6, static_cast<uint16_t>(count));
    at += kCongestionBlockHeader;
    for (const ArrivalMetric& metric : block.metrics) {
      if (metric.received) {
        StoreU16(out.data() + at, static_cast<uint16_t>(0x8000 | (metric.ecn & 3) << 13 |
                                                        (metric.arrival_offset & 0x1FFF)));
      }
      at += 2;
    }
  }
  out.resize(out.size() + 4);
  StoreU32(out.data() + out.size() - 4, feedback.report_timestamp);
}

}  // namespace rtclab::rtp
