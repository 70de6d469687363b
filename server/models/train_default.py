#!/usr/bin/env python3
"""Trains Hydrophone's default model and writes its whole directory, the model card included.

The model has GPT-2's shape in small: 12 blocks of width 64 with 4 heads, 1024 positions and GPT-2's
own vocabulary of 50257 tokens, the input embedding tied to the output one. It is trained from
scratch on one public-domain text. Four things differ from the plainest training loop, each for a
reason:

* The loss is the full softmax over all 50257 tokens, computed a few hundred rows at a time together
  with its gradient (`FullSoftmaxLoss`): moving all logits through memory several times costs more
  than the arithmetic.
* Every `LONG_EVERY`-th step sees one sequence of 1024 tokens instead of eight of 128, and half of
  the short rows start at a random position, so that late positions are trained too.
* Dropout acts on the embeddings and on what each half of a block adds, as config.json says, but not
  inside attention: there it would take PyTorch's unfused path and make a long step ten times
  slower. GELU is PyTorch's fused one of the same tanh formula.

It stops by step count, never by time: the same command on the same machine gives the same weights.
Another processor, number of threads or PyTorch version sums in another order and gives slightly
different ones.

Needs torch, transformers, safetensors and matplotlib.

Examples:
  server/models/train_default.py  # the committed model
  server/models/train_default.py --steps 20 --out /tmp/smoke  # a trial
"""

import argparse
import dataclasses
import json
import math
import os
import pathlib
import platform
import shutil
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import loss_curve
import model_card
import torch
import transformers
from full_softmax_loss import FullSoftmaxLoss
from held_out import losses_by_position, unigram_entropies
from torch import nn

MODELS = pathlib.Path(__file__).resolve().parent
DEFAULT_MODEL = MODELS / "hydrophone-gpt2-tiny"
DEFAULT_CORPUS = MODELS.parent.parent / ".." / "shared" / "data" / "corpus" / "tinyshakespeare.txt"

TOKENS_PER_STEP = 1024
SHORT = 128  # tokens of a short row
LONG = 1024  # tokens of a long row: all positions
LONG_EVERY = 6
HELD_OUT_SHARE = 0.1
EVALUATE_EVERY = 100


def parse_flags():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--corpus",
        type=pathlib.Path,
        default=DEFAULT_CORPUS,
        help="UTF-8 text; its last tenth (of the tokens) is held out (default: "
        "../shared/data/corpus/tinyshakespeare.txt beside the repository)",
    )
    parser.add_argument(
        "--tokenizer",
        type=pathlib.Path,
        default=DEFAULT_MODEL,
        help="directory with vocab.json and merges.txt (default: the committed model's)",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default=DEFAULT_MODEL,
        help="directory to write (default: %(default)s)",
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=1600,
        help="optimizer steps of 1024 tokens (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of weights, batches and dropout (default: %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=2.5e-3, help="at its peak (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=100, help="steps of linear warm-up (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch (default: %(default)s)")
    return parser.parse_args()


def encode_corpus(corpus, tokenizer_dir):
    """Returns (training ids, held-out ids), int64 tensors."""
    tokenizer = transformers.GPT2TokenizerFast.from_pretrained(tokenizer_dir)
    tokenizer.model_max_length = sys.maxsize  # one long text on purpose: no warning about it
    ids = torch.tensor(tokenizer(corpus.read_text(encoding="utf-8"))["input_ids"])
    cut = len(ids) - int(len(ids) * HELD_OUT_SHARE)
    return ids[:cut], ids[cut:]


def make_model():
    config = transformers.GPT2Config(
        vocab_size=50257,
        n_positions=LONG,
        n_embd=64,
        n_layer=12,
        n_head=4,
        resid_pdrop=0.1,
        embd_pdrop=0.1,
        attn_pdrop=0.1,
        bos_token_id=50256,
        eos_token_id=50256,
    )
    return transformers.GPT2LMHeadModel(config)


def make_fast_to_train(model):
    for block in model.transformer.h:
        block.attn.attn_dropout.p = 0.0
        block.mlp.act = nn.GELU(approximate="tanh")


def sample_batch(ids, step, generator):
    """Returns inputs, targets and positions, each [rows, length], TOKENS_PER_STEP in all."""
    length = LONG if step % LONG_EVERY == LONG_EVERY - 1 else SHORT
    rows = TOKENS_PER_STEP // length
    starts = torch.randint(len(ids) - length, (rows,), generator=generator)
    windows = torch.stack([ids[start : start + length + 1] for start in starts.tolist()])
    first = torch.randint(LONG - length + 1, (rows,), generator=generator)
    first[: rows // 2] = 0
    return windows[:, :-1], windows[:, 1:], first[:, None] + torch.arange(length)


def make_optimizer(model, learning_rate):
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.95), fused=True)


def learning_rate_at(step, flags):
    """Linear warm-up, then a cosine down to a tenth."""
    if step < flags.warmup:
        return flags.learning_rate * (step + 1) / flags.warmup
    progress = (step - flags.warmup) / max(1, flags.steps - flags.warmup)
    return flags.learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))


@dataclasses.dataclass
class History:
    """What the curve is drawn from: (step, loss) pairs, in nats per token."""

    train: list
    held_out: list


def train(model, train_ids, held_out_ids, flags):
    make_fast_to_train(model)
    generator = torch.Generator().manual_seed(flags.seed)
    optimizer = make_optimizer(model, flags.learning_rate)
    history = History([], [])
    glimpse = held_out_ids[: 64 * SHORT + 1]  # to follow the training; the card's figures use all
    begun = time.monotonic()
    for step in range(flags.steps):
        model.train()
        inputs, targets, positions = sample_batch(train_ids, step, generator)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, flags)
        hidden = model.transformer(inputs, position_ids=positions, use_cache=False).last_hidden_state
        loss = FullSoftmaxLoss.apply(hidden.flatten(0, 1), model.lm_head.weight, targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        history.train.append((step + 1, loss.item()))
        report(step + 1, flags.steps, history, begun)
        if (step + 1) % EVALUATE_EVERY == 0 or step + 1 == flags.steps:
            held_out = losses_by_position(model, glimpse, SHORT).mean().item()
            history.held_out.append((step + 1, held_out))
            print(
                f"step {step + 1}: held-out loss {held_out:.3f} (first {len(glimpse) - 1} tokens)",
                flush=True,
            )
    return history, time.monotonic() - begun


def report(done, steps, history, begun):
    if done % 10 and done > 3:
        return
    recent = [loss for _, loss in history.train[-10:]]
    each = (time.monotonic() - begun) / done
    print(
        f"step {done}/{steps}  loss {sum(recent) / len(recent):.3f}  {each:.2f} s/step  "
        f"ETA {each * (steps - done) / 60:.1f} min",
        flush=True,
    )


def save(model, flags):
    """Writes config.json, model.safetensors (fp16, lm_head is tied: not stored), tokenizer."""
    flags.out.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(flags.out)
    (flags.out / "generation_config.json").unlink()  # nothing here generates
    (flags.out / "model.safetensors").chmod(0o644)  # as the other files; transformers writes 0600
    for name in ("vocab.json", "merges.txt"):
        if flags.tokenizer.resolve() != flags.out.resolve():
            shutil.copyfile(flags.tokenizer / name, flags.out / name)


def evaluate_saved(train_ids, held_out_ids, out):
    """Figures of the weights as they lie in the file: rounded to fp16, computed with in fp32."""
    model = transformers.GPT2LMHeadModel.from_pretrained(out, dtype=torch.float32)
    short = losses_by_position(model, held_out_ids, SHORT)
    long = losses_by_position(model, held_out_ids, LONG)
    cross, own = unigram_entropies(train_ids, held_out_ids, model.config.vocab_size)
    return {
        "held_out_loss_128": short.mean().item(),
        "held_out_loss_1024": long.mean().item(),
        "held_out_loss_1024_by_eighth": [part.mean().item() for part in long.chunk(8)],
        "unigram_cross_entropy": cross,
        "unigram_own_entropy": own,
        "parameters": model.num_parameters(),
    }


def describe_run(flags, train_ids, held_out_ids, seconds):
    return {
        "corpus": flags.corpus.name,
        "train_tokens": len(train_ids),
        "held_out_tokens": len(held_out_ids),
        "distinct_tokens": len(torch.cat([train_ids, held_out_ids]).unique()),
        "steps": flags.steps,
        "seed": flags.seed,
        "learning_rate": flags.learning_rate,
        "warmup": flags.warmup,
        "threads": flags.threads,
        "minutes": seconds / 60,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": platform.machine(),
    }


def main():
    flags = parse_flags()
    torch.set_num_threads(flags.threads)
    transformers.set_seed(flags.seed)
    train_ids, held_out_ids = encode_corpus(flags.corpus, flags.tokenizer)
    print(f"{len(train_ids)} tokens to train on, {len(held_out_ids)} held out", flush=True)
    model = make_model()
    history, seconds = train(model, train_ids, held_out_ids, flags)
    save(model, flags)
    figures = evaluate_saved(train_ids, held_out_ids, flags.out)
    figures.update(describe_run(flags, train_ids, held_out_ids, seconds))
    figures["weights_bytes"] = (flags.out / "model.safetensors").stat().st_size
    figures["history"] = dataclasses.asdict(history)
    (flags.out / "training.json").write_text(json.dumps(figures) + "\n")
    model_card.write(flags.out)
    loss_curve.write(flags.out)


if __name__ == "__main__":
    main()
