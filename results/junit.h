// The result of a suite as JUnit XML, for CI systems that show tests from it.
#ifndef RTCLAB_RESULTS_JUNIT_H_
#define RTCLAB_RESULTS_JUNIT_H_

#include <memory>
#include <string>

#include "results/model.h"

namespace rtclab::results {

// Builds the document run by run. One <testsuite>, one <testcase> a run: classname is the scenario, name the run's id,
// time the virtual seconds until the last session was connected. Host name and time stamp, which common JUnit schemas
// require, are constants, so that the file depends on nothing but the runs.
class JunitBuilder {
 public:
  explicit JunitBuilder(const std::string& suite);
  ~JunitBuilder();
  void Add(const Run& run);
  std::string Build();

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

std::string ToJunit(const Suite& suite);

}  // namespace rtclab::results

#endif  // RTCLAB_RESULTS_JUNIT_H_
