// The matrix of a scenario: its combinations of parameters, what they are called, and "${name}" replaced by them.
#ifndef RTCLAB_SCENARIOS_MATRIX_H_
#define RTCLAB_SCENARIOS_MATRIX_H_

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/document.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

struct AxisValue {
  std::string label;      // what ids and patterns call it
  std::string slug;       // the label for file names; unique in its axis
  bool labelled = false;  // by {"label", "value"}
  Node value;
};

struct Axis {
  std::string name;
  std::vector<AxisValue> values;
  std::set<std::string> labels;  // of the values
};

// What substitution may add to a tree, counting a value as 100 and a character as 1.
inline constexpr std::size_t kMaxExpansion = 20'000'000;

// One value of each axis, as indices.
using Combination = std::vector<std::size_t>;

class Matrix {
 public:
  // No matrix: one combination of nothing.
  Matrix();
  // `node` is the "matrix" member; its structure is checked here. More than `max_combinations` are an error.
  Matrix(const Node& node, std::size_t max_combinations, Report& report);

  const std::vector<Axis>& axes() const { return axes_; }
  const std::vector<Combination>& combinations() const { return combinations_; }

  // Whether `pattern`, the value of "when" or of an "exclude" entry, fits. Unknown axes, groups and values are
  // reported.
  bool Matches(const Node& pattern, const Combination& combination, Report& report) const;
  // The tree with every "${name}" replaced. A text that is nothing but "${name}" becomes the value, of any type. A tree
  // that would grow beyond kMaxExpansion is reported.
  Node Substituted(const Node& node, const Combination& combination, Report& report) const;

  Json Parameters(const Combination& combination) const;
  // "left=symmetric,right=full-cone"; empty without axes.
  std::string Id(const Combination& combination) const;

 private:
  void ReadAxes(const Node& axes, std::vector<Axis>& out, Report& report) const;
  void Multiply(const std::vector<Axis>& paired, std::size_t max_combinations, const Node& node,
                Report& report);
  bool ElementMatches(const Node& element, const Axis& axis, const AxisValue& value,
                      Report& report) const;
  static bool ValueMatches(const Node& element, const Axis& axis, const AxisValue& value,
                           Report& report);
  void CheckGroups(Report& report) const;
  const Axis* FindAxis(std::string_view name) const;
  std::vector<std::string> AxisNames() const;
  Node Substitute(const Node& node, const Combination& combination, Report& report,
                  std::size_t& budget) const;
  std::string Expanded(const Node& node, const Combination& combination, Report& report) const;

  std::vector<Axis> axes_;
  std::vector<Combination> combinations_;
  Node groups_;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_MATRIX_H_
