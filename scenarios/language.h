// The scenario language as tables: every key, its type, range, default and meaning, once. The loader checks files
// against them, the published JSON Schema is written from them, and messages take their words from them.
#ifndef RTCLAB_SCENARIOS_LANGUAGE_H_
#define RTCLAB_SCENARIOS_LANGUAGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/quantity.h"

namespace rtclab::scenarios {

struct Type;

struct Field {
  std::string key;
  const Type* type = nullptr;
  std::string description;  // one sentence, with the default
  bool required = false;
};

struct Type {
  enum class Kind : uint8_t {
    kAny,   // any JSON value
    kText,  // any string
    kName,  // a name that the scenario declares or refers to
    kBool,
    kInteger,    // min to max
    kQuantity,   // a string with a unit
    kTolerance,  // a quantity of the kind, or a percentage, as a string
    kEnum,       // one of `values`
    kObject,     // `fields`; with `item` also other names, each an item
    kList,       // of `item`, min to max of them
    kChoice,     // one of `alternatives`, told apart by their JSON type
  };
  Kind kind = Kind::kAny;
  std::string name;  // of the definition in the schema; empty: written in place
  std::string noun;  // "NAT preset", "a network": how messages name it
  std::string description;
  int64_t min = 0, max = 0;
  QuantityKind quantity = QuantityKind::kDuration;
  bool positive = false;  // a quantity that may not be zero
  std::vector<std::string> values;
  std::vector<Field> fields;
  const Type* item = nullptr;
  std::vector<const Type*> alternatives;

  const Field* Find(std::string_view key) const;
};

// What a file may be: a scenario, or a suite of several ("scenarios").
struct Language {
  const Type* scenario;
  const Type* suite;
  const Type* matrix;               // part of a scenario
  const Type* seeds;                // part of a scenario
  const Type* window;               // part of a session_expectation
  const Type* session_expectation;  // an entry of "expect" for a session
  const Type* probe_expectation;    // an entry of "expect" for a probe
  const Type* flow_expectation;     // an entry of "expect" for background traffic
};

const Language& TheLanguage();

// Whether an expectation of a session is about what lies above ICE.
bool IsPeerExpectation(std::string_view key);

// Names as the files write them, index = the enumerator's value.
extern const std::vector<std::string> kMappingNames;         // sim::Mapping; also sim::Filtering
extern const std::vector<std::string> kPortAssignmentNames;  // sim::PortAssignment
extern const std::vector<std::string> kPortFallbackNames;    // sim::PortFallback
extern const std::vector<std::string> kPoolingNames;         // sim::Pooling
extern const std::vector<std::string> kHairpinningNames;     // sim::Hairpinning
extern const std::vector<std::string> kRefreshNames;         // sim::Refresh
extern const std::vector<std::string> kTrickleNames;         // IceSpec::Trickle
extern const std::vector<std::string> kPolicyNames;          // IceSpec::Policy
extern const std::vector<std::string> kActionNames;          // ActionSpec::Kind
extern const std::vector<std::string> kControllerNames;      // PeerSpec::controller_a
extern const std::vector<std::string> kVideoContentNames;    // MediaSpec::Content
extern const std::vector<std::string> kVideoSourceNames;     // MediaSpec::source
extern const std::vector<std::string> kFecNames;             // MediaSpec::fec
extern const std::vector<std::string> kFeedbackNames;        // MediaSpec::feedback
extern const std::vector<std::string> kSrtpProfileNames;     // PeerSpec::srtp_profiles
extern const std::vector<std::string> kFlowNames;            // FlowSpec::Kind
extern const std::vector<std::string> kCandidateTypeNames;   // host, srflx, prflx, relay

std::vector<std::string> NatPresetNames();       // with "none"
std::vector<std::string> FirewallPresetNames();  // with "none"
std::vector<std::string> LinkPresetNames();      // with "perfect"

inline constexpr std::string_view kInternet =
    "internet";  // the core's name in "network", "networks" and "parent"
inline constexpr std::size_t kMaxNames = 1000;  // of hosts, networks, servers, sessions or probes

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_LANGUAGE_H_
