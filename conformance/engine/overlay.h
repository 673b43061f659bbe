// What a server of one version is known to do otherwise: a file beside its target profile.
//
//   {"server": "coturn", "version": "4.6.1",
//    "expected": {"turn.alloc.some-case": {"outcome": "fail", "section": "RFC 8656 section 7.2", "reason": "...", "link": "https://..."}}}
#ifndef RTCLAB_CONFORMANCE_ENGINE_OVERLAY_H_
#define RTCLAB_CONFORMANCE_ENGINE_OVERLAY_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "conformance/engine/case.h"
#include "conformance/engine/verdict.h"
#include "stack/base/error.h"

namespace rtclab::conformance {

struct Known {
  std::optional<Outcome> outcome{};  // fail or weak; none: either
  std::string section{};
  std::string reason{};
  std::string link{};
  // For reports: reason and link.
  std::string Text() const;
};

struct Overlay {
  std::string server{};
  std::string version{};
  std::map<std::string, Known, std::less<>> expected{};
};

// Fails with a JSON pointer and what is wrong there: unknown keys and case ids (with the nearest right one), a case without reason or
// section, an outcome other than fail and weak.
Result<Overlay> ParseOverlay(std::string_view text, const CaseList& catalogue);
Result<Overlay> LoadOverlay(const std::string& path, const CaseList& catalogue);

// How a verdict stands to what is known of the case.
Expectation Compare(const Verdict& verdict, const Known& known);

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_OVERLAY_H_
