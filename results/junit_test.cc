#include "results/junit.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <set>
#include <string>

#include "results/test_data.h"

namespace rtclab::results {
namespace {

pugi::xml_document Parse(const std::string& text) {
  pugi::xml_document xml;
  const pugi::xml_parse_result result = xml.load_string(text.c_str(), pugi::parse_full);
  EXPECT_TRUE(result) << result.description();
  return xml;
}

// What the schema of Ant's JUnit task, the one that CI systems agree on, asks of a document.
void ExpectCommonSchema(const pugi::xml_document& xml) {
  const pugi::xml_node suite = xml.child("testsuites").child("testsuite");
  for (const char* name :
       {"package", "id", "name", "timestamp", "hostname", "tests", "failures", "errors", "time"}) {
    EXPECT_TRUE(suite.attribute(name)) << name;
  }
  std::string order;
  for (const pugi::xml_node child : suite.children()) order += std::string(child.name()) + " ";
  EXPECT_EQ(order, "properties testcase testcase testcase system-out system-err ");
  for (const pugi::xml_node test : suite.children("testcase")) {
    for (const char* name : {"classname", "name", "time"}) EXPECT_TRUE(test.attribute(name));
    for (const pugi::xml_node child : test.children()) {
      EXPECT_TRUE(std::string(child.name()) == "failure" || std::string(child.name()) == "error");
      EXPECT_TRUE(child.attribute("type"));
    }
  }
}

TEST(JunitTest, HasWhatTheCommonSchemaAsksFor) {
  const pugi::xml_document xml = Parse(ToJunit(ExampleSuite()));
  ExpectCommonSchema(xml);
  const pugi::xml_node suite = xml.child("testsuites").child("testsuite");
  EXPECT_EQ(suite.attribute("tests").as_int(), 3);
  EXPECT_EQ(suite.attribute("failures").as_int(), 1);
  EXPECT_EQ(suite.attribute("errors").as_int(), 1);
  EXPECT_STREQ(suite.attribute("time").value(), "0.301000");
}

TEST(JunitTest, OneTestCaseARunWithItsReason) {
  const pugi::xml_document xml = Parse(ToJunit(ExampleSuite()));
  pugi::xml_node test = xml.child("testsuites").child("testsuite").child("testcase");
  EXPECT_STREQ(test.attribute("name").value(), "a");
  EXPECT_STREQ(test.attribute("classname").value(), "nat-matrix");
  EXPECT_FALSE(test.first_child());
  test = test.next_sibling("testcase");
  EXPECT_STREQ(test.child("failure").attribute("message").value(),
               "/expect/call/state: expected failed, actual connected");
  test = test.next_sibling("testcase");
  EXPECT_STREQ(test.child("error").attribute("message").value(), "crashed: SIGSEGV");
}

TEST(JunitTest, HoldsNoCharacterThatXmlForbids) {
  const std::string text =
      ToJunit(ExampleSuite());  // run b's message has an escape and a stray byte
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("&#27;"), std::string::npos);
  EXPECT_EQ(text.find("&#x1B;"), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
  EXPECT_NE(text.find("&lt;&amp;&gt;"), std::string::npos);
}

TEST(JunitTest, EmptySuiteIsADocumentToo) {
  const pugi::xml_document xml = Parse(ToJunit(Suite()));
  EXPECT_EQ(xml.child("testsuites").child("testsuite").attribute("tests").as_int(-1), 0);
}

}  // namespace
}  // namespace rtclab::results
