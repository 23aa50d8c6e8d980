"""UpdateImageSetMetadata as the developer guide shows it: instances out, force, UIDs, whole studies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localaws.healthimaging.conftest import SERIES, STUDY, ImageStore, a_slice


def _update(store: ImageStore, image_set_id: str, version: str, how: str, change: Any, **more: bool) -> dict[str, Any]:
    content = {"DICOMUpdates": {f"{how}Attributes": json.dumps({"SchemaVersion": 1.1, **change}).encode()}}
    found: dict[str, Any] = store.api.update_image_set_metadata(
        datastoreId=store.id,
        imageSetId=image_set_id,
        latestVersionId=version,
        updateImageSetMetadataUpdates=content,
        **more,
    )
    return found


def _instances(store: ImageStore, image_set_id: str, series: str = SERIES) -> dict[str, Any]:
    found: dict[str, Any] = store.metadata(image_set_id)["Study"]["Series"][series]["Instances"]
    return found


def _in_series(instances: dict[str, Any]) -> dict[str, Any]:
    return {"Study": {"Series": {SERIES: {"Instances": instances}}}}


def test_an_empty_instance_among_the_removable_is_taken_out_and_comes_back_with_its_version(store: ImageStore) -> None:
    for number in (1, 2):
        store.put(str(number), a_slice(number))
    store.run()
    image_set_id = store.search()[0]["imageSetId"]
    frame_id = _instances(store, image_set_id)[f"{SERIES}.2"]["ImageFrames"][0]["ID"]
    whole = store.frame(image_set_id, frame_id)
    _update(store, image_set_id, "1", "removable", _in_series({f"{SERIES}.2": {}}))
    assert list(_instances(store, image_set_id)) == [f"{SERIES}.1"]
    assert store.search()[0]["DICOMTags"]["DICOMNumberOfStudyRelatedInstances"] == 1
    with pytest.raises(store.api.exceptions.ResourceNotFoundException):
        store.frame(image_set_id, frame_id)
    for nothing_left in (_in_series({f"{SERIES}.1": {}}), {"Study": {"Series": {SERIES: {}}}}):
        with pytest.raises(store.api.exceptions.ValidationException, match="DeleteImageSet"):
            _update(store, image_set_id, "2", "removable", nothing_left)
    store.api.update_image_set_metadata(
        datastoreId=store.id,
        imageSetId=image_set_id,
        latestVersionId="2",
        updateImageSetMetadataUpdates={"revertToVersionId": "1"},
    )
    assert store.frame(image_set_id, frame_id) == whole


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"Sudty": {}}', b'{"Study": []}', b'{"Study": {"DICOM": "x"}}', b'{"Study": {"Series": []}}'],
)
def test_what_names_nothing_to_change_makes_no_version(store: ImageStore, content: bytes) -> None:
    store.put("1", a_slice(1))
    store.run()
    ids = {"datastoreId": store.id, "imageSetId": store.search()[0]["imageSetId"], "latestVersionId": "1"}
    updates = {"DICOMUpdates": {"updatableAttributes": content} if content else {}}
    with pytest.raises(store.api.exceptions.ValidationException):
        store.api.update_image_set_metadata(**ids, updateImageSetMetadataUpdates=updates)
    assert store.search()[0]["version"] == 1


def test_force_takes_private_elements_and_values_of_another_representation_and_is_told(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run()
    image_set_id = store.search()[0]["imageSetId"]
    private = _in_series({f"{SERIES}.1": {"DICOM": {"00091001": "ours"}}})
    for refused in (
        private,
        {"Study": {"DICOM": {"StudyDate": "yesterday"}}},
        {"Patient": {"DICOM": {"PatientID": 7}}},
    ):
        with pytest.raises(store.api.exceptions.ValidationException, match="force"):
            _update(store, image_set_id, "1", "updatable", refused)
    _update(store, image_set_id, "1", "updatable", private, force=True)
    assert _instances(store, image_set_id)[f"{SERIES}.1"]["DICOM"]["00091001"] == "ours"
    ids = {"datastoreId": store.id, "imageSetId": image_set_id}
    assert store.api.get_image_set(**ids)["overrides"] == {"forced": True}
    versions = store.api.list_image_set_versions(**ids)["imageSetPropertiesList"]
    assert [version.get("overrides") for version in versions] == [{"forced": True}, None]
    _update(store, image_set_id, "2", "removable", private, force=True)
    assert "00091001" not in _instances(store, image_set_id)[f"{SERIES}.1"]["DICOM"]


def test_uids_are_changed_by_force_where_the_image_set_is_not_primary(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run()
    store.put("1", a_slice(1, PatientID="MRN-2"))
    store.run()
    primary, other = sorted(store.search(), key=lambda found: not found["isPrimary"])
    uids = {
        "Study": {"DICOM": {"StudyInstanceUID": "1.2"}, "Series": {SERIES: {"DICOM": {"SeriesInstanceUID": "1.3"}}}}
    }
    with pytest.raises(store.api.exceptions.ValidationException, match="primary"):
        _update(store, primary["imageSetId"], "1", "updatable", uids, force=True)
    with pytest.raises(store.api.exceptions.ValidationException, match="force"):
        _update(store, other["imageSetId"], "1", "updatable", uids)
    _update(store, other["imageSetId"], "1", "updatable", uids, force=True)
    assert list(_instances(store, other["imageSetId"], "1.3")) == [f"{SERIES}.1"]
    by_uid = [{"operator": "EQUAL", "values": [{"DICOMStudyInstanceUID": uid}]} for uid in ("1.2", STUDY)]
    found = [store.search(filters=[one]) for one in by_uid]
    assert [[item["imageSetId"] for item in hits] for hits in found] == [[other["imageSetId"]], [primary["imageSetId"]]]
    rename = {"Study": {"Series": {"1.3": {"Instances": {f"{SERIES}.1": {"DICOM": {"SOPInstanceUID": "1.4"}}}}}}}
    _update(store, other["imageSetId"], "2", "updatable", rename, force=True)
    assert list(_instances(store, other["imageSetId"], "1.3")) == ["1.4"]


def test_a_study_is_changed_in_all_its_primary_image_sets_or_in_none(store: ImageStore) -> None:
    for number in (1, 2):
        store.put(str(number), a_slice(number, SeriesInstanceUID=f"{STUDY}.{number}", SeriesNumber=str(number)))
    store.run()
    first, second = (found["imageSetId"] for found in store.search())
    change = {"Patient": {"DICOM": {"PatientID": "MRN-9"}}}
    _update(store, first, "1", "updatable", change, includeStudyImageSets=True)
    assert {found["DICOMTags"]["DICOMPatientId"] for found in store.search()} == {"MRN-9"}
    assert {found["version"] for found in store.search()} == {2}
    with pytest.raises(store.api.exceptions.ValidationException):
        _update(store, first, "2", "updatable", {"Patient": {"DICOM": {"StudyID": "S2"}}}, includeStudyImageSets=True)
    ids = {"datastoreId": store.id, "imageSetId": first, "latestVersionId": "2", "includeStudyImageSets": True}
    with pytest.raises(store.api.exceptions.ValidationException, match="revert"):
        store.api.update_image_set_metadata(**ids, updateImageSetMetadataUpdates={"revertToVersionId": "1"})
    assert {found["version"] for found in store.search()} == {2}
