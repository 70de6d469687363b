// The table of GPT-2's hook points.
//
// A name belongs to the point whose value it is, in train mode too. So the TransformerLens 4 name
// "blocks.L.mlp.hook_out", which lies after the MLP's dropout there, and Hugging Face's module "transformer.h.L.mlp"
// are the point after the dropout, while "blocks.L.attn.hook_out", which TransformerLens 4 never drops, is the one
// before.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <vector>

#include "server/core/hook_points.h"

namespace hydrophone {
namespace {

constexpr LayerKind kNone = LayerKind::kNone;
constexpr LayerKind kBlocks = LayerKind::kBlocks;
constexpr LayerKind kStates = LayerKind::kStates;
constexpr const char* kEditable = nullptr;
constexpr bool kFlat = true;
// For a point that is computed from others, where no edit comes near a change of it.
constexpr const char* kNothingInstead = "a point that ListHookPoints calls editable";

// clang-format off
std::vector<HookPointInfo> MakeTable() {
  return {
      {Site::kEmbed, kNone, "hook_embed", "transformer.wte", {"embed.hook_out"},
       "Token embeddings.", {"s", "d"}, kEditable},
      {Site::kPosEmbed, kNone, "hook_pos_embed", "transformer.wpe", {"pos_embed.hook_out"},
       "Position embeddings.", {"s", "d"}, kEditable},
      {Site::kEmbedDropped, kNone, "hook_embed_dropout", "transformer.drop", {},
       "The sum of the embeddings after the dropout, which enters the first block; in eval mode the sum itself.",
       {"s", "d"}, kEditable},
      {Site::kHiddenState, kStates, "hidden_states.L", "hidden_states[L]", {"output.hidden_states[L]"},
       "What Hugging Face returns as hidden_states: layer I is what enters block I; the last one (N, or -1) is not the "
       "last block's output but ln_f of it.",
       {"s", "d"}, "blocks.L.hook_resid_pre, or for the last state ln_final.hook_out"},
      {Site::kResidPre, kBlocks, "blocks.L.hook_resid_pre", "transformer.h.L.input",
       {"blocks.L.hook_in"}, "The residual stream as it enters the block.", {"s", "d"}, kEditable},
      {Site::kLn1In, kBlocks, "blocks.L.ln1.hook_in", "transformer.h.L.ln_1.input", {},
       "What the first LayerNorm reads of the residual stream: an edit reaches attention, and not what the block adds to.",
       {"s", "d"}, kEditable},
      {Site::kAttnIn, kBlocks, "blocks.L.hook_attn_in", "", {"blocks.L.attn.hook_attn_in"},
       "A copy for each head of what the first LayerNorm reads: an edit reaches this head's queries, keys and values.",
       {"s", "H", "d"}, kEditable},
      {Site::kQInput, kBlocks, "blocks.L.hook_q_input", "", {"blocks.L.attn.hook_q_input"},
       "A copy for each head of what the first LayerNorm reads: an edit reaches this head's queries.",
       {"s", "H", "d"}, kEditable},
      {Site::kKInput, kBlocks, "blocks.L.hook_k_input", "", {"blocks.L.attn.hook_k_input"},
       "A copy for each head of what the first LayerNorm reads: an edit reaches this head's keys.",
       {"s", "H", "d"}, kEditable},
      {Site::kVInput, kBlocks, "blocks.L.hook_v_input", "", {"blocks.L.attn.hook_v_input"},
       "A copy for each head of what the first LayerNorm reads: an edit reaches this head's values.",
       {"s", "H", "d"}, kEditable},
      {Site::kLn1Scale, kBlocks, "blocks.L.ln1.hook_scale", "", {},
       "The first LayerNorm's denominator, sqrt(variance + epsilon).", {"s", "1"}, "blocks.L.ln1.hook_out"},
      {Site::kLn1Normalized, kBlocks, "blocks.L.ln1.hook_normalized", "", {},
       "The first LayerNorm before its affine part (as TransformerLens 4 has it).", {"s", "d"}, "blocks.L.ln1.hook_out"},
      {Site::kLn1Out, kBlocks, "blocks.L.ln1.hook_out", "transformer.h.L.ln_1",
       {"blocks.L.attn.hook_in", "transformer.h.L.attn.input", "transformer.h.L.attn.c_attn.input"},
       "The first LayerNorm's output: what attention reads.", {"s", "d"}, kEditable},
      {Site::kQIn, kBlocks, "blocks.L.attn.q.hook_in", "", {},
       "The first LayerNorm's output as the queries read it.", {"s", "d"}, kEditable},
      {Site::kKIn, kBlocks, "blocks.L.attn.k.hook_in", "", {},
       "The first LayerNorm's output as the keys read it.", {"s", "d"}, kEditable},
      {Site::kVIn, kBlocks, "blocks.L.attn.v.hook_in", "", {},
       "The first LayerNorm's output as the values read it.", {"s", "d"}, kEditable},
      {Site::kQkv, kBlocks, "blocks.L.attn.qkv.hook_out", "transformer.h.L.attn.c_attn", {},
       "Queries, keys and values side by side, each with its heads side by side.", {"s", "3d"}, kEditable},
      {Site::kQ, kBlocks, "blocks.L.attn.hook_q", "", {"blocks.L.attn.q.hook_out"},
       "Queries.", {"s", "H", "d/H"}, kEditable},
      {Site::kK, kBlocks, "blocks.L.attn.hook_k", "", {"blocks.L.attn.k.hook_out"},
       "Keys.", {"s", "H", "d/H"}, kEditable},
      {Site::kV, kBlocks, "blocks.L.attn.hook_v", "", {"blocks.L.attn.v.hook_out"},
       "Values.", {"s", "H", "d/H"}, kEditable},
      {Site::kAttnScores, kBlocks, "blocks.L.attn.hook_attn_scores", "", {},
       "Attention scores before the softmax; masked ones are -inf.", {"H", "s", "s"}, kEditable},
      {Site::kSoftmax, kBlocks, "blocks.L.attn.hook_softmax", "", {},
       "Attention probabilities as the softmax gives them, before the dropout.", {"H", "s", "s"}, kEditable},
      {Site::kPattern, kBlocks, "blocks.L.attn.hook_pattern", "", {},
       "Attention probabilities after the dropout, by which the values are mixed; in eval mode the same as before it.",
       {"H", "s", "s"}, kEditable},
      {Site::kZ, kBlocks, "blocks.L.attn.hook_z", "", {"blocks.L.attn.o.hook_in"},
       "The heads' mixed values, before the output projection.", {"s", "H", "d/H"}, kEditable},
      {Site::kResult, kBlocks, "blocks.L.attn.hook_result", "", {},
       "Each head's own part of the attention output, without the bias.", {"s", "H", "d"}, "blocks.L.attn.hook_z"},
      {Site::kAttnOut, kBlocks, "blocks.L.hook_attn_out", "transformer.h.L.attn.c_proj",
       {"blocks.L.attn.hook_out", "blocks.L.attn.o.hook_out", "transformer.h.L.attn.resid_dropout.input"},
       "The attention delta: what attention adds to the residual stream, before the dropout.",
       {"s", "d"}, kEditable},
      {Site::kAttnDropped, kBlocks, "blocks.L.attn.hook_resid_dropout", "transformer.h.L.attn.resid_dropout",
       {"transformer.h.L.attn"},
       "The attention delta after the dropout; in eval mode the same as before it.", {"s", "d"}, kEditable},
      {Site::kResidMid, kBlocks, "blocks.L.hook_resid_mid", "", {},
       "The residual stream between attention and MLP.", {"s", "d"}, kEditable},
      {Site::kLn2In, kBlocks, "blocks.L.ln2.hook_in", "transformer.h.L.ln_2.input", {"blocks.L.hook_mlp_in"},
       "What the second LayerNorm reads of the residual stream: an edit reaches the MLP, and not what the block adds to.",
       {"s", "d"}, kEditable},
      {Site::kLn2Scale, kBlocks, "blocks.L.ln2.hook_scale", "", {},
       "The second LayerNorm's denominator, sqrt(variance + epsilon).", {"s", "1"}, "blocks.L.ln2.hook_out"},
      {Site::kLn2Normalized, kBlocks, "blocks.L.ln2.hook_normalized", "", {},
       "The second LayerNorm before its affine part (as TransformerLens 4 has it).", {"s", "d"}, "blocks.L.ln2.hook_out"},
      {Site::kLn2Out, kBlocks, "blocks.L.ln2.hook_out", "transformer.h.L.ln_2",
       {"blocks.L.mlp.hook_in", "blocks.L.mlp.in.hook_in", "transformer.h.L.mlp.input",
        "transformer.h.L.mlp.c_fc.input"},
       "The second LayerNorm's output: what the MLP reads.", {"s", "d"}, kEditable},
      {Site::kMlpPre, kBlocks, "blocks.L.mlp.hook_pre", "transformer.h.L.mlp.c_fc",
       {"blocks.L.mlp.in.hook_out", "transformer.h.L.mlp.act.input"},
       "The MLP's inner layer before the activation function.", {"s", "f"}, kEditable},
      {Site::kMlpPost, kBlocks, "blocks.L.mlp.hook_post", "transformer.h.L.mlp.act",
       {"blocks.L.mlp.out.hook_in", "transformer.h.L.mlp.c_proj.input"},
       "The MLP's inner layer after the activation function.", {"s", "f"}, kEditable},
      {Site::kMlpOut, kBlocks, "blocks.L.hook_mlp_out", "transformer.h.L.mlp.c_proj",
       {"blocks.L.mlp.out.hook_out", "transformer.h.L.mlp.dropout.input"},
       "The MLP delta: what the MLP adds to the residual stream, before the dropout.", {"s", "d"}, kEditable},
      {Site::kMlpDropped, kBlocks, "blocks.L.mlp.hook_dropout", "transformer.h.L.mlp.dropout",
       {"blocks.L.mlp.hook_out", "transformer.h.L.mlp"},
       "The MLP delta after the dropout; in eval mode the same as before it.", {"s", "d"}, kEditable},
      {Site::kResidPost, kBlocks, "blocks.L.hook_resid_post", "transformer.h.L", {"blocks.L.hook_out"},
       "The residual stream as it leaves the block, raw: the last block's too.", {"s", "d"}, kEditable},
      {Site::kReconstructionResidual, kBlocks, "blocks.L.hook_reconstruction_residual", "", {},
       "H[L+1] - ((H[L] + attention delta) + MLP delta), all raw, in float32.", {"s", "d"}, kNothingInstead},
      {Site::kLnFinalIn, kNone, "ln_final.hook_in", "transformer.ln_f.input", {},
       "What the final LayerNorm reads: the last block's output.", {"s", "d"}, kEditable},
      {Site::kLnFinalScale, kNone, "ln_final.hook_scale", "", {},
       "The final LayerNorm's denominator, sqrt(variance + epsilon).", {"s", "1"}, "ln_final.hook_out"},
      {Site::kLnFinalNormalized, kNone, "ln_final.hook_normalized", "", {},
       "The final LayerNorm before its affine part (as TransformerLens 4 has it).", {"s", "d"}, "ln_final.hook_out"},
      {Site::kLnFinalOut, kNone, "ln_final.hook_out", "transformer.ln_f", {"unembed.hook_in", "lm_head.input"},
       "The final LayerNorm's output: what the unembedding reads, and hidden_states[N].", {"s", "d"}, kEditable},
      {Site::kLnFinalResidual, kNone, "hook_ln_f_residual", "", {},
       "ln_f(last block's output) - hidden_states[N], in float32.", {"s", "d"}, kNothingInstead},
      {Site::kLogits, kNone, "logits", "lm_head", {"unembed.hook_out", "hook_logits"},
       "Logits of the next token.", {"s", "V"}, "ln_final.hook_out"},
      // Flat rows: another site's value with its heads side by side.
      {Site::kZ, kBlocks, "transformer.h.L.attn.c_proj.input", "transformer.h.L.attn.c_proj.input", {},
       "blocks.L.attn.hook_z with the heads side by side, as the output projection reads it.",
       {"s", "d"}, kEditable, kFlat},
  };
}
// clang-format on

const std::vector<HookPointInfo>& Table() {
  static const auto& table = *new std::vector<HookPointInfo>(MakeTable());
  return table;
}

}  // namespace

absl::Span<const HookPointInfo> HookPoints() { return Table(); }

const HookPointInfo& HookPointOf(Site site) {
  const HookPointInfo& info = Table()[static_cast<size_t>(site)];
  assert(info.site == site && !info.flat);
  return info;
}

const HookPointInfo& HookPointOf(HookPoint point) {
  if (!point.flat) return HookPointOf(point.site);
  const auto row = std::find_if(Table().begin(), Table().end(),
                                [point](const HookPointInfo& info) { return info.flat && info.site == point.site; });
  assert(row != Table().end());
  return *row;
}

}  // namespace hydrophone
