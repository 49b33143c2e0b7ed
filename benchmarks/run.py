"""`make bench`: the entry. It imports nothing by itself, since each worker process begins with importing it again: what
a worker holds would else be counted with libraries that only other parts of the bench use (30 MB).

    python benchmarks/run.py                         # everything, about 20 minutes
    python benchmarks/run.py --backlog 100000 --cases 1000000   # the full run, about half an hour
    python benchmarks/run.py --count 1000 --rounds 1 # a quick look
"""

import sys

if __name__ == "__main__":
    from bench import main

    sys.exit(main())
