// Runs many conversations between our SCTP and usrsctp side by side in one thread, in real time, over
// paths that lose and reorder by a seed.
#ifndef RTCLAB_CONFORMANCE_INTEROP_USRSCTP_LAB_H_
#define RTCLAB_CONFORMANCE_INTEROP_USRSCTP_LAB_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "conformance/interop/usrsctp_peer.h"
#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/base/units.h"

namespace rtclab::conformance {

// One direction of a path: what happens to the n-th packet is decided by the seed.
class LossyPath {
 public:
  LossyPath(uint64_t seed, std::string_view name, int loss_percent, int reorder_percent)
      : rng_(seed, name), loss_(loss_percent / 100.0), reorder_(reorder_percent / 100.0) {}

  void Push(Timestamp now, Bytes packet);
  std::optional<Bytes> Pop(Timestamp now);
  // Everything is lost while set.
  bool cut = false;

 private:
  Rng rng_;
  double loss_;
  double reorder_;
  std::multimap<Timestamp, Bytes> in_flight_;
};

struct CaseOptions {
  std::string name;
  int loss_percent = 0;
  int reorder_percent = 0;
  uint64_t seed = 1;
  UsrsctpOptions usrsctp;
};

// A conversation: our end (a subclass has it), usrsctp, and steps that follow one another.
class InteropCase {
 public:
  explicit InteropCase(const CaseOptions& options);
  virtual ~InteropCase() = default;
  InteropCase(const InteropCase&) = delete;
  InteropCase& operator=(const InteropCase&) = delete;

  struct Step {
    std::string what;
    std::function<void(Timestamp now)> act;  // may be empty
    std::function<bool()> done;
  };
  void Then(std::string what, std::function<void(Timestamp now)> act, std::function<bool()> done) {
    steps_.push_back({std::move(what), std::move(act), std::move(done)});
  }

  // Moves packets, timers and steps on; false once all steps are done.
  bool Service(Timestamp now);
  const std::string& name() const { return options_.name; }
  // Where it stands, for a report of failure; empty when it is through.
  std::string Unfinished() const;
  TimeDelta took() const { return took_; }

  UsrsctpPeer& peer() { return *peer_; }
  const UsrsctpPeer& peer() const { return *peer_; }
  // usrsctp dies without a word, and another takes its place.
  void ReplacePeer();

 protected:
  virtual void HandleOurPacket(Timestamp now, ByteView packet) = 0;
  // Timers, transmits, events.
  virtual void ServiceOurs(Timestamp now) = 0;
  virtual std::string Describe() const = 0;

  LossyPath to_peer_;
  LossyPath from_peer_;

 private:
  std::unique_ptr<UsrsctpPeer> MakePeer();

  CaseOptions options_;
  std::unique_ptr<UsrsctpPeer> peer_;
  Timestamp now_;
  std::vector<Step> steps_;
  std::size_t step_ = 0;
  bool acted_ = false;
  TimeDelta took_;
};

// Our end is any protocol of stack/base/sans_io.h whose transmits are packets.
template <typename Protocol>
class CaseOf : public InteropCase {
 public:
  template <typename Config>
  CaseOf(const CaseOptions& options, const Config& config)
      : InteropCase(options), rng_(options.seed, "ours/" + options.name), ours(config, rng_) {}

 private:
  Rng rng_;

 public:
  Protocol ours;
  std::vector<typename Protocol::Event> events;

  // Our end dies without a word, and another takes its place.
  template <typename Config>
  void ReplaceOurs(const Config& config) {
    ours = Protocol(config, rng_);
  }
  template <typename T>
  std::size_t Count() const {
    std::size_t count = 0;
    for (const auto& event : events) count += std::holds_alternative<T>(event) ? 1 : 0;
    return count;
  }
  template <typename T>
  const T* First() const {
    for (const auto& event : events) {
      if (const auto* found = std::get_if<T>(&event)) return found;
    }
    return nullptr;
  }

 protected:
  void HandleOurPacket(Timestamp now, ByteView packet) override { ours.HandlePacket(now, packet); }
  void ServiceOurs(Timestamp now) override {
    if (ours.NextTimeout() <= now) ours.HandleTimeout(now);
    Drain(
        ours, [&](Bytes&& packet) { to_peer_.Push(now, std::move(packet)); },
        [&](typename Protocol::Event&& event) { events.push_back(std::move(event)); });
  }
  std::string Describe() const override {
    std::string text = std::to_string(events.size()) + " events of ours";
    return text + ", " + std::to_string(peer().received.size()) + " messages at usrsctp";
  }
};

// All cases until they are through or `patience` is over.
void RunCases(UsrsctpLibrary& library, std::vector<std::unique_ptr<InteropCase>>& cases,
              TimeDelta patience);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_INTEROP_USRSCTP_LAB_H_
