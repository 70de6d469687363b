#include "server/stop_signals.h"

#include <pthread.h>

#include <cstdlib>
#include <thread>

#include "server/obs/log.h"

namespace hydrophone {

StopSignals::StopSignals() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::thread([this] { Wait(); }).detach();
}

std::string StopSignals::Await() {
  std::string name = first_.get_future().get();
  pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  return name;
}

void StopSignals::Wait() {
  int signal = 0;
  sigwait(&signals_, &signal);
  const std::string name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
  if (serving_) return first_.set_value(name);
  LogInfo("stopped before serving", {{"signal", name}});
  std::_Exit(0);  // nothing is open, and what is loading cannot be told to stop
}

}  // namespace hydrophone
