#include "stack/stun/nat_discovery.h"

#include <algorithm>
#include <array>
#include <utility>

#include "stack/base/check.h"

namespace rtclab::stun {
namespace {

// RFC 5780 section 5: at most ten new transactions a second.
constexpr TimeDelta kPace = TimeDelta::Millis(100);

// The idle times of the refresh test, as parts of the known lifetime: 0.8 after the binding, and 0.8 again, which is more than the
// lifetime unless the first probe has refreshed it.
constexpr int64_t kRefreshNumerator = 4;
constexpr int64_t kRefreshDenominator = 5;

}  // namespace

std::string_view ToString(MappingResult result) {
  switch (result) {
    case MappingResult::kEndpointIndependent:
      return "endpoint-independent";
    case MappingResult::kAddressDependent:
      return "address-dependent";
    case MappingResult::kAddressAndPortDependent:
      return "address-and-port-dependent";
    case MappingResult::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view ToString(FilteringResult result) {
  switch (result) {
    case FilteringResult::kEndpointIndependent:
      return "endpoint-independent";
    case FilteringResult::kAddressDependent:
      return "address-dependent";
    case FilteringResult::kAddressAndPortDependent:
      return "address-and-port-dependent";
    case FilteringResult::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view ToString(HairpinningResult result) {
  switch (result) {
    case HairpinningResult::kNone:
      return "none";
    case HairpinningResult::kInternalSource:
      return "internal-source";
    case HairpinningResult::kExternalSource:
      return "external-source";
    case HairpinningResult::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view NatDiscovery::NameOf(Step step) {
  switch (step) {
    case Step::kConnectivity:
      return "connectivity";
    case Step::kFilteringBoth:
      return "filtering II";
    case Step::kFilteringPort:
      return "filtering III";
    case Step::kMappingFirst:
      return "mapping I";
    case Step::kMappingAddress:
      return "mapping II";
    case Step::kMappingPort:
      return "mapping III";
    case Step::kFragments:
      return "fragments";
    case Step::kHairpinPrepare:
      return "hairpinning, second port";
    case Step::kHairpin:
      return "hairpinning";
    case Step::kLifetimeBind:
      return "lifetime, binding";
    case Step::kLifetimeProbe:
      return "lifetime, probe";
    case Step::kRefreshBind:
      return "refresh, binding";
    case Step::kRefreshFirst:
      return "refresh, first probe";
    case Step::kRefreshSecond:
      return "refresh, second probe";
    case Step::kIdle:
    case Step::kDone:
      break;
  }
  return "";
}

NatDiscovery::NatDiscovery(NatDiscoveryConfig config, Rng& rng) : config_(config), rng_(rng) {
  CHECK(config_.local.family() == config_.server.family());
  CHECK(config_.lifetime_precision >= TimeDelta::Millis(1));
}

void NatDiscovery::Start(Timestamp now) {
  CHECK(step_ == Step::kIdle);
  step_ = Step::kConnectivity;
  Begin(now);
}

void NatDiscovery::Schedule(Step step, Timestamp at) {
  step_ = step;
  begin_at_ = std::max(at, last_begun_ + kPace);
}

// Sends what the current step sends.
void NatDiscovery::Begin(Timestamp now) {
  begin_at_ = Timestamp::PlusInfinity();
  last_begun_ = now;
  const TransportAddress& local = config_.local;
  const TransportAddress& second = config_.second_local;
  const TransportAddress& server = config_.server;
  switch (step_) {
    case Step::kConnectivity:
      return SendProbe(now, local, server, std::nullopt, std::nullopt, 0);
    case Step::kFilteringBoth:
      return SendProbe(now, local, server, ChangeRequest{true, true}, std::nullopt, 0);
    case Step::kFilteringPort:
      return SendProbe(now, local, server, ChangeRequest{false, true}, std::nullopt, 0);
    case Step::kMappingFirst:
      return SendProbe(now, mapping_local(), server, std::nullopt, std::nullopt, 0);
    case Step::kMappingAddress:
      return SendProbe(now, mapping_local(), {other_.ip, server.port}, std::nullopt, std::nullopt,
                       0);
    case Step::kMappingPort:
      return SendProbe(now, mapping_local(), other_, std::nullopt, std::nullopt, 0);
    case Step::kFragments:
      return SendProbe(now, local, server, std::nullopt, std::nullopt, config_.padding);
    case Step::kHairpinPrepare:
      return SendProbe(now, second, server, std::nullopt, std::nullopt, 0);
    case Step::kHairpin:
      // Both ways at once: what goes out from a port also opens the filter for what comes in to it.
      SendProbe(now, second, report_.mapped, std::nullopt, std::nullopt, 0);
      return SendProbe(now, local, second_mapped_, std::nullopt, std::nullopt, 0);
    case Step::kLifetimeBind:
    case Step::kRefreshBind:
      bound_at_ = now;
      return SendProbe(now, local, server, std::nullopt, std::nullopt, 0);
    case Step::kLifetimeProbe:
    case Step::kRefreshFirst:
    case Step::kRefreshSecond:
      return SendProbe(now, second, server, std::nullopt, lifetime_mapped_.port, 0);
    case Step::kIdle:
    case Step::kDone:
      break;
  }
}

void NatDiscovery::SendProbe(Timestamp now, const TransportAddress& from,
                             const TransportAddress& to, const std::optional<ChangeRequest>& change,
                             std::optional<uint16_t> response_port, std::size_t padding) {
  const TransactionId id = NewTransactionId(rng_);
  MessageBuilder builder(MessageClass::kRequest, Method::kBinding, id);
  if (change) builder.AddChangeRequest(*change);
  if (response_port) builder.AddU16(AttributeType::kResponsePort, *response_port);
  if (padding > 0) builder.AddPadding(padding);
  probes_.push_back({id, from, to, builder.Build(), RetransmitTimer(now, config_.retransmit)});
  transmits_.push_back({from, to, probes_.back().payload});
}

bool NatDiscovery::HandlePacket(Timestamp now, const Datagram& packet) {
  const auto message = MessageView::Parse(packet.payload);
  if (!message || message->method() != Method::kBinding) return false;
  const auto probe = std::find_if(probes_.begin(), probes_.end(), [&](const Probe& p) {
    return p.id == message->transaction_id();
  });
  if (probe == probes_.end()) return false;
  Outcome outcome;
  outcome.answered = true;
  outcome.source = packet.source;
  outcome.destination = packet.destination;
  if (step_ == Step::kHairpin) {
    // RFC 5780 section 3.4: our own request coming back in is the answer.
    if (!message->IsRequest()) return true;
  } else if (message->IsSuccess()) {
    constexpr std::array kKnown = {AttributeType::kXorMappedAddress, AttributeType::kMappedAddress,
                                   AttributeType::kPadding};
    const auto mapped = message->GetXorAddress(AttributeType::kXorMappedAddress);
    if (!mapped) return true;
    // RFC 8489 section 6.3.3: a response that we don't understand ends the transaction, and with it the test.
    if (!message->UnknownRequired(kKnown).empty()) outcome.error_code = kErrorUnknownAttribute;
    outcome.mapped = *mapped;
    outcome.plain_mapped =
        message->GetAddress(AttributeType::kMappedAddress).value_or(TransportAddress{});
    outcome.other = message->GetAddress(AttributeType::kOtherAddress).value_or(TransportAddress{});
  } else if (message->IsError()) {
    outcome.error_code = message->GetErrorCode().value_or(ErrorCode{400, {}}).code;
  } else {
    return true;
  }
  Finish(now, outcome);
  return true;
}

void NatDiscovery::HandleTimeout(Timestamp now) {
  if (now >= begin_at_) return Begin(now);
  bool all_timed_out = !probes_.empty();
  for (Probe& probe : probes_) {
    if (probe.timer.HandleTimeout(now) == RetransmitTimer::Action::kRetransmit) {
      transmits_.push_back({probe.from, probe.to, probe.payload});
      if (probe.from == config_.local) bound_at_ = now;
    }
    all_timed_out = all_timed_out && probe.timer.timed_out();
  }
  if (all_timed_out) Finish(now, {});
}

Timestamp NatDiscovery::NextTimeout() const {
  Timestamp next = begin_at_;
  for (const Probe& probe : probes_) next = std::min(next, probe.timer.Next());
  return next;
}

void NatDiscovery::Finish(Timestamp now, const Outcome& outcome) {
  probes_.clear();
  events_.push_back(NatTestFinished{NameOf(step_), outcome.answered, outcome.error_code,
                                    outcome.source, outcome.mapped});
  switch (step_) {
    case Step::kConnectivity:
      return FinishConnectivity(now, outcome);
    case Step::kFilteringBoth:
    case Step::kFilteringPort:
      return FinishFiltering(now, outcome);
    case Step::kMappingFirst:
    case Step::kMappingAddress:
    case Step::kMappingPort:
      return FinishMapping(now, outcome);
    case Step::kFragments:
      if (outcome.error_code == 0) report_.fragments = outcome.answered;
      return ToHairpinning(now);
    case Step::kHairpinPrepare:
    case Step::kHairpin:
      return FinishHairpin(now, outcome);
    case Step::kLifetimeBind:
    case Step::kLifetimeProbe:
      return FinishLifetime(now, outcome);
    case Step::kRefreshBind:
    case Step::kRefreshFirst:
    case Step::kRefreshSecond:
      return FinishRefresh(now, outcome);
    case Step::kIdle:
    case Step::kDone:
      break;
  }
}

// RFC 5780 sections 4.2 and 4.3, test I.
void NatDiscovery::FinishConnectivity(Timestamp now, const Outcome& outcome) {
  report_.udp_works = outcome.answered;
  if (!outcome.answered || outcome.error_code != 0) return End();
  report_.mapped = outcome.mapped;
  report_.translated = outcome.mapped != config_.local;
  report_.generic_alg = !outcome.plain_mapped.IsNone() && outcome.plain_mapped != outcome.mapped;
  other_ = outcome.other;
  report_.server_supports = !other_.IsNone();
  if (report_.server_supports && config_.filtering) return Schedule(Step::kFilteringBoth, now);
  ToMapping(now);
}

// RFC 5780 section 4.4. An answer from where it should not come from says nothing about the NAT.
void NatDiscovery::FinishFiltering(Timestamp now, const Outcome& outcome) {
  const bool both = step_ == Step::kFilteringBoth;
  const TransportAddress expected =
      both ? other_ : TransportAddress{config_.server.ip, other_.port};
  if (!outcome.answered) {
    if (both) return Schedule(Step::kFilteringPort, now);
    report_.filtering = FilteringResult::kAddressAndPortDependent;
  } else if (outcome.error_code == 0 && outcome.source == expected) {
    report_.filtering =
        both ? FilteringResult::kEndpointIndependent : FilteringResult::kAddressDependent;
  }
  ToMapping(now);
}

void NatDiscovery::ToMapping(Timestamp now) {
  if (!config_.mapping || !report_.server_supports) return ToFragments(now);
  // RFC 5780 section 4.3, test I: without translation the mapping is in effect endpoint-independent.
  if (!report_.translated) {
    report_.mapping = MappingResult::kEndpointIndependent;
    return ToFragments(now);
  }
  // Section 4.1: from a port without recent traffic. From the port under test, its first answer is test I.
  mapping_first_ = report_.mapped;
  const bool fresh_port = mapping_local() != config_.local;
  Schedule(fresh_port ? Step::kMappingFirst : Step::kMappingAddress, now);
}

// RFC 5780 section 4.3.
void NatDiscovery::FinishMapping(Timestamp now, const Outcome& outcome) {
  if (!outcome.answered || outcome.error_code != 0) return ToFragments(now);
  if (step_ == Step::kMappingFirst) {
    mapping_first_ = outcome.mapped;
    return Schedule(Step::kMappingAddress, now);
  }
  if (step_ == Step::kMappingAddress) {
    mapping_second_ = outcome.mapped;
    if (outcome.mapped != mapping_first_) return Schedule(Step::kMappingPort, now);
    report_.mapping = MappingResult::kEndpointIndependent;
  } else {
    report_.mapping = outcome.mapped == mapping_second_ ? MappingResult::kAddressDependent
                                                        : MappingResult::kAddressAndPortDependent;
  }
  ToFragments(now);
}

void NatDiscovery::ToFragments(Timestamp now) {
  if (!config_.fragments) return ToHairpinning(now);
  Schedule(Step::kFragments, now);
}

void NatDiscovery::ToHairpinning(Timestamp now) {
  const bool possible = report_.translated && !config_.second_local.IsNone();
  if (!config_.hairpinning || !possible) return ToLifetime(now);
  Schedule(Step::kHairpinPrepare, now);
}

void NatDiscovery::FinishHairpin(Timestamp now, const Outcome& outcome) {
  if (step_ == Step::kHairpinPrepare) {
    if (!outcome.answered || outcome.error_code != 0) return ToLifetime(now);
    second_mapped_ = outcome.mapped;
    return Schedule(Step::kHairpin, now);
  }
  const bool internal = outcome.source == config_.local || outcome.source == config_.second_local;
  report_.hairpinning = !outcome.answered ? HairpinningResult::kNone
                        : internal        ? HairpinningResult::kInternalSource
                                          : HairpinningResult::kExternalSource;
  ToLifetime(now);
}

void NatDiscovery::ToLifetime(Timestamp now) {
  if (!config_.lifetime || config_.second_local.IsNone()) return End();
  report_.lifetime = BindingLifetime{TimeDelta::Zero(), TimeDelta::PlusInfinity(), std::nullopt};
  trial_ = config_.lifetime_max;
  Schedule(Step::kLifetimeBind, now);
}

// RFC 5780 section 4.6: a binding from the first port, then silence, then an answer sent to it at the second port's request.
void NatDiscovery::FinishLifetime(Timestamp now, const Outcome& outcome) {
  if (step_ == Step::kLifetimeBind) {
    if (!outcome.answered || outcome.error_code != 0) {
      report_.lifetime.reset();
      return End();
    }
    lifetime_mapped_ = outcome.mapped;
    return Schedule(Step::kLifetimeProbe, bound_at_ + trial_);
  }
  if (outcome.error_code != 0) {  // section 5: a server need not know RESPONSE-PORT
    report_.lifetime.reset();
    return End();
  }
  if (outcome.answered && outcome.destination == config_.local) {
    report_.lifetime->at_least = trial_;
  } else {
    report_.lifetime->less_than = trial_;
  }
  NextLifetimeTrial(now);
}

void NatDiscovery::NextLifetimeTrial(Timestamp now) {
  const BindingLifetime& known = *report_.lifetime;
  if (known.less_than.IsInfinite()) return End();  // alive at the longest time asked about
  const TimeDelta gap = known.less_than - known.at_least;
  if (gap > config_.lifetime_precision) {
    trial_ = known.at_least + gap / 2;
    return Schedule(Step::kLifetimeBind, now);
  }
  // The two probes of the refresh test must straddle the lifetime.
  const TimeDelta part = known.at_least * kRefreshNumerator / kRefreshDenominator;
  if (part * 2 <= known.less_than) return End();
  trial_ = part;
  Schedule(Step::kRefreshBind, now);
}

void NatDiscovery::FinishRefresh(Timestamp now, const Outcome& outcome) {
  const bool alive = outcome.answered && outcome.error_code == 0;
  if (step_ == Step::kRefreshBind) {
    if (!alive) return End();
    lifetime_mapped_ = outcome.mapped;
    return Schedule(Step::kRefreshFirst, bound_at_ + trial_);
  }
  const bool at_first_port = alive && outcome.destination == config_.local;
  if (step_ == Step::kRefreshFirst) {
    if (!at_first_port) return End();  // the binding did not last as long as it did before
    return Schedule(Step::kRefreshSecond, now + trial_);
  }
  report_.lifetime->refreshed_by_inbound = at_first_port;
  End();
}

void NatDiscovery::End() {
  step_ = Step::kDone;
  begin_at_ = Timestamp::PlusInfinity();
  events_.push_back(NatDiscoveryDone{report_});
}

std::optional<Transmit> NatDiscovery::PollTransmit() {
  if (transmits_.empty()) return std::nullopt;
  Transmit out = std::move(transmits_.front());
  transmits_.pop_front();
  return out;
}

std::optional<NatDiscovery::Event> NatDiscovery::PollEvent() {
  if (events_.empty()) return std::nullopt;
  Event out = events_.front();
  events_.pop_front();
  return out;
}

}  // namespace rtclab::stun
