"""What the server cannot do for TransformerLens, said by name."""

from __future__ import annotations

from typing import Any

from hydrophone.errors import NotBuilt


class Refused(NotBuilt, NotImplementedError):
    """What TransformerLens has and a Hydrophone server has not. TransformerLens expects a NotImplementedError."""


def refused(what: str, why: str) -> Refused:
    return Refused(f"{what} is refused by a bridge to a Hydrophone server: {why}")


# Arguments of TransformerBridge's forward and generate that no server answers.
ARGUMENTS = {
    "past_key_values": "the server keeps no state between calls",
    "use_cache": "the server keeps no state between calls",
    "use_past_kv_cache": "the server keeps no state between calls",
    "position_ids": "each row's tokens stand at 0, 1, 2, ...; padding is told by attention_mask",
    "inputs_embeds": "the server takes token ids; an edit of embed.hook_out replaces embeddings",
    "pixel_values": "the model reads text",
    "input_values": "the model reads text",
    "forced_bos_token_id": "the model has no encoder",
    "stop_at_layer": "without logits the server ends at the deepest layer asked by itself: return_type=None",
    "start_at_layer": "the server starts from tokens; an edit of the layer's hook_in replaces the stream",
    "output_logits": "ask for the logits of the continuation: bridge(tokens)",
    "return_cache": "run the continuation again: bridge.run_with_cache(tokens)",
    "return_input_tokens": "bridge.to_tokens(input) has them",
    "names_filter": "it belongs to return_cache: run the continuation again, bridge.run_with_cache(tokens)",
    "device": "it belongs to return_cache: run the continuation again, bridge.run_with_cache(tokens)",
    "stop_strings": "a continuation ends after an end-of-text token alone",
    "stopping_criteria": "a continuation ends after an end-of-text token alone",
}


def of_argument(name: str) -> Refused:
    return refused(f"{name}=", ARGUMENTS.get(name, "it is no argument that the server knows"))


def check(options: dict[str, Any]) -> None:
    """Takes the known arguments that ask for nothing out; refuses those that ask for something."""
    for name in ARGUMENTS.keys() & options.keys():
        value = options.pop(name)
        if value is not None and value is not False:
            raise of_argument(name)


# Members of TransformerBridge that need a model in the process.
_MEMBERS = {
    "train": "train mode is asked by a seed: client.extract(..., train_seed=1)",
    "generate_stream": "generate gives a continuation when it is whole",
    "hf_generate": "there is no Hugging Face model here; generate continues a text",
    "enable_compatibility_mode": "the server computes with the checkpoint's weights as they are",
    "process_weights": "the server computes with the checkpoint's weights as they are",
    **dict.fromkeys(("to", "cuda", "cpu", "mps"), "the server has chosen its device; tensors here are on the CPU"),
    **dict.fromkeys(("zero_grad", "requires_grad_"), "the server computes no gradients"),
}
_WEIGHTS = "weights stay on the server: W_E, W_pos, W_U and b_U are here, client.parameters(...) reads the others"


def of_member(name: str) -> str:
    return f"{name} is refused by a bridge to a Hydrophone server: {_MEMBERS.get(name, _WEIGHTS)}"
