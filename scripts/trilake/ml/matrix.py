"""Feature rows to one row a patient: the latest year of each feature, and what was not measured kept apart. Pure.

Example: matrix = feature_matrix(rows, labels.index, ["clinical", "genomic"])
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class Matrix:
    """`values` has a column a feature (NaN: not measured); `columns` names those of each modality."""

    values: pd.DataFrame
    columns: dict[str, list[str]]

    def of(self, modalities: Sequence[str]) -> pd.DataFrame:
        return self.values[[name for modality in modalities for name in self.columns[modality]]]

    @property
    def share_measured(self) -> dict[str, float]:
        """Feature -> share of patients with a value."""
        return {name: float(self.values[name].notna().mean()) for name in self.values if not is_flag(name)}


def is_flag(name: str) -> bool:
    return name.endswith(f":{NOT_MEASURED}")


def latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each patient and feature, the row of the latest year."""
    ordered = rows.sort_values(["patient_id", "modality", "feature", "event_year"], kind="stable")
    return ordered.groupby(["patient_id", "modality", "feature"], as_index=False).tail(1)


def feature_matrix(rows: pd.DataFrame, patients: Sequence[str], modalities: Sequence[str]) -> Matrix:
    """One row for each of `patients`. A modality that some have nothing of gets a flag column of its own."""
    chosen = latest(rows)
    parts, columns = [], {}
    for modality in modalities:
        part = chosen[chosen["modality"] == modality]
        wide = part.pivot(index="patient_id", columns="feature", values="value").reindex(patients)
        wide.columns = [f"{modality}:{name}" for name in wide.columns]
        lacks_all = wide.isna().all(axis=1)
        if lacks_all.any() and not lacks_all.all():
            wide[f"{modality}:{NOT_MEASURED}"] = lacks_all.astype(float)
        columns[modality] = list(wide.columns)
        parts.append(wide)
    return Matrix(pd.concat(parts, axis=1).astype(float), columns)
