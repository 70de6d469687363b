"""A corpus's values as a directory of files, made by a job that may be killed and goes on: hp.bulk, and
python -m hydrophone.bulk."""

from hydrophone.bulk.run import Bulk, bulk

__all__ = ["Bulk", "bulk"]
