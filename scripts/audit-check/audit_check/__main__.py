"""python3 scripts/audit-check FILE… [--json]

Exit code: 0 confirmed, 4 broken, 2 unreadable; of several files the worst. With --json one line for each file.
"""

import json
import sys

from . import check

EXIT = {"confirmed": 0, "broken": 4, "unreadable": 2}
WORST = (0, 4, 2)


def _print(answer):
    print(answer["verdict"])
    finding = answer["finding"]
    if finding is not None:
        print(f"record {finding['record']}: {finding['code']}: {finding['reason']}")
        print(f"signed by: {finding['signer'] or 'nobody'}")
    for decision in answer["decisions"]:
        said = " ".join(str(decision[key]) for key in ("organisation", "sequence", "question", "verdict", "standing"))
        print(f"{said}: {decision['why']}")
    for one in answer["missing"]:
        print(f"not in the file: {one}")


def main(arguments):
    files = [one for one in arguments if one != "--json"]
    if not files or any(one.startswith("--") for one in files):
        print(__doc__, file=sys.stderr)
        return 2
    codes = [0]
    for path in files:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            print(f"{path}: {error.strerror}", file=sys.stderr)
            codes.append(2)
            continue
        answer = check(data)
        codes.append(EXIT[answer["verdict"]])
        if "--json" in arguments:
            print(json.dumps(answer, ensure_ascii=False))
        else:
            _print(answer)
    return max(codes, key=WORST.index)
