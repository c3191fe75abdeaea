#!/usr/bin/env python3
"""Holds what was answered against what is in the log.

    check.py ANSWERS MARKS LOG TEXTS

ANSWERS is what load.py wrote. MARKS has lines of a time, a tab and what was done then. LOG has the round's log entries
as lines of JSON, by sequence, and TEXTS the references that are kept, each with its sequence. Ends with 1 if anything
does not hold.
"""

import collections
import hashlib
import json
import sys


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


answers, log, texts = lines(sys.argv[1]), lines(sys.argv[3]), lines(sys.argv[4])
with open(sys.argv[2], encoding="utf-8") as file:
    marks = [line.rstrip("\n").split("\t") for line in file]
marks = [(float(time), what) for time, what in marks]
failures = []


def holds(statement, faults, of=""):
    """Prints a statement, and remembers those that do not hold."""
    faults = list(faults)
    print(f"  {'holds ' if not faults else 'BROKEN'}  {statement}{of}")
    for fault in faults[:5]:
        print(f"            {fault}")
    if faults:
        failures.append(statement)


puts = [answer for answer in answers if answer["op"] == "put"]
acknowledged = [put for put in puts if put["status"] in (200, 201)]

polls = [answer for answer in answers if answer["op"] == "poll"]
taken = sorted(put["ended"] for put in acknowledged)


def silence(begin, end):
    """The longest time between two moments without an acknowledgement."""
    times = [begin, *(time for time in taken if begin < time < end), end]
    return max(after - before for before, after in zip(times, times[1:]))


print("\nWhat the callers saw, by when they were answered:\n")
print(f"  {'':46}{'seconds':>8}{'200/201':>8}{'412':>5}{'502':>5}{'503':>5}{'none':>5}{'silence':>9}{'polls':>7}{'failed':>7}")
for (begin, what), (end, _) in zip(marks, marks[1:]):
    count = collections.Counter(put["status"] for put in puts if begin <= put["ended"] < end)
    seen = collections.Counter(poll["status"] in (200, 304) for poll in polls if begin <= poll["ended"] < end)
    good = count[200] + count[201]
    print(
        f"  {what:46}{end - begin:8.1f}{good:8}{count[412]:5}{count[502]:5}{count[503]:5}{count[None]:5}"
        f"{silence(begin, end):7.1f} s{seen[True]:7}{seen[False]:7}"
    )
    if "nobody notices" in what and (good == 0 or good < sum(count.values()) or seen[False]):
        failures.append(f"{what}: somebody did")

[killed] = [time for time, what in marks if what == "primary killed"]
print(f"\n  Writes were impossible for {silence(killed, taken[-1]):.1f} s when the primary was killed.")
for name, some in (("PUT", puts), ("poll of the results", polls)):
    slow = sorted(one["ended"] - one["began"] for one in some)
    print(f"  The slowest {name} took {slow[-1]:.1f} s, one in a hundred {slow[len(slow) * 99 // 100] * 1000:.0f} ms, half of them {slow[len(slow) // 2] * 1000:.0f} ms.")

print("\nWhat is in the log:\n")
numbers = [entry["sequence"] for entry in log]
holds("sequences begin with 1 and have no gaps", [] if numbers == list(range(1, len(log) + 1)) else ["gaps"], f" ({len(log)} entries)")


def chain():
    head = None
    for entry in log:
        head = head or bytes.fromhex(json.loads(entry["event"])["definition"])
        head = hashlib.sha256(head + entry["event"].encode()).digest()
        if head.hex() != entry["hash"]:
            yield f"the chain breaks at {entry['sequence']}"
            return


holds("every hash follows from the one before and the entry", chain(), f" (head {log[-1]['hash'][:16]}…)")

by_sequence = {entry["sequence"]: json.loads(entry["event"]) | {"hash": entry["hash"]} for entry in log}


def lost():
    for put in acknowledged:
        entry = by_sequence.get(put["sequence"])
        expected = ("ballot", f"municipality:{put['code']}", put["revision"], put["ranking"], put["hash"])
        members = ("kind", "participant", "revision", "ranking", "hash")
        if entry is None or tuple(entry.get(member) for member in members) != expected:
            yield f"{put['code']} revision {put['revision']} at {put['sequence']}: the log has {entry}"


holds("every acknowledged ballot is where its receipt says, as it was sent", lost(), f" ({len(acknowledged)} acknowledged)")

times = collections.Counter(text["text"] for text in texts)
where = {text["text"]: text["sequence"] for text in texts}
holds("no submission is in the log twice", (f"{text}: {count} times" for text, count in times.items() if count > 1))
holds(
    "every acknowledged submission is there once, under its receipt's number",
    (put["reference"] for put in acknowledged if times[put["reference"]] != 1 or where[put["reference"]] != put["sequence"]),
)
nothing = [put for put in puts if put["status"] not in (200, 201) and put["nothing"]]
holds(
    "nothing is there of what was answered with \"nothing was stored\", or refused",
    (f"{put['reference']}: {put['status']} {put.get('detail')}" for put in nothing if times[put["reference"]]),
    f" ({len(nothing)} of them)",
)
unknown = [put for put in puts if put["status"] not in (200, 201) and not put["nothing"]]
stored = sum(times[put["reference"]] for put in unknown)
print(f"          of {len(unknown)} submissions with an unknown outcome {stored} are in the log")
sent = {put["reference"] for put in puts}
holds("nothing is in the log that nobody sent", (text for text in times if text not in sent))


def revisions():
    seen = collections.defaultdict(list)
    for entry in log:
        event = json.loads(entry["event"])
        if event["kind"] == "ballot":
            seen[event["participant"]].append(event["revision"])
    for participant, found in seen.items():
        if found != list(range(1, len(found) + 1)):
            yield f"{participant}: {found}"


holds("each participant's revisions are 1, 2, 3, … in the order of the log, none twice", revisions())

uncertain = set()
surprised = []
for put in sorted(puts, key=lambda put: put["began"]):
    if put["status"] == 412 and put["code"] not in uncertain:
        surprised.append(f"{put['code']} {put['reference']}")
    if put["status"] not in (200, 201):
        uncertain.add(put["code"])
holds("a condition failed only where an outcome before it was unknown", surprised)

other = collections.Counter(put["status"] for put in puts if put["status"] not in (200, 201, 412, 502, 503, 504, None))
holds("no other answers than 200, 201, 412, 502, 503, 504 and none at all", [f"{other}"] if other else [])

if failures:
    print("\nDoes not hold: " + "; ".join(failures))
    sys.exit(1)
