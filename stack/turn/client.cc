#include "stack/turn/client.h"

#include <algorithm>
#include <utility>

#include "stack/base/check.h"
#include "stack/stun/message_builder.h"
#include "stack/turn/attributes.h"

namespace rtclab::turn {
namespace {

using stun::AttributeType;
using stun::MessageBuilder;
using stun::MessageClass;
using stun::MessageView;
using stun::Method;

// Keeps a CreatePermission request of IPv6 peers with its credentials below 1,000 bytes.
constexpr std::size_t kPeersPerRequest = 16;
// Permissions that fall due this soon are refreshed along with one that is due now.
constexpr TimeDelta kRefreshTogether = TimeDelta::Seconds(30);
// RFC 8656 section 12: how long an expired channel's number and peer have to rest.
constexpr TimeDelta kChannelRest = TimeDelta::Seconds(300);
// Application data that a Send indication takes.
constexpr std::size_t kMaxPayload = 64'900;

bool IsInForce(Timestamp now, Timestamp expires) { return now < expires; }

// RFC 8489 section 6.2.1 fails a request on a hard ICMP error; RFC 1122 section 4.2.3.9 says which those are in IPv4.
bool IsHardError(const IcmpError& error) {
  if (error.source.ip.IsV4()) return error.type == 3 && error.code >= 2 && error.code <= 4;
  return error.type == 1 && (error.code == 1 || error.code == 4);
}

}  // namespace

std::string_view ToString(Advice advice) {
  switch (advice) {
    case Advice::kGiveUp:
      return "give-up";
    case Advice::kOtherTransport:
      return "other-transport";
    case Advice::kAlternateServer:
      return "alternate-server";
    case Advice::kOtherLocalAddress:
      return "other-local-address";
    case Advice::kRetryLater:
      return "retry-later";
    case Advice::kRelaxRequest:
      return "relax-request";
  }
  return "unknown";
}

Client::Client(ClientConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(rng),
      credentials_(config_.username, config_.password),
      server_(config_.server),
      dont_fragment_(config_.dont_fragment),
      lifetime_(config_.lifetime.value_or(TimeDelta::Zero())) {
  // RFC 8656 section 7.1: what MUST NOT stand in one request.
  CHECK(!config_.dual || config_.family == AddressFamily::kNone);
  CHECK(!config_.dual || !config_.reserve_next);
  CHECK(!config_.reservation_token || (!config_.dual && config_.family == AddressFamily::kNone &&
                                       !config_.even_port && !config_.reserve_next));
  config_.retransmit.reliable = IsStream(config_.transport);
}

bool Client::HasPermission(Timestamp now, const IpAddress& peer) const {
  const auto it = permissions_.find(peer);
  return it != permissions_.end() && IsInForce(now, it->second.expires);
}

std::optional<ChannelNumber> Client::FindChannel(Timestamp now,
                                                 const TransportAddress& peer) const {
  const auto it = channels_.find(peer);
  if (it == channels_.end() || !IsInForce(now, it->second.expires)) return std::nullopt;
  return it->second.number;
}

void Client::Allocate(Timestamp now) {
  CHECK(state_ == State::kIdle);
  state_ = State::kAllocating;
  Start(now, Request{Method::kAllocate});
  UpdateTimeout();
}

void Client::CreatePermission(Timestamp now, std::span<const IpAddress> peers) {
  std::vector<IpAddress> wanted;
  for (const IpAddress& peer : peers) {
    if (state_ != State::kAllocated) {
      events_.Push(PermissionFailed{peer, stun::kErrorAllocationMismatch, "no allocation"});
      continue;
    }
    // Section 10.1: only families of the relayed addresses.
    if (RelayedFor(peer) == nullptr) {
      events_.Push(PermissionFailed{peer, stun::kErrorPeerAddressFamilyMismatch,
                                    "no relayed address of this family"});
      continue;
    }
    Permission& permission = permissions_[peer];
    permission.keep = true;
    if (IsInForce(now, permission.expires)) {
      if (permission.refresh_at.IsInfinite() && !permission.requested) wanted.push_back(peer);
      events_.Push(PermissionCreated{peer});
    } else if (!permission.requested) {
      wanted.push_back(peer);
    }
  }
  RequestPermissions(now, wanted);
  UpdateTimeout();
}

void Client::BindChannel(Timestamp now, const TransportAddress& peer) {
  if (state_ != State::kAllocated) {
    events_.Push(ChannelFailed{peer, stun::kErrorAllocationMismatch, "no allocation"});
    return;
  }
  if (RelayedFor(peer.ip) == nullptr) {
    events_.Push(ChannelFailed{peer, stun::kErrorPeerAddressFamilyMismatch,
                               "no relayed address of this family"});
    return;
  }
  auto it = channels_.find(peer);
  if (it == channels_.end()) {
    const auto number = FreeChannelNumber(now);
    if (!number) {
      events_.Push(ChannelFailed{peer, stun::kErrorInsufficientCapacity, "no free channel number"});
      return;
    }
    it = channels_.emplace(peer, Channel{*number}).first;
    peer_of_channel_[static_cast<uint16_t>(*number)] = peer;
  }
  Channel& channel = it->second;
  channel.keep = true;
  const bool in_force = IsInForce(now, channel.expires);
  if (in_force) events_.Push(ChannelBound{peer, channel.number});
  if (!channel.requested && (!in_force || channel.refresh_at.IsInfinite())) {
    RequestChannel(now, peer, channel);
  }
  UpdateTimeout();
}

void Client::Forget(const IpAddress& peer) {
  if (const auto it = permissions_.find(peer); it != permissions_.end()) {
    it->second.keep = false;
    it->second.refresh_at = Timestamp::PlusInfinity();
  }
  for (auto& [address, channel] : channels_) {
    if (address.ip != peer) continue;
    channel.keep = false;
    channel.refresh_at = Timestamp::PlusInfinity();
  }
  UpdateTimeout();
}

// Sections 11.1 and 12.5.
Result<void> Client::Send(Timestamp now, const TransportAddress& peer, ByteView payload,
                          bool dont_fragment) {
  if (state_ != State::kAllocated) return Fail("no allocation");
  if (payload.size() > kMaxPayload)
    return Fail("more application data than a Send indication takes");
  if (const auto channel = FindChannel(now, peer); channel && !dont_fragment) {
    Queue(BuildChannelData(*channel, payload, IsStream(config_.transport)));
    return {};
  }
  if (!HasPermission(now, peer.ip)) return Fail("no permission for " + peer.ip.ToString());
  MessageBuilder builder(MessageClass::kIndication, Method::kSend, stun::NewTransactionId(rng_));
  builder.AddXorAddress(AttributeType::kXorPeerAddress, peer);
  if (dont_fragment) builder.AddFlag(AttributeType::kDontFragment);
  builder.AddBytes(AttributeType::kData, payload);
  Queue(builder.Build());
  return {};
}

void Client::Refresh(Timestamp now, TimeDelta lifetime) {
  CHECK(lifetime > TimeDelta::Zero());
  if (state_ != State::kAllocated) return;
  lifetime_ = lifetime;
  refresh_at_ = Timestamp::PlusInfinity();
  Start(now, Request{Method::kRefresh, lifetime});
  UpdateTimeout();
}

void Client::Close(Timestamp now) {
  if (state_ == State::kClosing || state_ == State::kEnded) return;
  if (state_ == State::kAllocated) {
    Delete(now, true);
  } else {
    // An Allocate under way may still succeed on the server; that allocation runs out by itself.
    events_.Push(Closed{});
    End();
  }
  UpdateTimeout();
}

// Section 8.1: a Refresh with LIFETIME zero. Nothing else matters from here on.
void Client::Delete(Timestamp now, bool report) {
  End();
  state_ = State::kClosing;
  report_closed_ = report;
  Start(now, Request{Method::kRefresh, TimeDelta::Zero()});
}

void Client::End() {
  state_ = State::kEnded;
  transactions_.clear();
  permissions_.clear();
  channels_.clear();
  peer_of_channel_.clear();
  relayed_.clear();
  refresh_at_ = Timestamp::PlusInfinity();
}

void Client::Start(Timestamp now, Request request) {
  redirects_.Asked(now, server_);
  transactions_.push_back(Build(now, std::move(request)));
  Queue(transactions_.back().bytes);
}

Client::Transaction Client::Build(Timestamp now, Request request) {
  const stun::TransactionId id = stun::NewTransactionId(rng_);
  MessageBuilder builder(MessageClass::kRequest, request.method, id);
  switch (request.method) {
    case Method::kAllocate:
      AddAllocateAttributes(builder);
      break;
    case Method::kRefresh:
      // Without the family a Refresh means every address of the allocation. Zero is left out unless it means deletion.
      if (state_ == State::kClosing || request.lifetime > TimeDelta::Zero()) {
        builder.AddU32(AttributeType::kLifetime,
                       static_cast<uint32_t>(request.lifetime.nanos() / 1'000'000'000));
      }
      break;
    case Method::kCreatePermission:
      for (const IpAddress& peer : request.peers) {
        builder.AddXorAddress(AttributeType::kXorPeerAddress, {peer, 0});
      }
      break;
    default:
      AddChannelNumber(builder, static_cast<uint16_t>(request.number));
      builder.AddXorAddress(AttributeType::kXorPeerAddress, request.peer);
  }
  const bool names_software =
      request.method == Method::kAllocate || request.method == Method::kRefresh;
  if (names_software && !config_.software.empty()) {
    builder.AddString(AttributeType::kSoftware, config_.software);
  }
  const auto signature = credentials_.Sign(builder);
  if (config_.fingerprint) builder.AddFingerprint();
  return {std::move(request), id, builder.Build(), signature,
          stun::RetransmitTimer(now, config_.retransmit)};
}

// Section 7.1.
void Client::AddAllocateAttributes(MessageBuilder& builder) const {
  AddRequestedTransport(builder, kProtocolUdp);
  if (config_.lifetime) {
    builder.AddU32(AttributeType::kLifetime,
                   static_cast<uint32_t>(config_.lifetime->nanos() / 1'000'000'000));
  }
  if (config_.family != AddressFamily::kNone) {
    AddFamily(builder, AttributeType::kRequestedAddressFamily, config_.family);
  }
  if (config_.dual) {
    AddFamily(builder, AttributeType::kAdditionalAddressFamily, AddressFamily::kIpv6);
  }
  if (config_.even_port || config_.reserve_next) AddEvenPort(builder, config_.reserve_next);
  if (config_.reservation_token) {
    builder.AddU64(AttributeType::kReservationToken, *config_.reservation_token);
  }
  if (dont_fragment_) builder.AddFlag(AttributeType::kDontFragment);
}

void Client::RequestPermissions(Timestamp now, const std::vector<IpAddress>& peers) {
  for (std::size_t i = 0; i < peers.size(); i += kPeersPerRequest) {
    Request request{Method::kCreatePermission};
    const std::size_t end = std::min(peers.size(), i + kPeersPerRequest);
    request.peers.assign(peers.begin() + static_cast<std::ptrdiff_t>(i),
                         peers.begin() + static_cast<std::ptrdiff_t>(end));
    for (const IpAddress& peer : request.peers) {
      permissions_[peer].requested = true;
      permissions_[peer].refresh_at = Timestamp::PlusInfinity();
    }
    Start(now, std::move(request));
  }
}

void Client::RequestChannel(Timestamp now, const TransportAddress& peer, Channel& channel) {
  channel.requested = true;
  channel.refresh_at = Timestamp::PlusInfinity();
  Request request{Method::kChannelBind};
  request.peer = peer;
  request.number = channel.number;
  Start(now, std::move(request));
}

void Client::Queue(Bytes payload) {
  transmits_.Push(Transmit{config_.local, server_, std::move(payload)});
}

bool Client::HandlePacket(Timestamp now, const Datagram& packet) {
  if (packet.source != server_ || packet.destination != config_.local) return false;
  if (LooksLikeChannelData(packet.payload)) {
    HandleChannelData(now, packet.payload);
    return true;
  }
  const auto message = MessageView::Parse(packet.payload);
  if (!message || (message->HasFingerprint() && !message->VerifyFingerprint())) return false;
  if (message->IsIndication() && message->method() == Method::kData) {
    HandleDataIndication(now, *message);
    return true;
  }
  if (!message->IsResponse()) return false;
  const bool ours = HandleResponse(now, *message);
  if (ours) UpdateTimeout();
  return ours;
}

// Sections 11.4 and 11.6. A permission that is only asked for counts: its answer may have been overtaken.
void Client::HandleDataIndication(Timestamp now, const MessageView& message) {
  const auto peer = message.GetXorAddress(AttributeType::kXorPeerAddress);
  const auto data = message.Find(AttributeType::kData);
  const auto icmp = GetIcmp(message);
  const auto permission = peer ? permissions_.find(peer->ip) : permissions_.end();
  const bool permitted =
      permission != permissions_.end() &&
      (permission->second.requested || IsInForce(now, permission->second.expires));
  if (!permitted || (!data && !icmp)) {
    ++dropped_;
    return;
  }
  const TransportAddress relayed = *RelayedFor(peer->ip);
  if (icmp) {
    events_.Push(IcmpReceived{relayed, *peer, icmp->type, icmp->code, icmp->error_data});
  } else {
    events_.Push(DataReceived{relayed, *peer, Bytes(data->begin(), data->end())});
  }
}

// Section 12.6. Data may come before the answer to ChannelBind (section 12).
void Client::HandleChannelData(Timestamp now, ByteView payload) {
  const auto data = ParseChannelData(payload);
  const auto number = data ? static_cast<uint16_t>(data->channel) : uint16_t{0};
  const auto it = peer_of_channel_.find(number);
  if (it == peer_of_channel_.end()) {
    ++dropped_;
    return;
  }
  const TransportAddress& peer = it->second;
  const Channel& channel = channels_.at(peer);
  const bool permitted = HasPermission(now, peer.ip) && IsInForce(now, channel.expires);
  if (!permitted && !channel.requested) {
    ++dropped_;
    return;
  }
  events_.Push(
      DataReceived{*RelayedFor(peer.ip), peer, Bytes(data->payload.begin(), data->payload.end())});
}

const TransportAddress* Client::RelayedFor(const IpAddress& peer) const {
  for (const TransportAddress& relayed : relayed_) {
    if (relayed.family() == peer.family()) return &relayed;
  }
  return nullptr;
}

void Client::HandleIcmp(Timestamp now, const IcmpError& error) {
  if (error.destination != server_ || error.source != config_.local || !IsHardError(error)) return;
  std::vector<Transaction> failed;
  failed.swap(transactions_);
  for (const Transaction& transaction : failed) {
    HandleFailure(now, transaction.request, kRequestTimedOut, "the server is unreachable (ICMP)");
  }
  UpdateTimeout();
}

void Client::HandleTimeout(Timestamp now) {
  std::vector<Transaction> failed;
  for (Transaction& transaction : transactions_) {
    for (;;) {
      const auto action = transaction.timer.HandleTimeout(now);
      if (action == stun::RetransmitTimer::Action::kNone) break;
      if (action == stun::RetransmitTimer::Action::kTimedOut) {
        failed.push_back(transaction);
        break;
      }
      Queue(transaction.bytes);
    }
  }
  std::erase_if(transactions_, [](const Transaction& t) { return t.timer.timed_out(); });
  for (const Transaction& transaction : failed) {
    HandleFailure(now, transaction.request, kRequestTimedOut,
                  transaction.integrity_violated ? "only answers with a wrong integrity came"
                                                 : "no answer from the server");
  }
  if (state_ == State::kAllocated) RefreshDue(now);
  UpdateTimeout();
}

// Section 8 suggests a minute before the end; the same serves permissions and channels.
Timestamp Client::RefreshTime(Timestamp now, TimeDelta lifetime) const {
  return now + std::max(lifetime / 2, lifetime - config_.refresh_margin);
}

void Client::RefreshDue(Timestamp now) {
  if (expires_ <= now) return Lose(kRequestTimedOut, "the allocation has run out");
  if (refresh_at_ <= now) {
    refresh_at_ = Timestamp::PlusInfinity();
    Start(now, Request{Method::kRefresh, lifetime_});
  }
  const bool due = std::any_of(permissions_.begin(), permissions_.end(),
                               [now](const auto& entry) { return entry.second.refresh_at <= now; });
  if (due) {
    std::vector<IpAddress> peers;
    for (const auto& [peer, permission] : permissions_) {
      if (permission.refresh_at <= now + kRefreshTogether) peers.push_back(peer);
    }
    RequestPermissions(now, peers);
  }
  for (auto& [peer, channel] : channels_) {
    if (channel.refresh_at <= now) RequestChannel(now, peer, channel);
  }
}

std::optional<ChannelNumber> Client::FreeChannelNumber(Timestamp now) {
  if (next_channel_ <= kMaxChannelNumber) return ChannelNumber{next_channel_++};
  for (auto it = channels_.begin(); it != channels_.end(); ++it) {
    const Channel& channel = it->second;
    if (channel.requested || now < channel.expires + kChannelRest) continue;
    const ChannelNumber number = channel.number;
    channels_.erase(it);
    return number;
  }
  return std::nullopt;
}

void Client::UpdateTimeout() {
  next_timeout_ = Timestamp::PlusInfinity();
  for (const Transaction& transaction : transactions_) {
    next_timeout_ = std::min(next_timeout_, transaction.timer.Next());
  }
  if (state_ != State::kAllocated) return;
  next_timeout_ = std::min({next_timeout_, refresh_at_, expires_});
  for (const auto& [peer, permission] : permissions_) {
    next_timeout_ = std::min(next_timeout_, permission.refresh_at);
  }
  for (const auto& [peer, channel] : channels_) {
    next_timeout_ = std::min(next_timeout_, channel.refresh_at);
  }
}

}  // namespace rtclab::turn
