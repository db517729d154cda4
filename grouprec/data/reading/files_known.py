"""Files that are known by their first bytes or by what they pack: what they are, and what to do about it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from grouprec.core.files import UNPACKING
from grouprec.core.types import DataError
from grouprec.data.limits import check_workbook
from grouprec.data.values.common import shown, some_of

_TEXT = bytes({*range(32, 127), *b"\t\n\r\f\x1b"})
_TAR_AT = 257  # where its mark stands in a tar archive
_BINARY = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as .xlsx first",
    b"SQLite format 3": "an SQLite database; export the table as CSV first",
    b"BZh": "a bzip2 archive; unpack it or use gzip",
    b"\xfd7zXZ": "an xz archive; unpack it or use gzip",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it or use gzip",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"\x1f\x8b": "a gzip file inside a gzip file; unpack it once first",
    b"ARROW1": "an Arrow or Feather file; save it as Parquet (pyarrow.parquet.write_table)",
    b"FEA1": "an old Feather file; save it as Parquet",
    b"\xff\xff\xff\xff": "a stream of Arrow; save it as Parquet",
    b"ORC": "an ORC file; save it as Parquet",
    b"Obj\x01": "an Avro file; save it as Parquet or JSON lines",
    b"\x93NUMPY": "an array of numpy; save a table of user and item as CSV or Parquet",
    b"\x89HDF": "an HDF5 file; save the table in it as Parquet",
    b"\x80\x02": "a pickle of Python, which can hold programs and is never opened; save the table as Parquet",
    b"\x80\x03": "a pickle of Python, which can hold programs and is never opened; save the table as Parquet",
    b"\x80\x04": "a pickle of Python, which can hold programs and is never opened; save the table as Parquet",
    b"\x80\x05": "a pickle of Python, which can hold programs and is never opened; save the table as Parquet",
    b"$FL2": "an SPSS file (.sav); export it as CSV first",
    b"<stata_dta>": "a Stata file (.dta); export it as CSV first",
    b"RDX": "a file of R; save the table with write.csv first",
    b"X\n\x00\x00": "a file of R (.rds); save the table with write.csv first",
    b"\x00\x01\x00\x00Standard": "an Access database; export the table as CSV first",
    b"\x00" * 12 + b"\xc2\xea\x81\x60": "a SAS file (.sas7bdat); export it as CSV first",
    b"\x04\x22\x4d\x18": "an LZ4 archive; unpack it or use gzip",
    b"\x1f\x9d": "a compress archive (.Z); unpack it or use gzip",
    b"MATLAB": "a MATLAB file; save the table as CSV first",
}
# What a zip archive is by a name in it; these are no archives of files to people.
_OFFICE = {
    "word/": "a Word document; copy its table into a spreadsheet",
    "ppt/": "a presentation",
    "index/document.iwa": "a file of Numbers or Pages; export it as CSV or Excel",
    "datamodel": "a Power BI file; export the table as CSV",
    "meta-inf/manifest.mf": "a program in Java",
}
PACKED_KINDS = (".xlsx", ".xlsm", ".ods", ".parquet", ".zip", ".gz")  # that are not read inside an archive
_NOT_DATA = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini", "readme", "license")


def refuse_binary(name: str, head: bytes) -> None:
    """Refuse a file whose first bytes say that it is no text.

    Raises:
        DataError: says what it is.
    """
    binary = bool(head[:4096].translate(None, _TEXT))
    if head[_TAR_AT:].startswith(b"ustar"):
        raise DataError(f"'{name}' is not a table but a tar archive; unpack it first.")
    if head.startswith(b"version https://git-lfs.github.com"):
        raise DataError(f"'{name}' is not the table but a pointer to it; fetch the file itself with 'git lfs pull'.")
    for magic, kind in _BINARY.items():
        if head.startswith(magic) and (binary or magic == b"%PDF"):  # a header may well begin with ORC or MZ
            raise DataError(f"'{name}' is not a table but {kind}.")


def packed_files(path: Path) -> tuple[str, ...]:
    """Return the names of the files in a zip archive that people put there, none where it is a workbook itself.

    Raises:
        DataError: it is damaged, something else, or has nothing in it that can be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            low = [name.lower() for name in names]
            if any(name.startswith("xl/") for name in low) or ("content.xml" in low and _is_sheet(archive, names)):
                check_workbook(path, archive)
                return ()
    except UNPACKING as error:
        raise DataError(f"'{path.name}' is a damaged Excel workbook or zip archive; save it again.") from error
    for sign, kind in _OFFICE.items():
        if any(name.startswith(sign) for name in low):
            raise DataError(f"'{path.name}' is not a table but {kind}.")
    if "content.xml" in low:
        raise DataError(f"'{path.name}' is an OpenDocument text, not a table; copy its table into a spreadsheet.")
    # not is_dir(): it asks for the last letter of a name that may be empty
    files = [info for info in infos if not info.filename.endswith("/") and not _is_beside(info.filename)]
    if not files:
        raise DataError(f"'{path.name}' is a zip archive with no file in it.")
    if any(info.flag_bits & 1 for info in files):
        raise DataError(f"'{path.name}' is a zip archive with a password; unpack it and give the file inside.")
    if len(files) == 1 and files[0].filename.lower().endswith(PACKED_KINDS):
        inner = shown(PurePosixPath(files[0].filename).name)
        raise DataError(f"'{path.name}' is a zip archive of '{inner}'; unpack it and give that file.")
    return tuple(info.filename for info in files)


def several_files(path: Path, names: Iterable[str]) -> DataError:
    """Return the error for a zip archive of which nothing tells which file is meant."""
    names = list(names)
    if all(name.endswith(".npy") for name in names):
        return DataError(
            f"'{path.name}' is not a table but arrays of numpy; save a table of user and item as CSV or Parquet."
        )
    inside = some_of(PurePosixPath(name).name for name in names)
    return DataError(
        f"'{path.name}' is a zip archive of several files ({inside}); unpack it and give the one with the interactions."
    )


def _is_sheet(archive: zipfile.ZipFile, names: list[str]) -> bool:
    """Return whether an OpenDocument archive is a spreadsheet."""
    kind = archive.read("mimetype")[:200] if "mimetype" in names else b""
    return b"spreadsheet" in kind


def _is_beside(name: str) -> bool:
    """Return whether a member is what systems and people put beside the data."""
    low = name.lower()
    return low.startswith("__macosx/") or PurePosixPath(low).name.startswith((".", *_NOT_DATA[1:]))
