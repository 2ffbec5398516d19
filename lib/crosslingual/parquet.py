"""Parquet files, of strangers too: few bytes that stand for more than a table can have are refused.

Repeated values take next to no room in a file: both how many values it has and how long its texts
are once they are written out are looked at before anything is.
"""

from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

VALUES, ROOM = 50_000_000, 1 << 30  # the most values, and bytes of text or of pages


def read(source: BinaryIO, columns: list[str] | None = None) -> pa.Table:
    """The table of a file, or some columns of it, its pages' checksums compared.

    Raises ValueError for one that unpacks to too much, and what pyarrow does of a damaged file.
    """
    file = pq.ParquetFile(source)
    about, places = file.metadata, range(file.metadata.num_columns)
    chunks = [about.row_group(i).column(j) for i in range(about.num_row_groups) for j in places]
    values = sum(chunk.num_values for chunk in chunks)
    texts = {chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"}
    if values <= VALUES and sum(chunk.total_uncompressed_size for chunk in chunks) <= ROOM:
        options = {"read_dictionary": list(texts), "page_checksum_verification": True}
        table = pq.read_table(source, columns=columns, **options)
        if sum(map(_written_out, table.columns)) <= ROOM:
            fields = [file.schema_arrow.field(name) for name in table.column_names]
            return table.cast(pa.schema(fields, file.schema_arrow.metadata))
    raise ValueError("it unpacks to more than any table of the book has")


def _written_out(column: pa.ChunkedArray) -> int:
    """How many bytes the texts of a column have, each as often as it is there."""
    size = 0
    for chunk in column.chunks:
        while pa.types.is_list(chunk.type):
            chunk = chunk.flatten()
        if pa.types.is_dictionary(chunk.type):
            lengths = pc.take(pc.binary_length(chunk.dictionary), chunk.indices)
            size += pc.sum(pc.cast(lengths, pa.int64())).as_py() or 0
    return size
