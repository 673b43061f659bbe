#include "conformance/engine/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/engine/test.h"

namespace rtclab::conformance {

RunContext::RunContext(const Target& target, uint64_t seed)
    : silence(target.silence),
      destinations(target),
      target_(target),
      seed_(seed),
      start_(RealNow()) {}

RunContext::~RunContext() = default;

bool RunContext::Supports(Feature feature) const {
  const auto found = features.find(feature);
  return found != features.end() && found->second.present;
}

std::string RunContext::HowKnown(Feature feature) const {
  const auto found = features.find(feature);
  return found == features.end() ? "not probed" : found->second.how;
}

Result<SecureContext> RunContext::SharedContext(SecureProtocol protocol) {
  const std::lock_guard lock(mutex_);
  const auto found = contexts_.find(protocol);
  if (found != contexts_.end()) return found->second;
  SecureOptions options;
  options.ca_file = target_.ca_file;
  options.insecure = target_.insecure;
  Result<SecureContext> made = SecureContext::Client(protocol, options);
  if (made) contexts_.emplace(protocol, *made);
  return made;
}

bool RunContext::FirstUse(Transport transport, const TransportAddress& local) {
  const std::lock_guard lock(mutex_);
  return used_.emplace(transport, local).second;
}

bool RunContext::SpendProbe(int packets) {
  {
    const std::lock_guard lock(mutex_);
    if (!first_probe_) first_probe_ = RealNow();
    if (RealNow() - *first_probe_ > target_.safety.max_time) return false;
  }
  return (probes_ += packets) <= target_.safety.max_packets;
}

Session::Session(RunContext& run, std::string_view case_id, int attempt, Transport transport,
                 AddressFamily family, TimeDelta limit)
    : run_(run),
      transport_(transport),
      family_(family),
      rng_(run.seed(), fmt::format("case/{}/{}", case_id, attempt)),
      deadline_(RealNow() + limit),
      limit_(limit) {}

Timestamp Session::Now() const { return Timestamp::Zero() + (RealNow() - run_.start()); }

void Session::Record(Packet packet) {
  packet.at = Now();
  exchange_.push_back(std::move(packet));
}

void Session::Note(std::string_view who, std::string text) {
  Packet packet;
  packet.who = who;
  packet.transport = transport_;
  packet.note = std::move(text);
  Record(std::move(packet));
}

std::string Session::NextName(std::string_view kind) {
  const int number = ++names_[std::string(kind)];
  return number == 1 ? std::string(kind) : fmt::format("{} {}", kind, number);
}

TimeDelta Session::Wait(TimeDelta limit) const {
  if (Interrupted() || run_.OutOfTime()) throw Interruption{};
  const Timestamp now = RealNow();
  const TimeDelta left = deadline_ - now;
  if (left <= TimeDelta::Zero()) {
    throw Stop{{.outcome = Outcome::kBlocked,
                .reason = fmt::format("not done within {:.0f} s", limit_.seconds())}};
  }
  return std::max(TimeDelta::Zero(), std::min({limit, left, run_.end - now}));
}

std::optional<TransportAddress> Session::Endpoint(Transport transport, AddressFamily family) const {
  const auto& endpoints = run_.target().endpoints;
  const auto found = endpoints.find({transport, family});
  if (found == endpoints.end()) return std::nullopt;
  return found->second;
}

Outcome Grade(Level level) {
  switch (level) {
    case Level::kMust:
    case Level::kMustNot:
    case Level::kProse:
    case Level::kPolicy:
      return Outcome::kFail;
    case Level::kShould:
    case Level::kShouldNot:
    case Level::kRecommended:
      return Outcome::kWeak;
    case Level::kMay:
    case Level::kInfo:
      return Outcome::kInfo;
  }
  return Outcome::kFail;
}

}  // namespace rtclab::conformance
