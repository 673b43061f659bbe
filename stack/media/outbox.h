// What an engine has made and its driver has not taken yet, and what all its parts count together.
#ifndef RTCLAB_STACK_MEDIA_OUTBOX_H_
#define RTCLAB_STACK_MEDIA_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/media/engine_events.h"

namespace rtclab::media {

// A packet to protect and send.
struct MediaPacket {
  bool rtcp = false;
  Bytes bytes;
};

// First in, first out; keeps its memory, so that what is drained at every call costs no allocation.
template <typename T>
class DrainedQueue {
 public:
  void Push(T item) { items_.push_back(std::move(item)); }
  std::optional<T> Pop() {
    if (head_ == items_.size()) return std::nullopt;
    std::optional<T> item(std::move(items_[head_++]));
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    }
    return item;
  }

 private:
  std::vector<T> items_;
  std::size_t head_ = 0;
};

struct Outbox {
  DrainedQueue<MediaPacket> packets;
  DrainedQueue<Event> events;
  int64_t wire_bytes_sent = 0;  // with overhead, RTP and RTCP
  int64_t overhead = 0;         // bytes a packet

  void SendRtp(Bytes bytes) { Send(false, std::move(bytes)); }
  void SendRtcp(Bytes bytes) { Send(true, std::move(bytes)); }

 private:
  void Send(bool rtcp, Bytes bytes) {
    wire_bytes_sent += static_cast<int64_t>(bytes.size()) + overhead;
    packets.Push({rtcp, std::move(bytes)});
  }
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_OUTBOX_H_
