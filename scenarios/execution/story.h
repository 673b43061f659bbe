// Turns what the network and the agents did into the lines of a sequence chart.
#ifndef RTCLAB_SCENARIOS_EXECUTION_STORY_H_
#define RTCLAB_SCENARIOS_EXECUTION_STORY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "scenarios/execution/server_program.h"
#include "scenarios/execution/session_driver.h"
#include "scenarios/executor.h"
#include "sim/trace/tracer.h"

namespace rtclab::scenarios {

// Listens to a run, then tells it.
//
// What sets a connection up is told packet by packet. Of media and data, thousands of packets, the first of each kind and
// way is told; the others are counted, a line a way and stretch: a stretch ends when something else happens, but not before
// a second is over.
class StoryTeller final : public sim::PacketEventSink {
 public:
  void OnPacketEvent(const sim::PacketEvent& event) override;

  // In order of time; messages that were sent but neither arrived nor were dropped when the run ended are left out.
  std::vector<StoryEvent> Tell(const std::vector<std::unique_ptr<SessionDriver>>& sessions,
                               const sim::Network& network) const;
  // The messages alone; `owner_of` gives the name of who has an address, empty for nobody.
  using OwnerOf = std::function<std::string(const IpAddress&)>;
  // `others`: events beside the messages, which come back among them.
  std::vector<StoryEvent> Tell(const std::vector<StoryEvent>& others,
                               const OwnerOf& owner_of) const;

 private:
  struct Message {
    Timestamp sent;
    std::string from, to;
    TransportAddress destination;
    std::string text;
    std::string dropped_at;  // "nat/home: nat.filter...", empty: it arrived
    std::string dropped_why;
    std::size_t size = 0;
    bool bulk = false;
    bool over = false;
  };
  class BulkTeller;

  std::vector<Message> messages_;                         // in order of time
  std::unordered_map<uint64_t, std::size_t> on_the_way_;  // by number of packet
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_STORY_H_
