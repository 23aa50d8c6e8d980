"""The invariants of Bundles, of terminology and of conformance resources. Data.

Example: RULES["Bundle"][0].key  ->  "bdl-1"
"""

from fhir_r4.predicates import (
    Invariant,
    Object,
    Predicate,
    chosen,
    count,
    either,
    has,
    is_distinct,
    items,
    needs,
    not_both,
    one_of,
)

REQUESTS = ("batch", "transaction", "history")
RESPONSES = ("batch-response", "transaction-response", "history")


def is_of_type(kinds: tuple[str, ...], name: str) -> Invariant:
    """Every entry has the element in Bundles of these types, and none in others."""
    key = {"request": "bdl-3", "response": "bdl-4"}[name]
    return Invariant(
        key,
        f"entries with a {name} in a {', '.join(kinds)}, and there alone",
        lambda one: all(has(entry, name) == (one.get("type") in kinds) for entry in items(one, "entry")),
    )


def starts_with(kind: str, resource: str) -> Invariant:
    key = {"Composition": "bdl-11", "MessageHeader": "bdl-12"}[resource]

    def holds(one: Object) -> bool:
        first = next(iter(one.get("entry") or ()), None)
        found = None if first is None else first.get("resource")
        return one.get("type") != kind or (found is not None and found.get("resourceType") == resource)

    return Invariant(key, f"a {kind} that starts with a {resource}", holds)


def versions_differ(one: Object) -> bool:
    """No two entries of one fullUrl and version, but in a history."""
    named = (entry for entry in items(one, "entry") if entry.get("fullUrl"))
    return one.get("type") == "history" or is_distinct((entry.get("fullUrl"), version(entry)) for entry in named)


def version(entry: Object) -> str | None:
    meta = (entry.get("resource") or {}).get("meta")
    found: str | None = None if meta is None else meta.get("versionId")
    return found


def identifies(one: Object) -> bool:
    found = one.get("identifier")
    return one.get("type") != "document" or (found is not None and has(found, "system") and has(found, "value"))


def only(kinds: tuple[str, ...], name: str) -> Invariant:
    key = {"total": "bdl-1", "search": "bdl-2"}[name]
    if name == "total":
        return Invariant(
            key, "a total only in a search or a history", lambda one: not has(one, name) or one.get("type") in kinds
        )
    return Invariant(
        key,
        "search only in a searchset",
        lambda one: one.get("type") in kinds or not any(has(entry, name) for entry in items(one, "entry")),
    )


def is_question(one: Object) -> bool:
    kind, has_items = one.get("type"), has(one, "item")
    return (kind != "group" or has_items) and (kind != "display" or not has_items)


def not_of(kinds: str, *names: str) -> Predicate:
    """None of the elements in an item of one of these types."""
    return lambda one: one.get("type") not in kinds.split() or not any(has(one, name) for name in names)


def only_of(kinds: str, *names: str) -> Predicate:
    return lambda one: one.get("type") in kinds.split() or not any(has(one, name) for name in names)


def link_ids(one: Object) -> list[str]:
    return [link for item in items(one, "item") for link in (item.get("linkId"), *link_ids(item))]


def is_described(one: Object) -> bool:
    return has(one, "description") or has(one, "software") or has(one, "implementation")


def fits_kind(one: Object) -> bool:
    kind, software, implementation = one.get("kind"), has(one, "software"), has(one, "implementation")
    fits = {"instance": implementation, "capability": software and not implementation}
    return (
        fits.get(kind, not software and not implementation)
        if kind in ("instance", "capability", "requirements")
        else True
    )


BUNDLE = [
    only(("searchset", "history"), "total"),
    only(("searchset",), "search"),
    is_of_type(REQUESTS, "request"),
    is_of_type(RESPONSES, "response"),
    Invariant("bdl-7", "each fullUrl once, or in other versions", versions_differ),
    Invariant("bdl-9", "a document with an identifier", identifies),
    Invariant(
        "bdl-10", "a document with a timestamp", lambda one: one.get("type") != "document" or has(one, "timestamp")
    ),
    starts_with("document", "Composition"),
    starts_with("message", "MessageHeader"),
]
ANSWERS = ("answerValueSet", "answerOption")
CODED = "choice open-choice decimal integer date dateTime time string quantity"
SIZED = "boolean decimal integer string text url open-choice"
QUESTION = [
    Invariant("que-1", "a group with items, a display without", is_question),
    Invariant("que-3", "no code of a display", not_of("display", "code")),
    Invariant("que-4", "answerOption or answerValueSet, not both", not_both("answerOption", "answerValueSet")),
    Invariant("que-5", "answers only of types that are chosen from", only_of(CODED, *ANSWERS)),
    Invariant("que-6", "a display neither required nor repeating", not_of("display", "required", "repeats")),
    Invariant("que-8", "no initial of a group or display", not_of("group display", "initial")),
    Invariant("que-9", "no readOnly of a display", not_of("display", "readOnly")),
    Invariant("que-10", "a maxLength only of texts and numbers", only_of(SIZED, "maxLength")),
    Invariant("que-11", "answerOption or initial, not both", not_both("answerOption", "initial")),
    Invariant(
        "que-12",
        "an enableBehavior where enableWhen has several",
        lambda one: count(one, "enableWhen") <= 1 or has(one, "enableBehavior"),
    ),
    Invariant(
        "que-13", "one initial unless it repeats", lambda one: one.get("repeats") is True or count(one, "initial") <= 1
    ),
]
ACTION = [Invariant("tst-1", "an operation or an assert", either("operation", "assert"))]
RULES: dict[str, list[Invariant]] = {
    "Bundle": BUNDLE,
    "Bundle.entry": [
        Invariant("bdl-5", "a resource, a request or a response", one_of("resource", "request", "response")),
        Invariant("bdl-8", "a fullUrl without version", lambda one: "/_history/" not in (one.get("fullUrl") or "")),
    ],
    "CapabilityStatement": [
        Invariant("cpb-1", "rest, messaging or document", one_of("rest", "messaging", "document")),
        Invariant("cpb-2", "a description, software or implementation", is_described),
        Invariant(
            "cpb-3",
            "a messaging endpoint only of an instance",
            lambda one: (
                one.get("kind") == "instance" or not any(has(part, "endpoint") for part in items(one, "messaging"))
            ),
        ),
        Invariant("cpb-14", "software and implementation as the kind asks", fits_kind),
    ],
    "ConceptMap.group.element.target": [
        Invariant(
            "cmd-1",
            "a comment on a narrower or inexact target",
            lambda one: has(one, "comment") or one.get("equivalence") not in ("narrower", "inexact"),
        )
    ],
    "ConceptMap.group.unmapped": [
        Invariant("cmd-2", "a code of mode fixed", lambda one: one.get("mode") != "fixed" or has(one, "code")),
        Invariant("cmd-3", "a url of mode other-map", lambda one: one.get("mode") != "other-map" or has(one, "url")),
    ],
    "NamingSystem": [
        Invariant(
            "nsd-1",
            "no uuid of a root",
            lambda one: one.get("kind") != "root" or all(item.get("type") != "uuid" for item in items(one, "uniqueId")),
        ),
        Invariant(
            "nsd-2",
            "one preferred identifier of a type",
            lambda one: is_distinct(
                item.get("type") for item in items(one, "uniqueId") if item.get("preferred") is True
            ),
        ),
    ],
    "OperationDefinition.parameter": [
        Invariant("opd-1", "a type or parts", one_of("type", "part")),
        Invariant(
            "opd-2",
            "a searchType only of a string",
            lambda one: not has(one, "searchType") or one.get("type") == "string",
        ),
        Invariant(
            "opd-3",
            "a targetProfile only of a reference",
            lambda one: not has(one, "targetProfile") or one.get("type") in ("Reference", "canonical"),
        ),
    ],
    "Questionnaire": [Invariant("que-2", "each linkId once", lambda one: is_distinct(iter(link_ids(one))))],
    "Questionnaire.item": QUESTION,
    "Questionnaire.item.enableWhen": [
        Invariant(
            "que-7",
            "a boolean answer of exists",
            lambda one: (
                one.get("operator") != "exists"
                or has(one, "answerBoolean")
                or not chosen(one, "Questionnaire.item.enableWhen", "answer")
            ),
        )
    ],
    "SearchParameter": [
        Invariant("spd-1", "an xpathUsage where there is an xpath", needs("xpath", "xpathUsage")),
        Invariant(
            "spd-2", "a chain only of a reference", lambda one: not has(one, "chain") or one.get("type") == "reference"
        ),
    ],
    "StructureDefinition": [
        Invariant(
            "sdf-4",
            "a baseDefinition unless abstract",
            lambda one: one.get("abstract") is True or has(one, "baseDefinition"),
        ),
        Invariant("sdf-6", "a snapshot or a differential", one_of("snapshot", "differential")),
    ],
    "StructureDefinition.mapping": [Invariant("sdf-2", "a name or a uri", one_of("name", "uri"))],
    "StructureMap.group.rule.target": [
        Invariant("smp-1", "a context where there is an element", needs("element", "context")),
        Invariant("smp-2", "a contextType where there is a context", needs("context", "contextType")),
    ],
    "TestScript.setup.action": ACTION,
    "TestScript.test.action": ACTION,
    "TestReport.setup.action": ACTION,
    "TestReport.test.action": ACTION,
    "ValueSet.compose.include": [
        Invariant("vsd-1", "a system or value sets", one_of("valueSet", "system")),
        Invariant(
            "vsd-2",
            "a system where there are concepts or filters",
            lambda one: has(one, "system") or not (has(one, "concept") or has(one, "filter")),
        ),
        Invariant("vsd-3", "concepts or filters, not both", not_both("concept", "filter")),
    ],
    "ValueSet.expansion.contains": [
        Invariant("vsd-6", "a code or a display", one_of("code", "display")),
        Invariant("vsd-9", "a code unless abstract", lambda one: has(one, "code") or one.get("abstract") is True),
        Invariant("vsd-10", "a system where there is a code", needs("code", "system")),
    ],
}
"""Resource type or nested type -> its rules."""
