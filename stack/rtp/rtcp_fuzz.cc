// Any bytes as an RTCP datagram. What is read is written again and must then read the same; feedback also
// goes to the matchers.
#include <cstddef>
#include <cstdint>

#include "stack/rtp/feedback_matcher.h"
#include "stack/rtp/rtcp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::rtp;
  const ByteView bytes(data, size);
  ParseTransportFci(bytes);
  ParseCongestionFci(bytes);
  const auto messages = ParseRtcp(bytes);
  if (ParseRtcp(bytes, RtcpForm::kCompound) && !messages) __builtin_trap();
  if (!messages) return 0;
  const Bytes written = BuildRtcp(*messages);
  const auto again = ParseRtcp(written);
  if (!again || again->size() != messages->size()) __builtin_trap();
  if (BuildRtcp(*again) != written) __builtin_trap();
  TransportFeedbackMatcher transport(16);
  CongestionFeedbackMatcher congestion(16);
  for (int i = 0; i < 20; ++i) {
    transport.OnSent({.id = i});
    congestion.OnSent({.id = i, .ssrc = 0x22222222, .sequence = static_cast<uint16_t>(i)});
  }
  for (const RtcpMessage& message : *messages) {
    if (const auto* feedback = std::get_if<TransportFeedback>(&message))
      transport.Match(Timestamp::Zero(), *feedback);
    if (const auto* feedback = std::get_if<CongestionFeedback>(&message))
      congestion.Match(Timestamp::Zero(), *feedback);
  }
  return 0;
}
