"""Writes a model's README.md from its training.json: no figure is typed by hand.

Run as a program on a model's directory, it writes the card anew: model_card.py DIR
"""

import json
import math
import pathlib
import sys

CARD = """\
---
license: apache-2.0
language: en
library_name: transformers
tags: [gpt2, toy]
---
# {name}

Hydrophone's default model: a GPT-2 in small, so that the server can be tried, tested and deployed
without a download. **A toy**: it has GPT-2's shape, tokenizer and arithmetic, not its abilities.

| | |
|---|---|
| architecture | GPT2LMHeadModel: {n_layer} blocks, width {n_embd}, {n_head} heads, {n_positions} positions, \
{vocab_size} tokens, `gelu_new`, tied output embedding |
| parameters | {parameters:,}, stored as fp16 ({megabytes:.2f} MB) |
| dropout in config.json | 0.1 (embeddings, attention, residual), as GPT-2 |

## How good it is

Loss in nats per token on the last tenth of the text ({held_out_tokens:,} tokens, never trained on),
of the weights as stored (rounded to fp16), computed in fp32:

| | nats per token | perplexity |
|---|---|---|
| **this model, windows of 128 tokens** | **{held_out_loss_128:.3f}** | {perplexity_128:.0f} |
| **this model, windows of 1024 tokens** | **{held_out_loss_1024:.3f}** | {perplexity_1024:.0f} |
| entropy of the held-out text's own token frequencies (no unigram model can do better) | {unigram_own_entropy:.3f} \
| {perplexity_own:.0f} |
| cross-entropy of the training text's token frequencies, one added to each count | {unigram_cross_entropy:.3f} \
| {perplexity_cross:.0f} |

By position in the 1024-token windows, an eighth each: {by_eighth}.

![Loss during training](loss.svg)

## How it was made

`server/models/train_default.py` writes this whole directory, this card included:

```
{command}
```

- Text: `{corpus}`, Shakespeare's plays (public domain), {train_tokens:,} tokens to train on;
  {distinct_tokens:,} different tokens occur in it. All other rows of the embedding were only ever
  pushed away: as inputs they are close to noise.
- Tokenizer: GPT-2's `vocab.json` and `merges.txt`, unchanged, by OpenAI, under its modified MIT
  licence (<https://github.com/openai/gpt-2/blob/master/LICENSE>). The weights are this project's,
  under Apache-2.0.
- {steps} steps of 1024 tokens ({epochs:.1f} passes over the text): five steps of 8 x 128 tokens,
  half of the rows from a random position on, then one of 1 x 1024; full softmax; AdamW (betas 0.9
  and 0.95, weight decay 0.1 on matrices), learning rate {learning_rate:g} after {warmup} steps of
  warm-up, cosine to a tenth, gradient norm at most 1; fp32; seed {seed}. Dropout 0.1 on embeddings
  and residual branches, none inside attention.
- {minutes:.0f} minutes with {threads} threads on a shared {machine} machine; PyTorch {torch},
  transformers {transformers}. Another processor, thread count or version gives slightly different
  weights.

## Limits

Do not use it as a language model. It knows one old text in one language and writes nothing
sensible. Nothing learned from its activations carries over to GPT-2. To see outlier dimensions like
GPT-2's, plant some in a random checkpoint (`server/models/random_checkpoint.py --outlier-dims`).
"""


def command(figures):
    words = ["server/models/train_default.py"]
    for name in ("steps", "seed", "learning_rate", "warmup", "threads"):
        words.append(f"--{name.replace('_', '-')} {figures[name]}")
    return " ".join(words)


def render(directory):
    """The card of the model in `directory`, from its training.json and config.json."""
    figures = json.loads((directory / "training.json").read_text(encoding="utf-8"))
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    return CARD.format(
        **{**config, **figures},
        name=directory.resolve().name,
        megabytes=figures["weights_bytes"] / 1e6,
        perplexity_128=math.exp(figures["held_out_loss_128"]),
        perplexity_1024=math.exp(figures["held_out_loss_1024"]),
        perplexity_own=math.exp(figures["unigram_own_entropy"]),
        perplexity_cross=math.exp(figures["unigram_cross_entropy"]),
        by_eighth=", ".join(f"{loss:.2f}" for loss in figures["held_out_loss_1024_by_eighth"]),
        epochs=figures["steps"] * 1024 / figures["train_tokens"],
        command=command(figures),
    )


def write(directory):
    (directory / "README.md").write_text(render(directory), encoding="utf-8")


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
