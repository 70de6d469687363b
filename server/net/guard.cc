#include "server/net/guard.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydrophone {
namespace {

constexpr int64_t kFewArrivals = 64;             // calls between two looks
constexpr uint64_t kWorthGivingBack = 32 << 20;  // bytes

bool CallsAreLoud(const Activity& activity) { return activity.begun >= kLoudCalls; }
bool BytesAreLoud(const Activity& activity) { return activity.received >= kLoudBytes; }

// Calls cost more than bytes: an upload of megabytes is quieter than a hundred calls.
bool IsQuieter(const Activity& a, const Activity& b) {
  if (CallsAreLoud(a) || CallsAreLoud(b)) return a.begun < b.begun;
  return a.received < b.received;
}

bool IsHalfAsLoud(const Activity& activity, const Activity& loudest) {
  if (CallsAreLoud(loudest)) return CallsAreLoud(activity) && activity.begun >= loudest.begun / 2;
  return BytesAreLoud(activity) && activity.received >= loudest.received / 2;
}

}  // namespace

Guard::Guard(GuardParts parts) : parts_(std::move(parts)), at_rest_(parts_.memory->Resident()), tidied_(at_rest_) {}

void Guard::Look(absl::Time now) {
  MutexLock lock(&mutex_);
  now_ = now;
  if (auto number = parts_.connections->GreetedSince(now - kLongestGreeting)) {
    Cut(*number, "it holds up those that want to connect");
  }
  const std::string complaint = Complaint(now);
  const bool due = now - surveyed_ >= kBetweenSurveys;
  if (!complaint.empty() || due) {
    const std::vector<Activity> activities = parts_.connections->Survey();
    if (due) {
      surveyed_ = now;
      CutDeaf(activities);
    }
    if (!complaint.empty()) CutLoudest(activities, complaint);
  }
  Tidy(now);
}

void Guard::LookAtCalls(absl::Time now) {
  MutexLock lock(&mutex_);
  now_ = now;
  const std::string complaint = ComplaintOfCalls();
  if (!complaint.empty()) CutLoudest(parts_.connections->Survey(), complaint);
}

std::string Guard::Complaint(absl::Time now) {
  if (std::string complaint = ComplaintOfCalls(); !complaint.empty()) return complaint;
  const absl::Duration silence = parts_.heartbeat->Silence(now);
  if (silence > kLongestSilence) return absl::StrCat("no thread answered for ", absl::FormatDuration(silence));
  return ComplaintOfMemory();
}

std::string Guard::ComplaintOfCalls() {
  const int64_t arrived = parts_.census->arrived();
  const int64_t news = arrived - std::exchange(arrived_, arrived);
  const int64_t waiting = parts_.census->waiting();
  if (waiting <= kMostWaitingCalls || news < kFewArrivals) return "";
  return absl::StrCat(waiting, " calls wait to be begun");
}

std::string Guard::ComplaintOfMemory() {
  const uint64_t resident = parts_.memory->Resident();
  if (resident <= at_rest_ + parts_.budget_bytes + kSpareBytes) {
    tidied_since_full_ = false;
    return "";
  }
  // What was freed may be all that is too much.
  if (!std::exchange(tidied_since_full_, true)) {
    parts_.memory->GiveBack();
    return "";
  }
  return absl::StrCat(resident >> 20, " MiB of memory are taken");
}

void Guard::CutDeaf(const std::vector<Activity>& activities) {
  for (const Activity& activity : activities) {
    if (activity.deaf) Cut(activity.number, "it sends and does not read its answers");
  }
}

void Guard::CutLoudest(const std::vector<Activity>& activities, absl::string_view complaint) {
  const auto loudest = std::max_element(activities.begin(), activities.end(), IsQuieter);
  if (loudest == activities.end()) return;
  for (const Activity& activity : activities) {
    if (IsHalfAsLoud(activity, *loudest)) Cut(activity.number, absl::StrCat("the loudest while ", complaint));
  }
}

void Guard::Cut(uint64_t number, absl::string_view reason) {
  parts_.connections->Cut(number, reason);
  cut_ = now_;
  tidied_since_cut_ = 0;
}

void Guard::Tidy(absl::Time now) {
  if (parts_.open_calls() > 0) busy_ = now;
  const uint64_t resident = parts_.memory->Resident();
  // Connections without calls hold memory too, which is free only after they have gone: so it is tried again.
  const bool news = resident > tidied_ + kWorthGivingBack || now - tidied_at_ >= kIdleAgain;
  const bool idle = now - busy_ >= kIdle && resident > at_rest_ + kWorthGivingBack && news;
  const bool after_cut = tidied_since_cut_ < 2 && now - cut_ >= (tidied_since_cut_ == 0 ? kAfterCut : kLongAfterCut);
  if (!idle && !after_cut) return;
  if (after_cut) ++tidied_since_cut_;
  if (resident > at_rest_ + kWorthGivingBack) parts_.memory->GiveBack();
  if (!idle) return;
  tidied_ = std::max(at_rest_, parts_.memory->Resident());
  tidied_at_ = now;
}

}  // namespace hydrophone
