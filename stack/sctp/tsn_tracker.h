// Which TSNs have arrived: the cumulative TSN, the gap blocks and duplicates that a SACK reports
// (RFC 9260 section 6.2).
#ifndef RTCLAB_STACK_SCTP_TSN_TRACKER_H_
#define RTCLAB_STACK_SCTP_TSN_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/sctp/chunks_data.h"
#include "stack/sctp/wire.h"

namespace rtclab::sctp {

class TsnTracker {
 public:
  explicit TsnTracker(uint32_t initial) { Reset(initial); }
  void Reset(uint32_t initial);

  Tsn cumulative() const { return cumulative_; }
  Tsn highest() const { return blocks_.empty() ? cumulative_ : blocks_.back().last; }
  bool HasGaps() const { return !blocks_.empty(); }
  Tsn Unwrap(uint32_t tsn) const { return Unwrap32(cumulative_, tsn); }

  enum class Verdict : uint8_t {
    kNew,
    kDuplicate,
    kTooFar,  // a gap block could not name it
  };
  Verdict Check(Tsn tsn) const;
  // `tsn` was taken; Check() said kNew.
  void Record(Tsn tsn);
  void RecordDuplicate(Tsn tsn);
  // FORWARD-TSN: everything up to `tsn` counts as arrived.
  void Forward(Tsn tsn);
  uint64_t duplicates() const { return duplicate_count_; }

  // A SACK of at most `limit` bytes; the duplicates are reported once.
  SackChunk MakeSack(uint32_t a_rwnd, std::size_t limit);
  bool HasDuplicates() const { return !duplicates_.empty(); }

 private:
  struct Block {
    Tsn first;
    Tsn last;
  };
  void Absorb();  // blocks that follow the cumulative TSN become part of it

  Tsn cumulative_ = 0;
  std::vector<Block> blocks_;  // ascending, apart
  std::vector<uint32_t> duplicates_;
  uint64_t duplicate_count_ = 0;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_TSN_TRACKER_H_
