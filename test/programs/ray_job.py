"""Eight engines under Ray on one machine, as in alibaba/ROLL#133: actors that start together, and compile the same.

    ray_job.py [ACTORS] [--kill N]    prints one line of JSON

RAY_JOB_PYTHON, where set, is the command that Ray starts workers with (runtime_env's py_executable): a wrapper goes there.
With --kill, that many actors kill themselves once after their first compile, and Ray restarts them.
"""

import argparse
import json
import os
import signal

import ray


@ray.remote(max_restarts=1, max_task_retries=-1, num_cpus=0)
class Engine:
    """One replica. It compiles in its own process, with whatever cache directory that process was started with."""

    def compile(self, number):
        import jax
        import jax.numpy as jnp

        hits = []
        jax.monitoring.register_event_listener(
            lambda event, **_: hits.append(event) if event.endswith("/cache_hits") else None
        )
        x = jnp.linspace(-1, 1, 64 * 64, dtype=jnp.float32).reshape(64, 64)
        out = jax.jit(lambda x: jnp.tanh(x @ x.T) @ x)(x)
        return {
            "engine": number,
            "pid": os.getpid(),
            "cacheDir": os.environ.get("JAX_COMPILATION_CACHE_DIR"),
            "hits": len(hits),
            "checksum": float(out.sum()),
        }

    def die_once(self, marker):
        """A task that is retried: it kills its process the first time, and does nothing in the next one."""
        if not os.path.exists(marker):
            open(marker, "x").close()
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("actors", type=int, nargs="?", default=8)
    arguments.add_argument("--kill", type=int, default=0)
    arguments.add_argument("--markers", default=".")
    asked = arguments.parse_args()

    python = os.environ.get("RAY_JOB_PYTHON")
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"py_executable": python} if python else None,
    )
    engines = [Engine.remote() for _ in range(asked.actors)]
    first = ray.get([engine.compile.remote(number) for number, engine in enumerate(engines)])
    ray.get(
        [
            engine.die_once.remote(os.path.join(asked.markers, f"died-{number}"))
            for number, engine in enumerate(engines[: asked.kill])
        ]
    )
    second = ray.get([engine.compile.remote(number) for number, engine in enumerate(engines)])
    print(json.dumps({"program": "ray", "version": ray.__version__, "first": first, "second": second}))
    ray.shutdown()


main()
