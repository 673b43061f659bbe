#include "results/junit.h"

#include <algorithm>
#include <cstdio>
#include <pugixml.hpp>
#include <sstream>

#include "results/json.h"

namespace rtclab::results {
namespace {

// XML 1.0 section 2.2 has no control characters but tab, line feed and carriage return, not even escaped; neither
// U+FFFE, U+FFFF nor bytes that are not UTF-8. They become U+FFFD.
std::string XmlText(std::string_view text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string utf8 = Json::parse(quoted).get<std::string>();
  std::string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const bool control = byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
    const std::string_view three = std::string_view(utf8).substr(i, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") {
      out += "\xEF\xBF\xBD";
      i += 2;
    } else {
      out += control ? std::string("\xEF\xBF\xBD") : std::string(1, utf8[i]);
    }
  }
  return out;
}

double VirtualMs(const Run& run) {
  double ms = 0;
  for (const Session& s : run.sessions) ms = std::max(ms, s.timing_ms.ice_connected.value_or(0));
  return ms;
}

std::string Seconds(double ms) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6f", ms / 1000.0);
  return text;
}

std::string FailureText(const Run& run) {
  std::string text;
  for (const Failure& f : run.failures) {
    text += f.expectation + ": expected " + f.expected + ", actual " + f.actual + "\n";
    if (!f.message.empty()) text += "  " + f.message + "\n";
  }
  for (const Session& s : run.sessions) {
    if (!s.why.text.empty()) text += s.name + ": " + s.why.text + "\n";
  }
  return text;
}

}  // namespace

struct JunitBuilder::Document {
  pugi::xml_document xml;
  pugi::xml_node suite;
  Counts counts;
  double total_ms = 0;
};

JunitBuilder::JunitBuilder(const std::string& suite) : document_(std::make_unique<Document>()) {
  Document& d = *document_;
  d.suite = d.xml.append_child("testsuites").append_child("testsuite");
  d.suite.append_attribute("id") = 0;
  d.suite.append_attribute("package") = "rtclab";
  d.suite.append_attribute("name") = XmlText(suite).c_str();
  d.suite.append_attribute("timestamp") = "1970-01-01T00:00:00";
  d.suite.append_attribute("hostname") = "localhost";
  for (const char* name : {"tests", "failures", "errors", "time"}) d.suite.append_attribute(name);
  d.suite.append_child("properties");
}

JunitBuilder::~JunitBuilder() = default;

void JunitBuilder::Add(const Run& run) {
  Document& d = *document_;
  d.counts.Add(run.verdict);
  d.total_ms += VirtualMs(run);
  pugi::xml_node test = d.suite.append_child("testcase");
  test.append_attribute("classname") = XmlText(run.scenario).c_str();
  test.append_attribute("name") = XmlText(run.id).c_str();
  test.append_attribute("time") = Seconds(VirtualMs(run)).c_str();
  if (run.verdict == Verdict::kPass) return;
  const bool error = run.verdict == Verdict::kError;
  pugi::xml_node node = test.append_child(error ? "error" : "failure");
  std::string message = run.error;
  if (!error && !run.failures.empty()) {
    const Failure& f = run.failures.front();
    message = f.expectation + ": expected " + f.expected + ", actual " + f.actual;
  }
  node.append_attribute("message") = XmlText(message).c_str();
  node.append_attribute("type") = error ? "error" : "expectation";
  node.append_child(pugi::node_pcdata).set_value(XmlText(FailureText(run)).c_str());
}

std::string JunitBuilder::Build() {
  Document& d = *document_;
  d.suite.attribute("tests") = d.counts.runs;
  d.suite.attribute("failures") = d.counts.failed;
  d.suite.attribute("errors") = d.counts.errors;
  d.suite.attribute("time") = Seconds(d.total_ms).c_str();
  d.suite.append_child("system-out");
  d.suite.append_child("system-err");
  std::ostringstream out;
  d.xml.save(out, "  ", pugi::format_indent, pugi::encoding_utf8);
  return out.str();
}

std::string ToJunit(const Suite& suite) {
  JunitBuilder builder(suite.suite);
  for (const Run& run : suite.runs) builder.Add(run);
  return builder.Build();
}

}  // namespace rtclab::results
