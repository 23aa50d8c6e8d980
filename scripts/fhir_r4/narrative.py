"""Whether a narrative is the small XHTML that FHIR R4 allows (hl7.org/fhir/R4/narrative.html, txt-1 and txt-2).

Pure. What stands after the div is passed over, as HL7's validator does; the elements and attributes are those that it
takes, and a prefix stands for XHTML, as it has it, when one declaration around it says so.

Example: problem('<div xmlns="http://www.w3.org/1999/xhtml"><script/></div>')  ->  "an element 'script'"
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
ELEMENT_NAMES = (
    "p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote"
    " hr address bdo kbd q sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody"
    " th td code samp img map area u s strike"
)
ELEMENTS = frozenset(ELEMENT_NAMES.split())
ANYWHERE_NAMES = (
    "title style class id lang xml:lang dir accesskey tabindex span colspan rowspan headers scope abbr axis"
    " width align valign char charoff xmlns xml:space xmlns:xlink xmlns:xsi xmlns:xsl"
)
ANYWHERE = frozenset(ANYWHERE_NAMES.split())
BLOCK_NAMES = "name summary border frame rules cellspacing cellpadding nowrap bgcolor height start value"
BLOCKS = "map table thead tbody tfoot tr td th col colgroup caption ul ol li dl dt dd hr br"
OF_ELEMENT = {
    "a": frozenset({"charset", "type", "href", "hreflang", "rel", "rev", "shape", "coords", "name"}),
    "area": frozenset({"href", "shape", "coords", "alt", "nohref"}),
    "blockquote": frozenset({"cite"}),
    "img": frozenset({"src", "alt", "longdesc", "height", "ismap", "usemap", "border"}),
    "pre": frozenset({"space"}),
    "q": frozenset({"cite"}),
    **dict.fromkeys(BLOCKS.split(), frozenset(BLOCK_NAMES.split())),
}
"""Attributes of an element beside those that stand anywhere."""
SHORT = 2000
"""Characters of a narrative whose verdict is remembered, so that memory does not grow with long ones."""
ACTIVE = re.compile(r"(?:javascript|vbscript|urn|cid):", re.IGNORECASE)
NO_URL = re.compile(r'^$|[\s{}\\^`<"\u200b]')


@dataclass(frozen=True, slots=True)
class Narrative:
    """What one narrative is: the first thing wrong with it, the fragments it leads to, and the ids it has."""

    problem: str | None
    links: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()


def problem(div: str) -> str | None:
    """What is wrong with the text of `Narrative.div`; None when nothing is."""
    return narrative(div).problem


def narrative(div: str) -> Narrative:
    """The narrative of a text; short ones are often the same."""
    return remembered(div) if len(div) < SHORT else read(div)


def read(div: str) -> Narrative:
    if not div.lstrip().startswith("<"):
        return Narrative("no element")
    check = Check(may_have_prefixes="xmlns:" in div)
    try:
        check.parser.Parse(div.strip(), True)
    except expat.ExpatError as error:
        if expat.ErrorString(error.code) != expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
            return Narrative(f"no XHTML: {expat.ErrorString(error.code)} at column {error.offset}")
    except ValueError:
        return Narrative("no XHTML: characters that XML does not have")
    return Narrative(check.verdict, frozenset(check.links), frozenset(check.anchors))


remembered = lru_cache(maxsize=4096)(read)


class Check:
    """One pass over a narrative; `found` is the first thing that is wrong."""

    def __init__(self, *, may_have_prefixes: bool) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.prefixes: list[frozenset[str]] = [frozenset()]
        self.may_have_prefixes = may_have_prefixes
        if may_have_prefixes:
            self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.ProcessingInstructionHandler = self.instruction
        self.found: str | None = None
        self.has_content = False
        self.depth = 0
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    @property
    def verdict(self) -> str | None:
        return self.found or (None if self.has_content else "no text and no picture")

    def start(self, given: str, attributes: dict[str, str]) -> None:
        if self.may_have_prefixes:
            own = {key[6:] for key, value in attributes.items() if key.startswith("xmlns:") and value == XHTML}
            self.prefixes.append(self.prefixes[-1] | own)
        prefix, colon, name = given.rpartition(":")
        if self.depth == 0 and name != "div":
            self.say(f"an element '{given}' where div stands")
        default = attributes.get("xmlns", XHTML if self.depth else "")
        is_xhtml = default == XHTML or (colon and self.depth == 0)
        if not is_xhtml or (colon and prefix not in self.prefixes[-1]):
            self.say(f"{given[:20]} outside the XHTML namespace")
        self.depth += 1
        self.has_content |= name == "img"
        if name not in ELEMENTS:
            self.say(f"an element '{name[:20]}'")
        of_name = OF_ELEMENT.get(name, ())
        for key in attributes:
            if key not in ANYWHERE and key not in of_name and not key.startswith("xmlns:"):
                self.say(f"an attribute '{key[:20]}' of {name[:20]}")
        self.anchors |= {attributes[key] for key in ("id", "name") if key in attributes}
        if name == "a" and "href" in attributes:
            self.link(attributes["href"])
            if ACTIVE.match(attributes["href"]):
                self.say("a link that is active content, or to nothing that a browser opens")
        elif name == "img" and "src" in attributes:
            self.link(attributes["src"])

    def end(self, _: str) -> None:
        self.prefixes.pop()

    def link(self, url: str) -> None:
        if NO_URL.search(url):
            self.say("a link that is no URL")
        elif url.startswith("#") and len(url) > 1:
            self.links.add(url)

    def characters(self, data: str) -> None:
        self.has_content = self.has_content or bool(data.strip(" \t\r\n"))

    def doctype(self, name: str, system: str | None, public: str | None, has_declarations: int) -> None:
        if has_declarations:
            self.say("a document type that declares things")

    def instruction(self, *_: object) -> None:
        self.say("a processing instruction")

    def say(self, what: str) -> None:
        self.found = self.found or what
