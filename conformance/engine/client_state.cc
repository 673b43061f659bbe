#include "conformance/engine/client_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/stun/message_builder.h"

namespace rtclab::conformance {
namespace {

// RFC 8489 section 6.2.1: RTO is 500 ms at first and doubles.
constexpr TimeDelta kFirstRto = TimeDelta::Millis(500);

}  // namespace

Client::State::~State() { CleanUp(); }

void Client::State::RecordPacket(bool sent, ByteView bytes, const TransportAddress& remote,
                                 std::string note) {
  Packet packet;
  packet.sent = sent;
  packet.transport = transport;
  packet.who = name;
  packet.local = local;
  packet.remote = remote;
  packet.bytes.assign(bytes.begin(), bytes.end());
  packet.note = std::move(note);
  session->Record(std::move(packet));
}

stun::TransactionId Client::State::NewId(const Request& request) {
  return request.transaction_id() ? *request.transaction_id()
                                  : stun::NewTransactionId(session->rng());
}

Bytes Client::State::Encode(const Request& request, const stun::TransactionId& id) const {
  return EncodeRequest(request, id, credentials, challenge);
}

void Client::State::Send(ByteView bytes) {
  session->Wait(TimeDelta::Zero());
  const auto offence = session->run().destinations.Offence(bytes, session->safety, channels);
  if (offence) {
    throw Stop{{.outcome = Outcome::kSkipped,
                .reason = fmt::format("{} is not an address that was named; nothing is sent there",
                                      offence->ToString())}};
  }
  if (!channel) return;
  const Result<void> sent = channel->Send(bytes);
  const auto message = stun::MessageView::Parse(bytes);
  allocate_pending |=
      message && message->IsRequest() && message->method() == stun::Method::kAllocate;
  RecordPacket(true, bytes, server, sent ? "" : "not sent: " + sent.error().reason);
  NoteClosed();
}

void Client::State::NoteClosed() {
  if (close_noted || !channel || !channel->closed()) return;
  close_noted = true;
  RecordPacket(false, {}, server, std::string(channel->close_reason()));
}

// What an answer says of the allocation, whoever waits for it: an Allocate that succeeds after its case gave up has to be undone too.
void Client::State::Track(const stun::MessageView& message) {
  if (message.IsResponse() && message.method() == stun::Method::kAllocate) allocate_pending = false;
  if (!message.IsSuccess()) return;
  if (message.method() == stun::Method::kAllocate) allocated = true;
  // A Refresh with a ticket (RFC 8016) brings an allocation to this 5-tuple.
  if (message.method() == stun::Method::kRefresh) {
    allocated = message.GetU32(stun::AttributeType::kLifetime) != 0u;
  }
}

void Client::State::Arrived(Bytes bytes, const TransportAddress& from) {
  std::string note;
  bool keep = true;
  if (const auto message = stun::MessageView::Parse(bytes)) {
    Track(*message);
    const auto again = resent.find(message->transaction_id());
    if (again != resent.end() && again->second == 0) {
      note = "once more, to a retransmission";
      keep = false;
      // Sent n times again: n more answers may come. Those beyond are the server's own.
    }
  }
  RecordPacket(false, bytes, from, note);
  if (keep) kept.push_back({std::move(bytes), from});
}

void Client::State::ArrivedOnStream(ByteView bytes, const TransportAddress& from) {
  if (!framing_lost) {
    framer.Push(bytes);
    while (true) {
      const auto frame = framer.Next();
      if (frame && *frame) {
        Arrived(Bytes((*frame)->bytes.begin(), (*frame)->bytes.end()), from);
        continue;
      }
      if (frame) return;
      framing_lost = true;
      break;
    }
  }
  RecordPacket(false, bytes, from, "neither STUN nor ChannelData");
  kept.push_back({Bytes(bytes.begin(), bytes.end()), from});
}

bool Client::State::Pump(TimeDelta limit) {
  if (!channel) return false;
  std::optional<Received> received = channel->Receive(limit);
  if (!received) {
    NoteClosed();
    return false;
  }
  if (channel->is_stream()) {
    ArrivedOnStream(received->bytes, received->from);
  } else {
    Arrived(std::move(received->bytes), received->from);
  }
  return true;
}

std::optional<Response> Client::State::TakeAnswer(const stun::TransactionId& id) {
  for (auto it = kept.begin(); it != kept.end(); ++it) {
    const auto message = stun::MessageView::Parse(it->bytes);
    if (!message || !message->IsResponse() || message->transaction_id() != id) continue;
    Response response(std::move(it->bytes), it->from);
    kept.erase(it);
    const auto again = resent.find(id);
    if (again != resent.end()) again->second = 0;
    return response;
  }
  return std::nullopt;
}

Response Client::State::Await(const stun::TransactionId& id, TimeDelta limit, const Bytes* again) {
  const Timestamp deadline = RealNow() + limit;
  TimeDelta rto = kFirstRto;
  Timestamp next = again ? RealNow() + rto : Timestamp::PlusInfinity();
  while (true) {
    if (auto answer = TakeAnswer(id)) return std::move(*answer);
    const Timestamp now = RealNow();
    if (now >= deadline || !Open()) return {};
    if (now >= next) {
      resent[id] = 1;
      Send(*again);
      rto = rto * 2;
      next = now + rto;
    }
    Pump(session->Wait(std::min(deadline, next) - now));
  }
}

void Client::State::Introduce() {
  const stun::TransactionId id = stun::NewTransactionId(session->rng());
  const Bytes bytes =
      stun::MessageBuilder(stun::MessageClass::kRequest, stun::Method::kBinding, id).Build();
  Send(bytes);
  const Timestamp deadline = RealNow() + std::max(TimeDelta::Millis(200), session->run().rtt * 3);
  while (RealNow() < deadline && Open()) {
    if (TakeAnswer(id)) return;
    Pump(session->Wait(deadline - RealNow()));
  }
  resent[id] = 0;  // should it come late, nobody waits for it
}

void Client::State::SetChallenge(ServerChallenge value) {
  challenge = std::move(value);
  if (credentials) key = KeyFor(*credentials, *challenge);
}

bool Client::State::Learn(const Response& response) {
  const int code = response.code();
  if (code != stun::kErrorUnauthenticated && code != stun::kErrorStaleNonce) return false;
  auto read =
      ReadChallenge(response.view(), challenge, session->target().edition == Edition::kClassic);
  if (!read) return false;
  SetChallenge(std::move(*read));
  last_challenge = response;
  return true;
}

TimeDelta Client::State::CleanUpPatience() const {
  const TimeDelta rtt = session->run().rtt;
  // A server that is slow to answer needs its time all the same.
  return std::max(std::min(TimeDelta::Millis(1'000), std::max(TimeDelta::Millis(300), rtt * 4)),
                  rtt * 3 / 2);
}

Response Client::State::CleanUpOnce() {
  Request request(stun::Method::kRefresh);
  request.Lifetime(0);
  if (allocation_signing) request.Sign(*allocation_signing);
  const stun::TransactionId id = stun::NewTransactionId(session->rng());
  const Bytes bytes = Encode(request, id);
  const Timestamp deadline = RealNow() + CleanUpPatience();
  if (!channel->Send(bytes)) return {};
  RecordPacket(true, bytes, server, "clean-up");
  while (RealNow() < deadline && Open()) {
    if (auto answer = TakeAnswer(id)) return std::move(*answer);
    Pump(deadline - RealNow());
  }
  auto answer = TakeAnswer(id);
  return answer ? std::move(*answer) : Response();
}

void Client::State::CleanUp() noexcept {
  try {
    if (!Open()) return;
    channel->set_interruptible(false);
    // The end of the run came between an Allocate request and its answer, which may bring an allocation.
    const Timestamp deadline = RealNow() + CleanUpPatience();
    const bool stopped = Interrupted() || session->run().OutOfTime();
    while (stopped && allocate_pending && Open() && RealNow() < deadline) {
      Pump(deadline - RealNow());
    }
    if (!allocated || !Open()) return;
    allocated = false;
    const Response first = CleanUpOnce();
    // No answer: perhaps lost. A stale nonce: the server has just given a new one.
    if (!first || (Learn(first) && !allocation_signing)) CleanUpOnce();
  } catch (...) {  // out of memory at the end of a case: its verdict stands
  }
}

}  // namespace rtclab::conformance
