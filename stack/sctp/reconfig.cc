#include "stack/sctp/reconfig.h"

#include <algorithm>
#include <string>

#include "stack/base/overloaded.h"

namespace rtclab::sctp {
namespace {

std::vector<StreamId> AsStreamIds(const std::vector<uint16_t>& streams) {
  std::vector<StreamId> ids;
  ids.reserve(streams.size());
  for (const uint16_t stream : streams) ids.push_back(StreamId{stream});
  return ids;
}

uint32_t RequestSequence(const ReconfigParameter& parameter) {
  return std::visit(Overloaded{[](const ReconfigResponse&) { return uint32_t{0}; },
                               [](const auto& request) { return request.request; }},
                    parameter);
}

const char* ResultText(ReconfigResult result) {
  switch (result) {
    case ReconfigResult::kNothingToDo:
      return "nothing to do";
    case ReconfigResult::kPerformed:
      return "performed";
    case ReconfigResult::kDenied:
      return "denied";
    case ReconfigResult::kWrongSsn:
      return "wrong stream sequence number";
    case ReconfigResult::kAlreadyInProgress:
      return "another request is in progress";
    case ReconfigResult::kBadSequenceNumber:
      return "bad sequence number";
    case ReconfigResult::kInProgress:
      return "in progress";
  }
  return "unknown result";
}

bool Succeeded(ReconfigResult result) {
  return result == ReconfigResult::kPerformed || result == ReconfigResult::kNothingToDo;
}

}  // namespace

void ReconfigHandler::Start(uint32_t local_initial_tsn, uint32_t peer_initial_tsn) {
  next_request_ = local_initial_tsn;
  next_expected_ = peer_initial_tsn;
  in_flight_.reset();
  retransmit_ = false;
  answers_.reset();
  responses_.clear();
  remembered_.clear();
  deferred_.reset();
}

void ReconfigHandler::ResetOutgoing(std::span<const StreamId> streams, SendQueue& queue) {
  const auto* reset = in_flight_ ? std::get_if<OutgoingResetRequest>(&*in_flight_) : nullptr;
  for (const StreamId stream : streams) {
    const auto id = static_cast<uint16_t>(stream);
    if (reset != nullptr && std::count(reset->streams.begin(), reset->streams.end(), id) > 0) {
      continue;
    }
    pending_outgoing_.insert(stream);
    queue.BeginReset(stream);
  }
}

void ReconfigHandler::RequestIncoming(std::span<const StreamId> streams) {
  std::vector<uint16_t> ids;
  for (const StreamId stream : streams) ids.push_back(static_cast<uint16_t>(stream));
  pending_incoming_.push_back(std::move(ids));
}

void ReconfigHandler::FailAll(const std::string& reason, SendQueue& queue,
                              std::vector<Event>& events) {
  std::vector<StreamId> streams(pending_outgoing_.begin(), pending_outgoing_.end());
  for (const auto& ids : pending_incoming_) {
    for (const uint16_t id : ids) streams.push_back(StreamId{id});
  }
  if (in_flight_) {
    if (const auto* reset = std::get_if<OutgoingResetRequest>(&*in_flight_)) {
      for (const uint16_t id : reset->streams) {
        streams.push_back(StreamId{id});
        queue.EndReset(StreamId{id}, false);
      }
    }
  }
  for (const StreamId stream : pending_outgoing_) queue.EndReset(stream, false);
  pending_outgoing_.clear();
  pending_incoming_.clear();
  pending_add_.clear();
  in_flight_.reset();
  retransmit_ = false;
  if (!streams.empty()) events.push_back(StreamsResetFailed{std::move(streams), reason});
}

bool ReconfigHandler::OutgoingReady(const Context& context) const {
  return std::any_of(pending_outgoing_.begin(), pending_outgoing_.end(), [&](StreamId stream) {
    return context.send_queue.ReadyForReset(stream, context.outstanding.cumulative());
  });
}

bool ReconfigHandler::HasChunks(Context& context) const {
  if (!responses_.empty() || retransmit_) return true;
  return !in_flight_ &&
         (!pending_incoming_.empty() || !pending_add_.empty() || OutgoingReady(context));
}

std::vector<ReconfigChunk> ReconfigHandler::TakeChunks(Context& context, std::size_t max_streams) {
  std::vector<ReconfigChunk> chunks = std::move(responses_);
  responses_.clear();
  if (retransmit_) {
    retransmit_ = false;
    chunks.push_back({{*in_flight_}});
  } else if (!in_flight_ && OutgoingReady(context)) {
    // Section 5.1.2: streams whose messages are all sent and acknowledged, as many as the packet takes.
    OutgoingResetRequest reset;
    reset.request = next_request_++;
    reset.response = answers_ ? *answers_ : next_expected_ - 1;
    if (answers_) Remember({*answers_, ReconfigResult::kPerformed, std::nullopt});
    answers_.reset();
    reset.last_tsn = static_cast<uint32_t>(context.outstanding.next_tsn() - 1);
    for (auto it = pending_outgoing_.begin();
         it != pending_outgoing_.end() && reset.streams.size() < max_streams;) {
      if (context.send_queue.ReadyForReset(*it, context.outstanding.cumulative())) {
        reset.streams.push_back(static_cast<uint16_t>(*it));
        it = pending_outgoing_.erase(it);
      } else {
        ++it;
      }
    }
    in_flight_ = std::move(reset);
    chunks.push_back({{*in_flight_}});
  } else if (!in_flight_ && !pending_incoming_.empty()) {
    in_flight_ = IncomingResetRequest{next_request_++, std::move(pending_incoming_.front())};
    pending_incoming_.erase(pending_incoming_.begin());
    chunks.push_back({{*in_flight_}});
  } else if (!in_flight_ && !pending_add_.empty()) {
    in_flight_ = AddStreamsRequest{next_request_++, pending_add_.front(), true};
    pending_add_.erase(pending_add_.begin());
    chunks.push_back({{*in_flight_}});
  }
  return chunks;
}

void ReconfigHandler::Remember(const ReconfigResponse& response) {
  std::erase_if(remembered_, [&](const auto& r) { return r.response == response.response; });
  remembered_.push_back(response);
  if (remembered_.size() > 2) remembered_.erase(remembered_.begin());
}

void ReconfigHandler::Handle(const ReconfigChunk& chunk, Context& context) {
  std::vector<ReconfigParameter> responses;
  for (const ReconfigParameter& parameter : chunk.parameters) {
    if (const auto* response = std::get_if<ReconfigResponse>(&parameter)) {
      HandleResponse(*response, context);
    } else {
      HandleRequest(parameter, RequestSequence(parameter), context, responses);
    }
  }
  if (!responses.empty()) responses_.push_back({std::move(responses)});
}

void ReconfigHandler::HandleRequest(const ReconfigParameter& parameter, uint32_t sequence,
                                    Context& context, std::vector<ReconfigParameter>& responses) {
  if (sequence != next_expected_) {
    // Section 5.2.1: a retransmission gets the answer it got before.
    const auto known = std::find_if(remembered_.begin(), remembered_.end(),
                                    [&](const auto& r) { return r.response == sequence; });
    responses.push_back(
        known != remembered_.end()
            ? *known
            : ReconfigResponse{sequence, ReconfigResult::kBadSequenceNumber, std::nullopt});
    return;
  }
  ++next_expected_;
  const auto result = Process(parameter, context);
  ReconfigResponse response{sequence, result.value_or(ReconfigResult::kInProgress), std::nullopt};
  Remember(response);
  // Section 5.2.3 rule F1: an incoming reset request is answered by our own request; where that can go
  // out at once there is no need to say that it is in progress.
  if (result || !OutgoingReady(context) || in_flight_) responses.push_back(response);
}

std::optional<ReconfigResult> ReconfigHandler::Process(const ReconfigParameter& parameter,
                                                       Context& context) {
  if (const auto* reset = std::get_if<OutgoingResetRequest>(&parameter)) {
    // Rule E1: it may answer our incoming reset request.
    if (in_flight_ && std::holds_alternative<IncomingResetRequest>(*in_flight_) &&
        RequestSequence(*in_flight_) == reset->response) {
      in_flight_.reset();
    }
    return PerformReset(*reset, context);
  }
  if (const auto* request = std::get_if<IncomingResetRequest>(&parameter)) {
    return AcceptIncoming(*request, context);
  }
  if (const auto* add = std::get_if<AddStreamsRequest>(&parameter);
      add != nullptr && add->outgoing) {
    const uint32_t sum = uint32_t{context.inbound_streams} + add->count;
    if (sum > context.max_inbound_streams) return ReconfigResult::kDenied;
    context.inbound_streams = static_cast<uint16_t>(sum);
    return ReconfigResult::kPerformed;
  }
  return ReconfigResult::kDenied;
}

ReconfigResult ReconfigHandler::PerformReset(const OutgoingResetRequest& reset, Context& context) {
  for (const uint16_t stream : reset.streams) {
    if (stream >= context.inbound_streams) return ReconfigResult::kWrongSsn;
  }
  if (deferred_ && deferred_->request != reset.request) return ReconfigResult::kAlreadyInProgress;
  // Rule E2: data of before the reset is still under way.
  if (context.tracker.Unwrap(reset.last_tsn) > context.tracker.cumulative()) {
    deferred_ = reset;
    return ReconfigResult::kInProgress;
  }
  deferred_.reset();
  context.reassembly.ResetStreams(reset.streams);
  context.events.push_back(IncomingStreamsReset{AsStreamIds(reset.streams)});
  return ReconfigResult::kPerformed;
}

void ReconfigHandler::OnCumulativeAdvanced(Context& context) {
  if (!deferred_) return;
  const OutgoingResetRequest reset = *deferred_;
  const ReconfigResult result = PerformReset(reset, context);
  if (result == ReconfigResult::kInProgress) return;
  // The peer is told at once, not only when it asks again.
  const ReconfigResponse response{reset.request, result, std::nullopt};
  Remember(response);
  responses_.push_back({{response}});
}

std::optional<ReconfigResult> ReconfigHandler::AcceptIncoming(const IncomingResetRequest& request,
                                                              Context& context) {
  // Without a list it is for all streams; which ones are used we are told by their owner.
  if (const auto* reset = in_flight_ ? std::get_if<OutgoingResetRequest>(&*in_flight_) : nullptr;
      reset != nullptr && !request.streams.empty()) {
    const bool covered =
        std::all_of(request.streams.begin(), request.streams.end(), [&](uint16_t stream) {
          return std::count(reset->streams.begin(), reset->streams.end(), stream) > 0;
        });
    if (covered) return ReconfigResult::kNothingToDo;
  }
  if (request.streams.empty()) {
    context.events.push_back(OutgoingResetRequested{});
    return ReconfigResult::kDenied;
  }
  const std::vector<StreamId> streams = AsStreamIds(request.streams);
  ResetOutgoing(streams, context.send_queue);
  answers_ = request.request;
  context.events.push_back(OutgoingResetRequested{streams});
  return std::nullopt;
}

void ReconfigHandler::HandleResponse(const ReconfigResponse& response, Context& context) {
  if (!in_flight_ || RequestSequence(*in_flight_) != response.response) return;
  if (response.result == ReconfigResult::kInProgress) return;  // rule H2: the timer goes on
  Finish(response.result, context);
}

void ReconfigHandler::Finish(ReconfigResult result, Context& context) {
  const ReconfigParameter request = std::move(*in_flight_);
  in_flight_.reset();
  retransmit_ = false;
  if (const auto* reset = std::get_if<OutgoingResetRequest>(&request)) {
    const bool done = Succeeded(result);
    std::vector<StreamId> streams = AsStreamIds(reset->streams);
    for (const StreamId stream : streams) context.send_queue.EndReset(stream, done);
    if (done) {
      context.events.push_back(StreamsResetPerformed{std::move(streams)});
    } else {
      context.events.push_back(StreamsResetFailed{std::move(streams), ResultText(result)});
    }
  } else if (const auto* incoming = std::get_if<IncomingResetRequest>(&request)) {
    if (!Succeeded(result)) {
      context.events.push_back(
          StreamsResetFailed{AsStreamIds(incoming->streams), ResultText(result)});
    }
  } else if (const auto* add = std::get_if<AddStreamsRequest>(&request)) {
    if (result == ReconfigResult::kPerformed) {
      context.outbound_streams = static_cast<uint16_t>(context.outbound_streams + add->count);
    } else {
      context.events.push_back(
          ProtocolError{std::string("streams not added: ") + ResultText(result)});
    }
  }
}

}  // namespace rtclab::sctp
