"""The strings that stand below the fields of a class: the documentation of each field, for
machines."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any


def field_documents(cls: type[Any]) -> dict[str, str]:
    """The documentation of a class's own fields, by field; empty where the source is not at
    hand."""
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        return {}
    body = ast.parse(textwrap.dedent(source)).body[0]
    if not isinstance(body, ast.ClassDef):
        return {}
    return {
        field.target.id: inspect.cleandoc(following.value.value)
        for field, following in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
        and isinstance(following.value.value, str)
    }
