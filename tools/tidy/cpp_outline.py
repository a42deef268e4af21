"""The outline of a C++ source as clang-format leaves it: its classes, friends and functions. It reads tokens, not the language: what a
macro makes is not seen."""

import re
from typing import NamedTuple

NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
CLASS = re.compile(r"\b(?:class|struct|union)\s+(?:\[\[.*?\]\]\s*)*((?:\w+::)*\w+)\s*(?:final\b\s*)?(?:$|:(?!:))")
NAME = re.compile(r"((?:\w+(?:<[^<>()]*>)?\s*::\s*)*(?:~?\w+|operator\s*(?:\(\)|[^\s\w(]+|\w[\w:<>&*\s]*)))\s*$")
NO_NAMES = ("if", "for", "while", "switch", "alignas", "decltype", "requires", "noexcept")
FRIEND = re.compile(r"\bfriend\s+(?:class\b|struct\b|[\w:]+\s*$)")
INITIALISERS = re.compile(r"\)[\w\s]*:(?!:)")


class Function(NamedTuple):
    name: str  # with the classes around it, without namespaces
    first: int
    last: int


class Outline(NamedTuple):
    classes: set  # names, nested ones as Outer::Inner
    friends: list  # (class, line)
    functions: list


def blank(match):
    """As many lines, no text."""
    return re.sub(r"[^\n]", " ", match.group(0))


def declarator(head):
    """The name before the first parameter list; None for what is no function."""
    depth = 0
    for i, c in enumerate(head):
        if c == "<" and not head[:i].rstrip().endswith("operator"):
            depth += 1
        elif c == ">" and head[i - 1] not in "-=" and depth:
            depth -= 1
        elif c == "(" and not depth:
            if head[:i].rstrip().endswith("operator") and head[i + 1:].lstrip().startswith(")"):
                continue  # operator()
            found = NAME.search(head[:i])
            # A variable has its "=" before that.
            if found and "=" not in re.sub(r"[=!<>]=|<[^<>]*>", "", head[:found.start()]) and found.group(1) not in NO_NAMES:
                return re.sub(r"<[^<>]*>|\s", "", found.group(1))
            return None
    return None


def skip_block(text, start):
    """The end of the block that opens at `start`."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0 and text[i] == "}":
            return i
    return len(text) - 1


def outline(source):
    text = DIRECTIVE.sub(blank, NOT_CODE.sub(blank, source))
    found = Outline(set(), [], [])
    scopes = []  # class names; None for a namespace
    start = i = 0
    while i < len(text):
        c = text[i]
        head = text[start:i]
        line = text.count("\n", 0, start + len(head) - len(head.lstrip())) + 1
        if c == ";":
            around = "::".join(s for s in scopes if s)
            if FRIEND.search(head):
                found.friends.append((around, line))
            start = i + 1
        elif c == "}":
            if scopes:
                scopes.pop()
            start = i + 1
        elif c == "(":
            depth = 0
            while i < len(text):
                depth += {"(": 1, ")": -1}.get(text[i], 0)
                if depth == 0:
                    break
                i += 1
        elif c == "{":
            kind = CLASS.search(re.sub(r"^\s*template\s*<[^{};]*?>\s*(?=class|struct|union)", "", head).rstrip())
            name = declarator(head)
            if re.match(r"\s*(?:inline\s+)?namespace\b|\s*extern\s*$", head):
                scopes.append(None)
                start = i + 1
            elif kind and "(" not in head:
                scopes.append(kind.group(1))
                found.classes.add("::".join(s for s in scopes if s))
                start = i + 1
            elif name and INITIALISERS.search(head) and re.search(r"[\w>]\s*$", head) and not re.search(r"\b(?:noexcept|const|override)\s*$", head):
                i = skip_block(text, i)  # a member's initialiser
            else:
                end = skip_block(text, i)
                if name:
                    around = "::".join(s for s in scopes if s)
                    found.functions.append(Function(f"{around}::{name}" if around else name, line, text.count("\n", 0, end) + 1))
                    start = end + 1
                i = end
        i += 1
    return found
