#include "conformance/interop/usrsctp_program.h"

#include <utility>

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kPatience = TimeDelta::Seconds(40);

}  // namespace

const char* NameOf(Role role) {
  switch (role) {
    case Role::kWeConnect:
      return "WeConnect";
    case Role::kTheyConnect:
      return "TheyConnect";
    case Role::kBothConnect:
      return "BothConnect";
  }
  return "";
}

sctp::AssociationConfig OurConfig(bool interleaving) {
  sctp::AssociationConfig config;
  config.interleaving = interleaving;
  config.outbound_streams = 1024;
  config.max_inbound_streams = 1024;
  config.rto_initial = TimeDelta::Millis(100);
  config.rto_min = TimeDelta::Millis(40);
  config.rto_max = TimeDelta::Millis(400);
  config.sack_delay = TimeDelta::Millis(10);
  config.max_init_retransmits = 20;
  config.max_association_retransmits = 30;
  return config;
}

Bytes MessageBytes(std::size_t size, std::size_t seed) {
  static const Bytes* const pool = [] {
    auto* const bytes = new Bytes(kLargestMessage + 100'000);
    Rng(1, "messages").Fill(*bytes);
    return bytes;
  }();
  const auto begin = pool->begin() + static_cast<std::ptrdiff_t>(seed * 37);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(size));
}

std::vector<Arrival> AtUsrsctp(const SctpCase& c) {
  std::vector<Arrival> arrivals;
  for (const auto& m : c.peer().received) {
    arrivals.push_back({m.stream, m.ppid, m.ordered, &m.payload});
  }
  return arrivals;
}

std::vector<Arrival> AtOurs(const SctpCase& c) {
  std::vector<Arrival> arrivals;
  for (const auto& event : c.events) {
    if (const auto* m = std::get_if<sctp::MessageReceived>(&event)) {
      arrivals.push_back({static_cast<uint16_t>(m->stream), m->ppid, m->ordered, &m->payload});
    }
  }
  return arrivals;
}

SctpCase& Program::Add(const std::string& name, Role role, bool interleaving, int loss_percent,
                       int reorder_percent) {
  CaseOptions options;
  options.name = name;
  options.loss_percent = loss_percent;
  options.reorder_percent = reorder_percent;
  options.usrsctp.interleaving = interleaving;
  return AddConfigured(options, OurConfig(interleaving), role);
}

SctpCase& Program::AddConfigured(const CaseOptions& options, const sctp::AssociationConfig& config,
                                 Role role) {
  CaseOptions seeded = options;
  seeded.seed = cases_.size() + 1;
  auto added = std::make_unique<SctpCase>(seeded, config);
  SctpCase& c = *added;
  cases_.push_back(std::move(added));
  c.Then(
      "association up at both ends",
      [&c, role](Timestamp now) {
        role == Role::kWeConnect ? c.peer().Listen() : c.peer().Connect();
        if (role != Role::kTheyConnect) c.ours.Connect(now);
      },
      [&c] { return c.peer().up && c.Count<sctp::Connected>() == 1; });
  return c;
}

Program::Program() {
  AddHandshakes();
  AddTransfers();
  AddExtras();
  AddPartialReliability();
  AddLongPartialReliability();
  AddResets();
  AddEnds();
  AddDataChannels();
}

std::string Program::Outcome(const std::string& name) {
  (void)MessageBytes(1, 0);
  if (!std::exchange(ran_, true)) RunCases(library_, cases_, kPatience);
  for (const auto& c : cases_) {
    if (c->name() == name) return c->Unfinished();
  }
  return "no such case";
}

TimeDelta Program::Took(const std::string& name) const {
  for (const auto& c : cases_) {
    if (c->name() == name) return c->took();
  }
  return TimeDelta::PlusInfinity();
}

std::vector<std::string> Program::Names() const {
  std::vector<std::string> names;
  for (const auto& c : cases_) names.push_back(c->name());
  return names;
}

}  // namespace rtclab::conformance
