"""Files of which nothing is read."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from pipeline.core.fulfilment_files import FileRefused, ReturnedFile
from pipeline.warehouses.spreadsheet import Spreadsheet
from pipeline.warehouses.spreadsheet.references import make_reference
from tests.pipeline.warehouses.kit import RecordedHTTP, make_tools

REFERENCE = make_reference("SUB-90000001")


def read(content: bytes) -> ReturnedFile | FileRefused:
    return Spreadsheet({}, make_tools(RecordedHTTP())).read_file(content)


def workbook() -> bytes:
    book = Workbook()
    book.worksheets[0].append(["Order ID", "Tracking"])
    book.worksheets[0].append([REFERENCE, "123456789012"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def changed(name: str, edit=lambda text: text, added: bytes | None = None) -> bytes:
    """The workbook with one part edited, or added."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, edit(old.read(entry)) if entry == name else old.read(entry))
        if added is not None:
            new.writestr(name, added)
    return content.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_the_workbook_itself_is_read():
    assert read(workbook()).rows[0].order_numbers == ("SUB-90000001",)


MACRO_TYPE = b"sheet.main+xml", b"sheet.macroEnabled.main+xml"
REFUSED = {
    "nothing": (lambda: b"", "empty"),
    "only spaces": (lambda: b" \r\n", "empty"),
    "ten megabytes": (lambda: b"x" * (10 * 1024 * 1024 + 1), "too_large"),
    "many rows": (lambda: b"a,b\n" + b"1,2\n" * 50_001, "too_large"),
    "many columns": (lambda: b"," * 600, "too_large"),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old_excel"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "not_a_table"),
    "a broken archive": (lambda: b"PK\x03\x04 not a zip", "not_a_table"),
    "only open quotes": (lambda: b'"a\n' * 201, "not_a_table"),
    "no tracking": (lambda: b"Order ID,Name\nCW-1-BCD,x\n", "no_tracking"),
    "bare numbers": (lambda: b"Order ID,Tracking\nSUB-90000001,123456789012\n", "no_reference"),
    "only addresses": (lambda: b"Email,Tracking\nbuyer@example.com,123456789012\n", "no_reference"),
    "only headings": (lambda: b"Order ID,Tracking\n", "no_reference"),
    "macros": (lambda: changed("xl/vbaProject.bin", added=b"macros"), "macros"),
    "a macro type": (lambda: changed("[Content_Types].xml", lambda text: text.replace(*MACRO_TYPE)), "macros"),
    "entities": (lambda: changed(SHEET, lambda text: b'<!DOCTYPE x [<!ENTITY a "aa">]>' + text), "not_a_table"),
    "late entities": (lambda: changed(SHEET, lambda _: b"<!--" + b" " * 2**21 + b"--><!DOCTYPE x>"), "not_a_table"),
    "a cut sheet": (lambda: changed(SHEET, lambda text: text[:-20]), "not_a_table"),
    "a sheet that is none": (lambda: changed(SHEET, lambda _: b"no XML"), "not_a_table"),
    "no sheets": (lambda: changed("xl/workbook.xml", lambda _: b"<workbook/>"), "not_a_table"),
    "a bomb": (lambda: changed("bomb.xml", added=b"\0" * (51 * 1024 * 1024)), "too_large"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_is_refused_with_what_to_do(what):
    make, fault = REFUSED[what]

    refused = read(make())

    assert isinstance(refused, FileRefused)
    assert refused.fault == fault
    assert refused.message.endswith(".")


def test_an_archive_of_too_many_parts_is_refused():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(1_001):
            archive.writestr(str(number), b"")

    assert read(content.getvalue()).fault == "too_large"


def test_an_archive_with_a_password_is_refused():
    content = bytearray(workbook())
    position = content.find(b"PK\x01\x02")
    while position >= 0:  # the flag of each entry in the directory
        content[position + 8] |= 1
        position = content.find(b"PK\x01\x02", position + 4)

    assert read(bytes(content)).fault == "encrypted"


def test_a_part_that_holds_more_than_it_states_is_not_unpacked_further():
    content = bytearray(changed("bomb.xml", added=b"\0" * 5_000_000))
    directory = content.rfind(b"bomb.xml") - 46
    content[directory + 24 : directory + 28] = (10).to_bytes(4, "little")  # the size that the directory states

    assert read(bytes(content)).fault == "not_a_table"
