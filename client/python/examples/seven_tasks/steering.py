"""Steering while generating: the difference of two words' states is added to the residual stream before layer 6.

After Turner et al. 2023, "Activation Addition" (arXiv:2308.10248).
"""

import hydrophone as hp

PROMPT, WORDS = "My lord, I am", ["I love", "I hate"]


def ours(client):
    r = client.extract(WORDS, "resid_pre", layers=6, positions="last", rows=True, prepend_bos=True)
    steer = hp.add("resid_pre", 8 * (r["resid_pre"][0] - r["resid_pre"][1]), layers=6)
    return PROMPT + client.generate(PROMPT, 12, edits=steer, prepend_bos=True)[0].text


def theirs(model):
    _, cache = model.run_with_cache(WORDS, names_filter="blocks.6.hook_resid_pre")
    steer = 8 * (cache["resid_pre", 6][0, -1] - cache["resid_pre", 6][1, -1])
    with model.hooks(fwd_hooks=[("blocks.6.hook_resid_pre", lambda resid, hook: resid + steer)]):
        return model.generate(PROMPT, max_new_tokens=12, do_sample=False, verbose=False)
