"""Whether a narrative is the small XHTML that FHIR R4 allows (hl7.org/fhir/R4/narrative.html, txt-1 and txt-2).

Pure. What stands after the div is passed over, as HL7's validator does; the elements and attributes are those that it
takes.

Example: problem('<div xmlns="http://www.w3.org/1999/xhtml"><script/></div>')  ->  "an element 'script'"
"""

import re
from functools import lru_cache
from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"
ELEMENT_NAMES = (
    "p br div h1 h2 h3 h4 h5 h6 a span b em i strong small big tt dfn q var abbr acronym cite blockquote"
    " hr address bdo kbd q sub sup ul ol li dl dt dd pre table caption colgroup col thead tr tfoot tbody"
    " th td code samp img map area u s strike del ins"
)
ELEMENTS = frozenset(ELEMENT_NAMES.split())
ATTRIBUTE_NAMES = (
    "title style class id idref lang xml:lang dir accesskey tabindex charset type href hreflang rel rev"
    " shape coords src alt longdesc height width ismap usemap name summary border frame rules cellspacing"
    " cellpadding align valign char charoff span colspan rowspan headers scope abbr axis nowrap bgcolor"
    " cite datetime start value compact xmlns xml:base xml:space xmlns:xlink xmlns:xsi xmlns:xsl"
)
ATTRIBUTES = frozenset(ATTRIBUTE_NAMES.split())
SHORT = 2000
"""Characters of a narrative whose verdict is remembered, so that memory does not grow with long ones."""
ACTIVE = re.compile(r"\s*(?:javascript|vbscript|data|file):", re.IGNORECASE)


def problem(div: str) -> str | None:
    """What is wrong with the text of `Narrative.div`; None when nothing is. Short texts are often the same."""
    return remembered(div) if len(div) < SHORT else read(div)


def read(div: str) -> str | None:
    if not div.lstrip().startswith("<"):
        return "no element"
    check = Check()
    try:
        check.parser.Parse(div.strip(), True)
    except expat.ExpatError as error:
        if expat.ErrorString(error.code) == expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
            return check.verdict
        return f"no XHTML: {expat.ErrorString(error.code)} at column {error.offset}"
    except ValueError:
        return "no XHTML: characters that XML does not have"
    return check.verdict


remembered = lru_cache(maxsize=4096)(read)


class Check:
    """One pass over a narrative; `found` is the first thing that is wrong."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.ProcessingInstructionHandler = self.instruction
        self.found: str | None = None
        self.has_content = False
        self.depth = 0

    @property
    def verdict(self) -> str | None:
        return self.found or (None if self.has_content else "no text and no picture")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0:
            if name != "div":
                self.say(f"an element '{name}' where div stands")
            elif attributes.get("xmlns") != XHTML:
                self.say("div outside the XHTML namespace")
        self.depth += 1
        self.has_content |= name == "img"
        if name not in ELEMENTS:
            self.say(f"an element '{name[:20]}'")
        for key, value in attributes.items():
            if key not in ATTRIBUTES and not key.startswith("xmlns:"):
                self.say(f"an attribute '{key[:20]}'")
            elif key == "href" and ACTIVE.match(value):
                self.say("a link with active content")

    def characters(self, data: str) -> None:
        self.has_content = self.has_content or bool(data.strip())

    def doctype(self, *_: object) -> None:
        self.say("a document type")

    def instruction(self, *_: object) -> None:
        self.say("a processing instruction")

    def say(self, what: str) -> None:
        self.found = self.found or what
