#include "scenarios/execution/data_transfer.h"

#include <algorithm>
#include <cstring>

#include "stack/base/check.h"

namespace rtclab::scenarios {
namespace {

constexpr std::size_t kBlock = 65'536;
constexpr std::size_t kStride = 4'099;  // a prime, so that neighbours begin far apart
constexpr uint32_t kPartStep = 7'919;
constexpr std::size_t kNumberSize = 4;
constexpr int64_t kSmallest = 16;  // a shorter rest is filled up: a message has to have its number

std::size_t StartOf(uint32_t index) { return index * kStride % kBlock; }

// Calls f(part of the message, block bytes that belong there) until it says no. Each part of a long message begins
// elsewhere in the block, so that parts cannot change places unnoticed.
template <typename Byte, typename F>
void ForEachPart(const std::vector<uint8_t>& block, uint32_t index, std::span<Byte> body, F&& f) {
  for (uint32_t part = index; !body.empty(); part += kPartStep) {
    const std::size_t size = std::min(body.size(), kBlock);
    if (!f(body.first(size), block.data() + StartOf(part))) return;
    body = body.subspan(size);
  }
}

}  // namespace

MessagePattern::MessagePattern(Rng rng) : block_(2 * kBlock) {
  rng.Fill(std::span(block_).first(kBlock));
  std::copy_n(block_.begin(), kBlock, block_.begin() + kBlock);
}

void MessagePattern::Fill(uint32_t index, std::span<uint8_t> out) const {
  CHECK(out.size() >= kNumberSize);
  StoreU32(out.data(), index);
  ForEachPart(block_, index, out.subspan(kNumberSize),
              [](std::span<uint8_t> part, const uint8_t* from) {
                std::memcpy(part.data(), from, part.size());
                return true;
              });
}

bool MessagePattern::Matches(uint32_t index, ByteView message) const {
  bool same = true;
  ForEachPart(block_, index, message.subspan(kNumberSize), [&](ByteView part, const uint8_t* from) {
    return same = std::memcmp(part.data(), from, part.size()) == 0;
  });
  return same;
}

void MessageSetDigest::Add(const crypto::Sha256Digest& digest) {
  for (std::size_t i = 0; i < sum_.size(); i += 8) {
    StoreU64(sum_.data() + i, LoadU64(sum_.data() + i) + LoadU64(digest.data() + i));
  }
}

MessagePlan::MessagePlan(const ChannelSpec& spec)
    : amount_(spec.amount),
      message_size_(spec.message_size),
      total_(static_cast<uint32_t>((amount_ + message_size_ - 1) / message_size_)) {}

std::size_t MessagePlan::SizeOf(uint32_t index) const {
  const int64_t left = amount_ - message_size_ * index;
  return static_cast<std::size_t>(std::max(kSmallest, std::min(left, message_size_)));
}

OutgoingTransfer::OutgoingTransfer(const ChannelSpec& spec, const MessagePattern& pattern)
    : plan_(spec), pattern_(pattern) {}

Bytes OutgoingTransfer::Next() {
  CHECK(!AllSent());
  Bytes message(plan_.SizeOf(sent_));
  pattern_.Fill(sent_, message);
  next_digest_ = crypto::Sha256(message);
  return message;
}

void OutgoingTransfer::NoteSent(Timestamp now) {
  if (!first_sent_) first_sent_ = now;
  digest_.Add(next_digest_);
  ++sent_;
}

IncomingTransfer::IncomingTransfer(const ChannelSpec& spec, const MessagePattern& pattern)
    : ordered_(spec.ordered),
      reliable_(!spec.max_retransmits && !spec.max_lifetime),
      plan_(spec),
      pattern_(pattern),
      seen_(plan_.total()) {}

void IncomingTransfer::Receive(Timestamp now, ByteView message) {
  last_received_ = now;
  ++received_;
  bytes_ += static_cast<int64_t>(message.size());
  digest_.Add(crypto::Sha256(message));
  const uint32_t index = message.size() < kNumberSize ? UINT32_MAX : LoadU32(message.data());
  if (index >= plan_.total() || message.size() != plan_.SizeOf(index) ||
      !pattern_.Matches(index, message)) {
    wrong_ = true;
    return;
  }
  wrong_ |= seen_[index] || (ordered_ && index <= highest_);
  seen_[index] = true;
  highest_ = std::max<int64_t>(highest_, index);
}

bool IncomingTransfer::IsIntact(const OutgoingTransfer& sender) const {
  if (wrong_ || highest_ >= static_cast<int64_t>(sender.sent())) return false;
  return !reliable_ || (received_ == sender.sent() && digest_ == sender.digest());
}

}  // namespace rtclab::scenarios
