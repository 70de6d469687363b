"""start: from exec to SERVING, the page cache warm; against Hugging Face's import and from_pretrained."""

import os
import subprocess
import sys

from measure import in_turn, seconds_of
from processes import Server
from result import Result

OURS, HUGGING_FACE = "Hydrophone, exec to SERVING", "Hugging Face, import and from_pretrained"
LOADING = "import sys, transformers; transformers.GPT2Model.from_pretrained(sys.argv[1]).eval()"


def run(context):
    result = Result("start", "from exec to ready, GPT-2 124M", "bars")
    model = context.model()

    def ours():
        with Server(context.build, model, context.threads, context.device) as server:
            return {"seconds": server.start_seconds}

    def hugging_face():
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        subprocess.run([sys.executable, "-c", LOADING, model], check=True, stderr=subprocess.DEVNULL, env=environment)

    contenders = {OURS: ours, HUGGING_FACE: seconds_of(hugging_face)}
    samples = in_turn(contenders, context.rounds, context.progress, "start")
    for name, of in samples.items():
        result.add("GPT-2 124M", name, of["seconds"], "s")
    speedup = samples[HUGGING_FACE]["seconds"].median / samples[OURS]["seconds"].median
    result.at_least("times faster than Hugging Face", speedup, 5)
    return result
