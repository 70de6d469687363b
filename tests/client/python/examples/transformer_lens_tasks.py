"""The seven tasks as TransformerLens does them, on the bridge of a checkpoint on disk, before any processing.

Usage: transformer_lens_tasks.py CHECKPOINT_DIRECTORY TASKS_DIRECTORY OUT_DIRECTORY

OUT_DIRECTORY/NAME.pickle has what the task NAME gave, its tensors as NumPy arrays, and NAME.png its picture. Of an
iterator without end it has the first BATCHES values.
"""

import collections.abc
import importlib.util
import inspect
import itertools
import pathlib
import pickle
import sys

import matplotlib
import torch
import transformers
from transformer_lens.model_bridge import TransformerBridge

BATCHES = 200  # of an endless iterator


def plain(value):
    if isinstance(value, collections.abc.Iterator):
        value = list(itertools.islice(value, BATCHES))
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.numpy() if isinstance(value, torch.Tensor) else value


def main():
    directory, tasks, out = map(pathlib.Path, sys.argv[1:])
    matplotlib.use("agg")
    torch.set_num_threads(1)  # these models are small, and other tests run beside
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    tokenizer = transformers.GPT2Tokenizer.from_pretrained(directory)
    bridge = TransformerBridge.boot_transformers(directory, hf_model=model.eval(), tokenizer=tokenizer, device="cpu")
    for path in sorted(tasks.glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        spec.loader.exec_module(task := importlib.util.module_from_spec(spec))
        picture = [out / f"{path.stem}.png"] if "picture" in inspect.signature(task.theirs).parameters else []
        with torch.inference_mode():
            (out / f"{path.stem}.pickle").write_bytes(pickle.dumps(plain(task.theirs(bridge, *picture))))


if __name__ == "__main__":
    main()
