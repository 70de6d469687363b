"""The deltas of layer 10: what its attention and its MLP add to the residual stream."""

TEXT = "Plants make fantastic pets because they don't leave a mess after you feed them."


def ours(client):
    r = client.extract(TEXT, ["attn_out", "mlp_out"], layers=10, prepend_bos=True)
    return r["attn_out"], r["mlp_out"]


def theirs(model):
    _, cache = model.run_with_cache(TEXT, names_filter=["blocks.10.hook_attn_out", "blocks.10.hook_mlp_out"])
    return cache["attn_out", 10][0], cache["mlp_out", 10][0]
