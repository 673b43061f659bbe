// What was sent and is not acknowledged: SACK processing, loss detection, retransmission and giving up
// (RFC 9260 sections 6.2.1, 6.3.3 and 7.2.4; RFC 3758; RFC 7496).
#ifndef RTCLAB_STACK_SCTP_OUTSTANDING_H_
#define RTCLAB_STACK_SCTP_OUTSTANDING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/ring.h"
#include "stack/base/units.h"
#include "stack/sctp/chunks_data.h"
#include "stack/sctp/message.h"

namespace rtclab::sctp {

class OutstandingChunks {
 public:
  // `initial`: the first TSN that will be assigned.
  explicit OutstandingChunks(Tsn initial) { Reset(initial); }
  void Reset(Tsn initial);
  void SetInterleaving(bool interleaving) { interleaving_ = interleaving; }
  void SetPartialReliability(bool on) { partial_reliability_ = on; }

  bool empty() const { return chunks_.empty(); }
  std::size_t size() const { return chunks_.size(); }
  Tsn cumulative() const { return first_ - 1; }
  Tsn next_tsn() const { return first_ + chunks_.size(); }
  // Bytes of chunks in flight: sent, neither acknowledged nor marked for retransmission.
  std::size_t flight() const { return flight_; }
  // The same in user data, for the peer's window (section 6.2.1 rules B and C).
  std::size_t flight_payload() const { return flight_payload_; }
  bool HasRetransmission() const { return marked_ > 0; }

  std::size_t HeaderSize() const {
    return interleaving_ ? DataChunk::kIDataHeader : DataChunk::kDataHeader;
  }
  // Gives a fragment its TSN and writes its chunk.
  Tsn Send(Timestamp now, Fragment fragment, uint8_t extra_flags, Bytes& packet);
  // Writes the marked chunks of lowest TSN that fit into `space` bytes; at least one when the packet is
  // `empty`. What is past its lifetime is given up instead, into `abandoned`. How many were written.
  struct Retransmitted {
    std::size_t chunks = 0;
    bool earliest = false;  // among them the lowest TSN outstanding
    bool fast = false;
  };
  Retransmitted Retransmit(Timestamp now, std::size_t space, bool empty, Bytes& packet,
                           std::vector<MessageRef>& abandoned);

  struct SackResult {
    enum class Verdict : uint8_t { kFine, kOld, kNeverSent } verdict{};
    std::size_t acked_bytes = 0;  // of chunks newly acknowledged
    bool advanced = false;        // the cumulative TSN moved
    bool loss = false;            // chunks were marked by their third miss
    Tsn highest_outstanding = 0;
    // The round trip of a chunk that was sent once; about one measurement per round trip (section
    // 6.3.1 rules C4 and C5).
    std::optional<TimeDelta> rtt;
  };
  SackResult HandleSack(Timestamp now, const SackChunk& sack, bool in_fast_recovery,
                        std::vector<MessageRef>& abandoned);
  // A SHUTDOWN's cumulative TSN acknowledges too (section 9.2).
  SackResult HandleCumulative(Timestamp now, uint32_t tsn);
  // T3-rtx ran out: everything in flight is to be sent again (section 6.3.3 rule E3).
  void MarkAll(Timestamp now, std::vector<MessageRef>& abandoned);

  // Gives a message up: none of its chunks is sent any more (RFC 3758 section 3.5 rule A3).
  void Abandon(OutMessage& message);
  // The rest of a message that is given up gets one TSN, so that the peer can be told of its end.
  void AppendAbandoned(MessageRef message);
  // The abandoned chunks that follow the cumulative TSN, as a FORWARD-TSN of at most `limit` bytes;
  // nothing when there are none (section 3.5 rules C1 to C4).
  std::optional<ForwardTsnChunk> MakeForwardTsn(std::size_t limit) const;
  bool NeedsForwardTsn() const { return !empty() && chunks_.front().state == State::kAbandoned; }

 private:
  enum class State : uint8_t { kInFlight, kMarked, kAcked, kAbandoned };
  struct Sent {
    MessageRef message;
    uint32_t offset = 0;
    uint32_t fsn = 0;
    uint16_t length = 0;
    State state = State::kInFlight;
    uint8_t flags = 0;
    uint8_t misses = 0;
    bool fast_retransmitted = false;
    uint16_t transmissions = 1;
  };
  std::size_t WireSize(const Sent& chunk) const { return Padded(HeaderSize() + chunk.length); }
  void Leave(const Sent& chunk);  // no longer in flight
  void Write(const Sent& chunk, Tsn tsn, Bytes& packet) const;
  void Acknowledge(Timestamp now, std::size_t index, SackResult& result);
  void AcknowledgeTo(Timestamp now, Tsn cumulative, SackResult& result);
  void AcknowledgeGaps(Timestamp now, const SackChunk& sack, SackResult& result);
  void CountMisses(Timestamp now, const SackChunk& sack, bool all, SackResult& result,
                   std::vector<MessageRef>& abandoned);
  void Mark(Timestamp now, std::size_t index, std::vector<MessageRef>& abandoned);
  bool PastItsLimit(Timestamp now, const Sent& chunk) const;
  void GiveUp(OutMessage& message, std::size_t index, std::vector<MessageRef>& abandoned);

  bool interleaving_ = false;
  bool partial_reliability_ = false;
  Tsn first_ = 0;  // the TSN of chunks_[0]
  Ring<Sent> chunks_;
  std::size_t flight_ = 0;
  std::size_t flight_payload_ = 0;
  std::size_t marked_ = 0;
  Tsn first_marked_ = 0;  // no chunk below it is marked
  std::size_t gap_acked_ = 0;
  Tsn highest_newly_acked_ = 0;  // of the SACK under way
  std::optional<Tsn> timed_;     // the chunk whose round trip is being measured
  Timestamp timed_since_;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_OUTSTANDING_H_
