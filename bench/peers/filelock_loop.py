"""argv: a path. For each line `times`: microseconds of a lock + release with filelock, over so many in a row."""
import sys
import time

from filelock import FileLock

lock = FileLock(sys.argv[1])
for line in sys.stdin:
    times = int(line)
    started = time.perf_counter()
    for _ in range(times):
        with lock:
            pass
    print((time.perf_counter() - started) * 1e6 / times, flush=True)
