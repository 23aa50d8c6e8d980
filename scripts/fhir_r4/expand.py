"""Value sets and code systems of FHIR R4 to plain lists of codes. Used by `fhir_r4.compile` alone.

Reads HL7's terminology files. A value set that the files alone do not list in full (languages, MIME types) has no list.

Example: ValueSets([Path("valuesets.xml")]).codes("http://hl7.org/fhir/ValueSet/administrative-gender")
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

NS = "{http://hl7.org/fhir}"
CURRENCIES = "urn:iso:std:iso:4217"
# ISO 4217, which HL7 names and does not list.
CURRENCY_NAMES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN"
    " BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD"
    " FKP GBP GEL GGP GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS IMP INR IQD IRR ISK JEP JMD JOD"
    " JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR"
    " MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF"
    " SAR SBD SCR SDG SEK SGD SHP SLL SLE SOS SPL SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TVD"
    " TWD TZS UAH UGX USD USN UYI UYU UZS VEF VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XOF"
    " XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWL"
)
CURRENCY_CODES = frozenset(CURRENCY_NAMES.split())


def value(element: ElementTree.Element, name: str) -> str:
    """The value of a child element; an empty text when there is none."""
    found = element.find(f"{NS}{name}")
    return "" if found is None else found.get("value", "")


class ValueSets:
    """The value sets and code systems of some files; `used` collects the lists that were asked for as required."""

    def __init__(self, paths: list[Path]) -> None:
        self.sets: dict[str, ElementTree.Element] = {}
        self.systems: dict[str, ElementTree.Element] = {}
        self.used: dict[str, dict[str, list[str]]] = {}
        for path in paths:
            root = ElementTree.parse(path).getroot()
            self.sets |= {value(one, "url"): one for one in root.iter(f"{NS}ValueSet")}
            self.systems |= {value(one, "url"): one for one in root.iter(f"{NS}CodeSystem")}

    def required(self, element: ElementTree.Element) -> str | None:
        """The URL of the value set that an element's codes must be of, where its codes can be listed."""
        binding = element.find(f"{NS}binding")
        if binding is None or value(binding, "strength") != "required":
            return None
        url = value(binding, "valueSet").partition("|")[0]
        if url not in self.used:
            found = self.codes(url)
            if found is None:
                return None
            self.used[url] = {system: sorted(codes) for system, codes in sorted(found.items())}
        return url

    def codes(self, url: str) -> dict[str, set[str]] | None:
        """System -> codes; None when some part of the value set cannot be listed."""
        found = self.sets.get(url.partition("|")[0])
        compose = None if found is None else found.find(f"{NS}compose")
        if compose is None:
            return None
        listed: dict[str, set[str]] = {}
        for include in compose.findall(f"{NS}include"):
            part = self.included(include)
            if part is None:
                return None
            for system, codes in part.items():
                listed.setdefault(system, set()).update(codes)
        for exclude in compose.findall(f"{NS}exclude"):
            for system, codes in (self.included(exclude) or {}).items():
                listed.get(system, set()).difference_update(codes)
        return listed

    def included(self, include: ElementTree.Element) -> dict[str, set[str]] | None:
        system = value(include, "system")
        if not system:
            parts = [self.codes(one.get("value", "")) for one in include.findall(f"{NS}valueSet")]
            if not parts or any(part is None for part in parts):
                return None
            return {key: codes for part in parts if part for key, codes in part.items()}
        if concepts := include.findall(f"{NS}concept"):
            return {system: {value(one, "code") for one in concepts}}
        codes = self.system_codes(system)
        if codes is None:
            return None
        for one in include.findall(f"{NS}filter"):
            if value(one, "op") not in ("is-a", "descendent-of"):
                return None
            codes = codes & self.below(system, value(one, "value"), with_top=value(one, "op") == "is-a")
        return {system: codes}

    def system_codes(self, url: str) -> set[str] | None:
        """All codes of a system that is listed in full."""
        if url == CURRENCIES:
            return set(CURRENCY_CODES)
        found = self.systems.get(url)
        if found is None or value(found, "content") != "complete":
            return None
        return {value(one, "code") for one in found.iter(f"{NS}concept")}

    def below(self, url: str, top: str, *, with_top: bool) -> set[str]:
        """The codes under one of a system, by nesting and by `subsumedBy`."""
        children: dict[str, set[str]] = {}

        def walk(concept: ElementTree.Element, parent: str) -> None:
            code = value(concept, "code")
            children.setdefault(parent, set()).add(code)
            for held in concept.findall(f"{NS}property"):
                if value(held, "code") in ("subsumedBy", "parent"):
                    children.setdefault(value(held, "valueCode"), set()).add(code)
            for child in concept.findall(f"{NS}concept"):
                walk(child, code)

        for concept in self.systems[url].findall(f"{NS}concept"):
            walk(concept, "")
        found: set[str] = set()
        waiting = [top]
        while waiting:
            for child in children.get(waiting.pop(), set()) - found:
                found.add(child)
                waiting.append(child)
        return found | {top} if with_top else found

    def complete_systems(self) -> dict[str, list[str]]:
        """URL -> codes of each system listed in full; in lower case, after an empty text, where case is free."""
        found = {CURRENCIES: sorted(CURRENCY_CODES)}
        for url, system in self.systems.items():
            codes = self.system_codes(url)
            if codes:
                is_sensitive = value(system, "caseSensitive") != "false"
                found[url] = sorted(codes) if is_sensitive else ["", *sorted(code.lower() for code in codes)]
        return found
