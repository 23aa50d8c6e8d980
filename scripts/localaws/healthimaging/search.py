"""SearchImageSets: filters, order and what a hit shows.

Reads the data store's state; writes nothing. Behind `make ingest`.
Example: `hits(store, {"filters": [{"operator": "EQUAL", "values": [{"DICOMPatientId": "MRN-1"}]}]})`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.healthimaging.state import Datastore, ImageSet

_TAGS = {
    "DICOMPatientId",
    "DICOMAccessionNumber",
    "DICOMStudyId",
    "DICOMStudyInstanceUID",
    "DICOMSeriesInstanceUID",
}
_MOMENT = re.compile(r"\d{14}")
_RANGES = {"createdAt", "updatedAt", "DICOMStudyDateAndTime"}


def hits(store: Datastore, criteria: dict[str, Any]) -> list[ImageSet]:
    """The living image sets that all filters keep, in the order asked for; newest change first by default."""
    keeps = [_filter(item) for item in criteria.get("filters", [])]
    found = [image_set for image_set in store.living() if all(keep(image_set) for keep in keeps)]
    sort = criteria.get("sort", {"sortField": "updatedAt", "sortOrder": "DESC"})
    field, is_descending = sort["sortField"], sort["sortOrder"] == "DESC"
    have = [image_set for image_set in found if _value(image_set, field) is not None]
    have_not = [image_set for image_set in found if _value(image_set, field) is None]
    return sorted(have, key=lambda item: (_value(item, field), item.id), reverse=is_descending) + have_not


def _filter(item: dict[str, Any]) -> Callable[[ImageSet], bool]:
    names = {name for value in item["values"] for name in value}
    if len(names) != 1:
        raise ServiceError("ValidationException", "A filter has one field.")
    [name] = names
    values = [_wanted(name, value[name]) for value in item["values"]]
    if item["operator"] == "BETWEEN":
        if name not in _RANGES or len(values) != 2:
            raise ServiceError("ValidationException", f"BETWEEN takes two values, and no {name}.")
        low, high = values
        if low > high:
            raise ServiceError("ValidationException", "The lower bound of BETWEEN comes first.")
        return _between(name, low, high)
    if len(values) != 1:
        raise ServiceError("ValidationException", "EQUAL takes one value.")
    [wanted] = values
    if isinstance(wanted, datetime):  # SDKs send whole seconds.
        return lambda image_set: _value(image_set, name).replace(microsecond=0) == wanted.replace(microsecond=0)
    return lambda image_set: _value(image_set, name) == wanted


def _between(name: str, low: Any, high: Any) -> Callable[[ImageSet], bool]:
    def keep(image_set: ImageSet) -> bool:
        value = _value(image_set, name)
        return value is not None and low <= value <= high

    return keep


def _wanted(name: str, value: Any) -> Any:
    if name == "DICOMStudyDateAndTime":
        moment = _moment(value["DICOMStudyDate"], value.get("DICOMStudyTime"))
        if not _MOMENT.fullmatch(moment):
            raise ServiceError("ValidationException", "DICOMStudyDateAndTime takes yyyyMMdd and HHmmss.FFFFFF.")
        return moment
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.astimezone()
    return value


def _value(image_set: ImageSet, name: str) -> Any:
    if name in _TAGS:
        return image_set.tags.get(name)
    if name == "isPrimary":
        return image_set.is_primary
    if name == "createdAt":
        return image_set.created_at
    if name == "updatedAt":
        return image_set.latest.updated_at
    date = image_set.tags.get("DICOMStudyDate")
    return None if date is None else _moment(date, image_set.tags.get("DICOMStudyTime"))


def _moment(date: str, time: str | None) -> str:
    """Date and time as one text that sorts: YYYYMMDDHHMMSS, a missing time being midnight."""
    return date.replace("-", "") + (time or "").replace(":", "").split(".")[0].ljust(6, "0")


def summary(store: Datastore, image_set: ImageSet) -> dict[str, Any]:
    """One hit as SearchImageSets answers it."""
    related = [found for found in store.of_study(image_set.key[0]) if found.is_primary or found is image_set]
    return {
        "imageSetId": image_set.id,
        "version": image_set.latest.number,
        "createdAt": image_set.created_at,
        "updatedAt": image_set.latest.updated_at,
        "lastAccessedAt": image_set.last_accessed_at,
        "storageTier": "FREQUENT_ACCESS",
        "DICOMTags": {
            **image_set.tags,
            "DICOMNumberOfStudyRelatedSeries": len({found.key for found in related}),
            "DICOMNumberOfStudyRelatedInstances": sum(found.n_instances for found in related),
        },
        "isPrimary": image_set.is_primary,
    }
