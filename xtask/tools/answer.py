"""Answer questions about indexes, twine's configuration and archives, for as long as there are any.

Every line of standard input is a question, a JSON object with one key: the name of a module beside
this file, with what it is asked. Every answer is one line of JSON. When standard input closes, this
process ends at once, whatever it is doing: who asked is no longer there.
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path

# `-I` keeps the folder of a script out of the path, too. Nothing is written there.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).parent))

import archive  # noqa: E402
import check  # noqa: E402
import index  # noqa: E402
import repositories  # noqa: E402

MODULES = {"archive": archive, "check": check, "index": index, "repositories": repositories}


def _read(questions: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        questions.put(line)
    os._exit(0)


def main() -> None:
    """Answer until nobody asks any more."""
    questions: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(questions,), daemon=True).start()
    while True:
        ((module, question),) = json.loads(questions.get()).items()
        print(json.dumps(MODULES[module].answer(question)), flush=True)


if __name__ == "__main__":
    main()
