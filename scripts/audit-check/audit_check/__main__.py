"""python3 scripts/audit-check FILE [--json]: exit code 0 confirmed, 4 broken, 2 unreadable."""

import json
import sys

from . import check


def main(arguments):
    files = [one for one in arguments if not one.startswith("--")]
    if len(files) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(files[0], "rb") as file:
            data = file.read()
    except OSError as error:
        print(f"{files[0]}: {error.strerror}", file=sys.stderr)
        return 2
    answer = check(data)
    if "--json" in arguments:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(answer["verdict"])
        finding = answer["finding"]
        if finding is not None:
            print(f"record {finding['record']}: {finding['code']}: {finding['reason']}")
            print(f"signed by: {finding['signer'] or 'nobody'}")
        for decision in answer["decisions"]:
            print(" ".join(str(decision[key]) for key in ("organisation", "sequence", "question", "verdict", "standing")))
        for one in answer["missing"]:
            print(f"not in the file: {one}")
    return {"confirmed": 0, "broken": 4, "unreadable": 2}[answer["verdict"]]
