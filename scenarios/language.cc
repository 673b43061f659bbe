#include "scenarios/language.h"

#include "scenarios/language_builder.h"
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
const std::vector<std::string> kActionNames = {
    "ice-restart", "link-down",   "link-up",      "nat-reboot", "send-data",
    "set-link",    "media-pause", "media-resume", "add-video",  "close"};
const std::vector<std::string> kControllerNames = {"gcc", "nada", "scream", "none"};
const std::vector<std::string> kVideoSourceNames = {"statistical", "trace", "hybrid"};
const std::vector<std::string> kVideoContentNames = {"camera", "screen"};
const std::vector<std::string> kFecNames = {"none", "ulpfec", "flexfec"};
const std::vector<std::string> kFeedbackNames = {"transport-cc", "ccfb"};
const std::vector<std::string> kSrtpProfileNames = {
    "SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80"};
const std::vector<std::string> kFlowNames = {"tcp", "udp"};
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

std::deque<Type> LanguageBuilder::types_;

const Type* LanguageBuilder::Matrix() {
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

const Type* LanguageBuilder::Seeds() {
  return Choice(
      "a count, a list of seeds, or a range such as \"1..100\"", "seeds",
      {Integer(1, 50'000), text_, List(Integer(0, INT64_MAX), 1, 50'000, "a list of seeds")});
}

const Type* LanguageBuilder::Scenario(const Type* matrix, const Type* seeds) {
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
       {"flows", Map(Flow(), "an object of background traffic by name"),
        "Background traffic by name."},
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

Language LanguageBuilder::Build() {
  ice_ = Ice();
  window_ = Window();
  session_expectation_ = SessionExpectation();
  probe_expectation_ = ProbeExpectation();
  flow_expectation_ = FlowExpectation();
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
  return {scenario,         suite, matrix, seeds, window_, session_expectation_, probe_expectation_,
          flow_expectation_};
}

const Language& TheLanguage() {
  static const Language language = LanguageBuilder().Build();
  return language;
}

}  // namespace rtclab::scenarios
