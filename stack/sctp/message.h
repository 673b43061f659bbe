// A user message on its way out, shared by its fragments in flight. Counted by hand, since nothing here
// crosses a thread.
#ifndef RTCLAB_STACK_SCTP_MESSAGE_H_
#define RTCLAB_STACK_SCTP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "stack/base/bytes.h"
#include "stack/base/units.h"
#include "stack/sctp/config.h"

namespace rtclab::sctp {

struct OutMessage {
  Bytes payload;
  StreamId stream{};
  bool ordered = true;
  bool numbered = false;   // `sequence` is set: its first fragment was made
  bool abandoned = false;  // given up under partial reliability
  bool complete = false;   // its last fragment was made
  uint32_t ppid = 0;
  uint32_t sequence = 0;  // SSN, or MID with interleaving
  uint32_t next_fsn = 0;
  uint32_t max_retransmits = UINT32_MAX;
  uint32_t references = 0;
  std::size_t offset = 0;  // how much of the payload is in fragments
  uint64_t arrival = 0;    // counts Send() calls
  uint64_t first_tsn = 0;  // of its first fragment
  Timestamp expires = Timestamp::PlusInfinity();

  std::size_t remaining() const { return payload.size() - offset; }
};

class MessageRef {
 public:
  MessageRef() = default;
  static MessageRef Make() { return MessageRef(new OutMessage); }
  MessageRef(const MessageRef& o) : message_(o.message_) {
    if (message_ != nullptr) ++message_->references;
  }
  MessageRef(MessageRef&& o) noexcept : message_(std::exchange(o.message_, nullptr)) {}
  MessageRef& operator=(MessageRef o) noexcept {
    std::swap(message_, o.message_);
    return *this;
  }
  ~MessageRef() {
    if (message_ != nullptr && --message_->references == 0) delete message_;
  }
  OutMessage* operator->() const { return message_; }
  OutMessage& operator*() const { return *message_; }
  explicit operator bool() const { return message_ != nullptr; }
  bool operator==(const MessageRef& o) const { return message_ == o.message_; }

 private:
  explicit MessageRef(OutMessage* message) : message_(message) { ++message_->references; }
  OutMessage* message_ = nullptr;
};

// A piece of a message that goes into one DATA or I-DATA chunk.
struct Fragment {
  MessageRef message;
  uint32_t offset = 0;
  uint32_t length = 0;
  uint32_t fsn = 0;
  bool begin = false;
  bool end = false;
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_MESSAGE_H_
