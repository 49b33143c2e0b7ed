"""The one zip form of a case file: what differs from it by a byte is refused, under a code that says how."""

import stat
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import ContainerForm, ContainerName, ContainerTooLarge, GatewayError
from gateway.wire import container as module
from gateway.wire.container import MEDIA_TYPE, Container, ContainerWriter, open_container

FIXED = (1980, 1, 1, 0, 0, 0)


def written(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    writer = ContainerWriter(out)
    for name, body in files.items():
        writer.add(name, [body[:3], body[3:]])
    writer.close()
    return out.getvalue()


GOOD = written({"a.txt": b"first", "folder/b.xml": b"<b/>"})


def forced(*names: str) -> bytes:
    """Return a container with names that the writer would not take."""
    out = BytesIO()
    writer = ContainerWriter(out)
    with mock.patch.object(module, "check_name", return_value=None):
        for name in names:
            writer.add(name, [b"a"])
            writer._names.clear()
    writer.close()
    return out.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    with Container.read(BytesIO(data)) as found:
        return {name: b"".join(found.chunks(name)) for name in found.entries}


def zipped(*entries: tuple[str, bytes], comment: bytes = b"", change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    """Return a zip as anybody's program writes it."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = comment
        for name, body in (("mimetype", MEDIA_TYPE), *entries):
            info = zipfile.ZipInfo(name, FIXED)
            info.create_system = 0
            info.external_attr = 0
            if change is not None and name != "mimetype":
                change(info)
            archive.writestr(info, body)
    return out.getvalue()


def test_what_was_written_is_read_again() -> None:
    assert read(GOOD) == {"mimetype": MEDIA_TYPE, "a.txt": b"first", "folder/b.xml": b"<b/>"}


def test_same_files_give_the_same_bytes() -> None:
    assert written({"a.txt": b"first", "folder/b.xml": b"<b/>"}) == GOOD


def test_any_zip_program_reads_it() -> None:
    with zipfile.ZipFile(BytesIO(GOOD)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["mimetype", "a.txt", "folder/b.xml"]
        assert archive.read("folder/b.xml") == b"<b/>"


def test_mimetype_can_be_read_at_its_fixed_place() -> None:
    assert GOOD[30 : 38 + len(MEDIA_TYPE)] == b"mimetype" + MEDIA_TYPE


# --- hostile ----------------------------------------------------------------------------------------------------------


def as_link(info: zipfile.ZipInfo) -> None:
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


def deflated(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def extra(info: zipfile.ZipInfo) -> None:
    info.extra = struct.pack("<HH4s", 0x7075, 4, b"name")


def encrypted() -> bytes:
    """Return a container that says of its second file that it is encrypted."""
    data, directory = bytearray(GOOD), GOOD.index(b"PK\x01\x02")
    second = GOOD.index(b"PK\x01\x02", directory + 1)
    data[second + 8] |= 1
    return bytes(data)


def lying(size: int) -> bytes:
    """Return a container whose directory and header give the last file another size."""
    data, last = bytearray(GOOD), GOOD.rindex(b"PK\x01\x02")
    local = GOOD.rindex(b"PK\x03\x04")
    for place in (last + 20, last + 24, local + 18, local + 22):
        data[place : place + 4] = size.to_bytes(4, "little")
    return bytes(data)


def overlapping() -> bytes:
    """Return a container of two names for one content, the way an overlap bomb is built."""
    data, last = bytearray(GOOD), GOOD.rindex(b"PK\x01\x02")
    data[last + 42 : last + 46] = GOOD.index(b"PK\x03\x04", 4).to_bytes(4, "little")
    return bytes(data)


def false_checksum() -> bytes:
    data = bytearray(GOOD)
    place = GOOD.index(b"first")
    data[place] ^= 1
    return bytes(data)


FORMS = {
    "compressed": zipped(("a.txt", b"a" * 99), change=deflated),
    "bomb": zipped(("a.txt", b"0" * 9_000_000), change=deflated),
    "encrypted": encrypted(),
    "link": zipped(("a.txt", b"/etc/passwd"), change=as_link),
    "extra field": zipped(("a.txt", b"a"), change=extra),
    "comment": zipped(("a.txt", b"a"), comment=b"read me"),
    "bytes behind": GOOD + b"x",
    "bytes before": b"x" + GOOD,
    "second archive behind": GOOD + GOOD,
    "bytes between": GOOD.replace(b"<b/>", b"<b/>x", 1),
    "cut off": GOOD[:-30],
    "overlap": overlapping(),
    "false checksum": false_checksum(),
    "no mimetype": GOOD.replace(b"mimetype", b"mimetypf"),
    "other mimetype": GOOD.replace(b"asic-e", b"asic-s"),
    "no zip": b"<xml/>" * 20,
    "empty": b"",
    "only an end": b"PK\x05\x06" + bytes(18),
    "smaller than said": lying(3),
    "larger than said": lying(5),
}
NAMES = [
    "../a.txt", "/etc/passwd", "a/../../b", "C:\\a.txt", "a\\b", "a//b", "a/", ".hidden", "a/.b", "a\x00b", "ä.txt", "a b", "",
    "x" * 300, "a/b/c/d/e", "con\u202etxt.exe",
]  # fmt: skip


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS.keys())
def test_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(ContainerForm):
        read(data)


@pytest.mark.parametrize("name", NAMES)
def test_name_that_could_lead_somewhere_else_is_refused(name: str) -> None:
    with pytest.raises(ContainerName):
        read(forced(name))


@pytest.mark.parametrize("name", NAMES)
def test_such_a_name_is_not_written_either(name: str) -> None:
    with pytest.raises(ContainerName):
        written({name: b"a"})


@pytest.mark.parametrize("second", ["a.txt", "A.TXT", "mimetype"])
def test_two_files_of_one_name_are_refused(second: str) -> None:
    with pytest.raises(ContainerName, match="same name"):
        read(forced("a.txt", second))


def test_size_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(ContainerTooLarge):
        read(lying(2**31))


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    many = written({f"{number}.txt": b"" for number in range(20)})
    monkeypatch.setattr(module, "MAX_ENTRIES", 10)
    with pytest.raises(ContainerTooLarge):
        read(many)
    with pytest.raises(ContainerTooLarge):
        written({f"{number}.txt": b"" for number in range(20)})


def test_file_above_the_limit_is_neither_read_nor_written(monkeypatch: pytest.MonkeyPatch) -> None:
    large = written({"a.txt": b"a" * 60})
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 50)
    with pytest.raises(ContainerTooLarge):
        read(large)
    with pytest.raises(ContainerTooLarge):
        written({"a.txt": b"a" * 60})


def test_small_file_is_not_read_when_it_is_large() -> None:
    with Container.read(BytesIO(GOOD)) as found, pytest.raises(ContainerTooLarge):
        found.content("a.txt", most=4)


def test_folder_or_missing_file_is_no_container(tmp_path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(GatewayError) as refused:
            open_container(path)
        assert refused.value.code == "not-a-file"


@settings(max_examples=300)
@given(data=st.binary(max_size=400) | st.binary(max_size=100).map(lambda tail: GOOD[:-22] + tail))
@example(data=GOOD[-22:])
def test_any_bytes_are_a_container_or_one_of_our_errors(data: bytes) -> None:
    try:
        read(data)
    except GatewayError as error:
        assert error.code in {"container-form", "container-name", "container-too-large"}  # noqa: PT017  # either way is right


@settings(max_examples=300)
@given(place=st.integers(min_value=0, max_value=len(GOOD) - 1), flip=st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_refused(place: int, flip: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= flip
    with pytest.raises((ContainerForm, ContainerName, ContainerTooLarge)):
        read(bytes(data))


class _Watched(BytesIO):
    """Remembers how much was read at most at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.most = max(self.most, len(found))
        return found


def test_gap_before_the_directory_is_refused_without_being_read() -> None:
    place = GOOD.rindex(b"PK\x05\x06")
    length, offset = struct.unpack_from("<2I", GOOD, place + 12)
    end = GOOD[place : place + 12] + struct.pack("<2IH", length, offset + 5_000_000, 0)
    file = _Watched(GOOD[:offset] + bytes(5_000_000) + GOOD[offset:place] + end)
    with pytest.raises(ContainerForm):
        Container.read(file)
    assert file.most < 1_000


def test_files_of_one_kind_are_read_up_to_a_limit_together() -> None:
    with Container.read(BytesIO(written({"a/1": b"12345", "a/2": b"678", "b/1": b"9"}))) as found:
        assert found.contents("a/", most=8) == {"a/1": b"12345", "a/2": b"678"}
        with pytest.raises(ContainerTooLarge):
            found.contents("a/", most=7)
