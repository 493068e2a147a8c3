"""python3 -m oracle RULESETS RECORDS: what RECORDS must cause, one JSON object per record.

RULESETS: output of `caracal list rulesets --canonical`; RECORDS: output of `kcat -C -J`; - = stdin.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import oracle
from oracle.avro import load_schemas


def main():
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__.splitlines()[0])
    parser.add_argument("rulesets")
    parser.add_argument("records")
    parser.add_argument("--schemas", help="Avro schemas: NDJSON of {id, schema}")
    parser.add_argument("--alert-from", type=int, default=0, metavar="OFFSET")
    arguments = parser.parse_args()
    schemas = None
    if arguments.schemas:
        schemas = load_schemas(_read(arguments.schemas).decode().splitlines())
    outcomes = oracle.judge(
        oracle.parse_records(_read(arguments.records)),
        oracle.parse_rulesets(_read(arguments.rulesets)),
        schemas=schemas,
        alert_from=arguments.alert_from,
    )
    for own in outcomes.values():
        for outcome in own:
            print(json.dumps(asdict(outcome), default=str))


def _read(path):
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


if __name__ == "__main__":
    main()
