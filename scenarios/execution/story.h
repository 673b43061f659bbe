// Turns what the network and the agents did into the lines of a sequence chart.
#ifndef RTCLAB_SCENARIOS_EXECUTION_STORY_H_
#define RTCLAB_SCENARIOS_EXECUTION_STORY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scenarios/execution/server_program.h"
#include "scenarios/execution/session_driver.h"
#include "scenarios/executor.h"
#include "sim/trace/tracer.h"

namespace rtclab::scenarios {

// Listens to a run, then tells it.
class StoryTeller final : public sim::PacketEventSink {
 public:
  void OnPacketEvent(const sim::PacketEvent& event) override;

  // In order of time; messages that were sent but neither arrived nor were dropped when the run ended are left out.
  std::vector<StoryEvent> Tell(const std::vector<std::unique_ptr<SessionDriver>>& sessions,
                               const sim::Network& network) const;

 private:
  struct Message {
    Timestamp sent;
    std::string from, to;
    TransportAddress destination;
    std::string text;
    std::string translated;  // "nat/home-a: 192.168.0.2:5000 -> 203.0.113.1:5000"
    std::string dropped;
    bool over = false;
  };

  std::vector<Message> messages_;
  std::map<uint64_t, std::size_t> by_packet_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_STORY_H_
