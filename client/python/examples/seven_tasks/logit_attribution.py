"""Logit attribution: what each component adds to the difference of two tokens' logits, at the last position."""

TEXT, RIGHT, WRONG = "The capital of France is", " the", " a"


def ours(client):
    stack = client.decompose_resid(TEXT, pos_slice="last", prepend_bos=True)
    return list(stack.labels), client.logit_attrs(stack, RIGHT, WRONG)


def theirs(model):
    _, cache = model.run_with_cache(TEXT)
    stack, labels = cache.decompose_resid(pos_slice=-1, return_labels=True)
    return labels, cache.logit_attrs(stack, RIGHT, incorrect_tokens=WRONG, pos_slice=-1)
