"""The last states of 500 texts of different lengths: the residual stream after the last block, at each last token."""

TEXTS = [
    f"{name} gave {count} {thing}"
    for name in ("Romeo", "A king", "My good old friend", "She", "Hamlet, of Denmark,")
    for count in range(1, 11)
    for thing in ("plants", "red roses", "ships and men", "words", "a", "b", "c", "d", "e", "f")
]


def ours(client):
    return client.extract(TEXTS, "resid_post", layers=11, positions="last", rows=True, prepend_bos=True)["resid_post"]


def theirs(model):
    name = "blocks.11.hook_resid_post"
    _, cache = model.run_with_cache(TEXTS, padding_side="left", names_filter=name, stop_at_layer=12)
    return cache["resid_post", 11][:, -1]
