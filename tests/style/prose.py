"""Finds comments whose subject is a person: `prose.py FILE...` prints each place, and exits with 1 if there is any.

The house's rule: the subject of a comment is the thing in the code (the job, the caller, the batch, the thread).
"""

import re
import sys
from pathlib import Path

PERSON = re.compile(
    r"\b(who|whom|he|him|his|she|somebody|nobody|anybody|everybody|someone|anyone|everyone)\b", re.IGNORECASE
)
# A raw string, a string, a character, or a comment: whichever begins first, what stands inside it begins nothing.
TOKEN = re.compile(
    r'R"(?P<mark>\w*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])'"
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)",
    re.DOTALL,
)
QUOTED = re.compile(r'"[^"\n]*"')


def findings(text):
    """(line number, word) of each person in a comment of this C++ or proto text, quotations in comments left out."""
    found = []
    for token in TOKEN.finditer(text):
        comment = token["comment"]
        if comment is None:
            continue
        first = text.count("\n", 0, token.start()) + 1
        for offset, line in enumerate(comment.split("\n")):
            found += [(first + offset, word) for word in PERSON.findall(QUOTED.sub("", line))]
    return found


def main(paths):
    failed = False
    for path in paths:
        for line, word in findings(Path(path).read_text(encoding="utf-8")):
            failed = True
            print(f'{path}:{line}: "{word}": a comment\'s subject is the thing in the code')
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
