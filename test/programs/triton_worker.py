"""A worker that compiles kernels with Triton for a GPU that need not be there, through Triton's own cache.

    triton_worker.py compile [KERNELS]    compiles kernels for sm_90; a hit is what Triton's compilation listener calls one
    triton_worker.py groups [GROUPS]      gets or puts groups with FileCacheManager, as the compiler does; every file of a
                                          group describes itself, so a mixed or partial one is recognised

Prints one line of JSON. Settings come from Triton's own environment variables (TRITON_CACHE_DIR, ...).
"""

import hashlib
import json
import os
import sys

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.cache import get_cache_manager

SM_90 = GPUTarget("cuda", 90, 32)


@triton.jit
def scale_and_add(x_ptr, y_ptr, out_ptr, n, SCALE: tl.constexpr, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = offsets < n
    x = tl.load(x_ptr + offsets, mask=inside)
    y = tl.load(y_ptr + offsets, mask=inside)
    tl.store(out_ptr + offsets, x * SCALE + tl.exp(y), mask=inside)


def compile_kernels(count):
    found = {"hits": 0, "misses": 0, "errors": []}

    def listener(*, cache_hit, **_):
        found["hits" if cache_hit else "misses"] += 1

    triton.knobs.compilation.listener = listener
    checksum = hashlib.sha256()
    signature = {"x_ptr": "*fp32", "y_ptr": "*fp32", "out_ptr": "*fp32", "n": "i32", "SCALE": "constexpr", "BLOCK": "constexpr"}
    for number in range(count):
        source = ASTSource(scale_and_add, signature, {"SCALE": number + 1, "BLOCK": 128})
        try:
            checksum.update(triton.compile(source, target=SM_90).asm["cubin"])
        except Exception as error:
            found["errors"].append(f"{type(error).__name__}: {error}")
    return {**found, "checksum": checksum.hexdigest()}


PARTS = ("source", "ttir", "ttgir", "llir", "ptx", "cubin", "json")


def content_of(key, part):
    """One line that says what it is, then bytes that follow from that line."""
    head = f"{key} {part}\n"
    return head + hashlib.sha256(head.encode()).hexdigest() * 200


def get_or_put_groups(count):
    """Every worker that is given the same count races for the same groups."""
    found = {"hits": 0, "misses": 0, "errors": []}
    for number in range(count):
        key = hashlib.sha256(b"group %d" % number).hexdigest()
        try:
            cache = get_cache_manager(key)
            group = cache.get_group("kernel.json")
            found["misses" if group is None else "hits"] += 1
            if group is None:
                paths = {f"kernel.{part}": cache.put(content_of(key, part), f"kernel.{part}") for part in PARTS}
                cache.put_group("kernel.json", paths)
            check(cache, key, cache.get_group("kernel.json"))
        except Exception as error:
            found["errors"].append(f"{type(error).__name__}: {error}")
    return {**found, "checksum": hashlib.sha256(b"%d" % count).hexdigest()}


def check(cache, key, group):
    if group is None:
        raise ValueError(f"group {key} is gone")
    for name, path in group.items():
        if os.path.dirname(path) != cache.cache_dir:
            raise ValueError(f"{path} is not in {cache.cache_dir}")
        with open(path) as file:
            if file.read() != content_of(key, name.removeprefix("kernel.")):
                raise ValueError(f"{path} is partial or not of this group")


def main():
    what, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found = compile_kernels(count) if what == "compile" else get_or_put_groups(count)
    print(json.dumps({"program": "triton", "version": triton.__version__, "cacheDir": triton.knobs.cache.dir, **found}))


main()
