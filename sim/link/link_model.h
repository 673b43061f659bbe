// One direction of a link as a pure model: a packet's size and the time in, its fate out.
#ifndef RTCLAB_SIM_LINK_LINK_MODEL_H_
#define RTCLAB_SIM_LINK_LINK_MODEL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sim/link/link_behaviour.h"
#include "stack/base/rng.h"
#include "stack/base/units.h"

namespace rtclab::sim {

// What becomes of a packet. `rule` set: it ends here (see link_rules.h).
struct LinkFate {
  const char* rule = nullptr;
  Timestamp arrival;                    // last bit at the far end
  std::optional<Timestamp> duplicate;   // a second arrival of the same packet
  std::optional<uint32_t> flipped_bit;  // counted from the packet's first bit; in both copies
};

// A drop-tail FIFO with a constant rate needs no event of its own: when a packet will have been
// sent is known when it is queued.
class LinkModel {
 public:
  // Streams are drawn from `root_seed` under "link/<name>/loss" and so on.
  LinkModel(const LinkBehaviour& behaviour, uint64_t root_seed, std::string_view name);
  ~LinkModel();
  LinkModel(LinkModel&&) noexcept;
  LinkModel& operator=(LinkModel&&) noexcept;

  const LinkBehaviour& behaviour() const { return behaviour_; }
  // No rate, no delay, no impairment: a packet is there when it is sent.
  bool ideal() const { return ideal_; }

  // A packet of `bytes` is to be sent at `now`; `now` never goes back. Does not look at the MTU.
  LinkFate Send(Timestamp now, std::size_t bytes);

  // The two halves of Send(), for a device that has a queue of its own: how long the transmitter is
  // busy with a packet, and what happens to one whose last bit leaves at `sent`.
  TimeDelta TransmissionTime(std::size_t bytes) const;
  LinkFate Propagate(Timestamp sent, std::size_t bytes);

  // The rate must be finite, before and after, and may change only where a device has a queue of its own: here it is
  // settled when a packet comes in when it will go out.
  void Change(const LinkChange& change);
  // Before the first packet: gives a link without a rate one.
  void SetFirstRate(DataRate rate) {
    behaviour_.rate = rate;
    ideal_ = false;
  }

  // Packets waiting, without the one being sent.
  std::size_t Waiting(Timestamp now);

 private:
  struct Impairments;

  TimeDelta DrawJitter(Rng& random) const;
  Timestamp Arrival(Timestamp sent, TimeDelta jitter);

  bool QueueIsFull(Timestamp now, Timestamp start, std::size_t bytes);

  LinkBehaviour behaviour_;
  uint64_t root_seed_;
  std::string stream_;  // of the impairments
  bool ideal_;
  Timestamp busy_until_;
  int64_t carry_ = 0;  // bit-nanoseconds of the last packet that did not fill a nanosecond
  std::deque<Timestamp> starts_;  // when each waiting packet's transmission starts
  Timestamp last_arrival_;
  std::unique_ptr<Impairments> impairments_;  // only where there are any
};

}  // namespace rtclab::sim

#endif  // RTCLAB_SIM_LINK_LINK_MODEL_H_
