"""A launcher in Python: the command line of each worker gets three words in front."""

import subprocess
import sys

RUN = ["cachelatch", "run", "--preset", "vllm", "--"]
SERVE = ["vllm", "serve", "meta-llama/Llama-3.1-8B"]

workers = [subprocess.Popen([*RUN, *SERVE, "--port", str(8000 + index)]) for index in range(8)]
sys.exit(max(worker.wait() for worker in workers))
