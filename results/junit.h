// The result of a suite as JUnit XML, for CI systems that show tests from it.
#ifndef RTCLAB_RESULTS_JUNIT_H_
#define RTCLAB_RESULTS_JUNIT_H_

#include <memory>
#include <string>
#include <string_view>

#include "results/model.h"

namespace rtclab::results {

// A <testcase> of any suite. Text may hold anything: what XML cannot is replaced.
struct JunitCase {
  enum class Kind { kPass, kFailure, kError, kSkipped };
  std::string classname{}, name{};
  double time_s = 0;
  Kind kind = Kind::kPass;
  std::string type{};     // of a failure or error
  std::string message{};  // one line
  std::string text{};     // of a failure or error: its body; otherwise <system-out>
};

// One <testsuite>. Host name and time stamp, which common JUnit schemas require, are constants, so that the file depends on
// nothing but the cases.
class JunitDocument {
 public:
  explicit JunitDocument(std::string_view suite);
  ~JunitDocument();
  void AddProperty(std::string_view name, std::string_view value);
  void Add(const JunitCase& test);
  std::string Build();

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

// Builds the document run by run. One <testsuite>, one <testcase> a run: classname is the scenario, name the run's id,
// time the virtual seconds until the last session was connected.
class JunitBuilder {
 public:
  explicit JunitBuilder(const std::string& suite) : document_(suite) {}
  void Add(const Run& run);
  std::string Build() { return document_.Build(); }

 private:
  JunitDocument document_;
};

std::string ToJunit(const Suite& suite);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_JUNIT_H_
