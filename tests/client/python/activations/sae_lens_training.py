"""SAELens's own trainer, fed by hp.activations; SAELens's packing of tokens, and its reading of a cached data set.

Usage: sae_lens_training.py < JSON; a list of [function, arguments], and writes the list of what they gave as JSON.

wandb, which only logs and is turned off here, is stood in for: SAELens imports it, and it is larger than all the rest.
"""

import contextlib
import importlib.machinery
import json
import pathlib
import sys
import types

import torch

wandb = types.ModuleType("wandb")
wandb.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
sys.modules["wandb"] = wandb

from sae_lens import (  # noqa: E402  # noqa: E402
    ActivationsStore,
    CacheActivationsRunnerConfig,
    SAETrainer,
    StandardTrainingSAE,
    StandardTrainingSAEConfig,
)
from sae_lens.config import SAETrainerConfig  # noqa: E402
from sae_lens.tokenization_and_batching import concat_and_batch_sequences  # noqa: E402

TESTS = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TESTS))


def train(address, corpus, width, batch_size, steps, **feed):
    """The loss of each step, and how long the trainer waited for its batches."""
    from python_client import hp

    torch.manual_seed(0)
    torch.set_num_threads(1)
    sae = StandardTrainingSAE(StandardTrainingSAEConfig(d_in=width, d_sae=4 * width, l1_coefficient=0.1))
    losses = []
    with hp.Client(address) as client, hp.activations(client, corpus, batch_size=batch_size, **feed) as batches:
        cfg = SAETrainerConfig(
            total_training_samples=steps * batch_size, train_batch_size_samples=batch_size, lr=1e-3, lr_end=1e-4
        )
        trainer = SAETrainer(cfg=cfg, sae=sae, data_provider=batches)
        step = trainer.step

        def noted(batch):
            done = step(batch)
            losses.append(done.loss.item())
            return done

        trainer.step = noted
        trainer.fit()
        return {
            "losses": losses,
            "share": batches.waiting_share,
            "first_wait": batches.first_wait,
            "said": repr(batches),
        }


def pack(texts, context, bos, prepend_bos):
    """SAELens's windows of texts that are token ids."""
    made = concat_and_batch_sequences(
        iter([torch.tensor(ids) for ids in texts]),
        context,
        begin_batch_token_id=bos if prepend_bos else None,
        sequence_separator_token_id=bos,
    )
    return [window.tolist() for window in made]


def read(path, hook, width, context):
    """The rows and the token ids of a cached data set, as SAELens's store loads them, batch by batch."""
    cfg = CacheActivationsRunnerConfig(
        dataset_path="",
        model_name="",
        model_batch_size=1,
        hook_name=hook,
        d_in=width,
        training_tokens=1 << 20,
        context_size=context,
        new_cached_activations_path=path,
        device="cpu",
        buffer_size_gb=1e-5,  # a few windows
    )
    store = ActivationsStore.from_cache_activations(None, cfg)
    values, ids = [], []
    with contextlib.suppress(StopIteration):
        while True:
            rows, tokens = store.get_raw_llm_batch(raise_on_epoch_end=True)
            values += rows.tolist()
            ids += tokens.tolist()
    return {"values": values, "token_ids": ids, "batch": list(store.next_batch().shape)}


if __name__ == "__main__":
    found = [globals()[name](**arguments) for name, arguments in json.load(sys.stdin)]
    json.dump(found, sys.stdout)
