"""Text that others wrote, as a terminal may have it.

Ids, remarks and reviews come from customers. A terminal takes escape sequences as commands (colours, a
title, a cleared screen, on some an answer typed in the reader's name), and rich takes ``[red]`` and
``:smile:`` for its own. JSON for machines is exact and does not come through here.
"""

from typing import Final

from rich.console import Console

#: Invisible, and needed: they join emoji, and letters of Arabic and Indian scripts.
_JOINERS: Final = "\u200c\u200d"


def printable(text: str) -> str:
    r"""``text`` with what has no glyph written as an escape: controls, line ends, reversed writing.

    >>> print(printable("gift\x1b[2J \u202eevil\n回头客 👍"))
    gift\x1b[2J \u202eevil\n回头客 👍
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in _JOINERS else _escaped(each) for each in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def csv_text(written: str) -> str:
    """Somebody's words, which a spreadsheet must not take for a formula."""
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def plain_console() -> Console:
    """A console that prints what it is given: no markup, no names of emoji, no colours of its own."""
    return Console(highlight=False, markup=False, emoji=False)
