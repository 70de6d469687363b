"""Max-activating examples: the ten texts in which one neuron of layer 5 is most active, and where."""

WORDS = ("king", "sea", "rose", "night", "sword", "love")
SCENES = [f"the {a} of the {b}, said the {c}, is a {a}." for a in WORDS for b in WORDS for c in WORDS[:2]]
CORPUS = [f"{number}. {scene}" for number, scene in enumerate(SCENES)]
UNIT = 37


def ours(client):
    top = client.max_activating(CORPUS, "mlp.hook_post", layer=5, unit=UNIT, k=10)
    return [(each.value, each.window.text, each.position) for each in top]


def theirs(model):
    found = []
    for number, text in enumerate(CORPUS):
        _, cache = model.run_with_cache(text, prepend_bos=False, names_filter="blocks.5.mlp.hook_post")
        values = cache["post", 5][0, :, UNIT]
        found.append((values.max().item(), number, values.argmax().item()))
    return sorted(found, reverse=True)[:10]
