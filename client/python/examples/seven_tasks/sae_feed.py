"""An SAE feed: batches of shuffled token activations without end, for the trainer of a sparse autoencoder."""

import hydrophone as hp

WORDS = "king queen lord man house heart hand head eye night day world death life blood name father mother".split()
# Sixteen tokens each, with the one that begins a text.
CORPUS = ["".join(f" {WORDS[(step * number + number) % len(WORDS)]}" for number in range(15)) for step in range(12)]


def ours(client):
    return hp.activations(client, CORPUS, "resid_post", 6, batch_size=16, shuffle_buffer=128, context=16)


def theirs(model):
    import torch

    buffer = torch.empty(0, model.cfg.d_model)
    while True:
        for text in CORPUS:
            _, cache = model.run_with_cache(text, names_filter="blocks.6.hook_resid_post", stop_at_layer=7)
            buffer = torch.cat([buffer, cache["resid_post", 6][0]])
            while len(buffer) >= 128:
                buffer = buffer[torch.randperm(len(buffer))]
                yield buffer[:16]
                buffer = buffer[16:]
