"""Whose tables a database holds: MLflow and Optuna both keep their version in one table of the same name."""

import re
from contextlib import closing
from pathlib import Path
from typing import Literal

__all__ = ["Owner", "database_owner"]

Owner = Literal["MLflow", "Optuna"]

_VERSIONS = "alembic_version"
_OF_OPTUNA = re.compile(r"v\d+\.\d+\.\d+.*")


def database_owner(url: str) -> Owner | None:
    """Who made the tables of a database; None if it has none, or those of somebody else.

    Args:
        url: Its address, as SQLAlchemy takes it; a file that does not exist is not made.

    Raises:
        SQLAlchemyError: It cannot be asked.
    """
    import sqlalchemy  # noqa: PLC0415 a command without a database does not wait for it

    parsed = sqlalchemy.make_url(url)
    place = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not (place.startswith("file:") or Path(place).is_file()):
        return None
    engine = sqlalchemy.create_engine(parsed, poolclass=sqlalchemy.NullPool)
    with closing(engine.connect()) as connection:
        tables = set(sqlalchemy.inspect(connection).get_table_names())
        versions: list[str] = []
        if _VERSIONS in tables:
            versions = [str(row[0]) for row in connection.execute(sqlalchemy.text(f"SELECT * FROM {_VERSIONS}"))]
    if "studies" in tables and ("experiments" not in tables or any(map(_OF_OPTUNA.fullmatch, versions))):
        return "Optuna"
    return "MLflow" if "experiments" in tables else None
