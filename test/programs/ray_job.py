"""Engines under Ray on one machine, as in alibaba/ROLL#133: actors that start together, and compile the same.

    ray_job.py [ACTORS]    (default 8)

Once all have compiled, prints a line of JSON; all compile again, and it prints another, for each line on stdin; ends with
stdin. Ray restarts an actor that was killed. RAY_JOB_PYTHON, where set, is the command that Ray starts workers with
(runtime_env's py_executable): a wrapper goes there.
"""

import json
import os
import sys

import ray


@ray.remote(max_restarts=1, max_task_retries=-1, num_cpus=0)
class Engine:
    """One replica. It compiles in its own process, with whatever cache directory that process was started with."""

    def compile(self):
        import jax
        import jax.numpy as jnp

        events = []
        jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
        x = jnp.linspace(-1, 1, 64 * 64, dtype=jnp.float32).reshape(64, 64)
        out = jax.jit(lambda x: jnp.tanh(x @ x.T) @ x)(x)
        return {
            "pid": os.getpid(),
            "cacheDir": os.environ.get("JAX_COMPILATION_CACHE_DIR"),
            "hits": events.count("/jax/compilation_cache/cache_hits"),
            "misses": events.count("/jax/compilation_cache/cache_misses"),
            "checksum": float(out.sum()),
        }


def main():
    python = os.environ.get("RAY_JOB_PYTHON")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"py_executable": python} if python else None,
    )
    engines = [Engine.remote() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 8)]

    def compile_in_all():
        print(json.dumps(ray.get([engine.compile.remote() for engine in engines])), flush=True)

    compile_in_all()
    for _ in sys.stdin:
        compile_in_all()
    ray.shutdown()


main()
