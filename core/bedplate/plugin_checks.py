"""What is checked of a plugin's code before it is used, so that a mistake is told in a sentence."""

from __future__ import annotations

import difflib
import inspect
from typing import Any, TypeVar

import msgspec
import pluggy

from bedplate.plugin_runtime import Check, PluginError

Item = TypeVar("Item")


def check_implementations(hooks: pluggy.PluginManager, id: str, module: object) -> None:
    """Raises PluginError where `module` implements no hook that exists, asks for arguments that its
    hook does not give, or wraps a hook (each implementation is called on its own).
    """
    known = {name for name in vars(hooks.hook) if not name.startswith("_")}
    for name in dir(module):
        options = hooks.parse_hookimpl_opts(module, name)
        if options is None:
            continue
        hook = options.get("specname") or name
        if hook not in known:
            raise PluginError(f"there is no hook {hook!r}{_perhaps(hook, known)}")
        if options.get("hookwrapper") or options.get("wrapper"):
            raise PluginError(f"{name}: hook wrappers are not supported")
        given = getattr(hooks.hook, hook).spec.argnames
        for argument in inspect.signature(getattr(module, name)).parameters.values():
            if argument.default is argument.empty and argument.name not in given:
                takes = f"gives {', '.join(given)}" if given else "gives no arguments"
                raise PluginError(
                    f"{name} asks for {str(argument)!r}, but the hook {takes}"
                    f"{_perhaps(argument.name, given)}"
                )


def list_of(kind: type[Item]) -> Check[list[Item]]:
    """The check for hooks that answer a list; None is taken for an empty one."""

    def check(answer: Any) -> list[Item]:
        if answer is None:
            return []
        if not isinstance(answer, list | tuple) or not all(isinstance(i, kind) for i in answer):
            raise PluginError(f"answered {answer!r:.100}, not a list of {kind.__name__}")
        return list(answer)

    return check


def settings_type(answer: Any) -> type[msgspec.Struct]:
    """The check for the hook `settings`: a struct class that can be made without any value."""
    if not isinstance(answer, type) or not issubclass(answer, msgspec.Struct):
        raise PluginError(f"answered {answer!r:.100}, not a class derived from msgspec.Struct")
    for field in msgspec.structs.fields(answer):
        if field.required:
            raise PluginError(f"answered a class whose field {field.name!r} has no default")
    return answer


def anything(answer: Any) -> Any:
    """The check for hooks whose answer is of no interest."""
    return answer


def _perhaps(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
