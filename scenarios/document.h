// A JSON text as a tree that remembers where every value stood, so that a complaint can name line, column and pointer
// even after values were merged or substituted into other places.
#ifndef RTCLAB_SCENARIOS_DOCUMENT_H_
#define RTCLAB_SCENARIOS_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "scenarios/diagnostic.h"
#include "scenarios/run_spec.h"

namespace rtclab::scenarios {

struct Position {
  int line = 1;
  int column = 1;

  auto operator<=>(const Position&) const = default;
};

// Where a value stands: an index into Origins.
using OriginId = std::size_t;

class Origins {
 public:
  OriginId AddRoot(Position value);
  OriginId Add(OriginId parent, std::string token, Position key, Position value);
  // RFC 6901; empty for the root.
  std::string Pointer(OriginId id) const;
  Position value(OriginId id) const { return all_[id].value; }
  Position key(OriginId id) const {
    return all_[id].key;
  }  // of an array's element: the element itself

 private:
  struct Origin {
    OriginId parent = 0;
    std::string token;
    Position key, value;
  };
  std::vector<Origin> all_;  // a parent stands before its children; the root is its own parent
};

struct Member;

struct Node {
  enum class Type : uint8_t { kNull, kBool, kInteger, kReal, kString, kArray, kObject };
  Type type = Type::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;  // also of an integer
  std::string text;
  std::vector<Node> items;
  std::vector<Member> members;
  OriginId origin = 0;

  bool IsBool() const { return type == Type::kBool; }
  bool IsString() const { return type == Type::kString; }
  bool IsArray() const { return type == Type::kArray; }
  bool IsObject() const { return type == Type::kObject; }
  bool IsNumber() const { return type == Type::kInteger || type == Type::kReal; }
  const Node* Find(std::string_view key) const;  // of an object; nullptr when absent
  // The value without its origins.
  Json ToJson() const;
};

struct Member {
  std::string key;
  Node value;
};

struct Document {
  Node root;
  Origins origins;
};

inline constexpr int kMaxDepth = 64;

// Parses RFC 8259 JSON: UTF-8 without a byte order mark, no comments, no duplicate keys, at most kMaxDepth levels.
tl::expected<Document, Diagnostic> ParseDocument(std::string_view text, std::string_view file);

// RFC 7396: `patch` laid over `base`; a null deletes. Every value keeps the origin that it had.
Node Merged(const Node& base, const Node& patch);

// "the number 20", "the string \"x\"", "an object": how messages name what was found.
std::string Describe(const Node& node);

// Collects diagnostics, each once, up to a limit.
class Report {
 public:
  Report(std::string file, const Origins& origins, std::size_t limit)
      : file_(std::move(file)), origins_(origins), limit_(limit) {}

  // `at_key`: the complaint is about the member's key, not its value.
  void Add(OriginId origin, const std::string& message, bool at_key = false);
  // Complaints so far, repeated ones and those over the limit included: tells whether something was wrong since.
  std::size_t count() const { return count_; }
  bool full() const { return found_.size() >= limit_; }
  // In the order of the file.
  std::vector<Diagnostic> Take();

 private:
  std::string file_;
  const Origins& origins_;
  std::size_t limit_;
  std::set<std::pair<OriginId, std::string>> seen_;
  std::vector<Diagnostic> found_;
  std::size_t count_ = 0;
};

}  // namespace rtclab::scenarios

#endif  // RTCLAB_SCENARIOS_DOCUMENT_H_
