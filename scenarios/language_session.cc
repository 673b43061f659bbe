#include "scenarios/language_builder.h"

namespace rtclab::scenarios {

const Type* LanguageBuilder::Ice() {
  return Object(
      "ICE options", "ice",
      {{"mode", Enum("ICE mode", {"full", "lite"}), "RFC 8445 section 2.5. Default: full."},
       {"nomination", Enum("nomination", {"regular", "aggressive"}),
        "Aggressive is RFC 5245's, for old peers. Default: regular."},
       {"trickle", Enum("trickle mode", kTrickleNames), "RFC 8838. Default: full."},
       {"policy", Enum("transport policy", kPolicyNames),
        "relay: no other candidates. Default: all."},
       {"ta", long_duration_, "Pacing (RFC 8445 section 14.2). Default: 50 ms."},
       {"prefer", Enum("address family", {"ipv4", "ipv6"}, "family"), "RFC 8421. Default: ipv6."},
       {"consent", bool_, "RFC 7675. Default: true."},
       {"servers", names_, "STUN and TURN servers, in order. Default: all of the scenario."}});
}

const Type* LanguageBuilder::Session() {
  const Type* action = Object(
      "an action", "action",
      {{"at", duration_, "After the session's start.", true},
       {"do", Enum("action", kActionNames), "What happens.", true},
       {"host", name_,
        "ice-restart, send-data, media-pause, media-resume, add-video, close: a host of the "
        "session; "
        "link-down, link-up, set-link: its access links."},
       {"rate", rate_, "set-link: its new rate."},
       {"delay", duration_, "set-link: its new delay."},
       {"loss", share_, "set-link: its new loss."},
       {"direction", Enum("direction", {"up", "down", "both"}),
        "set-link: up is towards the internet. Default: both."},
       {"network", name_,
        "link-down, link-up, set-link: its uplink; nat-reboot: its NAT, which forgets everything."},
       {"count", Integer(1, 1'000'000), "send-data: datagrams. Default: 1."},
       {"size", size_, "send-data: of a datagram. Default: 1000 B."},
       {"interval", duration_, "send-data: between datagrams. Default: 20 ms."}});
  const Type* controller = Enum("congestion controller", kControllerNames);
  return Object(
      "a session", "session",
      {{"description", text_, "For the reader."},
       {"between", List(name_, 2, 2, "a list of two hosts"), "The hosts; the first one offers.",
        true},
       {"ice", ice_, "Of both hosts."},
       {"endpoints", Map(ice_, "an object of ICE options by host"), "Changes ice for one host."},
       {"start", duration_, "After the run's start. Default: 0 s."},
       {"signalling_delay", duration_, "One way, outside of the network. Default: 0 ms."},
       {"media", Media(), "Sends audio and video (RFC 8834). Default: false."},
       {"data", Data(), "Data channels (RFC 8831). Default: none."},
       {"controller",
        Choice("a congestion controller or an object of them by host", "controller",
               {controller, Map(controller, "controllers by host")}),
        "gcc: draft-ietf-rmcat-gcc-02; nada: RFC 8698; scream: RFC 8298. Default: gcc."},
       {"dtls", Dtls(), "Of the peer connections."},
       {"sample_interval", long_duration_, "Of the time series. Default: 100 ms."},
       {"actions", List(action, 0, 10'000, "a list of actions"), "What happens later."}});
}

const Type* LanguageBuilder::Probe() {
  return Choice("a probe: its host's name or an object", "probe",
                {name_, Object("a probe", "probe-object",
                               {{"description", text_, "For the reader."},
                                {"host", name_, "Where the discovery (RFC 5780) runs.", true},
                                {"server", name_, "Default: the first STUN server."},
                                {"start", duration_, "After the run's start. Default: 0 s."},
                                {"lifetime", bool_,
                                 "Also measures the binding's lifetime, which takes up to 3 h of "
                                 "virtual time. Default: "
                                 "false."}})});
}

const Type* LanguageBuilder::Check(const Type* value, const std::string& noun, bool ordered) {
  const Type* list = List(value, 1, 1000, "a list of acceptable values");
  if (!ordered) return Choice(noun + " or a list of acceptable ones", "", {value, list});
  Type* tolerance = New(Kind::kTolerance, "a tolerance: a value of the same kind or a percentage");
  tolerance->values = {value->kind == Kind::kQuantity ? "quantity" : "integer"};
  tolerance->quantity = value->quantity;
  static constexpr const char* kCheckNames[] = {"check-duration", "check-rate", "check-percentage",
                                                "check-size"};
  const std::string name = value->kind == Kind::kQuantity
                               ? kCheckNames[static_cast<std::size_t>(value->quantity)]
                               : "check-count";
  return Choice(
      noun + ", a list of acceptable ones, {\"min\", \"max\"} or {\"equals\", \"tolerance\"}", name,
      {value, list,
       Object("a range", "",
              {{"min", value, "At least."},
               {"max", value, "At most."},
               {"equals", value, "This, give or take the tolerance."},
               {"tolerance", tolerance, "A value, or a percentage of equals."}})});
}

const Type* LanguageBuilder::SessionExpectation() {
  const Type* type = Check(Enum("candidate type", kCandidateTypeNames), "a candidate type", false);
  const Type* family =
      Check(Enum("address family", {"ipv4", "ipv6"}, "family"), "an address family", false);
  const Type* time = Check(duration_, "a duration", true);
  const Type* count = Check(Integer(0, INT64_MAX), "a count", true);
  std::vector<Field> fields = {
      {"because", text_, "The reasoning, with its source."},
      {"state", Check(Enum("state", {"connected", "failed"}), "a state", false),
       "The outcome of ICE."},
      {"final_state",
       Check(Enum("state", {"connected", "disconnected", "failed"}), "a state", false),
       "Of the first host at the end of the run."},
      {"path", Check(Enum("path", {"direct", "relayed"}), "a path", false),
       "Relayed: either end of the selected pair is a relay."},
      {"local", type, "The first host's end of the selected pair, as it sees it."},
      {"remote", type, "The second host's end of it, as the first sees it."},
      {"local_family", family, "Of the local candidate."},
      {"remote_family", family, "Of the remote candidate."},
      {"protocol", Check(Enum("protocol", {"udp"}), "a protocol", false), "Of the selected pair."},
      {"gathering", time, "Both agents' gathering complete, from the session's start."},
      {"first_valid_pair", time, "From the session's start."},
      {"ice_connected", time, "Both agents have a selected pair, from the session's start."},
      {"checks_sent", count, "By both agents, without retransmissions."},
      {"checks_received", count, "By both agents."},
      {"checks_succeeded", count, "Of both agents."},
      {"checks_failed", count, "Of both agents."},
      {"retransmissions", count, "Of checks."},
      {"role_conflicts", count, "Seen by both agents (RFC 8445 section 7.3.1.1)."},
      {"local_relays", count, "Relayed candidates that the first host gathered."},
      {"remote_relays", count, "Relayed candidates that the second host gathered."},
      {"restarts", count, "ICE restarts that ended connected."},
      {"restart_time", time, "The longest time from a restart to the new selected pair."},
      {"data_sent", count, "Datagrams, both directions."},
      {"data_received", count, "Datagrams, both directions, duplicates not counted."},
      {"data_lost", count, "data_sent less data_received."},
      {"consent_expired", bool_, "Either agent lost consent (RFC 7675)."},
      {"cause", Check(text_, "a rule id", false),
       "Some packet ended by this rule, or by any of a list."}};
  for (Field& field : MediaExpectations()) fields.push_back(std::move(field));
  return Object("expectations of a session", "session-expectation", std::move(fields));
}

const Type* LanguageBuilder::ProbeExpectation() {
  std::vector<std::string> mappings = {"none"};
  mappings.insert(mappings.end(), kMappingNames.begin(), kMappingNames.end());
  return Object(
      "expectations of a probe", "probe-expectation",
      {{"because", text_, "The reasoning, with its source."},
       {"state", Check(Enum("state", {"done", "failed"}), "a state", false),
        "Failed: the server does not answer, or the run ended before the discovery did "
        "(max_duration)."},
       {"mapping", Check(Enum("mapping behaviour", mappings), "a mapping behaviour", false),
        "none: no NAT on the way."},
       {"filtering",
        Check(Enum("filtering behaviour", kMappingNames), "a filtering behaviour", false),
        "RFC 5780 section 4.4."},
       {"hairpinning", bool_, "RFC 5780 section 4.5."},
       {"port_preserved", bool_, "The mapped port is the local one."},
       {"lifetime", Check(duration_, "a duration", true), "RFC 5780 section 4.6."}});
}

const Type* LanguageBuilder::FlowExpectation() {
  return Object("expectations of background traffic", "flow-expectation",
                {{"because", text_, "The reasoning, with its source."},
                 {"flow_throughput", Check(rate_, "a rate", true),
                  "Payload that arrived, from its start to its stop or the end of the run."},
                 {"files", Check(Integer(0, INT64_MAX), "a count", true),
                  "tcp with files: those that arrived whole."}});
}

const Type* LanguageBuilder::Expect() {
  const Type* either = Choice("expectations of a session, probe or flow", "expectations",
                              {session_expectation_, probe_expectation_, flow_expectation_});
  const Type* entry = Map(
      either, "expectations by session or probe", "expect-entry",
      {{"when", Map(any_, "an object of parameters", "pattern"),
        "Only for runs whose parameters have these values: a value, a list of them, or "
        "\"@group\"."},
       {"because", text_, "The reasoning, for every expectation in this entry."},
       {"misses", text_,
        "What a standard expects and these runs do not reach: the entry's expectations hold how "
        "far they get. Verdict tables show a miss."}});
  return Choice("expectations by session or probe, or a list of such objects", "expect",
                {entry, List(entry, 0, 10'000, "a list of expectations")});
}

}  // namespace rtclab::scenarios
