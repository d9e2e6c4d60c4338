"""cases.py: the case files of this folder, read.

    === 400 bare-lf-ends-a-field | RFC 9112 §2.2: a lone LF ends no line
    GET {p} HTTP/1.1
    Host: test\\n\\
    A: b

A case begins with what is to happen, its name, and why. The lines up to the next case are what goes over the wire, each with the CRLF that
a line of HTTP has; one that ends in a backslash has none. So the empty line above is the one that ends the head. Escapes: \\r \\n \\t \\0 \\\\ \\xNN,
and {text*1000} for a text many times. {p} is a path of the case's own. Lines that begin with "#" are comments.

Lines that begin with "?" say more of what is to happen: see test_strict.py.
"""

import re
from pathlib import Path

HERE = Path(__file__).parent
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)|\{([^{}*]*)\*(\d+)\}")
SIMPLE = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescape(text):
    def one(match):
        if match.group(2) is not None:
            return unescape(match.group(2)) * int(match.group(3))
        code = match.group(1)
        return chr(int(code[1:], 16)) if code[0] == "x" and len(code) == 3 else SIMPLE[code]
    return ESCAPE.sub(one, text)


class Case:
    def __init__(self, kind, theme, line, header):
        head, _, self.why = header.partition("|")
        self.expect, self.name = head.split()
        self.kind, self.theme, self.line = kind, theme, line
        self.why = self.why.strip()
        assert self.why, f"{theme}:{line}: a case says why"
        self.text = ""
        self.more = []

    def __str__(self):
        return self.id

    @property
    def id(self):
        return f"{self.theme}/{self.name}"

    @property
    def path(self):
        return f"/{self.kind}/{self.id}"

    @property
    def wire(self):
        return self.fill(self.text).encode("latin-1")

    def fill(self, text):
        return text.replace("{p}", self.path)

    def add(self, line):
        if line.startswith("?"):
            word, _, value = line[1:].strip().partition(" ")
            self.more.append((word, self.fill(unescape(value))))
        else:
            odd = line.endswith("\\") and not line.endswith("\\\\")
            self.text += unescape(line[:-1] if odd else line) + ("" if odd else "\r\n")

    def all(self, word):
        return [value for key, value in self.more if key == word]

    def get(self, word, default=None):
        return next(iter(self.all(word)), default)


def read(kind):
    """All cases of "requests" or "answers", in order."""
    found = []
    for path in sorted((HERE / kind).glob("*.cases")):
        case = None
        for number, line in enumerate(path.read_text(encoding="latin-1").split("\n")[:-1], 1):
            if line.startswith("==="):
                case = Case(kind, path.stem, number, line[3:])
                found.append(case)
            elif not line.startswith("#"):
                assert case is not None, f"{path}:{number}: before the first case"
                case.add(line)
    assert len({case.id for case in found}) == len(found), "two cases of one name"
    return found
