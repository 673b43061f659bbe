// What ChannelManager keeps about a channel. Private to this room.
#ifndef RTCLAB_STACK_DATACHANNEL_CHANNEL_IMPL_H_
#define RTCLAB_STACK_DATACHANNEL_CHANNEL_IMPL_H_

#include <optional>
#include <vector>

#include "stack/datachannel/channel_manager.h"

namespace rtclab::datachannel {

// RFC 8831 section 6.4's normal; also what DCEP's 0 stands for.
inline constexpr uint16_t kNormalPriority = 256;

// Bytes in the stream's queue that are not the application's: `size` of them before `end`, counted
// from the first byte that the channel queued.
struct ControlBytes {
  uint64_t end = 0;
  uint64_t size = 0;
};

struct ChannelManager::Channel {
  ChannelId id{};
  ChannelInit init;
  std::optional<uint16_t> stream;
  // What the application sees; changes when the event is polled.
  ChannelState state = ChannelState::kConnecting;
  bool on_transport = false;  // DATA_CHANNEL_OPEN sent or received, or negotiated and connected
  bool we_opened = false;     // with our own DATA_CHANNEL_OPEN
  bool acknowledged = false;  // RFC 8832 section 6: unordered messages may go unordered
  bool finished = false;      // ChannelClosed is queued or polled
  std::optional<ChannelFailure> failure;  // why it closes

  ChannelStats stats;

  uint64_t queued = 0;  // bytes ever given to the association on this stream
  std::vector<ControlBytes> control;
  uint64_t low_threshold = 0;
  bool above_threshold = false;
  uint64_t final_amount = 0;  // bufferedAmount once finished

  // RFC 8831 section 6.6's deprecated fragmentation: what came so far, and of which kind.
  Bytes partial;
  std::optional<bool> partial_binary;
};

}  // namespace rtclab::datachannel

#endif  // RTCLAB_STACK_DATACHANNEL_CHANNEL_IMPL_H_
