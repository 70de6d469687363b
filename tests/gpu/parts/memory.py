"""A batch too large for the GPU's memory is an error, and the server lives on."""

import grpc
import torch
import workload

LEFT_FREE = 256 << 20  # bytes, when everything else is taken by this process
INPUTS, LENGTH = 64, 1024  # an MLP's activations of so many tokens of 124M take 0.8 GB
TOKENS = INPUTS * LENGTH


def _take_all_but(left, device):
    """Memory on the device, so that a batch is too large on a card of any size."""
    free, _ = torch.cuda.mem_get_info(device)
    return torch.empty(max(free - left, 0), dtype=torch.uint8, device=device)


def run(setting, findings):
    if not setting.on_gpu:
        findings.figure("out of memory", "not tried", "only on a GPU")
        return
    server = setting.server(setting.main_model, f"--max_batch_tokens={TOKENS}", f"--max_tokens_per_request={TOKENS}")
    client = setting.client(server)
    pb = client.pb
    hook = pb.HookSelector(hook_point="hidden_states", layers=[12], positions=pb.Positions(at=[-1]))
    large = [pb.Input(token_ids=ids) for ids in workload.batch(INPUTS, LENGTH)]
    small = [pb.Input(token_ids=workload.batch(1, 16)[0])]
    before = client.extract(inputs=small, hooks=[hook]).tensors[0][1].tobytes()
    taken = _take_all_but(LEFT_FREE, setting.device)
    try:
        client.extract(inputs=large, hooks=[hook])
        answer, refused = "computed", False
    except grpc.RpcError as error:
        answer, refused = f"{error.code().name}: {error.details()[:60]}", True
    findings.check(
        f"{INPUTS}x{LENGTH} tokens, {LEFT_FREE >> 20} MiB free", "an error" if refused else "no error", refused, answer
    )
    del taken
    torch.cuda.empty_cache()
    after = client.extract(inputs=small, hooks=[hook]).tensors[0][1].tobytes()
    findings.check("the same server afterwards", "answers", after == before, "with the same bytes")
    client.extract(inputs=large, hooks=[hook])
    findings.check("the large batch, with memory free", "computed", True)
