"""What the soak asks, by kind."""

import dataclasses

import numpy as np

VOCABULARY = 50257
STREAMS = ("Extract", "GetParameters")


@dataclasses.dataclass(frozen=True)
class Question:
    name: str
    method: str
    body: bytes  # the request as grpcio sends it
    message: object = None  # the same for those that write JSON; None when the body is no message

    @property
    def streams(self):
        return self.method in STREAMS


def ask(name, method, message):
    return Question(name, method, message.SerializeToString(), message)


def tokens(count, seed):
    return np.random.default_rng(seed).integers(0, VOCABULARY, count).tolist()


def short(pb):
    """Answered within milliseconds by a server that is idle."""
    ids, half = pb.Input(token_ids=tokens(16, 1)), pb.DTYPE_FLOAT16
    edit = pb.Intervention(hook_point="blocks.5.hook_mlp_out", positions=pb.Positions(slice=":"), zero=pb.Zero())
    runs = [pb.Run(), pb.Run(interventions=[edit], baseline=0)]
    lens = pb.HookSelector(hook_point="hook_resid_post", logit_lens=pb.LogitLens(top_k=3, entropy=True))
    return [
        ask("deltas", "Extract", pb.ExtractRequest(texts=["Hello world"], hook_points=["hook_attn_out"])),
        ask("states", "Extract", pb.ExtractRequest(inputs=[ids], hook_points=["hidden_states"], view=pb.VIEW_BYTES)),
        ask("patterns", "Extract", pb.ExtractRequest(inputs=[ids], hook_points=["hook_pattern"], dtype=half)),
        ask("edited", "Extract", pb.ExtractRequest(inputs=[ids], runs=runs, hook_points=["logits"])),
        ask("lens", "Extract", pb.ExtractRequest(texts=["The capital of France is"], hooks=[lens])),
        ask("continued", "Extract", pb.ExtractRequest(texts=["Once"], max_new_tokens=4, hook_points=["hook_embed"])),
        ask("tokens", "Tokenize", pb.TokenizeRequest(texts=["Hello world", "Ünïcödé"])),
        ask("norm", "GetParameters", pb.GetParametersRequest(parameters=[pb.ParameterSelector(name="ln_f.*")])),
    ]


def bulk(pb):
    """Megabytes each."""
    long = [pb.Input(token_ids=tokens(512, seed)) for seed in range(4)]
    wte = pb.ParameterSelector(name="wte.weight", rows=range(0, VOCABULARY, 7))
    return [
        ask("2048 tokens", "Extract", pb.ExtractRequest(inputs=long, hook_points=["hidden_states", "hook_mlp_out"])),
        ask(
            "2048 tokens in rows",
            "Extract",
            pb.ExtractRequest(inputs=long, hook_points=["hook_z"], layout=pb.LAYOUT_ROWS, dtype=pb.DTYPE_BFLOAT16),
        ),
        ask("embedding", "GetParameters", pb.GetParametersRequest(parameters=[wte])),
    ]


def malformed(pb):
    """Each is refused, always with the same words."""
    good = pb.ExtractRequest(texts=["Hello"], hook_points=["hook_embed"])
    unknown = pb.ExtractRequest(texts=["Hello"], hook_points=["hook_attn_uot"])
    outside = pb.ExtractRequest(inputs=[pb.Input(token_ids=[VOCABULARY])], hook_points=["hook_embed"])
    return [
        ask("unknown hook", "Extract", unknown),
        ask("unknown token", "Extract", outside),
        Question("half a message", "Extract", good.SerializeToString()[:-3]),
        Question("no message", "Extract", b"\xff" * 40),
        Question("unknown field", "Tokenize", b"\xca\x3e\x01a"),
        ask("too much", "Extract", pb.ExtractRequest(texts=["a"] * 5000, hook_points=["hook_embed"])),
    ]
