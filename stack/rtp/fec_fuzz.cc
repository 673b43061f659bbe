// Any bytes as RED, ULPFEC and FlexFEC among real media packets: whatever is recovered is an RTP packet.
#include <cstddef>
#include <cstdint>

#include "stack/rtp/flexfec.h"
#include "stack/rtp/red.h"
#include "stack/rtp/ulpfec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::rtp;
  constexpr uint32_t kSsrc = 0x4d4d4d4d;
  const ByteView bytes(data, size);
  if (const auto blocks = ParseRed(bytes)) {
    Bytes written;
    if (!AppendRed(*blocks, written) || written != Bytes(bytes.begin(), bytes.end()))
      __builtin_trap();
  }
  ParseUlpfec(bytes, kSsrc);
  UlpfecReceiver ulpfec(kSsrc, 120, 121);
  const uint32_t ssrcs[] = {kSsrc};
  FlexfecReceiver flexfec(ssrcs);
  for (uint16_t i = 98; i < 104; ++i) {
    if (i == 100) continue;
    PacketBuilder builder({false, 96, i, i, kSsrc});
    builder.AllocatePayload(i - 90u)[0] = 1;
    const Bytes media = builder.Build();
    if (!ulpfec.HandlePacket(media)) __builtin_trap();
    flexfec.HandleMedia(media);
  }
  // As the payload of FEC in RED, as a packet as it stands, and as FlexFEC's payload.
  PacketBuilder red({false, 120, 104, 0, kSsrc});
  red.AllocatePayload(1)[0] = 121;
  red.AppendPayload(bytes);
  ulpfec.HandlePacket(red.Build());
  ulpfec.HandlePacket(bytes);
  PacketBuilder flex({false, 118, 1, 0, 9});
  flex.AddCsrc(kSsrc);
  flex.AppendPayload(bytes);
  const Bytes flex_packet = flex.Build();
  flexfec.HandleRepair(*PacketView::Parse(flex_packet));
  if (const auto view = PacketView::Parse(bytes)) flexfec.HandleRepair(*view);
  while (const auto packet = ulpfec.PollRecovered()) {
    if (!PacketView::Parse(*packet)) __builtin_trap();
  }
  while (const auto packet = flexfec.PollRecovered()) {
    if (!PacketView::Parse(*packet)) __builtin_trap();
  }
  return 0;
}
