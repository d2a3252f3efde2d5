"""What has been measured, kept between runs: one record for each workload, machine and scheduler."""

from __future__ import annotations

import json
from pathlib import Path


class Results:
    def __init__(self, file: Path):
        self.file = file
        self.records: dict[str, dict] = json.loads(file.read_text()) if file.exists() else {}

    @staticmethod
    def key(scheduler: str, workload: str, machine: str) -> str:
        return f"{scheduler} {workload} {machine}"

    def get(self, scheduler: str, workload: str, machine: str) -> dict | None:
        return self.records.get(self.key(scheduler, workload, machine))

    def put(self, scheduler: str, workload: str, machine: str, record: dict) -> None:
        """Written at once: a sweep of hours that is interrupted has lost nothing."""
        self.records[self.key(scheduler, workload, machine)] = record
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside = self.file.with_suffix(".new")
        aside.write_text(json.dumps(self.records, indent=1) + "\n")
        aside.replace(self.file)
