"""FHIR R4 as HL7 defines it: definitions, rules over them, and the fast check made of them."""
