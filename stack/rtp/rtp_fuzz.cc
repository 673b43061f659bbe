// Any bytes as an RTP packet: the view, its elements, rewriting, RTX both ways, the VP8 assembler.
#include <cstddef>
#include <cstdint>

#include "stack/rtp/header_extensions.h"
#include "stack/rtp/rtp_packet.h"
#include "stack/rtp/rtx.h"
#include "stack/rtp/vp8_assembler.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rtclab;
  using namespace rtclab::rtp;
  const ByteView bytes(data, size);
  LooksLikeRtp(bytes);
  LooksLikeRtcp(bytes);
  const auto view = PacketView::Parse(bytes);
  if (!view) return 0;
  if (view->header_size() + view->payload().size() + view->padding_size() != size) __builtin_trap();
  view->ForEachExtension([](uint8_t, ByteView value) {
    ReadAbsSendTime(value);
    ReadTransportSequence(value);
    ReadAudioLevel(value);
    ReadTextExtension(value);
  });
  Bytes copy(bytes.begin(), bytes.end());
  for (const uint8_t id : std::initializer_list<uint8_t>{1, 5, 14, 15, 255}) {
    const auto value = view->FindExtension(id);
    if (MutableExtension(copy, id).size() != (value ? value->size() : 0)) __builtin_trap();
  }
  const Bytes rtx = WrapRtx(*view, {97, 1, 1, 2}, 3);
  const auto rtx_view = PacketView::Parse(rtx);
  if (!rtx_view) __builtin_trap();
  const auto original = UnwrapRtx(*rtx_view, view->payload_type(), view->ssrc(), 1, 2);
  if (!original || original->size() + view->padding_size() != size) __builtin_trap();
  UnwrapRtx(*view, 96, 1);
  Vp8Assembler assembler(16);
  assembler.Insert(Timestamp::Zero(), *view);
  while (assembler.PollFrame()) {
  }
  return 0;
}
