"""Eight actors on one host, each in a warm slot of its own. Only the marked line is new."""

import os

import ray

ray.init(
    runtime_env={
        "py_executable": "cachelatch run --preset vllm -- python",  # <-- this one
    }
)


@ray.remote
class Engine:
    def caches(self):
        return os.environ["VLLM_CACHE_ROOT"]


engines = [Engine.remote() for _ in range(8)]
for directory in ray.get([engine.caches.remote() for engine in engines]):
    print(directory)
