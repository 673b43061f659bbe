// From DATA and I-DATA chunks to messages in order: reassembly (RFC 9260 section 6.9, RFC 8260 section
// 2.2), ordered delivery (section 6.5), skipping of what the peer gave up (RFC 3758 section 3.6), and
// stream resets.
#ifndef RTCLAB_STACK_SCTP_REASSEMBLY_H_
#define RTCLAB_STACK_SCTP_REASSEMBLY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "stack/base/bytes.h"
#include "stack/sctp/chunks_data.h"
#include "stack/sctp/events.h"

namespace rtclab::sctp {

// Fragments of one numbering that have arrived, joined where they follow each other. A fragment is
// appended to the run before it; a run that it makes adjacent is moved behind it piece by piece, so that
// no order of arrival copies a byte twice before the message is complete.
class FragmentRuns {
 public:
  struct Run {
    uint64_t next = 0;  // the number after its last fragment
    bool begin = false;
    bool end = false;
    bool unordered = false;
    uint16_t stream = 0;
    uint32_t sequence = 0;  // SSN as on the wire
    uint32_t ppid = 0;
    std::size_t size = 0;
    std::size_t fragments = 0;
    std::vector<Bytes> pieces;
    Bytes Join();
    // What it takes of the receive window: small fragments cost more memory than their bytes.
    std::size_t Cost() const { return size + fragments * kFragmentCost; }
  };
  static constexpr std::size_t kFragmentCost = 64;
  enum class Verdict : uint8_t { kStored, kComplete, kContradiction };

  // kComplete: `complete` is the whole message, taken out. kContradiction: the neighbours do not belong
  // to the same message although their numbers say so. `expected` is a guess at a message's size. `held`
  // is kept equal to the cost of all runs.
  Verdict Insert(uint64_t number, const DataChunk& data, std::size_t expected, std::size_t& held,
                 Run& complete);
  bool empty() const { return runs_.empty(); }
  std::size_t Cost() const {
    std::size_t sum = 0;
    for (const auto& [number, run] : runs_) sum += run.Cost();
    return sum;
  }
  // Drops the runs that `drop(first number, run)` names; their cost.
  template <typename Predicate>
  std::size_t DropIf(Predicate drop) {
    std::size_t bytes = 0;
    std::erase_if(runs_, [&](const auto& item) {
      const bool gone = drop(item.first, item.second);
      if (gone) bytes += item.second.Cost();
      return gone;
    });
    return bytes;
  }

 private:
  std::map<uint64_t, Run> runs_;  // by the number of their first fragment
};

class Reassembly {
 public:
  explicit Reassembly(std::size_t max_message_size) : max_message_size_(max_message_size) {}
  void SetInterleaving(bool interleaving) { interleaving_ = interleaving; }

  // Takes a chunk that arrived for the first time; messages that are complete and whose turn it is are
  // appended to `out`. Empty, or what the peer did wrong.
  std::string_view Add(Tsn tsn, const DataChunk& data, std::vector<MessageReceived>& out);
  // The peer gave up everything up to `cumulative`.
  void Skip(Tsn cumulative, const ForwardTsnChunk& forward, std::vector<MessageReceived>& out);
  // The peer's streams begin anew; empty: all of them.
  void ResetStreams(std::span<const uint16_t> streams);
  void Clear();

  // What is held, with an allowance for each fragment: parts of messages, and messages that wait for
  // their turn.
  std::size_t buffered() const { return buffered_; }

 private:
  struct Ready {
    uint32_t ppid = 0;
    Bytes payload;
  };
  struct InStream {
    uint64_t next = kSerialBase;      // SSN or MID of the next ordered message
    std::size_t last_size = 0;        // of the last message: the next one may be alike
    std::map<uint64_t, Ready> ready;  // complete, not yet their turn
  };
  // Which message a fragment belongs to, with interleaving.
  struct MessageKey {
    uint16_t stream;
    bool unordered;
    uint32_t mid;
    auto operator<=>(const MessageKey&) const = default;
  };

  InStream& Get(uint16_t stream);
  uint64_t UnwrapSequence(uint64_t reference, uint32_t wire) const {
    return interleaving_ ? Unwrap32(reference, wire)
                         : Unwrap16(reference, static_cast<uint16_t>(wire));
  }
  FragmentRuns::Verdict Store(Tsn tsn, const DataChunk& data, InStream& stream,
                              FragmentRuns::Run& complete);
  void Complete(uint16_t id, InStream& stream, bool unordered, uint32_t sequence, Ready message,
                std::vector<MessageReceived>& out);
  void Deliver(uint16_t id, bool ordered, Ready message, std::vector<MessageReceived>& out);
  void DeliverReady(uint16_t id, InStream& stream, std::vector<MessageReceived>& out);
  void SkipOrdered(uint16_t id, uint32_t sequence, std::vector<MessageReceived>& out);

  std::size_t max_message_size_;
  bool interleaving_ = false;
  std::map<uint16_t, InStream> streams_;
  InStream* last_stream_ = nullptr;  // of the last Get()
  uint16_t last_id_ = 0;
  FragmentRuns by_tsn_;                            // DATA
  std::map<MessageKey, FragmentRuns> by_message_;  // I-DATA
  std::size_t buffered_ = 0;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_REASSEMBLY_H_
