"""Numbers as the API takes them: digits and nothing else."""

from typing import Annotated, Any, TypeAlias

from fastapi import Path
from pydantic import BeforeValidator


def digits(value: Any) -> Any:
    """Refuse what the framework would take for a number too, such as 1.0, 1_0 or a number with a blank before it."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("not a whole number")
    return value


Id: TypeAlias = Annotated[int, BeforeValidator(digits), Path(ge=1)]
