#include "conformance/engine/overlay.h"

#include <algorithm>

#include "conformance/engine/json_fields.h"
#include "conformance/engine/text_file.h"

namespace rtclab::conformance {
namespace {

Known ReadExpected(JsonFields& at) {
  Known known;
  known.section = at.String("section").value_or("");
  known.reason = at.String("reason").value_or("");
  known.link = at.String("link").value_or("");
  if (const auto outcome = at.String("outcome")) {
    if (*outcome == "fail") {
      known.outcome = Outcome::kFail;
    } else if (*outcome == "weak") {
      known.outcome = Outcome::kWeak;
    } else {
      at.Complain("outcome", "expected \"fail\" or \"weak\"");
    }
  }
  if (known.reason.empty() && known.link.empty())
    at.Complain("reason", "expected a reason or a link");
  if (known.section.empty()) at.Complain("section", "expected the section that it deviates from");
  at.Finish();
  return known;
}

}  // namespace

std::string Known::Text() const {
  if (link.empty()) return reason;
  return reason.empty() ? link : reason + " (" + link + ")";
}

Result<Overlay> ParseOverlay(std::string_view text, const CaseList& catalogue) {
  const auto json = ParseJson(text);
  if (!json) return tl::unexpected(json.error());
  std::string error;
  JsonFields root(*json, "", error);
  Overlay overlay;
  overlay.server = root.String("server").value_or("");
  overlay.version = root.String("version").value_or("");
  std::vector<std::string> ids;
  for (const Case& test_case : catalogue) ids.emplace_back(test_case.id);
  if (const nlohmann::json* expected = root.Object("expected")) {
    JsonFields list(*expected, "/expected", error);
    for (const auto& [id, value] : expected->items()) {
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
        list.Complain(id, "there is no such case" + DidYouMean(id, ids));
      }
      JsonFields at(value, list.Pointer(id), error);
      overlay.expected.emplace(id, ReadExpected(at));
    }
  }
  root.Finish();
  if (!error.empty()) return Fail(error);
  return overlay;
}

Result<Overlay> LoadOverlay(const std::string& path, const CaseList& catalogue) {
  const auto text = ReadTextFile(path);
  if (!text) return tl::unexpected(text.error());
  auto overlay = ParseOverlay(*text, catalogue);
  if (!overlay) return Fail(path + ": " + overlay.error().reason);
  return overlay;
}

Expectation Compare(const Verdict& verdict, const Known& known) {
  const bool failed = verdict.outcome == Outcome::kFail || verdict.outcome == Outcome::kWeak;
  if (verdict.outcome == Outcome::kPass) return Expectation::kUnexpectedPass;
  if (failed && (!known.outcome || *known.outcome == verdict.outcome)) {
    return Expectation::kExpectedFail;
  }
  return Expectation::kNone;
}

}  // namespace rtclab::conformance
