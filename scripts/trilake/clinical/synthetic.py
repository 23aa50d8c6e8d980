"""Whether the patients in the FHIR store are people: what every report says at its end.

Reads healthlake.patient (meta.tag and meta.security) as the deployer; personas may not.

Example: notice(session)  ->  "Synthetic, not clinical evidence."
"""

from trilake.core.athena import run
from trilake.core.session import Session

SYNTHETIC = "Synthetic, not clinical evidence."
PARTLY = "Partly synthetic, not clinical evidence."
GENERAL = "For research; not validated for clinical use."
# HTEST is HL7's own mark of test health data; the tag is that of `trilake sample`.
COUNT = """
    SELECT count(DISTINCT id) AS n,
        count(DISTINCT CASE
            WHEN any_match(
                meta.security,
                one -> one.system = 'http://terminology.hl7.org/CodeSystem/v3-ActReason' AND one.code = 'HTEST'
            ) OR any_match(meta.tag, one -> one.system = 'https://trilake.example/tag' AND one.code = 'synthetic')
            THEN id
        END) AS n_synthetic
    FROM healthlake.patient
"""


def notice(session: Session) -> str:
    """The sentence that goes under what is made from these patients."""
    n, n_synthetic = run(session, COUNT).rows[0]
    if n_synthetic == 0:
        return GENERAL
    return SYNTHETIC if n_synthetic == n else PARTLY
