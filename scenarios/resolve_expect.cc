#include "scenarios/resolve_expect.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/cause_rules.h"
#include "scenarios/language.h"
#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

// Whether the values of this check are durations, which become milliseconds.
bool IsDuration(const Type& check) {
  return check.kind == Type::Kind::kChoice &&
         check.alternatives.front()->kind == Type::Kind::kQuantity;
}

Json Value(const Node& node, bool duration) {
  return duration ? Json(DurationOf(node).millis_f()) : node.ToJson();
}

Json Tolerance(const Node& node, bool duration, double equals) {
  if (node.IsNumber()) return node.real;
  if (const auto share = ParseQuantity(node.text, QuantityKind::kShare)) return equals * *share;
  return Value(node, duration);
}

Json Range(const Node& node, bool duration, Report& report) {
  const Node* min = node.Find("min");
  const Node* max = node.Find("max");
  const Node* equals = node.Find("equals");
  const Node* tolerance = node.Find("tolerance");
  const bool bounds = min != nullptr || max != nullptr;
  if (bounds == (equals != nullptr) || (tolerance != nullptr && equals == nullptr)) {
    report.Add(node.origin,
               "expected either \"min\" or \"max\" or both, or \"equals\" with a \"tolerance\"");
    return nullptr;
  }
  Json out = Json::object();
  if (equals != nullptr) {
    out["equals"] = Value(*equals, duration);
    out["tolerance"] = tolerance == nullptr
                           ? Json(0)
                           : Tolerance(*tolerance, duration, out["equals"].get<double>());
    return out;
  }
  if (min != nullptr) out["min"] = Value(*min, duration);
  if (max != nullptr) out["max"] = Value(*max, duration);
  if (min != nullptr && max != nullptr && out["min"].get<double>() > out["max"].get<double>()) {
    report.Add(node.origin, "\"min\" is more than \"max\"");
  }
  return out;
}

class ExpectationResolver {
 public:
  ExpectationResolver(const Matrix& matrix, const Combination& combination, const Origins& origins,
                      Report& report, RunSpec& run)
      : matrix_(matrix), combination_(combination), origins_(origins), report_(report), run_(run) {}

  void Entry(const Node& entry) {
    const Node* when = entry.Find("when");
    // The entry is checked even where it does not apply: its mistakes are the file's, not this run's.
    const bool applies = when == nullptr || matrix_.Matches(*when, combination_, report_);
    std::string because;
    Read(entry, "because", because);
    for (const Member& member : entry.members) {
      if (member.key != "when" && member.key != "because") Subject(member, because, applies);
    }
  }

 private:
  void Subject(const Member& subject, const std::string& because, bool applies) {
    const Type* type = TypeOf(subject);
    if (type == nullptr) return;
    const std::size_t before = report_.count();
    CheckStructure(subject.value, *type, report_);
    if (report_.count() > before) return;
    std::string reason = because;
    Read(subject.value, "because", reason);
    for (const Member& member : subject.value.members) {
      if (member.key == "because") continue;
      if (member.key == "cause") CheckCause(member.value, run_.network, applies, report_);
      const bool duration = IsDuration(*type->Find(member.key)->type);
      Expectation expectation;
      expectation.pointer = origins_.Pointer(subject.value.origin) + "/" + PointerToken(member.key);
      expectation.subject = subject.key;
      expectation.key = member.key;
      expectation.because = reason;
      if (member.value.IsObject()) {
        expectation.value = Range(member.value, duration, report_);
      } else if (member.value.IsArray()) {
        expectation.value = Json::array();
        for (const Node& item : member.value.items)
          expectation.value.push_back(Value(item, duration));
      } else {
        expectation.value = Value(member.value, duration);
      }
      if (applies) run_.expectations.push_back(std::move(expectation));
    }
  }

  const Type* TypeOf(const Member& subject) {
    std::vector<std::string> names;
    for (const SessionSpec& session : run_.sessions) {
      if (session.name == subject.key) return TheLanguage().session_expectation;
      names.push_back(session.name);
    }
    for (const ProbeSpec& probe : run_.probes) {
      if (probe.name == subject.key) return TheLanguage().probe_expectation;
      names.push_back(probe.name);
    }
    names.insert(names.end(), {"when", "because"});
    report_.Add(subject.value.origin,
                fmt::format("unknown session or probe {}{}", Quoted(subject.key),
                            Suggestion(subject.key, names)),
                true);
    return nullptr;
  }

  const Matrix& matrix_;
  const Combination& combination_;
  const Origins& origins_;
  Report& report_;
  RunSpec& run_;
};

}  // namespace

void ResolveExpectations(const Node& expect, const Matrix& matrix, const Combination& combination,
                         const Origins& origins, Report& report, RunSpec& run) {
  for (const char* reserved : {"when", "because"}) {
    for (const SessionSpec& session : run.sessions) {
      if (session.name == reserved)
        report.Add(expect.origin, fmt::format("a session cannot be called \"{}\"", reserved));
    }
    for (const ProbeSpec& probe : run.probes) {
      if (probe.name == reserved)
        report.Add(expect.origin, fmt::format("a probe cannot be called \"{}\"", reserved));
    }
  }
  ExpectationResolver resolver(matrix, combination, origins, report, run);
  if (expect.IsObject()) resolver.Entry(expect);
  for (const Node& entry : expect.items) resolver.Entry(entry);
}

}  // namespace rtclab::scenarios
