#include "server/model/kernels/cpu/attention_products.h"

#include <algorithm>

#include "server/model/kernels/cpu/pack_panel.h"
#include "server/model/kernels/cpu/panel_products.h"

namespace hydrophone {

int64_t PackedHead::Padded(int64_t keys) {
  const int64_t width = PanelColumns();
  return (keys + width - 1) / width * width;
}

void PackedHead::Pack(const HeadRows& keys, const HeadRows& values, int64_t d_head) {
  count_ = keys.count();
  d_head_ = d_head;
  const int64_t width = PanelColumns();
  keys_.resize(static_cast<size_t>(Padded(count_) * d_head));
  for (int64_t first = 0; first < count_; first += width) {
    PackTransposedPanel([&](int64_t j) { return keys.Row(first + j); }, d_head, std::min(width, count_ - first),
                        keys_.data() + first * d_head);
  }
  values_.resize(static_cast<size_t>(Padded(d_head) * count_));
  for (int64_t first = 0; first < d_head; first += width) {
    PackPanel([&](int64_t j) { return values.Row(j) + first; }, count_, std::min(width, d_head - first),
              values_.data() + first * count_);
  }
}

void PackedHead::Score(StridedRows<const float> q, int64_t rows, int64_t keys, StridedRows<float> scores) const {
  PanelProduct product;
  product.x = q;
  product.rows = rows;
  product.inner = d_head_;
  product.panels = keys_.data();
  product.panel_stride = d_head_ * PanelColumns();
  product.y = scores;
  product.columns = Padded(keys);
  Multiply(product);
}

void PackedHead::Mix(StridedRows<const float> pattern, int64_t first, int64_t rows, StridedRows<float> z) const {
  PanelProduct product;
  product.x = pattern;
  product.rows = rows;
  product.inner = first + 1;
  product.causal = true;
  product.panels = values_.data();
  product.panel_stride = count_ * PanelColumns();
  product.y = z;
  product.columns = d_head_;
  Multiply(product);
}

}  // namespace hydrophone
