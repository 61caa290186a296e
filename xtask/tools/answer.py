"""Answer questions about indexes, twine's configuration and archives, one after the other.

Every line of standard input is a question, a JSON object with one key: the name of a module beside
this file, and the question for that module. Every answer is one line of JSON. When standard input
closes, this process ends at once, whatever it is doing: its parent is gone.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path

# `-I` also removes the folder of the script from the path. No bytecode is written there.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).parent))

import api  # noqa: E402
import archive  # noqa: E402
import check  # noqa: E402
import index  # noqa: E402
import repositories  # noqa: E402

MODULES = {
    "api": api,
    "archive": archive,
    "check": check,
    "index": index,
    "repositories": repositories,
}


def _read(questions: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        questions.put(line)
    os._exit(0)


def main() -> None:
    """Answer until standard input closes."""
    questions: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(questions,), daemon=True).start()
    while True:
        ((module, question),) = json.loads(questions.get()).items()
        print(json.dumps(MODULES[module].answer(question)), flush=True)


if __name__ == "__main__":
    main()
