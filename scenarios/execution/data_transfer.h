// What data channels carry in a session: numbered messages whose every byte the receiver can check.
#ifndef RTCLAB_SCENARIOS_EXECUTION_DATA_TRANSFER_H_
#define RTCLAB_SCENARIOS_EXECUTION_DATA_TRANSFER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "scenarios/run_spec.h"
#include "stack/base/bytes.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"
#include "stack/crypto/digest.h"

namespace rtclab::scenarios {

// Both ends know what message `index` looks like: its number, then bytes of a block that the seed makes.
class MessagePattern {
 public:
  explicit MessagePattern(Rng rng);

  // Both have at least 4 bytes.
  void Fill(uint32_t index, std::span<uint8_t> out) const;
  bool Matches(uint32_t index, ByteView message) const;

 private:
  std::vector<uint8_t>
      block_;  // the same bytes twice, so that any start has a block's length behind it
};

// A set of messages, whatever their order: the sum of their SHA-256, word by word.
class MessageSetDigest {
 public:
  void Add(const crypto::Sha256Digest& of_message);
  bool operator==(const MessageSetDigest&) const = default;

 private:
  crypto::Sha256Digest sum_{};
};

// How a sender's amount is cut into messages.
class MessagePlan {
 public:
  explicit MessagePlan(const ChannelSpec& spec);

  uint32_t total() const { return total_; }
  // In bytes; `index` is less than total().
  std::size_t SizeOf(uint32_t index) const;

 private:
  int64_t amount_, message_size_;
  uint32_t total_;
};

// One sender's part of a channel.
class OutgoingTransfer {
 public:
  OutgoingTransfer(const ChannelSpec& spec, const MessagePattern& pattern);

  uint32_t total() const { return plan_.total(); }
  uint32_t sent() const { return sent_; }
  bool AllSent() const { return sent_ == total(); }
  // The message to send, and that it was taken.
  Bytes Next();
  void NoteSent(Timestamp now);
  std::optional<Timestamp> first_sent() const { return first_sent_; }
  const MessageSetDigest& digest() const { return digest_; }

 private:
  MessagePlan plan_;
  const MessagePattern& pattern_;
  uint32_t sent_ = 0;
  std::optional<Timestamp> first_sent_;
  crypto::Sha256Digest next_digest_{};
  MessageSetDigest digest_;
};

// The other end of it.
class IncomingTransfer {
 public:
  IncomingTransfer(const ChannelSpec& spec, const MessagePattern& pattern);

  void Receive(Timestamp now, ByteView message);
  uint32_t received() const { return received_; }
  int64_t bytes() const { return bytes_; }
  std::optional<Timestamp> last_received() const { return last_received_; }
  // What was received so far is what `sender` sent, as the channel's kind promises it: every message whole and every byte
  // right, nothing twice, in order where ordered, and where reliable all of it, by digest.
  bool IsIntact(const OutgoingTransfer& sender) const;

 private:
  bool ordered_, reliable_;
  MessagePlan plan_;
  const MessagePattern& pattern_;
  std::vector<bool> seen_;
  uint32_t received_ = 0;
  int64_t bytes_ = 0;
  int64_t highest_ = -1;
  bool wrong_ = false;  // size, content, order or repetition
  std::optional<Timestamp> last_received_;
  MessageSetDigest digest_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_DATA_TRANSFER_H_
