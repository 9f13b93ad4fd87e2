#pragma once
// Concats of channels whose operands are written where they end up, other readers looking at a window of the result.

#include <map>

#include "ir/graph.h"

namespace planish {

class ConcatPlaces {
 public:
  explicit ConcatPlaces(const Graph& graph);

  // The concat that takes the value as a part: the longest of those that read it. Invalid: there is none.
  NodeId place_of(ValueId value) const { return found(places_, value); }
  // The longest concat whose operands begin with all of this one's, so that its result is the beginning of that one's,
  // as where features of all layers before are read by each (dense blocks). Invalid: there is none.
  NodeId longer(NodeId concat) const { return found(longer_, concat); }

 private:
  template <class Key>
  static NodeId found(const std::map<Key, NodeId>& map, Key key) {
    const auto at = map.find(key);
    return at == map.end() ? NodeId{} : at->second;
  }

  std::map<ValueId, NodeId> places_;
  std::map<NodeId, NodeId> longer_;
};

}  // namespace planish
