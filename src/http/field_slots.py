#!/usr/bin/env python3
"""Writes field_slots.h, the perfect hash of field.c, from FIELD_TABLE in include/larder/http/field.h.

Run it in this folder after a change to that table:   python3 field_slots.py
It tries factors for length, first, middle and last letter, from small ones up, until all names get slots of
their own. tests/unit/http/test_field.c fails when the written table does not fit the names.
"""
import itertools
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
FIELD_H = HERE / "../../include/larder/http/field.h"
SLOTS = 256

HEAD = """\
/* field_slots.h: the perfect hash of known field names. Written by field_slots.py: do not edit.
 *
 * slot = (length * LENGTH + first * FIRST + middle * MIDDLE + last) mod 256, letters in lower case.
 */
#ifndef LARDER_HTTP_FIELD_SLOTS_H
#define LARDER_HTTP_FIELD_SLOTS_H

"""


def slot_of(name, factors):
    letters = [ord(c) | 0x20 for c in (name[0], name[len(name) // 2], name[-1])]
    length, first, middle = factors
    return (len(name) * length + letters[0] * first + letters[1] * middle + letters[2]) % SLOTS


def search(names):
    for most in range(1, 64):
        for factors in itertools.product(range(1, most + 1), repeat=3):
            if max(factors) == most and len({slot_of(n, factors) for n in names}) == len(names):
                return factors
    raise SystemExit("no factors found: let slot_of look at another letter")


def main():
    rows = re.findall(r'X\((\w+), "([^"]+)"\)', FIELD_H.read_text())
    factors = search([name for _, name in rows])
    lines = [f"    [{slot_of(name, factors)}] = FIELD_{id},\n" for id, name in rows]
    text = HEAD + "enum { SLOT_LENGTH = %d, SLOT_FIRST = %d, SLOT_MIDDLE = %d };\n\n" % factors
    text += f"static const uint8_t field_slots[{SLOTS}] = {{\n" + "".join(lines) + "};\n\n#endif\n"
    (HERE / "field_slots.h").write_text(text)


if __name__ == "__main__":
    main()
