"""S3 where moto is slow or holds whole objects in memory: plain reads, plain writes, multipart uploads, copies.

Reads and writes moto's S3 backend and object files. Behind every make target that moves data.
Example: `plain.answer(request)` is None for whatever moto should answer.
"""
