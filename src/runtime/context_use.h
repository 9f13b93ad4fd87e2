#pragma once
// Who is using a context: one thread at a time, and executions that streams have not ended.

#include <atomic>
#include <optional>
#include <thread>

#include "base/error.h"

namespace planish {

class ContextUse {
 public:
  // One thread's stay in the context; false: another one is there.
  class Entry {
   public:
    explicit Entry(ContextUse& use) : use_(use), entered_(!use.busy_.exchange(true, std::memory_order_acquire)) {}
    ~Entry() {
      if (entered_) use_.busy_.store(false, std::memory_order_release);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    explicit operator bool() const { return entered_; }

   private:
    ContextUse& use_;
    const bool entered_;
  };

  // The stay of a call that changes the context: it does not enter while executions are in flight, which would find the
  // context busy.
  class Change {
   public:
    explicit Change(ContextUse& use) : in_flight_(use.in_flight()) {
      if (!in_flight_) entry_.emplace(use);
    }
    Status status() const { return in_flight_ ? in_flight_status() : *entry_ ? Status() : busy_status(); }

   private:
    const bool in_flight_;
    std::optional<Entry> entry_;
  };

  // The stay of a call that only reads: beside executions in flight it does not enter, and reads what they leave alone.
  class Reading {
   public:
    explicit Reading(ContextUse& use) : in_flight_(use.in_flight()) {
      if (!in_flight_) entry_.emplace(use);
    }
    bool in_flight() const { return in_flight_; }
    bool refused() const { return !in_flight_ && !*entry_; }

   private:
    const bool in_flight_;
    std::optional<Entry> entry_;
  };

  bool in_flight() const { return executions_.load(std::memory_order_acquire) > 0; }
  void begin_execution() { executions_.fetch_add(1, std::memory_order_relaxed); }
  void end_execution() { executions_.fetch_sub(1, std::memory_order_release); }
  void wait_for_executions() const {
    while (in_flight()) std::this_thread::yield();
  }

  static Status in_flight_status() {
    return {Code::busy, "the context has executions in flight on a stream; synchronize it first"};
  }
  static Status busy_status() {
    return {Code::busy, "another thread is using this context; a context serves one thread at a time"};
  }

 private:
  std::atomic<bool> busy_{false};
  std::atomic<int> executions_{0};  // that a stream has not ended
};

}  // namespace planish
