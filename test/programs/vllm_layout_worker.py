"""Writes and reads VLLM_CACHE_ROOT the way vLLM 0.20 does in JIT mode, without a GPU and without a model.

    vllm_layout_worker.py MODEL [GRAPHS]    prints one line of JSON

Replayed from vllm/compilation/backends.py (CompilerManager) and compiler_interface.py (InductorStandaloneAdaptor) of
0.20.0; 0.9 to 0.20 read an artifact at the absolute path in vllm_compile_cache.py, 0.33 writes it and does not read it.
An artifact says what it is, so one of another worker, or half of one, is recognised.
"""

import ast
import hashlib
import json
import os
import pprint
import sys
import threading

COMPILER = "inductor_standalone"
RANGE = (1, 8192)


def content_of(model, graph):
    """One line that says what it is, then bytes that follow from that line."""
    head = f"{model} {graph}\n"
    return (head + hashlib.sha256(head.encode()).hexdigest() * 4096).encode()


class CompilerManager:
    def __init__(self, root, model):
        rank = os.environ.get("RANK", "0")
        self.model = model
        hash_key = hashlib.sha256(model.encode()).hexdigest()[:10]
        self.rank_dir = os.path.join(root, "torch_compile_cache", hash_key, f"rank_{rank}_0")
        self.cache_dir = os.path.join(self.rank_dir, "backbone")
        os.makedirs(self.cache_dir, exist_ok=True)
        for name in ("inductor_cache", "triton_cache"):
            os.makedirs(os.path.join(self.rank_dir, name), exist_ok=True)
        self.cache_file_path = os.path.join(self.cache_dir, "vllm_compile_cache.py")
        self.cache = {}
        if os.path.exists(self.cache_file_path):
            with open(self.cache_file_path) as file:
                self.cache = ast.literal_eval(file.read())

    def load(self, graph):
        entry = self.cache.get((RANGE, graph, COMPILER))
        if entry is None:
            return None
        key, path = entry["graph_handle"]
        if not path.startswith(self.cache_dir + os.sep):
            raise ValueError(f"{path} is not in {self.cache_dir}")
        with open(path, "rb") as file:
            artifact = file.read()
        if artifact != content_of(self.model, graph):
            raise ValueError(f"{path} is partial or not of this model")
        return artifact

    def compile(self, graph):
        key = f"artifact_compile_range_{RANGE[0]}_{RANGE[1]}_subgraph_{graph}"
        path = os.path.join(self.cache_dir, key)
        artifact = content_of(self.model, graph)
        write_atomic(path, artifact)
        self.cache[(RANGE, graph, COMPILER)] = {"graph_handle": (key, path), "cache_key": f"a{graph}"}
        return artifact

    def save_to_file(self):
        data = pprint.PrettyPrinter(indent=4).pformat(self.cache)
        with open(self.cache_file_path, "w") as file:
            file.write(data)


def write_atomic(path, content):
    """As torch._inductor.codecache does."""
    draft = os.path.join(os.path.dirname(path), f".{os.getpid()}.{threading.get_ident()}.tmp")
    with open(draft, "wb") as file:
        file.write(content)
    os.rename(draft, path)


def main():
    model, graphs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4
    root = os.environ["VLLM_CACHE_ROOT"]
    found = {"hits": 0, "misses": 0, "errors": []}
    checksum = hashlib.sha256()
    try:
        manager = CompilerManager(root, model)
        for graph in range(graphs):
            artifact = manager.load(graph)
            found["misses" if artifact is None else "hits"] += 1
            checksum.update(artifact if artifact is not None else manager.compile(graph))
        if found["misses"] > 0:
            manager.save_to_file()
    except Exception as error:
        found["errors"].append(f"{type(error).__name__}: {error}")
    print(json.dumps({"program": "vllm-layout", "cacheDir": root, **found, "checksum": checksum.hexdigest()}))
    sys.exit(1 if found["errors"] else 0)


main()
