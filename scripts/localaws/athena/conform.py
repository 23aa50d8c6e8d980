"""Query rows in the exact Arrow shape of a table: names by place, types, required columns.

Reads and writes nothing. Behind `make local-aws`.
Example: `conformed(batch, schema)`; a NULL in a required column is CONSTRAINT_VIOLATION.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from localaws.athena.errors import QueryError


def conformed(batch: pa.RecordBatch | pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the schema's names and types, column by column in order."""
    columns = [
        _column(array, field)
        for array, field in zip(batch.columns, schema, strict=True)  # fmt: skip
    ]
    return pa.table(columns, schema=schema)


def _column(array: pa.Array | pa.ChunkedArray, field: pa.Field) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if not field.nullable and array.null_count:
        raise QueryError("CONSTRAINT_VIOLATION", f"NULL value not allowed for NOT NULL column: {field.name}")
    return shaped(array, field.type)


def shaped(array: pa.Array, target: pa.DataType) -> pa.Array:
    """An array as another type; struct fields change by place."""
    if array.type == target:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), target)
    if pa.types.is_struct(target):
        fields = [target.field(index) for index in range(target.num_fields)]
        children = [shaped(array.field(index), field.type) for index, field in enumerate(fields)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=pc.is_null(array))
    if pa.types.is_map(target):
        keys, items = shaped(array.keys, target.key_type), shaped(array.items, target.item_type)
        return pa.MapArray.from_arrays(array.offsets, keys, items, type=target, mask=pc.is_null(array))
    if pa.types.is_list(target) or pa.types.is_large_list(target):
        kind = pa.LargeListArray if pa.types.is_large_list(target) else pa.ListArray
        lengths = pc.fill_null(pc.list_value_length(array), 0)
        values = shaped(pc.list_flatten(array), target.value_type)
        ends = pc.cumulative_sum(lengths)
        offsets = pa.concat_arrays([pa.array([0], ends.type), ends]).cast(
            pa.int64() if pa.types.is_large_list(target) else pa.int32()
        )
        return kind.from_arrays(offsets, values, type=target, mask=pc.is_null(array))
    return _leaf(array, target)


def _leaf(array: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        return array.cast(target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise QueryError("INVALID_CAST_ARGUMENT", "A value does not fit the column's type") from None
