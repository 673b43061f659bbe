// The messages that wait to be sent, stream by stream, and how they are cut into fragments
// (RFC 9260 section 6.9).
#ifndef RTCLAB_STACK_SCTP_SEND_QUEUE_H_
#define RTCLAB_STACK_SCTP_SEND_QUEUE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "stack/base/units.h"
#include "stack/sctp/message.h"
#include "stack/sctp/scheduler.h"

namespace rtclab::sctp {

class SendQueue {
 public:
  explicit SendQueue(SchedulerKind scheduler) : scheduler_(scheduler) {}

  // RFC 8260 is in force: a fragment of one message may follow one of another. Before the first
  // fragment is made.
  void SetInterleaving(bool interleaving) { interleaving_ = interleaving; }

  void Add(MessageRef message);
  bool empty() const { return buffered_ == 0; }
  // Something may be sent now.
  bool HasEligible() const { return current_ != nullptr || scheduler_.Top() != nullptr; }

  void PacketBegins() {
    scheduler_.PacketBegins();
    packet_stream_ = nullptr;
  }
  // The next fragment. `space`: the user data that still fits into the packet; `full`: what fits into an
  // empty one. Nothing when the next one should wait for the next packet. Messages past their lifetime
  // are put into `expired` (RFC 3758 section 3.5 rule A3: never sent, so no trace on the wire).
  std::optional<Fragment> Produce(Timestamp now, std::size_t space, std::size_t full,
                                  std::vector<MessageRef>& expired);
  // The TSN that the last fragment got.
  void Assigned(StreamId stream, uint64_t tsn) { Get(stream).last_tsn = tsn; }

  // The peer takes fewer streams than asked for: messages of others are put into `dropped`.
  void DropBeyond(uint16_t streams, std::vector<MessageRef>& dropped);
  // Gives up the rest of a message of which fragments were sent. True: there was a rest.
  bool DropRest(OutMessage& message);

  std::size_t buffered() const { return buffered_; }
  std::size_t buffered(StreamId stream) const;
  void SetLowThreshold(StreamId stream, std::size_t bytes) { Get(stream).low_threshold = bytes; }
  void SetPriority(StreamId stream, uint16_t priority);
  // Streams whose amount fell to their threshold; emptied by the reader.
  std::vector<StreamId>& fell_low() { return fell_low_; }

  // Stream resets (RFC 6525 section 5.1.2). What is queued after BeginReset() waits for EndReset().
  void BeginReset(StreamId stream);
  // Everything before the reset is in fragments, and acknowledged up to `cumulative`.
  bool ReadyForReset(StreamId stream, uint64_t cumulative) const;
  // Done: the numbers begin at zero again. Not done: they go on.
  void EndReset(StreamId stream, bool performed);

  // The peer restarted: numbers begin anew and half-sent messages are given up (into `lost`).
  void Restart(std::vector<MessageRef>& lost);

 private:
  OutStream& Get(StreamId stream);
  const OutStream* Find(StreamId stream) const;
  void Reduce(OutStream& stream, std::size_t bytes);
  OutStream* NextStream(Timestamp now, std::vector<MessageRef>& expired);
  void Reschedule(OutStream& stream);
  void Number(OutStream& stream, OutMessage& message);

  StreamScheduler scheduler_;
  bool interleaving_ = false;
  std::map<StreamId, OutStream> streams_;
  OutStream* last_ = nullptr;     // of the last Get()
  OutStream* current_ = nullptr;  // without interleaving: its message has to be finished first
  OutStream* packet_stream_ = nullptr;  // the stream of this packet
  uint64_t arrivals_ = 0;
  std::size_t buffered_ = 0;
  std::vector<StreamId> fell_low_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_SEND_QUEUE_H_
