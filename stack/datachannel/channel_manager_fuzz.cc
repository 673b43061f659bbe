// A peer that has an association says anything on it: each input is a list of steps that a bare association
// takes against a manager with channels of its own. Nothing may crash, and in the end everything closes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/datachannel/channel_manager.h"
#include "stack/datachannel/test_util.h"

namespace rtclab::datachannel {
namespace {

constexpr uint32_t kPpids[] = {50, 51, 52, 53, 54, 56, 57, 0};

void Step(ManagerAndRawPeer& lab, uint8_t what, uint16_t stream, ByteView payload) {
  const Timestamp now = lab.path.now;
  const sctp::StreamId id{stream};
  const auto channels = lab.a.channels();
  switch (what % 16) {
    case 8:
      lab.peer.ResetStreams(now, {&id, 1});
      break;
    case 9:
      lab.peer.RequestIncomingReset(now, {&id, 1});
      break;
    case 10: {
      ChannelInit init;
      init.ordered = payload.empty();
      init.negotiated = payload.size() > 1;
      init.id = stream;
      (void)lab.a.Create(now, init);
      break;
    }
    case 11:
      if (!channels.empty()) lab.a.Close(now, channels[stream % channels.size()]);
      break;
    case 12:
      if (!channels.empty()) {
        (void)lab.a.Send(now, channels[stream % channels.size()], true, payload);
      }
      break;
    case 13:
      lab.path.Run(TimeDelta::Millis(stream));
      break;
    case 14:
      lab.path.Collect();
      break;
    case 15:
      for (const ChannelId channel : channels) {
        if (lab.a.state(channel) == ChannelState::kClosed) lab.a.Release(channel);
      }
      break;
    default:
      if (!payload.empty()) {
        sctp::SendOptions options;
        options.ordered = (what & 0x80) == 0;
        (void)lab.peer.Send(now, id, kPpids[what % 8], Bytes(payload.begin(), payload.end()),
                            options);
      }
  }
}

}  // namespace
}  // namespace rtclab::datachannel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  namespace dc = rtclab::datachannel;
  if (size > 4096) return 0;
  dc::ManagerAndRawPeer lab;
  rtclab::ByteReader input({data, size});
  while (const auto what = input.ReadU8()) {
    const auto stream = input.ReadU8();
    const auto length = input.ReadU8();
    if (!length) break;
    const auto payload = input.ReadBytes(std::min<std::size_t>(*length, input.remaining()));
    dc::Step(lab, *what, *stream, *payload);
  }
  lab.a.Abort(lab.path.now, "the end");
  lab.path.Run(rtclab::TimeDelta::Seconds(1));
  CHECK(lab.a.transport_state() == dc::TransportState::kClosed);
  for (const dc::ChannelId id : lab.a.channels()) {
    CHECK(lab.a.state(id) == dc::ChannelState::kClosed);
  }
  return 0;
}
