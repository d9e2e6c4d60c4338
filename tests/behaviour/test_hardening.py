"""The program as the compiler and the linker left it: what cmake/hardening.cmake asks for is read back from its ELF. Builds with
sanitizers are not hardened, see conftest.py."""

import struct

import pytest

from server import BENCH, LARDER

EXECUTABLE, WRITABLE = 1, 2
PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY, PT_LOAD = 2, 0x6474E551, 0x6474E552, 0x6474E553, 1
DT_FLAGS, DT_FLAGS_1, DT_TEXTREL = 30, 0x6FFFFFFB, 22
X86, ARM = 62, 183


class Elf:
    """A program of 64 bits, little endian: its segments, its dynamic flags, its symbols, its properties."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        assert self.bytes[:6] == b"\x7fELF\x02\x01"
        (self.type, self.machine, _, _, segments, sections, _, _, segment_size, segment_count, section_size, section_count,
         _) = struct.unpack_from("<HHIQQQIHHHHHH", self.bytes, 16)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.bytes, segments + i * segment_size) for i in range(segment_count)]
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.bytes, sections + i * section_size)
                         for i in range(section_count)]
        self.dynamic = dict(struct.iter_unpack("<QQ", self.at(self.segment(PT_DYNAMIC))))
        self.symbols = {}
        for section in self.sections:
            if section[1] in (2, 11):  # SHT_SYMTAB, SHT_DYNSYM
                self.read_symbols(section)

    def segment(self, kind):
        found = [segment for segment in self.segments if segment[0] == kind]
        assert len(found) == 1, f"{len(found)} segments of type {kind:x}"
        return found[0]

    def at(self, segment):
        return self.bytes[segment[2]:segment[2] + segment[5]]

    def read_symbols(self, section):
        names = self.sections[section[6]][4]
        for name, _, _, _, value, _ in struct.iter_unpack("<IBBHQQ", self.bytes[section[4]:section[4] + section[5]]):
            end = self.bytes.index(b"\0", names + name)
            self.symbols[self.bytes[names + name:end].decode().split("@")[0]] = value

    def code(self, name, size):
        """The first bytes of a function."""
        for kind, _, offset, address, _, length, _, _ in self.segments:
            if kind == PT_LOAD and address <= self.symbols[name] < address + length:
                at = offset + self.symbols[name] - address
                return self.bytes[at:at + size]
        raise AssertionError(f"{name} is in no segment")

    def properties(self):
        """Of processors, as {type: bits}."""
        note = self.at(self.segment(PT_GNU_PROPERTY))
        at, found = 16, {}
        while at < len(note):
            kind, size = struct.unpack_from("<II", note, at)
            found[kind] = struct.unpack_from("<I", note, at + 8)[0]
            at += 8 + (size + 7) // 8 * 8
        return found


@pytest.fixture(params=[LARDER, BENCH], ids=["larder", "larder-bench"], scope="module")
def elf(request):
    return Elf(request.param)


def test_it_lies_anywhere(elf):
    assert elf.type == 3 and elf.dynamic[DT_FLAGS_1] & 0x08000000  # ET_DYN, DF_1_PIE
    assert DT_TEXTREL not in elf.dynamic


def test_what_is_bound_is_bound_at_the_start_and_read_only(elf):
    assert elf.dynamic[DT_FLAGS] & 8 and elf.dynamic[DT_FLAGS_1] & 1  # DF_BIND_NOW, DF_1_NOW
    assert elf.segment(PT_GNU_RELRO)[5] > 0


def test_what_can_be_written_cannot_be_run(elf):
    assert not elf.segment(PT_GNU_STACK)[1] & EXECUTABLE
    for kind, flags, *_ in elf.segments:
        assert kind != PT_LOAD or flags & (EXECUTABLE | WRITABLE) != EXECUTABLE | WRITABLE


def test_buffers_are_watched(elf):
    assert "__stack_chk_fail" in elf.symbols
    checked = {name for name in elf.symbols if name.endswith("_chk")}
    assert {"__memcpy_chk", "__snprintf_chk"} <= checked, checked


def test_branches_are_marked(elf):
    if elf.machine == X86:
        assert elf.properties()[0xC0000002] & 2  # a shadow stack
        assert elf.code("main", 4) == b"\xf3\x0f\x1e\xfa"  # endbr64
    elif elf.machine == ARM:
        assert elf.code("main", 4) in (b"\x3f\x23\x03\xd5", b"\x5f\x24\x03\xd5")  # paciasp, or bti c
    else:
        pytest.skip("a processor that larder does not know")
