// What a case says about a server, and how sure it is.
#ifndef RTCLAB_CONFORMANCE_ENGINE_VERDICT_H_
#define RTCLAB_CONFORMANCE_ENGINE_VERDICT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rtclab::conformance {

enum class Outcome : uint8_t {
  kPass,
  kFail,  // the server does otherwise than a MUST, or than prose that leaves no choice, or than a safety policy
  kWeak,  // a SHOULD, SHOULD NOT or RECOMMENDED is not met
  kInfo,  // nothing to judge: what was seen is worth knowing (MAY, or where the text is silent)
  kUnsupported,  // a feature probe or the target's declaration says that the server lacks it; never guessed from a failure
  kSkipped,      // not tried, for a reason on our side: no such peer, not asked for
  kBlocked,      // a step before the one that matters failed
  kError,        // our own fault
};
std::string_view ToString(Outcome outcome);  // "pass", "fail", ...

struct Verdict {
  Outcome outcome = Outcome::kPass;
  std::string expected{};  // fail, weak: what the clause asks for
  std::string actual{};    // fail, weak: what was seen; info: the observation
  std::string reason{};    // unsupported, skipped, blocked, error: why
};

// How a verdict stands to what was known before (overlay.h).
enum class Expectation : uint8_t {
  kNone,            // nothing was said of this case
  kExpectedFail,    // xfail: failed as listed
  kUnexpectedPass,  // xpass: listed as failing, and it passes: the list is out of date, the run fails
};
std::string_view ToString(Expectation expectation);  // "", "xfail", "xpass"

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_VERDICT_H_
