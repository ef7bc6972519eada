"""A worker that runs torch.compile on a small transformer, on the CPU, as a user would write it.

    inductor_worker.py [LAYERS]    (default 2)    prints one line of JSON

Settings come from torch's own environment variables (TORCHINDUCTOR_CACHE_DIR, ...).
"""

import hashlib
import json
import sys

import torch
from torch._dynamo.utils import counters

torch.manual_seed(0)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attention = torch.nn.Linear(width, 3 * width)
        self.out = torch.nn.Linear(width, width)
        self.up = torch.nn.Linear(width, 4 * width)
        self.down = torch.nn.Linear(4 * width, width)
        self.first, self.second = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)

    def forward(self, x):
        q, k, v = self.attention(self.first(x)).chunk(3, dim=-1)
        x = x + self.out(torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, dim=-1) @ v)
        return x + self.down(torch.nn.functional.gelu(self.up(self.second(x))))


def main():
    layers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    model = torch.nn.Sequential(*[Block(64) for _ in range(layers)]).eval()
    x = torch.linspace(-1, 1, 2 * 16 * 64).reshape(2, 16, 64)
    errors = []
    output = torch.zeros(0)
    try:
        with torch.no_grad():
            output = torch.compile(model)(x)
    except Exception as error:
        errors.append(f"{type(error).__name__}: {error}")
    inductor = counters["inductor"]
    print(
        json.dumps(
            {
                "program": "inductor",
                "version": torch.__version__,
                "cacheDir": torch._inductor.runtime.cache_dir_utils.cache_dir(),
                "hits": inductor["fxgraph_cache_hit"],
                "misses": inductor["fxgraph_cache_miss"],
                "errors": errors,
                "checksum": hashlib.sha256(output.numpy().tobytes()).hexdigest(),
            }
        )
    )


main()
