#include "server/model/taps/apply_edit.h"

#include <cstddef>
#include <vector>

namespace hydrophone {
namespace {

// Calls visit(place, head) for each head of the edit; `place` is the head's index in the edit.
template <typename Visit>
void ForEachHead(const Edit& edit, const MutableGrid& value, Visit visit) {
  const int64_t heads = edit.units.heads.empty() ? value.heads : static_cast<int64_t>(edit.units.heads.size());
  for (int64_t i = 0; i < heads; ++i) visit(i, edit.units.heads.empty() ? i : edit.units.heads[static_cast<size_t>(i)]);
}

template <typename Visit>
void ForEachFeature(const Edit& edit, const MutableGrid& value, Visit visit) {
  const auto& chosen = edit.units.features;
  const int64_t features = chosen.empty() ? value.features : static_cast<int64_t>(chosen.size());
  for (int64_t i = 0; i < features; ++i) visit(i, chosen.empty() ? i : chosen[static_cast<size_t>(i)]);
}

// Replaces each selected element by change(element, position, head, feature), where the last three count the edit's own
// positions, heads and features.
template <typename Change>
void ChangeEach(const Edit& edit, const MutableGrid& value, Change change) {
  for (size_t p = 0; p < edit.positions.size(); ++p) {
    ForEachHead(edit, value, [&](int64_t h, int64_t head) {
      float* row = value.At(edit.positions[p], head);
      ForEachFeature(edit, value, [&](int64_t f, int64_t feature) {
        row[feature] = change(row[feature], static_cast<int64_t>(p), h, f);
      });
    });
  }
}

float ValueAt(const Edit& edit, int64_t p, int64_t h, int64_t f) {
  return (*edit.values)[static_cast<size_t>(p * edit.strides[0] + h * edit.strides[1] + f * edit.strides[2])];
}

void ProjectOut(const Edit& edit, const MutableGrid& value) {
  std::vector<double> direction(edit.values->begin(), edit.values->end());
  double square = 0;
  for (double x : direction) square += x * x;
  for (int64_t position : edit.positions) {
    ForEachHead(edit, value, [&](int64_t, int64_t head) {
      float* row = value.At(position, head);
      double dot = 0;
      for (size_t i = 0; i < direction.size(); ++i) dot += static_cast<double>(row[i]) * direction[i];
      for (size_t i = 0; i < direction.size(); ++i) {
        row[i] = static_cast<float>(static_cast<double>(row[i]) - dot / square * direction[i]);
      }
    });
  }
}

void Patch(const Edit& edit, const MutableGrid& value, const Grid& source) {
  for (size_t p = 0; p < edit.positions.size(); ++p) {
    ForEachHead(edit, value, [&](int64_t, int64_t head) {
      const float* from = source.At(edit.source.positions[p], head);
      float* to = value.At(edit.positions[p], head);
      ForEachFeature(edit, value, [&](int64_t, int64_t feature) { to[feature] = from[feature]; });
    });
  }
}

void SpreadMean(const Edit& edit, const MutableGrid& value) {
  ForEachHead(edit, value, [&](int64_t, int64_t head) {
    ForEachFeature(edit, value, [&](int64_t, int64_t feature) {
      double sum = 0;
      for (int64_t position : edit.positions) sum += static_cast<double>(value.At(position, head)[feature]);
      const auto mean = static_cast<float>(sum / static_cast<double>(edit.positions.size()));
      for (int64_t position : edit.positions) value.At(position, head)[feature] = mean;
    });
  });
}

}  // namespace

void ApplyEdit(const Edit& edit, const MutableGrid& value, const Grid& source) {
  switch (edit.operation) {
    case Edit::Operation::kZero:
      return ChangeEach(edit, value, [](float, int64_t, int64_t, int64_t) { return 0.0f; });
    case Edit::Operation::kScale:
      return ChangeEach(edit, value, [&](float x, int64_t, int64_t, int64_t) { return x * edit.scale; });
    case Edit::Operation::kAdd:
      return ChangeEach(edit, value,
                        [&](float x, int64_t p, int64_t h, int64_t f) { return x + ValueAt(edit, p, h, f); });
    case Edit::Operation::kSet:
      return ChangeEach(edit, value, [&](float, int64_t p, int64_t h, int64_t f) { return ValueAt(edit, p, h, f); });
    case Edit::Operation::kProjectOut:
      return ProjectOut(edit, value);
    case Edit::Operation::kPatch:
      return Patch(edit, value, source);
    case Edit::Operation::kPositionMean:
      return SpreadMean(edit, value);
  }
}

}  // namespace hydrophone
