// Which outgoing stream sends next: the schedulers of RFC 8260 section 3.
#ifndef RTCLAB_STACK_SCTP_SCHEDULER_H_
#define RTCLAB_STACK_SCTP_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/ring.h"
#include "stack/sctp/config.h"
#include "stack/sctp/message.h"

namespace rtclab::sctp {

// An outgoing stream and its queue.
struct OutStream {
  explicit OutStream(StreamId stream) : id(stream) {}

  StreamId id;
  uint16_t priority = 256;
  bool scheduled = false;         // in the scheduler: has something that may be sent
  bool resetting = false;         // what came at or after `barrier` waits for a stream reset
  uint64_t barrier = 0;           // a message's `arrival`
  uint32_t next_ssn = 0;          // 16 bits on the wire
  uint32_t next_mid_ordered = 0;  // RFC 8260 section 2.1: ordered and unordered count apart
  uint32_t next_mid_unordered = 0;
  uint64_t last_tsn = 0;  // of the last fragment made; 0: none
  std::size_t buffered = 0;
  std::size_t low_threshold = 0;
  uint64_t virtual_finish = 0;  // fair capacity and weighted fair
  Ring<MessageRef> queue;

  // Whether the first message may be sent now.
  bool Eligible() const {
    return !queue.empty() && !(resetting && queue.front()->arrival >= barrier);
  }
};

class StreamScheduler {
 public:
  explicit StreamScheduler(SchedulerKind kind) : kind_(kind) {}

  // `stream` has become eligible, or is no longer. It must stay where it is in memory.
  void Add(OutStream& stream);
  void Remove(OutStream& stream);
  // The stream whose turn it is; null: none.
  OutStream* Top() const { return heap_.empty() ? nullptr : heap_.front().stream; }
  // A turn of Top() was used: `bytes` of it were sent, and its turn ends unless this scheduler lets it
  // go on (FCFS; per packet).
  void Served(std::size_t bytes);
  // `bytes` were sent of a stream that is not in the scheduler: the rest of its message.
  void Charge(OutStream& stream, std::size_t bytes);
  // A new packet begins.
  void PacketBegins();
  // For the per-packet round robin: a packet carries one stream.
  bool OneStreamPerPacket() const { return kind_ == SchedulerKind::kRoundRobinPerPacket; }

 private:
  struct Entry {
    uint64_t key;
    uint64_t turn;  // orders equal keys: who came first
    OutStream* stream;
    // For std::push_heap, which puts the largest first.
    bool operator<(const Entry& o) const { return key != o.key ? key > o.key : turn > o.turn; }
  };
  uint64_t KeyOf(const OutStream& stream) const;
  void Replace(OutStream& stream);

  SchedulerKind kind_;
  std::vector<Entry> heap_;
  uint64_t turns_ = 0;
  uint64_t virtual_time_ = 0;
  bool packet_used_ = false;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_SCHEDULER_H_
