"""Every relative link of a Markdown file leads to a file, and to a heading where it names one."""

import re

from tree import Finding

_FENCE = re.compile(r"^([ \t]*)(```|~~~).*?^\1\2[ \t]*$", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"
                   r"|^\[[^\]\n]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//")


def check(tree):
    for file in tree.files:
        if file.suffix != ".md":
            continue
        text = _CODE_SPAN.sub(_blank, _FENCE.sub(_blank, file.text))
        for line, match in file.matches(_LINK, text):
            target = match[1] or match[2]
            if not _ELSEWHERE.match(target):
                problem = _problem(tree, file, target)
                if problem:
                    yield Finding(file.path, line, "broken-link", f"{target}: {problem}")


def _problem(tree, file, target):
    path, _, anchor = target.partition("#")
    destination = file.absolute
    if path:
        base = tree.root if path.startswith("/") else file.absolute.parent
        destination = (base / path.lstrip("/")).resolve()
        if not destination.is_relative_to(tree.root):
            return "leads out of the repository"
    if not destination.exists():
        return "no such file"
    if anchor and destination.suffix == ".md":
        text = _FENCE.sub(_blank, destination.read_text(encoding="utf-8"))
        if anchor not in _slugs(text):
            return "no such heading"
    return None


def _slugs(text):
    """The anchors a forge makes of the headings."""
    seen = {}
    for heading in _HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        yield f"{slug}-{count}" if count else slug


def _blank(match):
    return re.sub(r"[^\n]", " ", match[0])
