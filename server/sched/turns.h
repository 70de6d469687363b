// Callers take turns: a queue for each caller, and a rule whose item comes next.
#ifndef HYDROPHONE_SERVER_SCHED_TURNS_H_
#define HYDROPHONE_SERVER_SCHED_TURNS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/core/caller.h"

namespace hydrophone {

// Deficit round robin (Shreedhar and Varghese, "Efficient Fair Queuing using Deficit Round Robin", 1995): in each round
// a caller may take items that cost as much as `quantum` times its weight, and what it leaves over is added to its next
// round. Callers that always have items get work in proportion to their weights, whatever their items cost; a caller
// that has none saves nothing up.
//
// An item is taken in two steps, Next and Take (or Spend), so that the owner may find that it cannot have the item now:
// it then stays the next one. Not thread-safe. References to items are valid until they are taken.
template <typename Item>
class Turns {
 public:
  // `quantum`: in units of the costs.
  explicit Turns(int64_t quantum) : quantum_(quantum) {}

  // Adds an item at the end of its caller's queue.
  void Push(const Caller& caller, Item item, int64_t cost) {
    TurnOf(caller).items.push_back({std::move(item), cost});
    ++size_;
  }

  // The item whose turn it is, among each caller's first item that is `eligible`; null when none is.
  template <typename Eligible>
  Item* Next(const Eligible& eligible) {
    if (std::none_of(ring_.begin(), ring_.end(),
                     [&](Turn& turn) { return First(turn, eligible) != turn.items.end(); })) {
      return nullptr;
    }
    while (true) {
      if (cursor_ == ring_.end()) BeginRound();
      if (const auto first = First(*cursor_, eligible); first != cursor_->items.end()) {
        if (!std::exchange(cursor_->served, true)) cursor_->deficit += quantum_ * cursor_->weight;
        if (first->cost <= cursor_->deficit) {
          next_ = first;
          return &first->item;
        }
      }
      EndTurn();
    }
  }

  // Takes out what Next has just returned.
  Item Take() {
    Turn& turn = *cursor_;
    Item item = std::move(next_->item);
    turn.deficit -= next_->cost;
    turn.items.erase(next_);
    --size_;
    if (turn.items.empty()) cursor_ = Forget(cursor_);
    return item;
  }

  // Instead of Take: pays for a part of what Next has just returned, and leaves the rest, of the given cost, in its
  // place.
  void Spend(int64_t rest) { cursor_->deficit -= std::exchange(next_->cost, rest); }

  // Takes out the items for which `unwanted` is true, and calls `take` with each.
  template <typename Unwanted, typename TakeItem>
  void Remove(const Unwanted& unwanted, const TakeItem& take) {
    for (auto turn = ring_.begin(); turn != ring_.end();) {
      for (auto entry = turn->items.begin(); entry != turn->items.end();) {
        if (!unwanted(entry->item)) {
          ++entry;
          continue;
        }
        take(std::move(entry->item));
        entry = turn->items.erase(entry);
        --size_;
      }
      turn = turn->items.empty() ? Forget(turn) : std::next(turn);
    }
  }

  template <typename Look>
  void ForEach(const Look& look) const {
    for (const Turn& turn : ring_) {
      for (const Entry& entry : turn.items) look(entry.item);
    }
  }

  // Whether `places` items are there, and no place is left for the caller's next one: so that a caller with many items
  // does not lock others out, those that have none find a place all the same, until there are twice as many.
  bool IsFull(size_t places, const Caller& caller) const {
    return size_ >= 2 * places || (size_ >= places && turns_.contains(caller.name));
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Entry {
    Item item;
    int64_t cost;
  };
  struct Turn {
    std::string caller;
    int64_t weight = 1;
    int64_t deficit = 0;
    bool served = false;  // in the round that is under way
    std::list<Entry> items = {};
  };
  using TurnIterator = typename std::list<Turn>::iterator;

  // A caller that comes is the last of the round.
  Turn& TurnOf(const Caller& caller) {
    const auto [known, added] = turns_.try_emplace(caller.name);
    if (added) known->second = ring_.insert(ring_.end(), {caller.name, std::max<int64_t>(caller.weight, 1)});
    return *known->second;
  }

  template <typename Eligible>
  typename std::list<Entry>::iterator First(Turn& turn, const Eligible& eligible) {
    return std::find_if(turn.items.begin(), turn.items.end(), [&](const Entry& entry) { return eligible(entry.item); });
  }

  void BeginRound() {
    cursor_ = ring_.begin();
    for (Turn& turn : ring_) turn.served = false;
  }
  void EndTurn() { ++cursor_; }

  // The turn after it, which is the cursor's too if it was the cursor's.
  TurnIterator Forget(TurnIterator turn) {
    turns_.erase(turn->caller);
    const bool current = turn == cursor_;
    const TurnIterator after = ring_.erase(turn);
    if (current) cursor_ = after;
    return after;
  }

  const int64_t quantum_;
  std::list<Turn> ring_;  // the callers that have items
  absl::flat_hash_map<std::string, TurnIterator> turns_;
  TurnIterator cursor_ = ring_.end();  // whose turn it is
  typename std::list<Entry>::iterator next_;
  size_t size_ = 0;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_SCHED_TURNS_H_
