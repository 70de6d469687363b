"""One request alone and in random company, bit by bit."""

import concurrent.futures

import numpy as np

LINGER = "--batch_linger_microseconds=100000"  # so that those who come together are computed together
POINTS = ["attn.c_proj", "mlp.c_proj", "hidden_states", "attn.hook_z", "mlp.hook_post", "logits"]
TOKENS, MOST_COMPANY, LONGEST = 24, 6, 200


class Company:
    """Requests of others, of random number, lengths and points."""

    def __init__(self, client, seed=0):
        self._client, self._random = client, np.random.default_rng(seed)

    def requests(self):
        pb, random = self._client.pb, self._random
        for _ in range(random.integers(1, MOST_COMPANY + 1)):
            ids = random.integers(0, 50257, size=random.integers(1, LONGEST)).tolist()
            layer, point = int(random.integers(0, 12)), str(random.choice(["mlp.c_proj", "attn.hook_pattern"]))
            hook = pb.HookSelector(hook_point=point, layers=[layer], positions=pb.Positions(at=[-1]))
            yield {"inputs": [pb.Input(token_ids=ids)], "hooks": [hook]}


def run(setting, findings):
    server = setting.server(setting.main_model, LINGER)
    client, company = setting.client(server), Company(setting.client(server))
    independent = client.model().compute.batch_independent
    ids = np.random.default_rng(9).integers(0, 50257, size=TOKENS).tolist()

    def mine():
        answer = client.extract(inputs=[client.pb.Input(token_ids=ids)], hook_points=POINTS)
        return {info.name: array.tobytes() for info, array in answer.tensors}, answer.trailer.batch_tokens

    alone, _ = mine()
    different, mixed = {}, 0
    with concurrent.futures.ThreadPoolExecutor(MOST_COMPANY + 1) as callers:
        for number in range(setting.mixes):
            others = [callers.submit(client.extract, **request) for request in company.requests()]
            found, batch_tokens = callers.submit(mine).result()
            mixed += batch_tokens > TOKENS
            if changed := [name for name in alone if found[name] != alone[name]]:
                different[number] = changed
            for other in others:
                other.result()
    findings.check(
        f"{setting.mixes} mixes, {len(alone)} tensors each",
        f"{len(different)} with other bits",
        not (independent and different),
        f"the probe: bits are independent {independent}",
    )
    findings.check("of them computed in one batch with others", str(mixed), mixed > 0)
    findings.detail("different", different)
