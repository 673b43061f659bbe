#include "scenarios/document.h"

#include <fmt/format.h>

#include <algorithm>

namespace rtclab::scenarios {
namespace {

// Walks over the tokens of a text that nlohmann::json has just accepted token by token, to learn where each began:
// its SAX interface tells what it read, not where. Commas and colons are passed over like white space.
class TokenScanner {
 public:
  explicit TokenScanner(std::string_view text) : text_(text) {}

  // Where the next token begins; moves past it.
  Position Next() {
    while (at_ < text_.size() && IsSeparator(text_[at_])) Advance();
    const Position start = position_;
    if (at_ >= text_.size()) return start;
    const char first = text_[at_];
    Advance();
    if (first == '"') {
      PassString();
    } else if (first != '{' && first != '}' && first != '[' && first != ']') {
      while (at_ < text_.size() && !IsSeparator(text_[at_]) && text_[at_] != ']' &&
             text_[at_] != '}')
        Advance();
    }
    return start;
  }

  // Moves to a byte offset that is not before the present one.
  Position At(std::size_t offset) {
    while (at_ < offset && at_ < text_.size()) Advance();
    return position_;
  }

 private:
  static bool IsSeparator(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':';
  }

  void PassString() {
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') Advance();
      if (at_ < text_.size()) Advance();
    }
    if (at_ < text_.size()) Advance();
  }

  void Advance() {
    const auto c = static_cast<unsigned char>(text_[at_++]);
    if (c == '\n') {
      ++position_.line;
      position_.column = 1;
    } else if ((c & 0xC0) !=
               0x80) {  // the continuation bytes of UTF-8 are no characters of their own
      ++position_.column;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Position position_;
};

// What nlohmann says without its prefix, in printable ASCII and of bearable length.
std::string SyntaxMessage(std::string_view what) {
  if (const auto cut = what.find("] "); cut != std::string_view::npos) what.remove_prefix(cut + 2);
  if (const auto cut = what.find("column ");
      cut != std::string_view::npos && what.starts_with("parse error")) {
    what.remove_prefix(cut);
    if (const auto colon = what.find(": "); colon != std::string_view::npos)
      what.remove_prefix(colon + 2);
  }
  std::string out;
  for (const char c : what.substr(0, 240)) out += c >= ' ' && c <= '~' ? c : '?';
  if (what.size() > 240) out += "...";
  return out;
}

// Builds the tree from nlohmann's SAX events. Returns false from an event to stop at the first error.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::string_view file)
      : text_(text), file_(file), scanner_(text) {}

  bool null() { return Scalar(Node{}); }
  bool boolean(bool v) {
    Node node;
    node.type = Node::Type::kBool;
    node.boolean = v;
    return Scalar(std::move(node));
  }
  bool number_integer(int64_t v) {
    Node node;
    node.type = Node::Type::kInteger;
    node.integer = v;
    node.real = static_cast<double>(v);
    return Scalar(std::move(node));
  }
  bool number_unsigned(uint64_t v) {
    if (v > static_cast<uint64_t>(INT64_MAX)) return number_float(static_cast<double>(v), {});
    return number_integer(static_cast<int64_t>(v));
  }
  bool number_float(double v, const std::string& /*text*/) {
    Node node;
    node.type = Node::Type::kReal;
    node.real = v;
    return Scalar(std::move(node));
  }
  bool string(std::string& v) {
    Node node;
    node.type = Node::Type::kString;
    node.text = std::move(v);
    return Scalar(std::move(node));
  }
  bool binary(std::vector<uint8_t>& /*v*/) { return false; }  // not in JSON text
  bool start_object(std::size_t /*count*/) { return Open(Node::Type::kObject); }
  bool start_array(std::size_t /*count*/) { return Open(Node::Type::kArray); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(std::string& name) {
    Level& level = open_.back();
    level.key_position = scanner_.Next();
    level.key = name;
    if (!level.keys.insert(name).second) {
      return Complain(level.key_position,
                      document_.origins.Pointer(level.node->origin) + "/" + PointerToken(name),
                      fmt::format("the key {} is given twice in this object", Quoted(name)));
    }
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) {
    const std::size_t offset = position == 0 ? 0 : std::min(position - 1, text_.size());
    std::string message = SyntaxMessage(error.what());
    if (text_.substr(offset).starts_with('/') ||
        (offset > 0 && text_.substr(offset - 1).starts_with('/'))) {
      message += "; JSON has no comments, use a \"description\"";
    }
    TokenScanner scanner(text_);
    return Complain(scanner.At(offset),
                    open_.empty() ? "" : document_.origins.Pointer(open_.back().node->origin),
                    message);
  }

  bool failed() const { return !error_.message.empty(); }
  Diagnostic& error() { return error_; }
  Document& document() { return document_; }

 private:
  struct Level {
    Node* node = nullptr;
    std::string key;
    Position key_position;
    std::set<std::string> keys;
  };

  bool Complain(Position at, std::string pointer, std::string message) {
    error_ =
        Diagnostic{std::string(file_), at.line, at.column, std::move(pointer), std::move(message)};
    return false;
  }

  // Puts a value where it belongs. The address stays good while the value is open: its parent takes no other.
  Node* Place(Node node) {
    const Position at = scanner_.Next();
    if (open_.empty()) {
      node.origin = document_.origins.AddRoot(at);
      document_.root = std::move(node);
      return &document_.root;
    }
    Level& level = open_.back();
    Node& parent = *level.node;
    if (parent.IsArray()) {
      node.origin =
          document_.origins.Add(parent.origin, std::to_string(parent.items.size()), at, at);
      return &parent.items.emplace_back(std::move(node));
    }
    node.origin = document_.origins.Add(parent.origin, level.key, level.key_position, at);
    return &parent.members.emplace_back(Member{level.key, std::move(node)}).value;
  }

  bool Scalar(Node node) {
    Place(std::move(node));
    return true;
  }

  bool Open(Node::Type type) {
    Node node;
    node.type = type;
    Node* placed = Place(std::move(node));
    if (static_cast<int>(open_.size()) >= kMaxDepth) {
      const Position at = document_.origins.value(placed->origin);
      return Complain(
          at, "", fmt::format("objects and arrays are nested more than {} levels deep", kMaxDepth));
    }
    open_.push_back(Level{.node = placed, .key = {}, .key_position = {}, .keys = {}});
    return true;
  }

  bool Close() {
    scanner_.Next();
    open_.pop_back();
    return true;
  }

  std::string_view text_, file_;
  TokenScanner scanner_;
  Document document_;
  std::vector<Level> open_;
  Diagnostic error_;
};

}  // namespace

OriginId Origins::AddRoot(Position value) {
  all_.push_back(Origin{.parent = 0, .token = {}, .key = value, .value = value});
  return all_.size() - 1;
}

OriginId Origins::Add(OriginId parent, std::string token, Position key, Position value) {
  all_.push_back(Origin{.parent = parent, .token = std::move(token), .key = key, .value = value});
  return all_.size() - 1;
}

std::string Origins::Pointer(OriginId id) const {
  std::vector<const std::string*> tokens;
  for (; all_[id].parent != id; id = all_[id].parent) tokens.push_back(&all_[id].token);
  std::string out;
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
    out += '/';
    out += PointerToken(**token);
  }
  return out;
}

const Node* Node::Find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Json Node::ToJson() const {
  switch (type) {
    case Type::kNull:
      return nullptr;
    case Type::kBool:
      return boolean;
    case Type::kInteger:
      return integer;
    case Type::kReal:
      return real;
    case Type::kString:
      return text;
    case Type::kArray: {
      Json out = Json::array();
      for (const Node& item : items) out.push_back(item.ToJson());
      return out;
    }
    case Type::kObject:
      break;
  }
  Json out = Json::object();
  for (const Member& member : members) out[member.key] = member.value.ToJson();
  return out;
}

tl::expected<Document, Diagnostic> ParseDocument(std::string_view text, std::string_view file) {
  const auto fail = [&](std::string message) {
    return tl::make_unexpected(Diagnostic{std::string(file), 0, 0, "", std::move(message)});
  };
  if (text.starts_with("\xEF\xBB\xBF"))
    return fail("begins with a byte order mark; save it as UTF-8 without one");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return fail("is UTF-16; save it as UTF-8");
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return fail("is empty; expected a JSON object with \"hosts\" or \"scenarios\"");
  }
  TreeBuilder builder(text, file);
  const bool done = Json::sax_parse(text.begin(), text.end(), &builder);
  if (builder.failed()) return tl::make_unexpected(std::move(builder.error()));
  if (!done) return fail("cannot be parsed as JSON");
  return std::move(builder.document());
}

Node Merged(const Node& base, const Node& patch) {
  if (!patch.IsObject() || !base.IsObject()) return patch;
  Node out = base;
  for (const Member& member : patch.members) {
    const auto found = std::find_if(out.members.begin(), out.members.end(),
                                    [&](const Member& m) { return m.key == member.key; });
    if (member.value.type == Node::Type::kNull) {
      if (found != out.members.end()) out.members.erase(found);
    } else if (found != out.members.end()) {
      found->value = Merged(found->value, member.value);
    } else {
      out.members.push_back(member);
    }
  }
  out.origin = patch.origin;
  return out;
}

std::string Describe(const Node& node) {
  switch (node.type) {
    case Node::Type::kNull:
      return "null";
    case Node::Type::kBool:
      return node.boolean ? "true" : "false";
    case Node::Type::kInteger:
      return fmt::format("the number {}", node.integer);
    case Node::Type::kReal:
      return fmt::format("the number {}", node.real);
    case Node::Type::kString:
      return Quoted(node.text);
    case Node::Type::kArray:
      return "a list";
    case Node::Type::kObject:
      break;
  }
  return "an object";
}

void Report::Add(OriginId origin, const std::string& message, bool at_key) {
  if (full() || !seen_.emplace(origin, message).second) return;
  const Position at = at_key ? origins_.key(origin) : origins_.value(origin);
  found_.push_back(Diagnostic{file_, at.line, at.column, origins_.Pointer(origin), message});
}

std::vector<Diagnostic> Report::Take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return Position{a.line, a.column} < Position{b.line, b.column};
  });
  return std::move(found_);
}

}  // namespace rtclab::scenarios
