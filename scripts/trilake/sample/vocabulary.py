"""Words and codes that the sample uses: names, places, SNOMED CT, LOINC and RxNorm codes.

Names and addresses are invented; any likeness is chance. Codes are real, and say what they say in public lists.

Example: LOINC["bmi"].code
"""

from dataclasses import dataclass

from trilake.sample.record import Concept

GIVEN_FEMALE = (
    "Ada", "Amélie", "Beatriz", "Carmen", "Dorothea", "Edith", "Fatima", "Grace", "Hanna", "Ingrid", "Jelena", "Katja",
    "Leonor", "Mabel", "Nadia", "Olga", "Priya", "Rosalind", "Sofía", "Tamsin", "Ursula", "Vera", "Wanda", "Zoë",
)  # fmt: skip
GIVEN_MALE = (
    "Abel", "Bruno", "Cyril", "Dmitri", "Edgar", "Felix", "Gustav", "Hugo", "Iwan", "José", "Karim", "Lorenz",
    "Mateo", "Nils", "Oskar", "Pavel", "Quentin", "Rafael", "Søren", "Tariq", "Ulrich", "Viktor", "Walter", "Yusuf",
)  # fmt: skip
FAMILY = (
    "Abara", "Bergström", "Castell", "Dvorak", "Ekholm", "Farrow", "Grünwald", "Hollis", "Ibarra", "Jansen", "Kowal",
    "Lindqvist", "Moreau", "Núñez", "O'Dowd", "Petrov", "Quist", "Rahman", "Santos", "Tanaka", "Ulmer", "Vance",
    "Whitlock", "Xu", "Yamada", "Zeller", "van der Meer", "Brightwater", "Coldstream", "Applegarth",
)  # fmt: skip
STREETS = ("Alder Lane", "Birch Road", "Cedar Way", "Dover Street", "Elm Court", "Fern Hill", "Garden Row")


@dataclass(frozen=True)
class SiteInfo:
    """A hospital: its name, and the places its patients live in as (city, first postcode)."""

    name: str
    cities: tuple[tuple[str, int], ...]


SITES = {
    "north": SiteInfo("North General Hospital (synthetic)", (("Northfield", 1100), ("Ashby", 1200), ("Colrain", 1300))),
    "south": SiteInfo("South Coast Clinic (synthetic)", (("Southport", 2500), ("Marlow", 2600), ("Westerly", 2700))),
}
STATE = "MA"
PRACTITIONERS_PER_SITE = 4

MARITAL = {"M": "Married", "S": "Never Married", "D": "Divorced", "W": "Widowed"}
SMOKING = {
    "never": Concept("266919005", "Never smoked tobacco (finding)"),
    "former": Concept("8517006", "Ex-smoker (finding)"),
    "current": Concept("449868002", "Smokes tobacco daily (finding)"),
}

DIABETES = Concept("44054006", "Diabetes mellitus type 2 (disorder)")
BRONCHITIS = Concept("10509002", "Acute bronchitis (disorder)")
SINUSITIS = Concept("36971009", "Sinusitis (disorder)")

ENCOUNTERS: dict[str, tuple[str, str, Concept]] = {
    "checkup": ("AMB", "ambulatory", Concept("185349003", "Encounter for check up (procedure)")),
    "symptom": ("AMB", "ambulatory", Concept("185345009", "Encounter for symptom (procedure)")),
    "emergency": ("EMER", "emergency", Concept("50849002", "Emergency room admission (procedure)")),
    "admission": ("IMP", "inpatient encounter", Concept("32485007", "Hospital admission (procedure)")),
    "follow_up": ("AMB", "ambulatory", Concept("390906007", "Follow-up encounter (procedure)")),
}
"""Kind of visit -> class code, class display, type."""


@dataclass(frozen=True)
class Measured:
    """How a measurement is coded: LOINC, category, unit (UCUM)."""

    code: str
    display: str
    category: str
    unit: str


LOINC: dict[str, Measured] = {
    "blood_pressure": Measured("85354-9", "Blood pressure panel with all children optional", "vital-signs", "mm[Hg]"),
    "sbp": Measured("8480-6", "Systolic blood pressure", "vital-signs", "mm[Hg]"),
    "dbp": Measured("8462-4", "Diastolic blood pressure", "vital-signs", "mm[Hg]"),
    "bmi": Measured("39156-5", "Body mass index (BMI) [Ratio]", "vital-signs", "kg/m2"),
    "heart_rate": Measured("8867-4", "Heart rate", "vital-signs", "/min"),
    "cholesterol": Measured("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma", "laboratory", "mg/dL"),
    "ldl": Measured(
        "18262-6", "Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay", "laboratory", "mg/dL"
    ),
    "hba1c": Measured("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "laboratory", "%"),
    "sodium": Measured("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "laboratory", "mmol/L"),
    "smoking": Measured("72166-2", "Tobacco smoking status", "social-history", ""),
}  # fmt: skip

RECONCILIATION = Concept("430193006", "Medication reconciliation (procedure)")
ACETAMINOPHEN = Concept("313782", "Acetaminophen 325 MG Oral Tablet")
MEDICATIONS: dict[str, tuple[Concept, ...]] = {
    "hypertension": (Concept("314076", "lisinopril 10 MG Oral Tablet"),),
    "coronary_heart_disease": (
        Concept("312961", "Simvastatin 20 MG Oral Tablet"),
        Concept("309362", "Clopidogrel 75 MG Oral Tablet"),
    ),
    "stroke": (Concept("309362", "Clopidogrel 75 MG Oral Tablet"),),
    "alzheimers_disease": (Concept("997223", "Donepezil hydrochloride 10 MG Oral Tablet"),),
    "appendicitis": (ACETAMINOPHEN,),
}
PROCEDURES: dict[str, Concept] = {
    "coronary_heart_disease": Concept("415070008", "Percutaneous coronary intervention (procedure)"),
    "stroke": Concept("303653007", "Computed tomography of head (procedure)"),
    "appendicitis": Concept("80146002", "Excision of appendix (procedure)"),
}
