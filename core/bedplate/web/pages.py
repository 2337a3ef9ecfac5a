"""The few HTML pages that the host writes itself: errors, and what to do when the web page is not
built.

No script, and one style sheet in the page: they must work when nothing else does.
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus

from tornado.httputil import HTTPHeaders

STYLE = """
:root { color-scheme: light dark; --text: #1c2126; --soft: #5a6470; --back: #f7f8f9;
  --card: #fff; --line: #dde2e7; --accent: #0b6b57; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --soft: #9aa5b1; --back: #14181c;
  --card: #1c2126; --line: #323a42; --accent: #5cc8ae; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); }
code, pre { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
"""
"""Colours and type, shared with the reference pages."""

MESSAGE_STYLE = """
main { max-width: 36rem; margin: 18vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
p { margin: .75rem 0; overflow-wrap: anywhere; }
pre { padding: .75rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; overflow-x: auto; }
"""

JSON_PREFIXES = ("api", "plugin", "sockjs")
"""First segments of paths whose errors are JSON, whoever asks."""


def page(title: str, style: str, body: str) -> bytes:
    """A whole HTML document; `body` is HTML, `title` is text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def error_page(status: int, message: str) -> bytes:
    """What a person sees who went to a wrong address."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return page(
        phrase,
        MESSAGE_STYLE,
        f"<main><h1>{escape(phrase)}</h1><p>{escape(message)}</p>"
        '<p><a href="/">To the start page</a></p></main>',
    )


def wants_page(segments: tuple[str, ...], headers: HTTPHeaders) -> bool:
    """Whether an error is to be a page: outside of the API, or wherever a browser shows it."""
    rest = segments[2:] if segments[:1] == ("printers",) else segments
    if rest[:1] and rest[0] in JSON_PREFIXES:
        return False
    accepts = headers.get("Accept", "")
    return not accepts or "text/html" in accepts or "*/*" in accepts


def not_built_page() -> bytes:
    """Stands in for the web page in a checkout that was never built."""
    return page(
        "Bedplate",
        MESSAGE_STYLE,
        "<main><h1>Bedplate is running</h1>"
        "<p>Its web page has not been built in this checkout. Build it, then reload:</p>"
        "<pre>make setup</pre>"
        "<p>Everything else works: the HTTP interface is described in the "
        '<a href="/docs/api">reference</a>, its events in the <a href="/docs/events">list of '
        "events</a>.</p></main>",
    )
