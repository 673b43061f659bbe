#include <fmt/format.h>

#include <algorithm>

#include "conformance/engine/client_state.h"
#include "conformance/engine/test.h"
#include "stack/turn/channel_data.h"

namespace rtclab::conformance {
namespace {

using stun::AttributeType;

[[noreturn]] void BlockedStep(std::string_view step, const Response& response) {
  throw Stop{{.outcome = Outcome::kBlocked,
              .reason = fmt::format("{} was to succeed: {}", step, response.Describe())}};
}

std::optional<RelayedData> ParseRelayedData(const Bytes& bytes) {
  RelayedData out;
  if (bytes.size() >= turn::kChannelDataHeaderSize && (bytes[0] & 0xc0) == 0x40) {
    const std::size_t length = LoadU16(bytes.data() + 2);
    if (bytes.size() < turn::kChannelDataHeaderSize + length) return std::nullopt;
    out.channel = LoadU16(bytes.data());
    out.data.assign(bytes.begin() + 4, bytes.begin() + 4 + static_cast<std::ptrdiff_t>(length));
    out.has_data = true;
    out.raw = bytes;
    return out;
  }
  const auto message = stun::MessageView::Parse(bytes);
  if (!message || message->method() != stun::Method::kData || !message->IsIndication()) {
    return std::nullopt;
  }
  out.peer = message->GetXorAddress(AttributeType::kXorPeerAddress).value_or(TransportAddress());
  if (const auto data = message->Find(AttributeType::kData)) {
    out.data.assign(data->begin(), data->end());
    out.has_data = true;
  }
  if (const auto icmp = message->Find(AttributeType::kIcmp)) {
    out.icmp = Bytes(icmp->begin(), icmp->end());
  }
  out.raw = bytes;
  return out;
}

}  // namespace

Request AllocateRequest() { return Request(stun::Method::kAllocate).RequestedTransport(17); }

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

bool Client::open() const { return state_->Open(); }
const TransportAddress& Client::local() const { return state_->local; }
const TransportAddress& Client::server() const { return state_->server; }
Transport Client::transport() const { return state_->transport; }

Channel& Client::channel() {
  if (!state_->channel) {
    throw Stop{{.outcome = Outcome::kBlocked, .reason = "the connection was not opened"}};
  }
  return *state_->channel;
}

// --- Transactions.

Response Client::Once(const Request& request, bool retransmit) {
  const stun::TransactionId id = state_->NewId(request);
  const Bytes bytes = state_->Encode(request, id);
  state_->Send(bytes);
  Response response = state_->Await(id, state_->session->target().answer_timeout,
                                    retransmit && !state_->Reliable() ? &bytes : nullptr);
  state_->Learn(response);
  if (response.success() && request.method() == stun::Method::kAllocate) {
    state_->allocation_signing = request.signing();
  }
  return response;
}

Response Client::Call(const Request& request) {
  const auto known = state_->challenge;
  Response response = Once(request);
  const std::optional<Signing>& signing = request.signing();
  const bool follows = signing ? signing->kind == Signing::Kind::kLongTerm && !signing->realm &&
                                     !signing->nonce && !signing->key
                               : state_->credentials && request.method() != stun::Method::kBinding;
  if (!follows || !state_->challenge) return response;
  // RFC 8489 section 9.2.5: the challenge is answered once; credentials that were refused are not sent a second time.
  if (response.code() == stun::kErrorUnauthenticated &&
      (!known || known->realm != state_->challenge->realm)) {
    response = Once(request);
  }
  if (response.code() == stun::kErrorStaleNonce) response = Once(request);
  return response;
}

Bytes Client::Encode(const Request& request) {
  return state_->Encode(request, state_->NewId(request));
}

Response Client::OnceRaw(ByteView request, const stun::TransactionId& id, bool retransmit) {
  state_->Send(request);
  const Bytes again(request.begin(), request.end());
  Response response = state_->Await(id, state_->session->target().answer_timeout,
                                    retransmit && !state_->Reliable() ? &again : nullptr);
  state_->Learn(response);
  return response;
}

Response Client::Await(const stun::TransactionId& id, TimeDelta limit) {
  Response response = state_->Await(id, limit, nullptr);
  state_->Learn(response);
  return response;
}

const Response& Client::Challenge() {
  const Response response = Once(AllocateRequest().Unsigned());
  if (response.code() != stun::kErrorUnauthenticated || !response.Has(AttributeType::kRealm) ||
      !response.Has(AttributeType::kNonce)) {
    throw Stop{
        {.outcome = Outcome::kBlocked,
         .reason = fmt::format(
             "an Allocate without credentials was to be answered with 401, REALM and NONCE: {}",
             response.Describe())}};
  }
  return state_->last_challenge;
}

const std::string& Client::realm() const {
  static const std::string kNone;
  return state_->challenge ? state_->challenge->realm : kNone;
}
const std::string& Client::nonce() const {
  static const std::string kNone;
  return state_->challenge ? state_->challenge->nonce : kNone;
}
const Bytes& Client::offered_algorithms() const {
  static const Bytes kNone;
  return state_->challenge ? state_->challenge->offered : kNone;
}

void Client::TakeChallenge(const Client& other) {
  if (!other.state_->challenge) return;
  state_->SetChallenge(*other.state_->challenge);
  state_->last_challenge = other.state_->last_challenge;
}

void Client::SetNonce(std::string nonce) {
  if (!state_->challenge) state_->challenge.emplace();
  state_->challenge->nonce = std::move(nonce);
}

const stun::IntegrityKey& Client::key() const { return state_->key; }

bool Client::Authentic(const Response& response) const {
  if (!response) return false;
  const stun::MessageView& view = response.view();
  if (!view.HasIntegrity() && !view.HasIntegritySha256()) return false;
  return (!view.HasIntegrity() || view.VerifyIntegrity(state_->key)) &&
         (!view.HasIntegritySha256() || view.VerifyIntegritySha256(state_->key));
}

// --- Bytes.

void Client::SendRaw(ByteView bytes) { state_->Send(bytes); }

void Client::Send(const Request& message) { state_->Send(Encode(message)); }

std::optional<Bytes> Client::Receive(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  while (true) {
    if (!state_->kept.empty()) {
      Bytes bytes = std::move(state_->kept.front().bytes);
      state_->kept.pop_front();
      return bytes;
    }
    const TimeDelta left = deadline - RealNow();
    const bool came = state_->Pump(state_->session->Wait(std::max(left, TimeDelta::Zero())));
    if (!came && (left <= TimeDelta::Zero() || !open())) return std::nullopt;
  }
}

std::optional<Received> Client::ReceiveRaw(TimeDelta limit) {
  if (!state_->kept.empty()) {
    Received out;
    out.bytes = std::move(state_->kept.front().bytes);
    out.from = state_->kept.front().from;
    out.at = RealNow();
    state_->kept.pop_front();
    return out;
  }
  const Timestamp deadline = RealNow() + limit;
  while (state_->channel) {
    const TimeDelta left = std::max(deadline - RealNow(), TimeDelta::Zero());
    std::optional<Received> out = state_->channel->Receive(state_->session->Wait(left));
    if (out) {
      Packet packet;
      packet.transport = transport();
      packet.who = state_->name;
      packet.local = local();
      packet.remote = out->from;
      packet.bytes = out->bytes;
      state_->session->Record(std::move(packet));
      return out;
    }
    if (left == TimeDelta::Zero() || !open()) break;
  }
  return std::nullopt;
}

// --- Steps.

Allocation Client::Allocate(const Request& request) {
  Allocation out;
  out.response = Call(request);
  if (!out.response.success()) BlockedStep("an Allocate request", out.response);
  const stun::MessageView& view = out.response.view();
  const auto relayed = view.GetXorAddresses(AttributeType::kXorRelayedAddress);
  if (!relayed || relayed->empty()) {
    throw Stop{{.outcome = Outcome::kBlocked,
                .reason = "the Allocate success response has no proper XOR-RELAYED-ADDRESS"}};
  }
  out.relayed = relayed->front();
  if (relayed->size() > 1) out.relayed_v6 = (*relayed)[1];
  out.mapped = view.GetXorAddress(AttributeType::kXorMappedAddress).value_or(TransportAddress());
  out.lifetime_s = view.GetU32(AttributeType::kLifetime).value_or(0);
  out.token = view.GetU64(AttributeType::kReservationToken);
  if (const auto ticket = view.Find(AttributeType::kMobilityTicket)) {
    out.ticket = Bytes(ticket->begin(), ticket->end());
  }
  return out;
}

void Client::CreatePermission(std::initializer_list<TransportAddress> peers) {
  Request request(stun::Method::kCreatePermission);
  for (const TransportAddress& peer : peers) request.PeerAddress(peer);
  const Response response = Call(request);
  if (!response.success()) BlockedStep("a CreatePermission request", response);
}

void Client::CreatePermission(const TransportAddress& peer) { CreatePermission({peer}); }

void Client::BindChannel(uint16_t number, const TransportAddress& peer) {
  const Response response =
      Call(Request(stun::Method::kChannelBind).ChannelNumber(number).PeerAddress(peer));
  if (!response.success()) BlockedStep("a ChannelBind request", response);
}

uint32_t Client::Refresh(std::optional<uint32_t> lifetime_s) {
  Request request(stun::Method::kRefresh);
  if (lifetime_s) request.Lifetime(*lifetime_s);
  const Response response = Call(request);
  if (!response.success()) BlockedStep("a Refresh request", response);
  return response.view().GetU32(AttributeType::kLifetime).value_or(0);
}

void Client::Release() {
  Refresh(0);
  state_->allocated = false;
}

// --- Data.

void Client::SendIndication(const TransportAddress& peer, ByteView data) {
  Send(Request(stun::Method::kSend, stun::MessageClass::kIndication).PeerAddress(peer).Data(data));
}

void Client::SendChannelData(uint16_t channel, ByteView data) {
  SendRaw(
      turn::BuildChannelData(static_cast<turn::ChannelNumber>(channel), data, state_->Reliable()));
}

std::optional<RelayedData> Client::ReceiveData(TimeDelta limit) {
  const Timestamp deadline = RealNow() + limit;
  while (true) {
    for (auto it = state_->kept.begin(); it != state_->kept.end(); ++it) {
      if (auto data = ParseRelayedData(it->bytes)) {
        state_->kept.erase(it);
        return data;
      }
    }
    const TimeDelta left = deadline - RealNow();
    const bool came = state_->Pump(state_->session->Wait(std::max(left, TimeDelta::Zero())));
    if (!came && (left <= TimeDelta::Zero() || !open())) return std::nullopt;
  }
}

}  // namespace rtclab::conformance
