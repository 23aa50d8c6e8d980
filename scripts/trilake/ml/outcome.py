"""Who is a case, who is not, and of whom it cannot be said.

Example: outcome_table(read_people(caller, study), study)["status"].value_counts()
"""

import pandas as pd

from trilake.cohort.attrition import Step
from trilake.cohort.compiler import bind, has_code
from trilake.core.session import Session
from trilake.ml.features import frame
from trilake.ml.study import Study

CASE, CONTROL = "case", "control"
EXCLUSIONS = {
    "not_observed": "seen in the years before the index date",
    "prevalent": "no onset before the index date",
    "in_blackout": "no onset in the blackout after it",
    "undated": "no onset without a year",
    "not_followed": "onset while at risk, or seen long enough to say there was none",
}
"""Reason to leave a patient out -> what those who stay have; in this order, the first that applies."""


def read_people(caller: Session, study: Study) -> pd.DataFrame:
    """One row a patient: birth year, gender, site, first and last year seen, first onset, records without a year."""
    in_value_set = " OR ".join(has_code("condition", part.system, part.codes) for part in study.outcome.value_set)
    text = f"""
        SELECT patient.patient_id, patient.birth_year, patient.gender, patient.site_id,
            seen.n_before, seen.last_year, onset.first_onset_year, onset.n_undated
        FROM clinical.patient
        LEFT JOIN (
            SELECT patient_id, max(start_year) AS last_year,
                count_if(start_year >= :first_year AND start_year < :index_year) AS n_before
            FROM clinical.encounter WHERE start_year IS NOT NULL GROUP BY patient_id
        ) AS seen ON patient.patient_id = seen.patient_id
        LEFT JOIN (
            SELECT patient_id, min(onset_year) AS first_onset_year, count_if(onset_year IS NULL) AS n_undated
            FROM clinical.condition
            WHERE ({in_value_set})
                AND coalesce(verification_status, 'not_stated') IN (:verification)
            GROUP BY patient_id
        ) AS onset ON patient.patient_id = onset.patient_id
    """
    bound = bind(
        text,
        first_year=study.first_feature_year,
        index_year=study.index_year,
        verification=list(study.outcome.verification),
    )
    return frame(caller, bound)


def outcome_table(people: pd.DataFrame, study: Study) -> pd.DataFrame:
    """People (one row a patient, see `read_people`) with a column `status`: case, control or an exclusion.

    Absence of a record makes a control only of those who were seen `follow_up_years` into the time at risk.
    """
    first = people["first_onset_year"].astype("Float64")
    seen_until = people["last_year"].astype("Float64").fillna(0)
    risk_start, risk_end = study.risk_start_year, study.at_risk_until.year
    is_case = (first >= risk_start) & (first < risk_end)
    tests = {
        "not_observed": people["n_before"].astype("Float64").fillna(0) == 0,
        "prevalent": first < study.index_year,
        "in_blackout": (first >= study.index_year) & (first < risk_start),
        "undated": first.isna() & (people["n_undated"].astype("Float64").fillna(0) > 0),
        "not_followed": ~is_case.fillna(False) & (seen_until < risk_start + study.follow_up_years),
    }
    status = pd.Series(CONTROL, index=people.index, dtype=object)
    status[is_case.fillna(False).to_numpy(bool)] = CASE
    for name in reversed(EXCLUSIONS):
        status[tests[name].fillna(False).to_numpy(bool)] = name
    return people.assign(status=status)


def attrition(table: pd.DataFrame) -> list[Step]:
    """From everyone to those who are modelled, step by step."""
    steps = [Step("everyone", "start", "Patients that the caller may see", len(table))]
    left = table
    for name, words in EXCLUSIONS.items():
        left = left[left["status"] != name]
        steps.append(Step(name, "exclude", words, len(left), 0))
    return steps


def labelled(table: pd.DataFrame) -> pd.Series:
    """1 for cases and 0 for controls, by patient_id, in a fixed order."""
    known = table[table["status"].isin([CASE, CONTROL])].sort_values("patient_id")
    return pd.Series((known["status"] == CASE).astype(int).to_numpy(), index=known["patient_id"].to_numpy())
