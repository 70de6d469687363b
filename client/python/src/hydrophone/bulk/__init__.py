"""A corpus's values as a directory of files, made by a job that may be killed and goes on: hp.bulk, python -m
hydrophone.bulk, and with Ray hp.bulk_on_ray."""

from hydrophone.bulk.finished import Bulk
from hydrophone.bulk.on_ray import bulk_on_ray
from hydrophone.bulk.run import bulk

__all__ = ["Bulk", "bulk", "bulk_on_ray"]
