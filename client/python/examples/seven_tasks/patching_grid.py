"""A patching grid with a picture: what each layer and position of the residual stream of one text restores in another.

After Meng et al. 2022 (arXiv:2202.05262).
"""

import hydrophone as hp

CLEAN, CORRUPT = "The capital of France is", "The capital of Italy is"


def ours(client, picture):
    grid = client.patch_grid(CLEAN, CORRUPT, "resid_pre", metric=hp.logit_diff(" the", " a"), prepend_bos=True)
    grid.plot(restored=False).figure.savefig(picture)
    return grid.values


def theirs(model, picture):
    from matplotlib import pyplot
    from transformer_lens import patching

    _, cache = model.run_with_cache(CLEAN)
    tokens, r, w = model.to_tokens(CORRUPT), model.to_single_token(" the"), model.to_single_token(" a")
    grid = patching.get_act_patch_resid_pre(model, tokens, cache, lambda logits: logits[0, -1, r] - logits[0, -1, w])
    pyplot.imshow(grid, origin="lower", cmap="RdBu")
    pyplot.xticks(range(grid.shape[1]), model.to_str_tokens(CORRUPT), rotation=60)
    pyplot.colorbar()
    pyplot.savefig(picture)
    return grid
