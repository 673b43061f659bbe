#include "scenarios/language.h"

#include <deque>

#include "scenarios/link_presets.h"
#include "sim/firewall/presets.h"
#include "sim/nat/presets.h"

namespace rtclab::scenarios {

const std::vector<std::string> kMappingNames = {"endpoint-independent", "address-dependent",
                                                "address-and-port-dependent"};
const std::vector<std::string> kPortAssignmentNames = {"preservation", "sequential", "random",
                                                       "overloading"};
const std::vector<std::string> kPortFallbackNames = {"next-free", "first-free", "random"};
const std::vector<std::string> kPoolingNames = {"paired", "arbitrary"};
const std::vector<std::string> kHairpinningNames = {"none", "internal-source", "external-source"};
const std::vector<std::string> kRefreshNames = {"outbound", "inbound", "both"};
const std::vector<std::string> kTrickleNames = {"none", "half", "full"};
const std::vector<std::string> kPolicyNames = {"all", "relay"};
const std::vector<std::string> kActionNames = {"ice-restart", "link-down", "link-up", "nat-reboot",
                                               "send-data"};
const std::vector<std::string> kCandidateTypeNames = {"host", "srflx", "prflx", "relay"};

std::vector<std::string> NatPresetNames() {
  std::vector<std::string> names = {"none"};
  for (const sim::NatPreset& preset : sim::NatPresets()) names.emplace_back(preset.name);
  return names;
}

std::vector<std::string> FirewallPresetNames() {
  std::vector<std::string> names = {"none"};
  for (const sim::FirewallPreset& preset : sim::FirewallPresets()) names.emplace_back(preset.name);
  return names;
}

std::vector<std::string> LinkPresetNames() {
  std::vector<std::string> names = {"perfect"};
  for (const LinkPreset& preset : LinkPresets()) names.emplace_back(preset.name);
  return names;
}

const Field* Type::Find(std::string_view key) const {
  for (const Field& field : fields) {
    if (field.key == key) return &field;
  }
  return nullptr;
}

namespace {

// Owns the types; they point at each other.
class Builder {
 public:
  Language Build();

 private:
  using Kind = Type::Kind;

  Type* New(Kind kind, std::string noun, std::string name = {}) {
    Type& type = types_.emplace_back();
    type.kind = kind;
    type.noun = std::move(noun);
    type.name = std::move(name);
    return &type;
  }
  const Type* Integer(int64_t min, int64_t max) {
    Type* type = New(Kind::kInteger, "a whole number");
    type->min = min;
    type->max = max;
    return type;
  }
  const Type* Quantity(QuantityKind kind, bool positive) {
    static constexpr const char* kNames[] = {"duration", "rate", "percentage", "size"};
    const auto index = static_cast<std::size_t>(kind);
    Type* type = New(Kind::kQuantity, std::string(QuantityNoun(kind)),
                     (positive ? "positive-" : "") + std::string(kNames[index]));
    type->quantity = kind;
    type->positive = positive;
    type->description =
        std::string(QuantityNoun(kind)) + ", at most " + std::string(QuantityLimit(kind));
    return type;
  }
  const Type* Enum(std::string noun, std::vector<std::string> values, std::string name = {}) {
    Type* type = New(Kind::kEnum, std::move(noun), std::move(name));
    type->values = std::move(values);
    return type;
  }
  const Type* List(const Type* item, int64_t min, int64_t max, std::string noun) {
    Type* type = New(Kind::kList, std::move(noun));
    type->item = item;
    type->min = min;
    type->max = max;
    return type;
  }
  const Type* Map(const Type* item, std::string noun, std::string name = {},
                  std::vector<Field> fields = {}) {
    Type* type = New(Kind::kObject, std::move(noun), std::move(name));
    type->item = item;
    type->fields = std::move(fields);
    return type;
  }
  const Type* Object(std::string noun, std::string name, std::vector<Field> fields) {
    return Map(nullptr, std::move(noun), std::move(name), std::move(fields));
  }
  const Type* Choice(std::string noun, std::string name, std::vector<const Type*> alternatives) {
    Type* type = New(Kind::kChoice, std::move(noun), std::move(name));
    type->alternatives = std::move(alternatives);
    return type;
  }

  const Type* Nat();
  const Type* Firewall();
  const Type* Link();
  const Type* Network();
  const Type* Host();
  const Type* Server();
  const Type* Ice();
  const Type* Session();
  const Type* Probe();
  const Type* Matrix();
  const Type* Seeds();
  const Type* Check(const Type* value, const std::string& noun, bool ordered);
  const Type* SessionExpectation();
  const Type* ProbeExpectation();
  const Type* Expect();
  const Type* Scenario(const Type* matrix, const Type* seeds);

  static std::deque<Type> types_;

  const Type* any_ = New(Kind::kAny, "any value");
  const Type* text_ = New(Kind::kText, "a text");
  const Type* name_ = New(Kind::kName, "a name", "name");
  const Type* bool_ = New(Kind::kBool, "true or false");
  const Type* duration_ = Quantity(QuantityKind::kDuration, false);
  const Type* long_duration_ = Quantity(QuantityKind::kDuration, true);
  const Type* rate_ = Quantity(QuantityKind::kRate, true);
  const Type* share_ = Quantity(QuantityKind::kShare, false);
  const Type* size_ = Quantity(QuantityKind::kSize, true);
  const Type* families_ =
      List(Enum("address family", {"ipv4", "ipv6"}, "family"), 1, 2, "a list of address families");
  const Type* names_ = List(name_, 0, static_cast<int64_t>(kMaxNames), "a list of names");
  const Type* ice_ = nullptr;
  const Type* session_expectation_ = nullptr;
  const Type* probe_expectation_ = nullptr;
};

std::deque<Type> Builder::types_;

const Type* Builder::Nat() {
  const Type* port = Integer(1, 65535);
  const Type* count = Integer(1, 1'000'000'000);
  const Type* behaviours = Object(
      "NAT behaviours", "nat-behaviours",
      {{"preset", Enum("NAT preset", NatPresetNames(), "nat-preset"),
        "What the other keys change. Default: endpoint-independent mapping, address- and "
        "port-dependent filtering."},
       {"mapping", Enum("mapping behaviour", kMappingNames, "nat-dependence"),
        "RFC 4787 section 4.1."},
       {"filtering", Enum("filtering behaviour", kMappingNames, "nat-dependence"),
        "RFC 4787 section 5."},
       {"port_assignment", Enum("port assignment", kPortAssignmentNames),
        "RFC 4787 section 4.2.1."},
       {"port_fallback", Enum("port fallback", kPortFallbackNames),
        "Of preservation, when the port is taken."},
       {"port_overlapping", bool_,
        "One external port serves several destinations (RFC 7857 section 3); needs address- "
        "and port-dependent mapping and filtering."},
       {"port_reuse_delay", duration_, "How long a released port rests (RFC 6888 section 3)."},
       {"port_parity", bool_, "Even ports map to even ones (RFC 4787 section 4.2.2)."},
       {"port_contiguity", bool_, "RTCP's port follows RTP's (RFC 4787 section 4.2.3)."},
       {"port_low", port, "Lowest external port."},
       {"port_high", port, "Highest external port."},
       {"pooling", Enum("pooling behaviour", kPoolingNames), "RFC 4787 section 4.1."},
       {"hairpinning", Enum("hairpinning behaviour", kHairpinningNames), "RFC 4787 section 6."},
       {"refresh", Enum("refresh direction", kRefreshNames), "RFC 4787 section 4.3."},
       {"udp_unreplied_timeout", long_duration_, "Of a UDP session until a reply came."},
       {"udp_timeout", long_duration_, "Of a UDP session after a reply (RFC 4787 section 4.3)."},
       {"icmp_timeout", long_duration_, "Of an ICMP query session (RFC 5508 section 3.2)."},
       {"tcp_transitory_timeout", long_duration_, "RFC 5382 section 5."},
       {"tcp_established_timeout", long_duration_, "RFC 5382 section 5."},
       {"translate_icmp_errors", bool_, "RFC 5508 section 4."},
       {"max_mappings", count, "In all; a packet that needs one more is dropped."},
       {"max_mappings_per_host", count, "RFC 6888 section 3."},
       {"max_sessions_per_mapping", count, "Remote endpoints of one mapping."},
       {"one_to_one", bool_, "A cloud's static translation: ports kept, nothing filtered."},
       {"translate_ipv6", bool_,
        "Otherwise IPv6 is routed and only filtered statefully (RFC 6092)."}});
  return Choice("a NAT: a preset's name or an object of behaviours", "nat",
                {Enum("NAT preset", NatPresetNames(), "nat-preset"), behaviours});
}

const Type* Builder::Firewall() {
  const Type* decision = Enum("decision", {"allow", "deny"});
  const Type* ports =
      Choice("a port or a range such as \"5000-5999\"", "ports", {Integer(1, 65535), text_});
  const Type* rule = Object(
      "a firewall rule", "firewall-rule",
      {{"name", name_, "Shows in the reason of a drop.", true},
       {"action", decision, "What happens to a packet that matches.", true},
       {"direction", Enum("direction", {"outbound", "inbound"}), "Seen from the network.", true},
       {"protocol", Enum("protocol", {"udp", "tcp", "icmp", "icmpv6"}), "Default: every protocol."},
       {"remote", text_,
        "Address or prefix on the other side, such as \"203.0.113.0/24\". Default: every address."},
       {"remote_ports", ports, "Default: every port."},
       {"local_ports", ports, "Default: every port."}});
  const Type* rules = Object(
      "firewall rules", "firewall-rules",
      {{"preset", Enum("firewall preset", FirewallPresetNames(), "firewall-preset"),
        "What the other keys change; its rules come after those given here."},
       {"outbound", decision, "Without a matching rule. Default: allow."},
       {"inbound", decision, "Without a matching rule or state. Default: deny."},
       {"stateful", bool_, "Replies to allowed outbound packets pass. Default: true."},
       {"rules", List(rule, 0, 1000, "a list of rules"), "The first one that matches decides."},
       {"udp_timeout", long_duration_, "Of a flow's state. Default: 120 s."},
       {"tcp_timeout", long_duration_, "Of a flow's state. Default: 7440 s."},
       {"icmp_timeout", long_duration_, "Of a flow's state. Default: 60 s."}});
  return Choice("a firewall: a preset's name or an object of rules", "firewall",
                {Enum("firewall preset", FirewallPresetNames(), "firewall-preset"), rules});
}

const Type* Builder::Link() {
  const Type* burst =
      Object("burst loss", "burst-loss",
             {{"good_to_bad", share_, "Chance, a packet, to enter the bad state.", true},
              {"bad_to_good", share_, "Chance, a packet, to leave it.", true},
              {"loss_good", share_, "Loss in the good state. Default: 0 %."},
              {"loss_bad", share_, "Loss in the bad state. Default: 100 %."}});
  std::vector<Field> fields = {
      {"rate", rate_, "Default: no limit."},
      {"delay", duration_, "Propagation, one way. Default: 0 ms."},
      {"jitter", duration_,
       "Standard deviation of the extra delay |Normal(0, jitter)|. Default: 0 ms."},
      {"reorder", bool_, "Jitter may reorder packets. Default: false."},
      {"loss", share_, "Independent loss. Default: 0 %."},
      {"burst_loss", burst, "Two-state Markov loss (Gilbert-Elliott). Default: none."},
      {"duplication", share_, "Chance that a packet arrives twice. Default: 0 %."},
      {"corruption", share_, "Chance that a bit flips. Default: 0 %."},
      {"queue_packets", Integer(1, 1'000'000), "Drop-tail queue. Default: 1000."},
      {"mtu", size_, "Of an IP packet, 576 B to 65535 B. Default: 1500 B."}};
  const Type* direction = Object("one direction of a link", "link-direction", fields);
  fields.insert(fields.begin(), {"preset", Enum("link preset", LinkPresetNames(), "link-preset"),
                                 "What the other keys change. Default: perfect."});
  fields.push_back({"up", direction, "Changes the direction towards the internet only."});
  fields.push_back({"down", direction, "Changes the direction from the internet only."});
  return Choice("a link: a preset's name or an object of figures", "link",
                {Enum("link preset", LinkPresetNames(), "link-preset"),
                 Object("link figures", "link-figures", fields)});
}

const Type* Builder::Network() {
  return Object(
      "a network", "network",
      {{"description", text_, "For the reader."},
       {"parent", name_,
        "The network or \"internet\" that its gateway is connected to. Default: internet."},
       {"families", families_, "Default: those of its parent; on the internet, ipv4."},
       {"nat", Nat(), "Default: none."},
       {"external_addresses", Integer(1, 256), "IPv4 addresses in the NAT's pool. Default: 1."},
       {"firewall", Firewall(), "On the gateway, inside of the NAT. Default: none."},
       {"link", Link(), "From the gateway to the parent. Default: perfect."}});
}

const Type* Builder::Host() {
  const Type* attachment =
      Choice("a network's name or an object with it", "attachment",
             {name_, Object("an attachment", "attachment-object",
                            {{"network", name_, "A network or \"internet\".", true},
                             {"link", Link(), "Of the host in this network. Default: perfect."}})});
  return Choice(
      "a host: its network's name or an object", "host",
      {name_,
       Object("a host", "host-object",
              {{"description", text_, "For the reader."},
               {"network", name_, "A network or \"internet\" (default)."},
               {"networks", List(attachment, 1, 16, "a list of networks"),
                "Instead of network: a host with several."},
               {"families", families_, "Default: those of its networks; on the internet, ipv4."},
               {"link", Link(), "Between the host and its networks. Default: perfect."}})});
}

const Type* Builder::Server() {
  const Type* kind = Enum("kind of server", {"stun", "turn"});
  return Choice(
      "a server: \"stun\", \"turn\" or an object", "server",
      {kind,
       Object(
           "a server", "server-object",
           {{"type", kind, "A turn server answers STUN Binding requests too.", true},
            {"description", text_, "For the reader."},
            {"host", name_,
             "An existing host that it runs on. Default: an own one with the server's name."},
            {"network", name_, "Where its own host is. Default: internet."},
            {"families", families_,
             "Of its own host. Default: ipv4, and ipv6 when any host has it."},
            {"link", Link(), "Of its own host. Default: perfect."},
            {"port", Integer(1, 65534), "Default: 3478."},
            {"behaviour_discovery", bool_,
             "stun: RFC 5780, with two addresses and ports. Default: false, true "
             "when a probe names it."},
            {"username", text_, "turn. Default: rtclab."},
            {"password", text_, "turn. Default: rtclab."},
            {"client_password", text_, "turn: what clients use instead of the right one."},
            {"rest_secret", text_, "turn: time-limited credentials, made from this secret."},
            {"rest_ttl", duration_, "turn: their life from the start of the run. Default: 24 h."},
            {"max_lifetime", long_duration_, "turn: of an allocation. Default: 1 h."},
            {"user_quota", Integer(0, 1'000'000), "turn: allocations a user. Default: no limit."},
            {"allow_private_peers", bool_, "turn: relays to private addresses. Default: false."},
            {"relay_families", families_, "turn: of relayed addresses. Default: ipv4 and ipv6."},
            {"silent", bool_, "Receives and never answers. Default: false."}})});
}

const Type* Builder::Ice() {
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

const Type* Builder::Session() {
  const Type* action = Object(
      "an action", "action",
      {{"at", duration_, "After the session's start.", true},
       {"do", Enum("action", kActionNames), "What happens.", true},
       {"host", name_,
        "ice-restart, send-data: a host of the session; link-down, link-up: its access links."},
       {"network", name_,
        "link-down, link-up: its uplink; nat-reboot: its NAT, which forgets everything."},
       {"count", Integer(1, 1'000'000), "send-data: datagrams. Default: 1."},
       {"size", size_, "send-data: of a datagram. Default: 1000 B."},
       {"interval", duration_, "send-data: between datagrams. Default: 20 ms."}});
  return Object(
      "a session", "session",
      {{"description", text_, "For the reader."},
       {"between", List(name_, 2, 2, "a list of two hosts"), "The hosts; the first one offers.",
        true},
       {"ice", ice_, "Of both hosts."},
       {"endpoints", Map(ice_, "an object of ICE options by host"), "Changes ice for one host."},
       {"start", duration_, "After the run's start. Default: 0 s."},
       {"signalling_delay", duration_, "One way, outside of the network. Default: 0 ms."},
       {"actions", List(action, 0, 10'000, "a list of actions"), "What happens later."}});
}

const Type* Builder::Probe() {
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

const Type* Builder::Matrix() {
  const Type* axis = Choice(
      "a list of values, a range such as \"1..5\", \"nat-presets\", \"link-presets\" or "
      "\"firewall-presets\"",
      "axis", {text_, List(any_, 1, 10'000, "a list of values")});
  const Type* pattern = Map(any_, "an object of parameters", "pattern");
  return Object(
      "a matrix", "matrix",
      {{"cartesian", Map(axis, "an object of axes"),
        "Every value of each with every value of the others."},
       {"paired", Map(axis, "an object of axes"),
        "The first values together, then the second ones ..."},
       {"exclude", List(pattern, 0, 10'000, "a list of patterns"), "Combinations to leave out."},
       {"groups", Map(List(any_, 1, 10'000, "a list of values"), "an object of groups"),
        "Named lists of values, for \"when\" and \"exclude\": \"@name\"."}});
}

const Type* Builder::Seeds() {
  return Choice(
      "a count, a list of seeds, or a range such as \"1..100\"", "seeds",
      {Integer(1, 50'000), text_, List(Integer(0, INT64_MAX), 1, 50'000, "a list of seeds")});
}

const Type* Builder::Check(const Type* value, const std::string& noun, bool ordered) {
  const Type* list = List(value, 1, 1000, "a list of acceptable values");
  if (!ordered) return Choice(noun + " or a list of acceptable ones", "", {value, list});
  Type* tolerance = New(Kind::kTolerance, "a tolerance: a value of the same kind or a percentage");
  tolerance->values = {value->kind == Kind::kQuantity ? "quantity" : "integer"};
  tolerance->quantity = value->quantity;
  const std::string name = value->kind == Kind::kQuantity ? "check-duration" : "check-count";
  return Choice(
      noun + ", a list of acceptable ones, {\"min\", \"max\"} or {\"equals\", \"tolerance\"}", name,
      {value, list,
       Object("a range", "",
              {{"min", value, "At least."},
               {"max", value, "At most."},
               {"equals", value, "This, give or take the tolerance."},
               {"tolerance", tolerance, "A value, or a percentage of equals."}})});
}

const Type* Builder::SessionExpectation() {
  const Type* type = Check(Enum("candidate type", kCandidateTypeNames), "a candidate type", false);
  const Type* family =
      Check(Enum("address family", {"ipv4", "ipv6"}, "family"), "an address family", false);
  const Type* time = Check(duration_, "a duration", true);
  const Type* count = Check(Integer(0, INT64_MAX), "a count", true);
  return Object(
      "expectations of a session", "session-expectation",
      {{"because", text_, "The reasoning, with its source."},
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
        "Some packet ended by this rule, or by any of a list."}});
}

const Type* Builder::ProbeExpectation() {
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

const Type* Builder::Expect() {
  const Type* either = Choice("expectations of a session or probe", "expectations",
                              {session_expectation_, probe_expectation_});
  const Type* entry =
      Map(either, "expectations by session or probe", "expect-entry",
          {{"when", Map(any_, "an object of parameters", "pattern"),
            "Only for runs whose parameters have these values: a value, a list of them, or "
            "\"@group\"."},
           {"because", text_, "The reasoning, for every expectation in this entry."}});
  return Choice("expectations by session or probe, or a list of such objects", "expect",
                {entry, List(entry, 0, 10'000, "a list of expectations")});
}

const Type* Builder::Scenario(const Type* matrix, const Type* seeds) {
  return Object(
      "a scenario", "scenario",
      {{"$schema", text_, "Where the JSON Schema is, for editors."},
       {"description", text_, "For the reader."},
       {"name", name_, "Default: the file's name without \".json\"."},
       {"networks", Map(Network(), "an object of networks by name"), "Networks by name."},
       {"hosts", Map(Host(), "an object of hosts by name"), "Hosts by name.", true},
       {"servers", Map(Server(), "an object of servers by name"),
        "STUN and TURN servers by name. Default: \"stun\" and \"turn\", one of each, on the "
        "internet."},
       {"sessions", Map(Session(), "an object of sessions by name"),
        "Sessions by name. Default: \"call\", between the first two hosts, unless there are "
        "probes."},
       {"probes", Map(Probe(), "an object of probes by name"), "NAT behaviour discovery by name."},
       {"matrix", matrix,
        "Runs the scenario for combinations of parameters, which \"${name}\" puts in."},
       {"seeds", seeds, "Runs every combination with each seed. Default: 1."},
       {"expect", Expect(), "What has to hold."},
       {"min_duration", duration_,
        "Virtual time before which the run does not end, even when everything in it is done. "
        "Default: 0 s."},
       {"max_duration", long_duration_,
        "Virtual time after which the run ends, done or not. Default: 60 s; with probes, 10 min "
        "from the "
        "start of each, or 3 h where it measures the lifetime."}});
}

Language Builder::Build() {
  ice_ = Ice();
  session_expectation_ = SessionExpectation();
  probe_expectation_ = ProbeExpectation();
  const Type* matrix = Matrix();
  const Type* seeds = Seeds();
  const Type* scenario = Scenario(matrix, seeds);
  const Type* suite = Object(
      "a suite", "suite",
      {{"$schema", text_, "Where the JSON Schema is, for editors."},
       {"description", text_, "For the reader."},
       {"suite", name_, "Default: the file's name without \".json\"."},
       {"common", any_, "What the scenarios share: each is laid over it (RFC 7396)."},
       {"scenarios", Map(any_, "an object of scenarios by name"), "Scenarios by name.", true}});
  return {scenario, suite, matrix, seeds, session_expectation_, probe_expectation_};
}

}  // namespace

const Language& TheLanguage() {
  static const Language language = Builder().Build();
  return language;
}

}  // namespace rtclab::scenarios
