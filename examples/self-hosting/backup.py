#!/usr/bin/env python3
"""Copies the data folder of `cargo xtask serve` while it runs.

    python3 backup.py postern-data /backups/2026-12-01

Each object is a SQLite database in WAL mode. What `cp` copies of one that is written to may be torn, so each is copied by
SQLite's own online backup, which sees one state of it. The copy is a data folder: start Postern on it (`--data`).
It holds the secrets, too; keep it as safe as the original.
"""

import os
import shutil
import sqlite3
import sys
from pathlib import Path
from urllib.parse import quote


def copy_database(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Read-only: whoever closes a database last tidies it up, and that should be its owner.
    reader = sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=60)
    writer = sqlite3.connect(target)
    try:
        reader.backup(writer)
    finally:
        writer.close()
        reader.close()


def main(data: Path, target: Path) -> None:
    if not (data / "objects").is_dir():
        sys.exit(f"{data} is not a data folder: it has no folder `objects`.")
    if target.exists():
        sys.exit(f"{target} is there already.")
    os.umask(0o077)
    # Under another name until it is complete.
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    databases = sorted((data / "objects").rglob("*.sqlite"))
    for database in databases:
        copy_database(database, partial / database.relative_to(data))
    # Files that never change once they are written.
    shutil.copytree(data / "values", partial / "values")
    if (data / "postern.env").exists():
        shutil.copy2(data / "postern.env", partial / "postern.env")
    partial.rename(target)
    print(f"{len(databases)} databases copied to {target}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
