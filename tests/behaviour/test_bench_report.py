"""larder-bench report: a page from what the other commands print."""

import html.parser
import struct
import xml.etree.ElementTree as xml

import pytest

from origin import answer
from server import bench


def run(*arguments):
    done = bench(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def files(origin, tmp_path):
    """What load, replay and simulate have found, in files."""
    origin.default = answer(fields=[("Age", "5")], body=b"hello")
    trace = tmp_path / "trace"
    trace.write_bytes(b"".join(struct.pack("<IQIq", 1, number % 70, 50000, -1) for number in range(500)))
    (tmp_path / "hits.json").write_text(run("load", f"http://{origin.address}/", "--requests", 50, "--json"))
    (tmp_path / "played.json").write_text(run("replay", trace, f"http://{origin.address}", "--requests", 50, "--json"))
    (tmp_path / "sizes.json").write_text(run("simulate", trace, "--cache", "10%,50%", "--segments", 16, "--json"))
    return [tmp_path / name for name in ("hits.json", "played.json", "sizes.json")]


class Page(html.parser.HTMLParser):
    """Holds that what is opened is closed, and that nothing is fetched."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.seen = [], "", set()
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        assert tag not in ("script", "link", "img", "iframe")
        assert not {name for name, _ in attributes} & {"src", "href", "onclick", "onload"}
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_page_of_all_of_them(files):
    text = run("report", *files, "--title", "A & B")
    page = Page(text)
    for part in ("A & B", "Throughput and latency", "Replays: what hit", "Misses by the size of the cache", "hits", "s3fifo"):
        assert part in page.text
    assert "url(" not in text and "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_its_drawings_are_xml(files):
    drawings = ["<svg" + part.split("</svg>")[0] + "</svg>" for part in run("report", *files).split("<svg")[1:]]
    assert len(drawings) == 1 + 3 + 1 + 2  # the jar; rates and two latencies; what hit; two of misses
    for drawing in drawings:
        xml.fromstring(drawing)


@pytest.mark.parametrize("content, told", [
    (None, "unable to open"),
    ("{", "file.json: "),
    ("{}", "not the JSON of load, replay, simulate, compare or load-cost"),
    ('{"sizes": {}, "sizes": {}}', "duplicate"),
])
def test_mistakes_are_one_line(tmp_path, content, told):
    path = tmp_path / "file.json"
    if content is not None:
        path.write_text(content)
    done = bench("report", path)
    assert done.returncode == 1 and done.stdout == ""
    assert told in done.stderr and done.stderr.count("\n") == 1
