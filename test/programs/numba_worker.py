"""A worker that compiles functions with Numba's @jit(cache=True), as a user would write it.

    numba_worker.py    prints one line of JSON

Settings come from Numba's own environment variables (NUMBA_CACHE_DIR, ...).
"""

import hashlib
import json
import os
import warnings

import numba


@numba.njit(cache=True)
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@numba.njit(cache=True)
def mean(values):
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def main():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Two signatures of one function: an index with two data files.
        results = [collatz(27), mean((1.0, 2.0, 4.0)), mean((1, 2))]
    print(
        json.dumps(
            {
                "program": "numba",
                "version": numba.__version__,
                "cacheDir": os.environ.get("NUMBA_CACHE_DIR"),
                "hits": sum(sum(each.stats.cache_hits.values()) for each in (collatz, mean)),
                "misses": sum(sum(each.stats.cache_misses.values()) for each in (collatz, mean)),
                "errors": [str(warning.message) for warning in caught],
                "checksum": hashlib.sha256(repr(results).encode()).hexdigest(),
            }
        )
    )


main()
