// What one side of a session went through, as its results, its story and the reasons need it: filled from the events of ICE
// and TURN, whoever drives them.
#ifndef RTCLAB_SCENARIOS_EXECUTION_ENDPOINT_RECORD_H_
#define RTCLAB_SCENARIOS_EXECUTION_ENDPOINT_RECORD_H_

#include <optional>
#include <string>
#include <vector>

#include "stack/peer/ice_transport.h"

namespace rtclab::scenarios {

// A server that gave nothing, or a relay that was taken away.
struct ServerTrouble {
  Timestamp time;
  TransportAddress server;
  int code = 0;  // STUN error code; 0 or 408: no answer
  // "turn.error-486", "stun.no-answer", "turn.allocation-lost", "turn.peer-refused-403"
  std::string rule;
  std::string reason;  // one sentence
};

class EndpointRecord {
 public:
  explicit EndpointRecord(std::string host) : host_(std::move(host)) {}
  virtual ~EndpointRecord() = default;
  EndpointRecord(const EndpointRecord&) = delete;
  EndpointRecord& operator=(const EndpointRecord&) = delete;

  const std::string& host() const { return host_; }
  // nullptr before there is one.
  virtual const ice::Agent* agent() const = 0;

  // Times are since the run began.
  std::optional<Timestamp> gathered() const { return gathered_; }
  std::optional<Timestamp> first_valid_pair() const { return first_valid_pair_; }
  // When the pair in use was selected first, and most recently (a restart selects anew).
  std::optional<Timestamp> selected() const { return selected_; }
  std::optional<Timestamp> last_selected() const { return last_selected_; }
  // Nothing more will come of ICE without help: a pair is selected, or the agent has failed.
  bool settled() const;
  // The pair that was selected most recently, also after it was lost.
  const std::optional<ice::CandidatePair>& pair() const { return pair_; }
  // When the agent's state last became failed.
  std::optional<Timestamp> failed() const { return failed_; }
  bool consent_expired() const { return consent_expired_; }
  const std::vector<ServerTrouble>& troubles() const { return troubles_; }
  // What it gathered, in order of time, and every state it was in.
  struct Note {
    Timestamp time;
    std::string text;
  };
  const std::vector<Note>& notes() const { return notes_; }

 protected:
  void Record(Timestamp now, const peer::IceTransportEvent& event);
  void AddNote(Timestamp now, std::string text) { notes_.push_back({now, std::move(text)}); }

 private:
  void RecordSelected(Timestamp now, const ice::CandidatePair& pair);
  void AddTrouble(Timestamp now, const TransportAddress& server, int code, std::string rule,
                  std::string reason);

  std::string host_;
  std::optional<Timestamp> gathered_, first_valid_pair_, selected_, last_selected_, failed_;
  std::optional<ice::CandidatePair> pair_;
  bool consent_expired_ = false;
  std::vector<ServerTrouble> troubles_;
  std::vector<Note> notes_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_EXECUTION_ENDPOINT_RECORD_H_
