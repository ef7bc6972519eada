"""A worker that compiles a small transformer block with JAX, as a user would write it: it knows nothing of cachelatch.

    jax_worker.py [PROGRAMS]      compiles that many programs (default 3) and prints one line of JSON

Settings come from JAX's own environment variables (JAX_COMPILATION_CACHE_DIR, ...). JAX caches nothing that compiled in
less than a second: set JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 for programs as small as these.
"""

import hashlib
import json
import sys
import warnings
from collections import Counter

import jax
import jax.numpy as jnp

events = Counter()
jax.monitoring.register_event_listener(lambda event, **_: events.update([event]))
COMPILATION_CACHE = "/jax/compilation_cache/"


def block(x, weights):
    """Attention and a gated unit: enough for XLA to have some work."""
    for w in weights:
        scores = jax.nn.softmax((x @ w) @ x.T / jnp.sqrt(x.shape[-1]), axis=-1)
        x = x + jax.nn.silu(scores @ x @ w.T)
        x = (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-5)
    return x


def main():
    programs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    checksum = hashlib.sha256()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(programs):
            width = 64 + 32 * number
            x = jnp.linspace(-1, 1, 16 * width, dtype=jnp.float32).reshape(16, width)
            weights = [jnp.eye(width, dtype=jnp.float32) * (0.5 + 0.1 * layer) for layer in range(4)]
            checksum.update(jax.jit(block)(x, weights).tobytes())
    print(
        json.dumps(
            {
                "program": "jax",
                "version": jax.__version__,
                "cacheDir": jax.config.jax_compilation_cache_dir,
                "requests": events[COMPILATION_CACHE + "compile_requests_use_cache"],
                "hits": events[COMPILATION_CACHE + "cache_hits"],
                "misses": events[COMPILATION_CACHE + "cache_misses"],
                "errors": [str(w.message) for w in caught if "persistent compilation cache" in str(w.message)],
                "checksum": checksum.hexdigest(),
            }
        )
    )


main()
