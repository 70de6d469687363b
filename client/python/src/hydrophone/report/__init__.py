"""The two lessons as one page of pictures: hp.report, and python -m hydrophone.report."""

from hydrophone.report.run import Report, report

__all__ = ["Report", "report"]
