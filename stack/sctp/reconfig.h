// Stream reconfiguration (RFC 6525): our requests, one at a time, and the answers to the peer's.
#ifndef RTCLAB_STACK_SCTP_RECONFIG_H_
#define RTCLAB_STACK_SCTP_RECONFIG_H_

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "stack/sctp/chunks_reconfig.h"
#include "stack/sctp/events.h"
#include "stack/sctp/outstanding.h"
#include "stack/sctp/reassembly.h"
#include "stack/sctp/send_queue.h"
#include "stack/sctp/tsn_tracker.h"

namespace rtclab::sctp {

class ReconfigHandler {
 public:
  // The parts of the association it works on.
  struct Context {
    SendQueue& send_queue;
    const OutstandingChunks& outstanding;
    TsnTracker& tracker;
    Reassembly& reassembly;
    std::vector<Event>& events;
    uint16_t& inbound_streams;
    uint16_t& outbound_streams;
    uint16_t max_inbound_streams;
  };
  // Sequence numbers begin with the initial TSNs (section 4.1).
  void Start(uint32_t local_initial_tsn, uint32_t peer_initial_tsn);

  void ResetOutgoing(std::span<const StreamId> streams, SendQueue& queue);
  void RequestIncoming(std::span<const StreamId> streams);
  void AddOutgoing(uint16_t count) { pending_add_.push_back(count); }
  // Everything asked for fails: the peer does not know RFC 6525, or the association ends or restarts.
  void FailAll(const std::string& reason, SendQueue& queue, std::vector<Event>& events);

  // What can be sent now, each one chunk: answers, and a request that has become due (then
  // request_in_flight() turns true and its timer is to be started).
  std::vector<ReconfigChunk> TakeChunks(Context& context, std::size_t max_streams);
  bool HasChunks(Context& context) const;
  bool request_in_flight() const { return in_flight_.has_value(); }
  // The timer ran out: the same request is sent again.
  void Retransmit() { retransmit_ = in_flight_.has_value(); }

  void Handle(const ReconfigChunk& chunk, Context& context);
  // The cumulative TSN of what was received moved: a reset that waited for it may be due.
  void OnCumulativeAdvanced(Context& context);
  bool HasDeferred() const { return deferred_.has_value(); }

 private:
  void HandleResponse(const ReconfigResponse& response, Context& context);
  void HandleRequest(const ReconfigParameter& parameter, uint32_t sequence, Context& context,
                     std::vector<ReconfigParameter>& responses);
  // Nothing: the answer is an outgoing reset request that follows.
  std::optional<ReconfigResult> Process(const ReconfigParameter& parameter, Context& context);
  ReconfigResult PerformReset(const OutgoingResetRequest& reset, Context& context);
  std::optional<ReconfigResult> AcceptIncoming(const IncomingResetRequest& request,
                                               Context& context);
  bool OutgoingReady(const Context& context) const;
  void Finish(ReconfigResult result, Context& context);
  void Remember(const ReconfigResponse& response);

  uint32_t next_request_ = 0;   // ours
  uint32_t next_expected_ = 0;  // the peer's

  std::set<StreamId> pending_outgoing_;  // asked for, not in a request yet
  std::vector<std::vector<uint16_t>> pending_incoming_;
  std::vector<uint16_t> pending_add_;
  std::optional<uint32_t>
      answers_;  // the incoming reset request that our next outgoing one answers
  std::optional<ReconfigParameter> in_flight_;
  bool retransmit_ = false;

  std::vector<ReconfigChunk> responses_;
  std::vector<ReconfigResponse> remembered_;      // the last answers, for retransmitted requests
  std::optional<OutgoingResetRequest> deferred_;  // waits for the cumulative TSN (rule E2)
};

}  // namespace rtclab::sctp

#endif  // RTCLAB_STACK_SCTP_RECONFIG_H_
