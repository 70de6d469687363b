// SIGTERM and SIGINT, as a thing to wait for.
#ifndef HYDROPHONE_SERVER_STOP_SIGNALS_H_
#define HYDROPHONE_SERVER_STOP_SIGNALS_H_

#include <signal.h>

#include <atomic>
#include <future>
#include <string>

namespace hydrophone {

// Both signals are blocked in every thread that begins after this, but in one that waits for them. One for the whole
// program, which must never be destroyed: its thread ends with the program.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // From now on, a signal is for Await; before, it ends the program.
  void StartServing() { serving_ = true; }

  // Waits for the first signal and returns its name. From then on, another signal ends the program at once.
  std::string Await();

 private:
  void Wait();

  sigset_t signals_;
  std::atomic<bool> serving_{false};
  std::promise<std::string> first_;
};

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_STOP_SIGNALS_H_
