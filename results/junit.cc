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

std::string Seconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6f", seconds);
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

struct JunitDocument::Document {
  pugi::xml_document xml;
  pugi::xml_node suite;
  pugi::xml_node properties;
  int tests = 0, failures = 0, errors = 0, skipped = 0;
  double total_s = 0;
};

JunitDocument::JunitDocument(std::string_view suite) : document_(std::make_unique<Document>()) {
  Document& d = *document_;
  d.suite = d.xml.append_child("testsuites").append_child("testsuite");
  d.suite.append_attribute("id") = 0;
  d.suite.append_attribute("package") = "rtclab";
  d.suite.append_attribute("name") = XmlText(suite).c_str();
  d.suite.append_attribute("timestamp") = "1970-01-01T00:00:00";
  d.suite.append_attribute("hostname") = "localhost";
  for (const char* name : {"tests", "failures", "errors", "time"}) d.suite.append_attribute(name);
  d.properties = d.suite.append_child("properties");
}

JunitDocument::~JunitDocument() = default;

void JunitDocument::AddProperty(std::string_view name, std::string_view value) {
  pugi::xml_node node = document_->properties.append_child("property");
  node.append_attribute("name") = XmlText(name).c_str();
  node.append_attribute("value") = XmlText(value).c_str();
}

void JunitDocument::Add(const JunitCase& test) {
  Document& d = *document_;
  ++d.tests;
  d.total_s += test.time_s;
  pugi::xml_node node = d.suite.append_child("testcase");
  node.append_attribute("classname") = XmlText(test.classname).c_str();
  node.append_attribute("name") = XmlText(test.name).c_str();
  node.append_attribute("time") = Seconds(test.time_s).c_str();
  const auto add_text = [&](pugi::xml_node& parent) {
    parent.append_child(pugi::node_pcdata).set_value(XmlText(test.text).c_str());
  };
  if (test.kind == JunitCase::Kind::kFailure || test.kind == JunitCase::Kind::kError) {
    const bool error = test.kind == JunitCase::Kind::kError;
    ++(error ? d.errors : d.failures);
    pugi::xml_node why = node.append_child(error ? "error" : "failure");
    why.append_attribute("message") = XmlText(test.message).c_str();
    why.append_attribute("type") = XmlText(test.type).c_str();
    add_text(why);
    return;
  }
  if (test.kind == JunitCase::Kind::kSkipped) {
    ++d.skipped;
    node.append_child("skipped").append_attribute("message") = XmlText(test.message).c_str();
  }
  if (test.text.empty()) return;
  pugi::xml_node out = node.append_child("system-out");
  add_text(out);
}

std::string JunitDocument::Build() {
  Document& d = *document_;
  d.suite.attribute("tests") = d.tests;
  d.suite.attribute("failures") = d.failures;
  d.suite.attribute("errors") = d.errors;
  d.suite.attribute("time") = Seconds(d.total_s).c_str();
  if (d.skipped > 0) d.suite.append_attribute("skipped") = d.skipped;
  d.suite.append_child("system-out");
  d.suite.append_child("system-err");
  std::ostringstream out;
  d.xml.save(out, "  ", pugi::format_indent, pugi::encoding_utf8);
  return out.str();
}

void JunitBuilder::Add(const Run& run) {
  JunitCase test{.classname = run.scenario,
                 .name = run.id,
                 .time_s = VirtualMs(run) / 1000.0,
                 .type = {},
                 .message = {},
                 .text = {}};
  if (run.verdict != Verdict::kPass) {
    const bool error = run.verdict == Verdict::kError;
    test.kind = error ? JunitCase::Kind::kError : JunitCase::Kind::kFailure;
    test.type = error ? "error" : "expectation";
    test.message = run.error;
    if (!error && !run.failures.empty()) {
      const Failure& f = run.failures.front();
      test.message = f.expectation + ": expected " + f.expected + ", actual " + f.actual;
    }
    test.text = FailureText(run);
  }
  document_.Add(test);
}

std::string ToJunit(const Suite& suite) {
  JunitBuilder builder(suite.suite);
  for (const Run& run : suite.runs) builder.Add(run);
  return builder.Build();
}

}  // namespace rtclab::results
