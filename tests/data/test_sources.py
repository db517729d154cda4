"""Interactions from folders, object stores and databases: one file on this disk, without any address in it."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from grouprec.core.types import DataError, SettingError
from grouprec.data import limits
from grouprec.data.preparing.prepare import prepare
from grouprec.data.reading.read import read_table
from grouprec.data.sources import _matching, _store, fetch, shown_source

ROWS = pd.DataFrame({
    "user_id": [f"{n % 9:03}" for n in range(90)],
    "item_id": [f"i{n % 7}" for n in range(90)],
    "time": [f"2024-01-{1 + n % 28:02} 10:00:00" for n in range(90)],
})  # fmt: skip
QUERY = "SELECT user_id, item_id, time FROM orders"


def same(path: Path, columns: tuple[str, ...] = ("user_id", "item_id", "time")) -> bool:
    found = read_table(path)[list(columns)].astype("str").sort_values(list(columns)).reset_index(drop=True)
    right = ROWS[list(columns)].astype("str").sort_values(list(columns)).reset_index(drop=True)
    return found.equals(right)


def test_a_file_is_that_file(tmp_path):
    path = tmp_path / "shop.csv"
    ROWS.to_csv(path, index=False)
    assert fetch(str(path), "", tmp_path / "kept").path == path
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("asked", ["orders", "orders/*.*", "ord*/"])
def test_files_of_a_folder_or_pattern_become_one(tmp_path, ending, asked):
    folder = tmp_path / "orders"
    folder.mkdir()
    for n in range(3):
        part = ROWS.iloc[n * 30 : n * 30 + 30]
        part.to_csv(folder / f"{n}.csv", index=False) if ending == "csv" else part.to_parquet(folder / f"{n}.parquet")
    (folder / "_SUCCESS").write_text("")
    found = fetch(str(tmp_path / asked), "", tmp_path / "kept")
    assert same(found.path) and found.path.name.startswith("ord")
    assert fetch(str(tmp_path / asked), "", tmp_path / "kept").path == found.path  # the same content, the same file
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [found.path.name]
    assert prepare(found.path).n_users == 9


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_parts_of_a_path_become_columns(tmp_path, ending):
    for n, month in enumerate(("01", "02", "03")):
        folder = tmp_path / "orders" / f"month={month}"
        folder.mkdir(parents=True)
        part = ROWS.iloc[n * 30 : n * 30 + 30]
        part.to_csv(folder / "a.csv", index=False) if ending == "csv" else part.to_parquet(folder / "a.parquet")
    found = fetch(str(tmp_path / "orders"), "", tmp_path / "kept")
    assert same(found.path)
    assert sorted(read_table(found.path)["month"].astype("int64").unique()) == [1, 2, 3]
    assert len(read_table(fetch(str(tmp_path / "orders/month=02"), "", tmp_path / "kept").path)) == 30


def test_files_that_do_not_belong_together_and_rows_that_cannot_be_read_are_told(tmp_path):
    ROWS.to_csv(tmp_path / "a.csv", index=False)
    good = "".join(f"001,i{n % 7},2024-01-01 10:00:00\n" for n in range(40))
    (tmp_path / "b.csv").write_text(f"user_id,item_id,time\n001,i1,2024-01-01 10:00:00\n1,2,3,4,5,6\n{good}")
    found = fetch(str(tmp_path), "", tmp_path / ".kept")
    assert any(note.startswith("b.csv: 1 rows cannot be read: line 3") for note in found.notes)
    (tmp_path / "c.csv").write_text("name,price\na,1\nb,2\n")
    with pytest.raises(DataError, match=r"different columns: 'c\.csv' has name, price, the first one user_id"):
        fetch(str(tmp_path), "", tmp_path / ".kept")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_to_which_several_links_lead_is_read_once(tmp_path):
    folder = tmp_path / "orders"
    (folder / "year=2024").mkdir(parents=True)
    ROWS.to_csv(folder / "year=2024" / "a.csv", index=False)
    (folder / "back").symlink_to(folder)
    (folder / "year=2024" / "0.csv").symlink_to("a.csv")
    (folder / "lost.csv").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.csv")
    assert _matching(*_store(str(folder))) == [str(folder / "year=2024" / "a.csv")]
    assert same(fetch(str(folder), "", tmp_path / "runs").path)


@pytest.mark.parametrize("asked", ["", "*.csv", "*/deep/*.csv"])
def test_a_folder_with_too_much_below_it_is_refused_before_all_of_it_is_seen(tmp_path, monkeypatch, asked):
    for n in range(9):
        (tmp_path / "orders" / f"{n}" / "deep").mkdir(parents=True)
        ROWS.to_csv(tmp_path / "orders" / f"{n}" / "deep" / "a.csv", index=False)
    monkeypatch.setattr(limits, "MOST_ENTRIES", 26)
    with pytest.raises(DataError, match=r"orders.* holds more than 26 files and folders, .* name the folder in which"):
        fetch(f"{tmp_path}/orders/{asked}", "", tmp_path / "kept")
    monkeypatch.setattr(limits, "MOST_ENTRIES", 27)
    assert fetch(f"{tmp_path}/orders/{asked}", "", tmp_path / "kept").path.is_file()


def test_folders_that_lead_to_one_another_are_looked_through_once(tmp_path):
    (tmp_path / "round").symlink_to("round")
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "other").symlink_to(tmp_path / other)
        (tmp_path / name / "again").symlink_to(tmp_path / other)
        ROWS[:45].to_csv(tmp_path / name / f"{name}.csv", index=False)
    assert _matching(*_store(str(tmp_path))) == [f"{tmp_path}/a/a.csv", f"{tmp_path}/b/b.csv"]


def test_a_folder_with_a_file_whose_name_is_no_text_is_one_sentence(tmp_path):
    (tmp_path / "caf\udce9.csv").write_text("user,item\na,b\n")
    with pytest.raises(DataError, match="holds a file whose name is no text; rename it"):
        fetch(str(tmp_path), "", tmp_path / "kept")


def test_nothing_is_said_to_be_nothing(tmp_path):
    with pytest.raises(DataError, match="holds no files that can be read"):
        fetch(str(tmp_path), "", tmp_path / "kept")
    with pytest.raises(DataError, match="holds no files that can be read"):
        fetch(str(tmp_path / "no*"), "", tmp_path / "kept")


# ---- databases


def sqlite_file(path: Path) -> Path:
    with sqlite3.connect(path) as connection:
        ROWS.to_sql("orders", connection, index=False)
    connection.close()
    return path


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}"])
def test_a_query_reads_sqlite_and_changes_nothing(tmp_path, form):
    pytest.importorskip("adbc_driver_sqlite")
    path = sqlite_file(tmp_path / "shop.db")
    found = fetch(form.format(path), QUERY, tmp_path / "kept")
    assert same(found.path) and found.name == "orders"
    with pytest.raises(DataError, match="does not answer"):
        fetch(form.format(path), "DELETE FROM orders RETURNING user_id", tmp_path / "kept")
    assert same(fetch(form.format(path), QUERY, tmp_path / "kept").path)


def test_a_query_reads_duckdb_and_no_file_beside_it(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path, secret = tmp_path / "shop.duckdb", tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    with duckdb.connect(str(path)) as connection:
        connection.register("rows", pa.Table.from_pandas(ROWS))
        connection.execute("CREATE TABLE orders AS SELECT * FROM rows")
    assert same(fetch(f"duckdb:///{path}", QUERY, tmp_path / "kept").path)
    with pytest.raises(DataError, match="does not answer"):
        fetch(f"duckdb:///{path}", f"SELECT * FROM read_csv('{secret}')", tmp_path / "kept")


def test_other_databases_are_read_by_sqlalchemy(tmp_path):
    pytest.importorskip("sqlalchemy")
    path = sqlite_file(tmp_path / "shop.db")
    assert same(fetch(f"sqlite+pysqlite:///{path}", QUERY, tmp_path / "kept").path)


@pytest.fixture
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own on loopback, with a password."""
    pytest.importorskip("adbc_driver_postgresql")
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path())]
    tools = next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)
    if tools is None or os.name != "posix":
        pytest.skip("PostgreSQL is not installed")
    home, port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
    (home / "password").write_text("se%cret")
    other = "postgres" if os.geteuid() == 0 else None  # it does not run as root
    for one in (home, home / "password") if other else ():
        shutil.chown(one, "postgres")
    begin = [tools / "initdb", "-D", home / "data", "-U", "shop", "--auth=scram-sha-256", "--no-sync"]
    subprocess.run([*begin, f"--pwfile={home / 'password'}"], check=True, capture_output=True, cwd="/", user=other)
    where = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    control = [tools / "pg_ctl", "-D", home / "data"]  # `start` waits until queries are answered, not just a port open
    start = [*control, "start", "-w", "-t", "60", "-l", home / "data" / "log", "-o", where]
    try:
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd="/", user=other)
        yield f"postgresql://shop:{{}}@127.0.0.1:{port}/postgres"
    finally:
        stop = [*control, "stop", "-w", "-m", "fast"]  # whoever is still connected
        subprocess.run(stop, check=False, capture_output=True, cwd="/", user=other)
        shutil.rmtree(home)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


def test_a_query_reads_postgresql_and_no_password_is_kept_or_told(tmp_path, monkeypatch, postgres):
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgres.format("se%25cret")) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("orders", pa.Table.from_pandas(ROWS, preserve_index=False), mode="create")
        connection.commit()
    monkeypatch.setenv("SHOP_PASSWORD", "se%25cret")
    address = postgres.format("${SHOP_PASSWORD}")
    found = fetch(address, QUERY, tmp_path / "kept")
    assert same(found.path) and b"se%" not in found.path.read_bytes()
    with pytest.raises(DataError, match="read-only transaction"):
        fetch(address, "INSERT INTO orders SELECT * FROM orders RETURNING user_id", tmp_path / "kept")
    with pytest.raises(DataError, match="does not answer") as refused:
        fetch(postgres.format("wr0ng"), QUERY, tmp_path / "kept")
    assert "wr0ng" not in str(refused.value)


@pytest.mark.parametrize(
    ("source", "query", "words"),
    [
        ("sqlite:///none.db", "", "is a database; say what to read with a query"),
        ("orders.csv", QUERY, "A query is for a database"),
        (
            "https://me:secret@shop.example/orders.csv",
            "",
            "'https://shop.example/orders.csv' is no address that is read",
        ),
        ("postgresql://u:${NO_SUCH}@h/d", QUERY, "'NO_SUCH', which is not set"),
    ],
)
def test_what_is_missing_is_said(tmp_path, source, query, words):
    with pytest.raises(SettingError, match=words):
        fetch(source, query, tmp_path)


def test_an_address_is_shown_without_its_secrets(tmp_path):
    assert shown_source("postgresql://me:secret@host:1/shop?sslkey=x") == "postgresql://host:1/shop"
    with pytest.raises(DataError) as refused:
        fetch("nosuch://me:s3cret@host/shop", QUERY, tmp_path)
    assert "s3cret" not in str(refused.value)


# ---- object stores


@pytest.mark.parametrize(
    "address", ["gs://bucket/orders/", "gcs://bucket/orders.csv", "abfss://c@account.example/*.csv"]
)
def test_a_store_that_arrow_was_built_without_is_one_sentence(tmp_path, monkeypatch, address):
    asked = []

    def refuse(uri):
        asked.append(uri)
        raise pa.ArrowNotImplementedError("Arrow compiled without it\nand more")

    monkeypatch.setattr(pyarrow.fs, "FileSystem", SimpleNamespace(from_uri=refuse))
    with pytest.raises(DataError, match=r"cannot be read: Arrow compiled without it\. Check the address, and the cred"):
        fetch(address, "", tmp_path)
    assert ("retry_limit_seconds=10" in asked[0]) == address.startswith("g")


@pytest.mark.parametrize("end", ["orders/", "orders/*.csv", "orders/a.csv", "*/a.csv", "orders"])
@pytest.mark.parametrize(
    "start",
    [
        "gs://shop/",
        "gcs://shop/",
        "abfss://shop@account.dfs.core.windows.net/",
        "abfs://account.dfs.core.windows.net/shop/",
    ],
)
def test_files_of_google_and_azure_are_found_where_arrow_says_they_are(tmp_path, monkeypatch, start, end):
    bucket = tmp_path / "store" / "shop" / "orders"
    bucket.mkdir(parents=True)
    (bucket / "a.csv").write_text("user,item\na,b\n")
    real, asked = pyarrow.fs.FileSystem.from_uri, []

    def local(uri):
        asked.append(uri)
        return pyarrow.fs.SubTreeFileSystem(str(tmp_path / "store"), pyarrow.fs.LocalFileSystem()), real(uri)[1]

    monkeypatch.setattr(pyarrow.fs, "FileSystem", SimpleNamespace(from_uri=local))
    try:
        found = fetch(start + end, "", tmp_path / "kept")
    except DataError as error:
        if "built without" in str(error) or "compiled without" in str(error):
            pytest.skip("this Arrow knows no such addresses")
        raise
    assert found.path.read_text() == "user,item\na,b\n" and len(asked) == 1


def test_a_container_of_one_letter_is_no_secret(tmp_path, monkeypatch):
    def refuse(uri):
        raise OSError(f"Check for a Hierarchical Namespace failed at {uri}")

    monkeypatch.setattr(pyarrow.fs, "FileSystem", SimpleNamespace(from_uri=refuse))
    with pytest.raises(DataError, match="Check for a Hierarchical Namespace failed") as refused:
        fetch("abfss://c@account.example/x.csv?account_key=s3cr3t/key", "", tmp_path)
    assert "s3cr3t" not in str(refused.value)


def test_a_file_may_be_named_as_an_address(tmp_path):
    file = tmp_path / "two words.csv"
    file.write_text("user,item\na,b\n")
    assert fetch(file.as_uri(), "", tmp_path).path == file


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[pyarrow.fs.FileSystem]:
    """An S3 server on loopback: moto's, which needs an older python-dateutil than ours, so it has to be on the path."""
    server = shutil.which("moto_server")
    if server is None:
        pytest.skip("moto_server is not installed")
    port = free_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    running = subprocess.Popen([server, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        store = pyarrow.fs.S3FileSystem(
            endpoint_override=f"127.0.0.1:{port}",
            scheme="http",
            region="us-east-1",
            allow_bucket_creation=True,
            allow_delayed_open=True,
        )
        store.create_dir("shop")
        yield store
    finally:
        running.terminate()
        running.wait()


def test_files_of_an_object_store_are_read_by_file_folder_and_pattern(tmp_path, bucket):
    for n in range(3):
        part = ROWS.iloc[n * 30 : n * 30 + 30]
        pq.write_table(pa.Table.from_pandas(part), f"shop/orders/month={n}/a.parquet", filesystem=bucket)
        with bucket.open_output_stream(f"shop/text/{n}.csv") as file:
            file.write(part.to_csv(index=False).encode())
    with bucket.open_output_stream("shop/all.csv") as file:
        file.write(ROWS.to_csv(index=False).encode())
    for address in ("s3://shop/orders", "s3://shop/orders/month=*/", "s3://shop/text/*.csv", "s3://shop/all.csv"):
        assert same(fetch(address, "", tmp_path / "kept").path), address
    with pytest.raises(DataError) as refused:
        fetch("s3://nobody/here", "", tmp_path / "kept")
    assert "s3cret" not in str(refused.value)
