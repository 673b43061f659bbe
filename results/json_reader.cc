// The reading half of results/json.h.
#include <algorithm>
#include <array>
#include <limits>

#include "results/json.h"

namespace rtclab::results {
namespace {

// nlohmann's parser recurses by hand on the heap, but its destructor and our readers need a bound of their own.
constexpr int kMaxNesting = 64;

// Walks one JSON value, remembering its JSON pointer; the first thing wrong is kept and the rest yields defaults.
class Reader {
 public:
  Reader(const Json& value, std::string pointer, std::string* error)
      : value_(value), pointer_(std::move(pointer)), error_(error) {}

  bool ok() const { return error_->empty(); }
  const Json& value() const { return value_; }
  bool IsNull() const { return value_.is_null(); }

  void Expect(bool condition, std::string_view expected) const {
    if (condition || !ok()) return;
    std::string found = value_.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (found.size() > 60) found = std::string("a long ") + value_.type_name();
    *error_ = (pointer_.empty() ? "the document" : pointer_) + ": expected " +
              std::string(expected) + ", found " + found;
  }
  bool Has(std::string_view key) const { return value_.is_object() && value_.contains(key); }
  Reader At(std::string_view key) const {
    static const Json kMissing = nullptr;
    Expect(value_.is_object(), "an object");
    const bool present = Has(key);
    if (!present && ok()) {
      *error_ = (pointer_.empty() ? "the document" : pointer_) + ": \"" + std::string(key) +
                "\" is missing";
    }
    const Json& member = present ? value_.at(std::string(key)) : kMissing;
    return Reader(member, pointer_ + "/" + std::string(key), error_);
  }
  std::string String() const {
    Expect(value_.is_string(), "a string");
    return ok() ? value_.get<std::string>() : "";
  }
  bool Bool() const {
    Expect(value_.is_boolean(), "true or false");
    return ok() && value_.get<bool>();
  }
  double Number() const {
    Expect(value_.is_number(), "a number");
    return ok() ? value_.get<double>() : 0;
  }
  std::optional<double> NumberOrNull() const {
    Expect(value_.is_number() || IsNull(), "a number or null");
    return ok() && !IsNull() ? std::optional(value_.get<double>()) : std::nullopt;
  }
  uint64_t Unsigned(uint64_t max) const {
    const bool fits = value_.is_number_unsigned() && value_.get<uint64_t>() <= max;
    Expect(fits, "a whole number from 0 to " + std::to_string(max));
    return ok() ? value_.get<uint64_t>() : 0;
  }
  int Count() const { return static_cast<int>(Unsigned(std::numeric_limits<int>::max())); }
  const Json& Object() const {
    static const Json kEmpty = Json::object();
    Expect(value_.is_object(), "an object");
    return ok() ? value_ : kEmpty;
  }
  std::optional<bool> BoolOrNull() const { return IsNull() ? std::nullopt : std::optional(Bool()); }
  template <typename F>
  void ForEach(F&& read) const {
    Expect(value_.is_array(), "an array");
    for (std::size_t i = 0; ok() && i < value_.size(); ++i) {
      read(Reader(value_[i], pointer_ + "/" + std::to_string(i), error_));
    }
  }

 private:
  const Json& value_;
  std::string pointer_;
  std::string* error_;
};

SelectedCandidate ReadCandidate(const Reader& r) {
  SelectedCandidate c;
  c.type = r.At("type").String();
  r.At("type").Expect(
      c.type == "host" || c.type == "srflx" || c.type == "prflx" || c.type == "relay",
      "host, srflx, prflx or relay");
  c.protocol = r.At("protocol").String();
  c.family = r.At("family").String();
  c.address = r.At("address").String();
  c.port = static_cast<uint16_t>(r.At("port").Unsigned(65535));
  return c;
}

CheckRecord ReadCheck(const Reader& r) {
  CheckRecord c;
  c.agent = r.At("agent").String();
  c.local = r.At("local").String();
  c.remote = r.At("remote").String();
  c.local_type = r.At("local_type").String();
  c.remote_type = r.At("remote_type").String();
  c.sent_ms = r.At("sent_ms").Number();
  c.transmissions = r.At("transmissions").Count();
  c.answered_ms = r.At("answered_ms").NumberOrNull();
  c.outcome = r.At("outcome").String();
  c.nominating = r.At("nominating").Bool();
  return c;
}

Why ReadWhy(const Reader& r) {
  Why why;
  why.text = r.At("text").String();
  r.At("causes").ForEach([&](const Reader& cause) {
    Cause& c = why.causes.emplace_back();
    c.where = cause.At("where").String();
    c.rule = cause.At("rule").String();
    c.text = cause.At("text").String();
    c.agent = cause.At("agent").String();
    c.pair = cause.At("pair").String();
    c.count = cause.At("count").Count();
    c.first_ms = cause.At("first_ms").Number();
  });
  return why;
}

Session ReadSession(const Reader& r) {
  static constexpr std::array kKnown = {"name",   "state", "selected_pair", "timing_ms",
                                        "checks", "why",   "check_log"};
  Session s;
  s.name = r.At("name").String();
  s.state = r.At("state").String();
  r.At("state").Expect(s.state == "connected" || s.state == "failed", "connected or failed");
  if (const Reader pair = r.At("selected_pair"); !pair.IsNull()) {
    s.selected_pair = {ReadCandidate(pair.At("local")), ReadCandidate(pair.At("remote"))};
  }
  const Reader timing = r.At("timing_ms");
  s.timing_ms.gathering = timing.At("gathering").NumberOrNull();
  s.timing_ms.first_valid_pair = timing.At("first_valid_pair").NumberOrNull();
  s.timing_ms.ice_connected = timing.At("ice_connected").NumberOrNull();
  // Results of before peer connections do not have these.
  for (auto [key, value] : {std::pair("dtls_connected", &s.timing_ms.dtls_connected),
                            std::pair("data_channel_open", &s.timing_ms.data_channel_open),
                            std::pair("first_media", &s.timing_ms.first_media)}) {
    if (timing.Object().contains(key)) *value = timing.At(key).NumberOrNull();
  }
  const Reader checks = r.At("checks");
  s.checks = {.sent = checks.At("sent").Count(),
              .received = checks.At("received").Count(),
              .succeeded = checks.At("succeeded").Count(),
              .failed = checks.At("failed").Count(),
              .retransmissions = checks.At("retransmissions").Count(),
              .role_conflicts = checks.At("role_conflicts").Count()};
  s.why = ReadWhy(r.At("why"));
  r.At("check_log").ForEach([&](const Reader& check) { s.check_log.push_back(ReadCheck(check)); });
  for (const auto& [key, value] : r.Object().items()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) s.extra[key] = value;
  }
  return s;
}

Probe ReadProbe(const Reader& r) {
  Probe p;
  p.name = r.At("name").String();
  p.host = r.At("host").String();
  p.server = r.At("server").String();
  p.state = r.At("state").String();
  p.mapping = r.At("mapping").String();
  p.filtering = r.At("filtering").String();
  p.hairpinning = r.At("hairpinning").BoolOrNull();
  p.port_preserved = r.At("port_preserved").BoolOrNull();
  p.lifetime_ms = r.At("lifetime_ms").NumberOrNull();
  return p;
}

Verdict ReadVerdict(const Reader& r) {
  const std::string text = r.String();
  for (const Verdict v : {Verdict::kPass, Verdict::kFail, Verdict::kError}) {
    if (text == ToString(v)) return v;
  }
  r.Expect(false, "pass, fail or error");
  return Verdict::kError;
}

Run ReadRun(const Reader& r) {
  Run run;
  run.id = r.At("id").String();
  run.scenario = r.At("scenario").String();
  run.parameters = r.At("parameters").Object();
  run.seed = r.At("seed").Unsigned(std::numeric_limits<uint64_t>::max());
  run.verdict = ReadVerdict(r.At("verdict"));
  if (run.verdict == Verdict::kError) run.error = r.At("error").String();
  r.At("failures").ForEach([&](const Reader& failure) {
    Failure& f = run.failures.emplace_back();
    f.expectation = failure.At("expectation").String();
    f.expected = failure.At("expected").String();
    f.actual = failure.At("actual").String();
    f.message = failure.At("message").String();
  });
  if (r.Has("misses")) {
    r.At("misses").ForEach([&](const Reader& miss) { run.misses.push_back(miss.String()); });
  }
  r.At("sessions").ForEach([&](const Reader& s) { run.sessions.push_back(ReadSession(s)); });
  r.At("probes").ForEach([&](const Reader& p) { run.probes.push_back(ReadProbe(p)); });
  run.network = r.At("network").Object();
  return run;
}

Counts ReadCounts(const Reader& r) {
  return {.runs = r.At("runs").Count(),
          .passed = r.At("passed").Count(),
          .failed = r.At("failed").Count(),
          .errors = r.At("errors").Count()};
}

Result<Json> ParseJson(std::string_view text) {
  bool too_deep = false;
  const auto bound = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxNesting;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, bound);
    if (too_deep) return Fail("nested deeper than " + std::to_string(kMaxNesting) + " levels");
    return json;
  } catch (const Json::parse_error& e) {
    return Fail(std::string("not JSON: ") + e.what(), e.byte);
  }
}

}  // namespace

Result<Run> ParseRun(std::string_view line) {
  const Result<Json> json = ParseJson(line);
  if (!json) return tl::unexpected(json.error());
  std::string error;
  Run run = ReadRun(Reader(*json, "", &error));
  if (!error.empty()) return Fail(error);
  return run;
}

Result<Suite> ParseSuite(std::string_view text) {
  const Result<Json> json = ParseJson(text);
  if (!json) return tl::unexpected(json.error());
  std::string error;
  const Reader r(*json, "", &error);
  const int version = r.At("schema_version").Count();
  if (error.empty() && version != kSchemaVersion) {
    return Fail("/schema_version: this rtclab reads version " + std::to_string(kSchemaVersion) +
                ", the file has version " + std::to_string(version));
  }
  Suite suite;
  suite.suite = r.At("suite").String();
  suite.build = r.At("build").String();
  suite.scenario_digest = r.At("scenario_digest").String();
  suite.complete = r.At("complete").Bool();
  r.At("runs").ForEach([&](const Reader& run) { suite.runs.push_back(ReadRun(run)); });
  const Counts counts = ReadCounts(r.At("summary"));
  if (error.empty() && counts != Count(suite)) {
    return Fail("/summary: does not match the verdicts in /runs");
  }
  if (!error.empty()) return Fail(error);
  return suite;
}

}  // namespace rtclab::results
