"""CopyImageSet: into a new image set, into another, in part; copies live on when their source is gone."""

from __future__ import annotations

import json

import pytest

from tests.localaws.healthimaging.conftest import SERIES, STUDY, ImageStore, a_slice


def _instances(store: ImageStore, image_set_id: str) -> dict[str, object]:
    found: dict[str, object] = store.metadata(image_set_id)["Study"]["Series"][SERIES]["Instances"]
    return found


def _frame(store: ImageStore, image_set_id: str) -> bytes:
    instance = next(iter(_instances(store, image_set_id).values()))
    frame = {"imageFrameId": instance["ImageFrames"][0]["ID"]}  # type: ignore[index]
    answer = store.api.get_image_frame(datastoreId=store.id, imageSetId=image_set_id, imageFrameInformation=frame)
    content: bytes = answer["imageFrameBlob"].read()
    return content


def test_a_copy_lives_on_when_its_source_is_deleted(store: ImageStore) -> None:
    for number in (1, 2):
        store.put(str(number), a_slice(number))
    store.run()
    [found] = store.search()
    source = {"sourceImageSet": {"latestVersionId": "1"}}
    asked = {"datastoreId": store.id, "sourceImageSetId": found["imageSetId"]}
    answer = store.api.copy_image_set(copyImageSetInformation=source, **asked)
    copied = answer["destinationImageSetProperties"]
    assert copied["imageSetId"] != found["imageSetId"] and copied["latestVersionId"] == "1"
    assert copied["imageSetWorkflowStatus"] == "COPIED"
    before = _frame(store, found["imageSetId"])
    assert _instances(store, copied["imageSetId"]) == _instances(store, found["imageSetId"])
    store.api.delete_image_set(datastoreId=store.id, imageSetId=found["imageSetId"])
    assert _frame(store, copied["imageSetId"]) == before
    is_primary = store.api.get_image_set(datastoreId=store.id, imageSetId=copied["imageSetId"])["isPrimary"]
    assert is_primary is False


def test_chosen_instances_go_into_another_image_set(store: ImageStore) -> None:
    for number in (1, 2, 3):
        store.put(str(number), a_slice(number))
    store.run()
    [found] = store.search()
    uids = sorted(_instances(store, found["imageSetId"]))
    asked = {"datastoreId": store.id, "sourceImageSetId": found["imageSetId"]}

    def copy(uid: str, destination: dict[str, str] | None = None) -> dict[str, str]:
        wanted = {"Study": {"Series": {SERIES: {"Instances": {uid: {}}}}}}
        source = {"latestVersionId": "1", "DICOMCopies": {"copiableAttributes": json.dumps(wanted)}}
        information = {"sourceImageSet": source, **({"destinationImageSet": destination} if destination else {})}
        made: dict[str, str] = store.api.copy_image_set(copyImageSetInformation=information, **asked)[
            "destinationImageSetProperties"
        ]
        return made

    first = copy(uids[0])
    assert sorted(_instances(store, first["imageSetId"])) == uids[:1]
    second = copy(uids[1], {"imageSetId": first["imageSetId"], "latestVersionId": "1"})
    assert (second["imageSetId"], second["latestVersionId"]) == (first["imageSetId"], "2")
    assert sorted(_instances(store, first["imageSetId"])) == uids[:2]
    with pytest.raises(store.api.exceptions.ConflictException, match="latest version"):
        copy(uids[2], {"imageSetId": first["imageSetId"], "latestVersionId": "1"})
    with pytest.raises(store.api.exceptions.ValidationException, match="not in the image set"):
        copy("1.2.3.4")


def test_what_differs_is_copied_by_force_only(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.put("2", a_slice(2, StudyInstanceUID=f"{STUDY}.9", SeriesInstanceUID=f"{STUDY}.9.1", SOPInstanceUID="1.9"))
    store.run()
    one, other = (found["imageSetId"] for found in store.search())
    target = {"imageSetId": other, "latestVersionId": "1"}
    information = {"sourceImageSet": {"latestVersionId": "1"}, "destinationImageSet": target}
    asked = {"datastoreId": store.id, "sourceImageSetId": one, "copyImageSetInformation": information}
    with pytest.raises(store.api.exceptions.ValidationException, match="force"):
        store.api.copy_image_set(**asked)
    answer = store.api.copy_image_set(force=True, **asked)
    assert answer["destinationImageSetProperties"]["latestVersionId"] == "2"
    found = store.api.search_image_sets(datastoreId=store.id)["imageSetsMetadataSummaries"]
    assert sorted(item["DICOMTags"]["DICOMNumberOfStudyRelatedInstances"] for item in found)[-1] == 2
