// ToJunit() of report.h.
#include <fmt/format.h>

#include "conformance/report/exchange_describer.h"
#include "conformance/report/report.h"
#include "results/junit.h"

namespace rtclab::conformance {
namespace {

using results::JunitCase;

std::string JunitText(const CaseResult& result) {
  std::string text;
  const auto add = [&text](std::string_view label, std::string_view value) {
    if (!value.empty()) text += fmt::format("{}: {}\n", label, value);
  };
  add("expected", result.verdict.expected);
  add(result.verdict.outcome == Outcome::kInfo ? "observed" : "actual", result.verdict.actual);
  add("reason", result.verdict.reason);
  add("known", result.known);
  if (result.flaky) add("flaky: at first", result.first_failure);
  if (!HasEvidence(result)) return text;
  for (const Clause& clause : result.test_case->clauses) {
    text += fmt::format("{} ({}): {}\n", ClauseName(clause), ToString(clause.level), clause.quote);
  }
  for (const std::string& line : DescribeExchange(result.exchange)) text += line + "\n";
  return text;
}

JunitCase::Kind JunitKind(const CaseResult& result) {
  switch (result.verdict.outcome) {
    case Outcome::kPass:
      return result.expectation == Expectation::kUnexpectedPass ? JunitCase::Kind::kFailure
                                                                : JunitCase::Kind::kPass;
    case Outcome::kWeak:
    case Outcome::kInfo:
      return JunitCase::Kind::kPass;
    case Outcome::kFail:
      return result.expectation == Expectation::kExpectedFail ? JunitCase::Kind::kSkipped
                                                              : JunitCase::Kind::kFailure;
    case Outcome::kUnsupported:
    case Outcome::kSkipped:
      return JunitCase::Kind::kSkipped;
    case Outcome::kBlocked:
    case Outcome::kError:
      break;
  }
  return JunitCase::Kind::kError;
}

std::string JunitMessage(const CaseResult& result) {
  const Verdict& v = result.verdict;
  if (result.expectation == Expectation::kUnexpectedPass) {
    return "passes, and is listed as failing: " + result.known;
  }
  if (v.outcome == Outcome::kFail) {
    const bool known = result.expectation == Expectation::kExpectedFail;
    return fmt::format("{}expected {}, actual {}", known ? "expected failure: " : "", v.expected,
                       v.actual);
  }
  return fmt::format("{}: {}", ToString(v.outcome), v.reason);
}

// Requirement ids are dotted: all but the last part group the cases in a CI system.
std::string JunitClass(std::string_view id) {
  return "conform." + std::string(id.substr(0, std::min(id.rfind('.'), id.size())));
}

}  // namespace

std::string ToJunit(const RunReport& report) {
  results::JunitDocument document("rtclab conform " + report.uri);
  document.AddProperty("uri", report.uri);
  document.AddProperty("software", report.software);
  document.AddProperty("complete", report.complete ? "true" : "false");
  for (const std::string& warning : report.warnings) document.AddProperty("warning", warning);
  for (const NotTested& one : report.not_tested) {
    document.AddProperty("not_tested", one.part + ": " + one.why);
  }
  if (!report.complete) {
    // A run that ended early must not look like one without failures.
    document.Add({.classname = "conform",
                  .name = "complete",
                  .kind = JunitCase::Kind::kError,
                  .type = "incomplete",
                  .message = report.incomplete_why,
                  .text = "The run did not reach its end: " + report.incomplete_why});
  }
  for (const CaseResult& result : report.results) {
    JunitCase test{.classname = JunitClass(result.test_case->id),
                   .name = std::string(result.test_case->id),
                   .time_s = result.elapsed.seconds(),
                   .kind = JunitKind(result),
                   .type = {},
                   .message = {},
                   .text = JunitText(result)};
    if (test.kind != JunitCase::Kind::kPass) test.message = JunitMessage(result);
    const bool has_level =
        result.verdict.outcome == Outcome::kFail && !result.test_case->clauses.empty();
    test.type = has_level ? std::string(ToString(result.test_case->clauses.front().level))
                          : std::string(ToString(result.verdict.outcome));
    document.Add(test);
  }
  return document.Build();
}

}  // namespace rtclab::conformance
