"""Random ballots, counted by handslag and by other people's programs; every outcome has to be the same, exactly.

    differential.py BINARY [PROFILES]

Called by .ci/differential, which installs the peers: pref_voting (duels, rounds, Borda's kin) and abcvoting
(portfolios, EJR+). The profiles come from a fixed seed and are of the product's shape: mostly 6 to 13 candidates, 3 to
5 picks and 20 to 290 ballots; a part with short ballots, a part full of ties, a part small enough for peers that
enumerate. Each is written as a wide CSV and read by `handslag tally`, so the reader and the JSON are compared with it.

Where a rule may end in a tie, handslag is given the lot as its only step (`--ladder lot,…`), and the peer the same
order to break ties by; so the outcomes of both are single and comparable. What cannot be compared is left out by a
condition that stands at the comparison, with the reason. Figures are compared as fractions; a peer that counts with
floats is compared by whom it elects.

Exits with an error on any difference, if there were fewer than 500 profiles, or if something in `AT_LEAST` was
compared more seldom than it says.

What the peers do differently, on purpose or not, and how each is dealt with:

* pref_voting's ranked pairs locks drawn duels as well, in the order of their support. By Tideman's definition a draw
  is no defeat (src/tally/pairwise/ranked_pairs.rs). Compared where no duel is drawn; with draws under margins, where
  they come last, its winner must be among our first.
* pref_voting's minimax takes 0 for who lost no duel; ours, by margins, the margin itself, so that a Condorcet winner
  is below 0. Compared after cutting off at 0; the winners are the same.
* pref_voting's stv_meek counts with floats to 1e-10 and has no memory of earlier stages for ties; ours rounds to nine
  decimals as its regulations say, and asks the earlier stages. Compared where no tie of candidates with votes came up.
* abcvoting has leximax Phragmén only as mixed-integer programs: with floats, one row for each pair of voters. Compared
  on three or four voters; on larger profiles the largest load is compared with minimax Phragmén's, to five decimals.
  Its models give 1e-6 of slack to every bound and then call a value that is better by the slack an error ("found a
  solution better than a previous optimum"); the tolerance is widened to 1e-3 here. Loads of four voters and four
  members are fractions with denominators up to 4, so that two of them are equal or at least 1/12 apart.

Without a peer, and so not here: coverage-ranked; modified Borda on short ballots; the ladder's order within ties.
"""

import itertools
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
import traceback
import types
from collections import Counter
from fractions import Fraction
from pathlib import Path

# abcvoting imports Gurobi's package, whose licence is a restricted one, whether or not it is asked to use it. It is
# not: every algorithm below is named.
sys.modules["gurobipy"] = types.ModuleType("gurobipy")

from abcvoting import abcrules, abcrules_pulp, preferences, properties
from abcvoting import scores as abcscores
from pref_voting import (
    c1_methods,
    iterative_methods,
    margin_based_methods,
    other_methods,
    proportional_methods,
    scoring_methods,
)
from pref_voting.profiles import Profile
from pref_voting.profiles_with_ties import ProfileWithTies

# See above, on leximax Phragmén.
abcrules_pulp.CMP_ACCURACY = 1e-3

SEED = 20261123
PROFILES = 600

# How often each thing has to have been compared in a run of all PROFILES; a comparison that silently no longer
# happens is a failure too.
AT_LEAST = {
    "Condorcet winner": 600,
    "EJR+ does not hold": 145,
    "EJR+ holds": 4315,
    "Smith set": 600,
    "approval": 600,
    "approval-1": 600,
    "approval-j": 345,
    "borda-average": 600,
    "borda-pessimistic": 600,
    "bucklin": 600,
    "copeland": 600,
    "copeland llull": 600,
    "copeland llull winners": 600,
    "copeland strict": 600,
    "copeland winners": 600,
    "coverage": 525,
    "coverage value": 525,
    "custom (ranking)": 345,
    "dowdall (ranking)": 345,
    "equal-shares": 600,
    "equal-shares before completion": 600,
    "irv among all orders": 210,
    "irv by lot": 600,
    "irv without ties": 190,
    "kemeny": 175,
    "leximax-phragmen": 65,
    "leximax-phragmen largest load": 55,
    "linear (ranking)": 345,
    "matrix": 600,
    "minimax margins": 600,
    "minimax margins winners": 600,
    "minimax opposition": 600,
    "minimax opposition winners": 600,
    "minimax winning-votes": 600,
    "minimax winning-votes winners": 600,
    "modified-borda (ranking)": 345,
    "monroe": 140,
    "monroe value": 140,
    "pav": 600,
    "pav value": 600,
    "ranked-pairs (all orders)": 220,
    "ranked-pairs margins (draws)": 255,
    "ranked-pairs margins (order)": 280,
    "ranked-pairs winning-votes (order)": 280,
    "schulze margins": 600,
    "schulze margins relation": 600,
    "schulze winning-votes": 600,
    "schulze winning-votes relation": 600,
    "sequential-pav": 600,
    "sequential-phragmen": 600,
    "stv meek": 255,
    "stv scottish": 520,
    "weak Condorcet winners": 600,
}

# Portfolios of which there are more than this are not compared as sets.
MOST_OPTIMA = 100

NAMES = "abcdefghijklm"


class Case:
    """A profile, and how each side sees it."""

    def __init__(self, number):
        self.number = number
        rng = random.Random(f"{SEED}/{number}")
        self.kind, self.candidates, self.picks, self.ballots = draw(rng, number)
        self.lot = rng.sample(range(self.candidates), self.candidates)
        self.seats = min(2 + number // 7 % 4, self.candidates - 1)
        self.all = range(self.candidates)
        self.total = sum(self.ballots.values())
        self.types = len(self.ballots)
        self.full = all(len(ballot) == self.picks for ballot in self.ballots)

    def csv(self):
        rows = ["count," + ",".join(f"rank{j + 1}" for j in range(self.picks))]
        for ballot, count in self.ballots.items():
            picks = [NAMES[c] for c in ballot] + [""] * (self.picks - len(ballot))
            rows.append(f"{count}," + ",".join(picks))
        return "\n".join(rows) + "\n"

    def initiatives(self):
        rows = ["id,number,titleSv,titleEn,area,owner,status,source"]
        rows += [f"{NAMES[c]},{c + 1},{NAMES[c]},{NAMES[c]},,,documented," for c in self.all]
        return "\n".join(rows) + "\n"

    def with_ties(self):
        """The profile as pref_voting sees truncated ballots; ranks from 0, as its bucklin needs them."""
        rankings = [{c: rank for rank, c in enumerate(ballot)} for ballot in self.ballots]
        profile = ProfileWithTies(rankings, rcounts=list(self.ballots.values()), candidates=list(self.all))
        profile.use_extended_strict_preference()
        return profile

    def completed(self):
        """The ballots with what they do not rank below, in any order: for scoring rules that give it nothing."""
        rankings = [list(ballot) + [c for c in self.all if c not in ballot] for ballot in self.ballots]
        return Profile(rankings, rcounts=list(self.ballots.values()))

    def approvals(self, weighted):
        """The sets that the ballots list: one voter a set with its weight, or one voter a ballot."""
        sets = Counter()
        for ballot, count in self.ballots.items():
            sets[frozenset(ballot)] += count
        profile = preferences.Profile(self.candidates)
        for approved, count in sorted(sets.items(), key=lambda item: sorted(item[0])):
            if weighted:
                profile.add_voter(preferences.Voter(approved, weight=count))
            else:
                profile.add_voters(preferences.Voter(approved) for _ in range(count))
        return profile


def draw(rng, number):
    """A kind, how many candidates and picks, and the ballots with their counts."""
    # Of ten profiles five are plain, two have short ballots, two are full of ties and one is small.
    kind = ("plain", "short", "plain", "ties", "plain", "small", "plain", "short", "plain", "ties")[number % 10]
    candidates = rng.randint(6, 13)
    picks = rng.randint(3, 5)
    size = rng.randint(20, 290)
    if kind == "ties":
        candidates = rng.randint(4, 9)
        picks = min(picks, candidates)
        size = rng.choice((4, 6, 8, 10, 12, 20))
    elif kind == "small":
        candidates = rng.randint(4, 6)
        picks = rng.randint(2, 3)
        size = rng.randint(3, 4) if number % 20 < 10 else rng.randint(9, 30)
    ballots = Counter()
    if kind == "ties":
        if rng.random() < 0.5:
            # Turned round and round: every candidate of the circle stands like every other, but for a few ballots.
            circle = rng.sample(range(candidates), rng.randint(3, candidates))
            length = min(picks, len(circle))
            for turn in range(len(circle)):
                ballots[tuple((circle[turn:] + circle[:turn])[:length])] += rng.choice((1, 1, 2, 3))
        while sum(ballots.values()) < size:
            ballots[tuple(rng.sample(range(candidates), rng.randint(1, picks)))] += rng.randint(1, 2)
        return kind, candidates, picks, dict(ballots)
    # Groups with tastes of their own; a ballot draws its picks by weight, without putting any back.
    taste_of = lambda: [rng.random() ** rng.choice((1, 2, 4)) + 0.01 for _ in range(candidates)]
    groups = [taste_of() for _ in range(rng.randint(1, 4))]
    for _ in range(size):
        taste = rng.choice(groups)
        length = rng.randint(1, picks) if kind == "short" else picks
        left, ballot = list(range(candidates)), []
        for _ in range(length):
            pick = rng.choices(left, [taste[c] for c in left])[0]
            left.remove(pick)
            ballot.append(pick)
        ballots[tuple(ballot)] += 1
    return kind, candidates, picks, dict(ballots)


class Counted:
    """What handslag says, asked for rule by rule."""

    def __init__(self, binary, case, folder):
        self.case = case
        self.ballots = folder / f"{case.number}.csv"
        self.initiatives = folder / f"{case.number}-initiatives.csv"
        self.ballots.write_text(case.csv())
        self.initiatives.write_text(case.initiatives())
        self.base = [binary, "tally", "--format", "json", "--initiatives", str(self.initiatives)]
        self.base += ["--picks", str(case.picks), "--lot", ",".join(NAMES[c] for c in case.lot)]

    def __call__(self, rule, *options):
        command = [*self.base, "--rule", rule, *map(str, options), str(self.ballots)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"{rule} {options}: {ran.stderr}")
        return json.loads(ran.stdout)


def index(ids):
    return [NAMES.index(name) for name in ids]


def scores(document):
    return {NAMES.index(s["initiativeId"]): Fraction(s["score"]) for s in document["standings"]}


def first(document):
    return sorted(NAMES.index(s["initiativeId"]) for s in document["standings"] if s["rank"] == 1)


def committees(optima):
    return {frozenset(index(members)) for members in optima["listed"]}


def whole(values):
    """A peer's figures, which are numpy's or floats of halves, as fractions."""
    return {c: Fraction(float(value)) for c, value in values.items()}


class Comparison:
    """Counts what was compared and keeps what was different."""

    def __init__(self):
        self.made = Counter()
        self.differences = []

    def same(self, what, ours, theirs):
        self.made[what] += 1
        if ours != theirs:
            self.differences.append(f"{what}: handslag {show(ours)}, peer {show(theirs)}")

    def within(self, what, ours, theirs):
        self.made[what] += 1
        if not set(ours) <= set(theirs):
            self.differences.append(f"{what}: handslag {show(ours)} not all among the peer's {show(theirs)}")


def show(value):
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(show, value))) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {show(each)}" for key, each in value.items()) + "}"
    return str(value)


def compare_positional(case, tally, peer, check):
    n, m, k = case.total, case.candidates, case.picks
    symmetric = whole(scoring_methods.symmetric_borda_scores(peer))
    # The symmetric score is who is below less who is above; with those beside, the three are M - 1.
    average = {c: (score + n * (m - 1)) / 2 for c, score in symmetric.items()}
    check.same("borda-average", scores(tally("borda-average")), average)
    pessimistic = whole(scoring_methods.domination_borda_scores(peer))
    check.same("borda-pessimistic", scores(tally("borda-pessimistic")), pessimistic)
    check.same("approval-1", scores(tally("approval-1")), whole(peer.plurality_scores()))
    if not case.full:
        # A short ballot, completed, would give points to what it does not rank.
        return
    completed = case.completed()
    depth = 1 + case.number % k
    points = sorted((Fraction(random.Random(case.number + j).randint(0, 12), 1 + j) for j in range(k)), reverse=True)
    rules = [
        ("linear", [], lambda _, rank: max(k + 1 - rank, 0)),
        ("modified-borda", [], lambda _, rank: max(k + 1 - rank, 0)),
        ("dowdall", [], lambda _, rank: Fraction(1, rank) if rank <= k else 0),
        (f"approval-{depth}", [], lambda _, rank: int(rank <= depth)),
        ("custom", ["--points", ",".join(map(str, points))], lambda _, rank: points[rank - 1] if rank <= k else 0),
    ]
    for rule, options, score in rules:
        document = tally(rule, *options)
        exact = lambda m, rank, score=score: Exact(score(m, rank))
        ranking = scoring_methods.score_ranking(completed, score=exact)
        tiers = {}
        for standing in document["standings"]:
            tiers.setdefault(standing["rank"], []).append(NAMES.index(standing["initiativeId"]))
        ours = [sorted(tier) for _, tier in sorted(tiers.items())]
        theirs = [sorted(ranking.cands_at_rank(rank)) for rank in ranking.ranks]
        check.same(rule.rsplit("-", 1)[0] + "-j" if rule.startswith("approval") else f"{rule} (ranking)", ours, theirs)


class Exact(Fraction):
    """A fraction that numpy's whole numbers can be multiplied with from the left without becoming a float."""

    __array_ufunc__ = None

    def __rmul__(self, other):
        return Fraction(self.numerator * int(other), self.denominator)


def compare_duels(case, tally, peer, check):
    copeland = tally("copeland")
    facts = copeland["pairwise"]
    matrix = {NAMES.index(a): {NAMES.index(b): int(n) for b, n in row.items()} for a, row in facts["matrix"].items()}
    check.same("matrix", matrix, {a: {b: int(peer.support(a, b)) for b in case.all if b != a} for a in case.all})
    winner = facts["condorcetWinner"]
    check.same("Condorcet winner", winner and NAMES.index(winner), peer.condorcet_winner())
    check.same("weak Condorcet winners", index(facts["weakCondorcetWinners"]), peer.weak_condorcet_winner() or [])
    check.same("Smith set", sorted(index(facts["smithSet"])), c1_methods.smith_set(peer))

    check.same("copeland", scores(copeland), whole(peer.copeland_scores(scores=(1, 0.5, 0))))
    check.same("copeland winners", first(copeland), c1_methods.copeland(peer))
    llull = tally("copeland", "--draws", "llull")
    check.same("copeland llull", scores(llull), whole(peer.copeland_scores(scores=(1, 1, 0))))
    check.same("copeland llull winners", first(llull), c1_methods.llull(peer))
    strict = tally("copeland", "--draws", "strict")
    check.same("copeland strict", scores(strict), whole(peer.copeland_scores(scores=(1, 0, 0))))

    methods = {"winning-votes": "winning", "margins": "margins", "opposition": "pairwise_opposition"}
    for strength, method in methods.items():
        ours = tally("minimax", "--strength", strength)
        theirs = whole(margin_based_methods.minimax_scores(peer, score_method=method))
        theirs = {c: -score for c, score in theirs.items()}
        cut = {c: max(score, Fraction(0)) for c, score in scores(ours).items()}
        check.same(f"minimax {strength}", cut, theirs)
        least = min(theirs.values())
        check.same(f"minimax {strength} winners", first(ours), sorted(c for c in case.all if theirs[c] == least))

    for strength, function in (("winning-votes", peer.support), ("margins", peer.margin)):
        ours = tally("schulze", "--strength", strength)
        path = {a: {b: int(n) for b, n in row.items()} for a, row in ours["pairwise"]["paths"].items()}
        above = {(NAMES.index(a), NAMES.index(b)) for a in path for b in path[a] if path[a][b] > path[b][a]}
        theirs = margin_based_methods.beat_path_defeat(peer, strength_function=function)
        check.same(f"schulze {strength} relation", above, set(theirs.edges))
        check.same(f"schulze {strength}", first(ours), margin_based_methods.beat_path(peer, strength_function=function))

        ours = tally("ranked-pairs", "--strength", strength, "--ladder", "lot")
        drawn = any(peer.is_tied(a, b) for a, b in itertools.combinations(case.all, 2))
        breaker = {"tie_breaker": case.lot, "strength_function": function}
        if not drawn:
            order = index(s["initiativeId"] for s in ours["standings"])
            theirs = margin_based_methods.ranked_pairs_defeat_tb(peer, return_list=True, **breaker)
            check.same(f"ranked-pairs {strength} (order)", order, theirs)
        elif strength == "margins":
            # Draws come last in the peer, after every defeat; they cannot lift a beaten candidate.
            theirs = margin_based_methods.ranked_pairs_tb(peer, **breaker)
            check.within("ranked-pairs margins (draws)", theirs, first(ours))
        defeats = Counter(
            function(a, b) for a, b in itertools.permutations(case.all, 2) if peer.majority_prefers(a, b)
        )
        orders = 1
        for equal in defeats.values():
            for factor in range(2, equal + 1):
                orders *= factor
        if not drawn and orders <= 24:
            theirs = margin_based_methods.ranked_pairs(peer, strength_function=function)
            check.within("ranked-pairs (all orders)", first(ours), theirs)

    if case.candidates <= 6 or case.candidates == 7 and case.number % 3 == 0:
        orders = tally("kemeny")["orders"]
        if orders["complete"]:
            ours = sorted({NAMES.index(order[0]) for order in orders["listed"]})
            check.same("kemeny", ours, other_methods.kemeny_young(peer))


def compare_rounds(case, tally, peer, check):
    check.same("bucklin", first(tally("bucklin")), other_methods.bucklin_for_truncated_linear_orders(peer))

    # The peer takes out whoever comes first in its tie-breaker.
    by_lot = first(tally("irv", "--ladder", "lot,listed"))
    check.same("irv by lot", by_lot, iterative_methods.instant_runoff_tb(peer, tie_breaker=case.lot[::-1]))
    ours = tally("irv")
    tied = any(any(stage["votes"][c] != "0" for c in stage["tied"]) for stage in ours["rounds"])
    if not tied:
        check.same("irv without ties", first(ours), iterative_methods.instant_runoff_for_truncated_linear_orders(peer))
    voted = [c for c, votes in peer.plurality_scores().items() if votes]
    if len(voted) <= 6:
        # Those without a first place leave first in every order of elimination.
        check.within("irv among all orders", first(ours), iterative_methods.instant_runoff_put(peer, curr_cands=voted))

    scottish = tally("stv", "--seats", case.seats)["stages"]
    if not any(stage["action"] == "surplus" and stage["resolvedBy"] == "lot" for stage in scottish):
        theirs = proportional_methods.stv_scottish(peer, num_seats=case.seats, rng=LastByLot(case.lot))
        check.same("stv scottish", elected(scottish), theirs)
    meek = tally("stv", "--seats", case.seats, "--method", "meek")["stages"]
    # The peer's slowest by far: two profiles of three.
    if case.number % 3 and not any(with_votes(meek, i) for i in range(1, len(meek))):
        # Without a limit the peer does not end a stage in which somebody it has elected falls below the quota.
        limits = {"tol": 1e-8, "max_iter": 200}
        theirs = proportional_methods.stv_meek(peer, num_seats=case.seats, tie_break_key=case.lot.index, **limits)
        check.same("stv meek", elected(meek), theirs)


def elected(stages):
    return sorted(index(name for stage in stages for name in stage["elected"]))


def with_votes(stages, i):
    """Whether those who were tied at a stage had any votes before it."""
    return any(Fraction(stages[i - 1]["votes"][name]) > 0 for name in stages[i]["tied"])


class LastByLot:
    """The lot where the peer would draw one: it asks for who leaves, and who leaves is the last."""

    def __init__(self, lot):
        self.lot = lot

    def choice(self, tied):
        return max(tied, key=self.lot.index)


def compare_portfolios(case, tally, check):
    # Every third profile voter by voter, the others by set and weight: the peer has code for both.
    peer = case.approvals(weighted=case.number % 3 != 0 or case.total > 60)
    seats = case.seats
    # Algorithms of the peer that compute with whole numbers and exact fractions.
    rules = [
        ("approval", "av", {}),
        ("coverage", "cc", {"algorithm": "brute-force"}),
        ("pav", "pav", {"algorithm": "branch-and-bound"}),
        ("sequential-pav", "seqpav", {}),
        ("sequential-phragmen", "seqphragmen", {"algorithm": "gmpy2-fractions"}),
        ("equal-shares", "equal-shares", {"algorithm": "gmpy2-fractions"}),
    ]
    for rule, peer_rule, options in rules:
        ours = tally(rule, "--seats", seats)["portfolio"]
        certify(ours, peer, check)
        if ours["optima"]["count"] > MOST_OPTIMA or not ours["optima"]["complete"]:
            continue
        theirs = abcrules.compute(peer_rule, peer, seats, resolute=False, **options)
        check.same(rule, committees(ours["optima"]), set(map(frozenset, theirs)))
        if rule == "equal-shares" and ours["beforeCompletion"] is not None:
            before = ours["beforeCompletion"]
            if before["complete"]:
                theirs = abcrules.compute_equal_shares(
                    peer, seats, resolute=False, completion=None, algorithm="gmpy2-fractions"
                )
                check.same("equal-shares before completion", committees(before), set(map(frozenset, theirs)))
        if rule in ("coverage", "pav") and ours["selected"] is not None:
            score = abcscores.thiele_score(peer_rule, peer, index(ours["selected"]))
            check.same(f"{rule} value", Fraction(ours["value"]), Fraction(int(score.numerator), int(score.denominator)))

    # A portfolio without the two that most list is often unfair: EJR+ has to see it.
    listed = Counter(c for ballot, count in case.ballots.items() for c in ballot * count)
    most = ",".join(NAMES[c] for c, _ in listed.most_common(2))
    certify(tally("pav", "--seats", min(seats, case.candidates - 2), "--exclude", most)["portfolio"], peer, check)

    units = case.approvals(weighted=False)
    if case.total <= 30 and case.candidates <= 7:
        ours = tally("monroe", "--seats", min(seats, 3))["portfolio"]
        certify(ours, peer, check)
        if ours["optima"]["count"] <= MOST_OPTIMA and ours["optima"]["complete"]:
            theirs = abcrules.compute("monroe", units, min(seats, 3), resolute=False, algorithm="brute-force")
            check.same("monroe", committees(ours["optima"]), set(map(frozenset, theirs)))
            score = abcscores.monroescore(units, index(ours["selected"]))
            check.same("monroe value", Fraction(ours["value"]), Fraction(score))

    ours = tally("leximax-phragmen", "--seats", seats)["portfolio"]
    certify(ours, peer, check)
    if case.kind == "small" and case.total <= 4:
        for size in range(2, min(5, case.candidates)):
            optima = tally("leximax-phragmen", "--seats", size)["portfolio"]["optima"]
            theirs = abcrules_pulp._pulp_leximaxphragmen(units, size, False, None, "cbc", False)
            check.same("leximax-phragmen", committees(optima), set(map(frozenset, theirs)))
    if case.number % 5 == 0 and case.types <= 60 and len(peer.approved_candidates()) >= seats:
        grouped = case.approvals(weighted=True)
        check.same("leximax-phragmen largest load", near(Fraction(ours["value"])), near(least_load(grouped, seats)))


def certify(ours, peer, check):
    certificate = ours["certificate"]
    if certificate is not None and ours["selected"] is not None:
        theirs = properties.check_EJR_plus(peer, index(ours["selected"]))
        check.same("EJR+ " + ("holds" if certificate["holds"] else "does not hold"), certificate["holds"], theirs)


def least_load(profile, seats):
    """The largest load of minimax Phragmén: abcvoting's model, whose value its interface keeps to itself."""
    found = []
    solve = abcrules_pulp._optimize_rule_pulp

    def keep(*arguments, **named):
        result = solve(*arguments, **named)
        found.append(-result[1])
        return result

    abcrules_pulp._optimize_rule_pulp = keep
    try:
        abcrules.compute_minimaxphragmen(profile, seats, algorithm="pulp-cbc", resolute=True)
    finally:
        abcrules_pulp._optimize_rule_pulp = solve
    return found[-1]


def near(value):
    return f"{float(value):.5f}"


def work(job):
    binary, number = job
    check = Comparison()
    case = Case(number)
    spent = Counter()
    with tempfile.TemporaryDirectory() as folder:
        tally = Counted(binary, case, Path(folder))
        peer = case.with_ties()
        for name, compare in (
            ("positional", lambda: compare_positional(case, tally, peer, check)),
            ("duels", lambda: compare_duels(case, tally, peer, check)),
            ("rounds", lambda: compare_rounds(case, tally, peer, check)),
            ("portfolios", lambda: compare_portfolios(case, tally, check)),
        ):
            began = time.monotonic()
            try:
                compare()
            except Exception:
                check.differences.append(f"{name}: {traceback.format_exc()}")
            spent[name] = time.monotonic() - began
    return number, case.kind, check.made, check.differences, spent


def main():
    binary = str(Path(sys.argv[1]).resolve())
    profiles = int(sys.argv[2]) if len(sys.argv) > 2 else PROFILES
    began = time.monotonic()
    made, kinds, spent, different = Counter(), Counter(), Counter(), []
    with multiprocessing.Pool(2) as pool:
        jobs = ((binary, number) for number in range(profiles))
        for number, kind, some, differences, seconds in pool.imap_unordered(work, jobs):
            made += some
            kinds[kind] += 1
            spent += seconds
            if differences:
                different.append((number, differences))
    print(f"{sum(kinds.values())} profiles: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))
    print(f"{'compared':<40}{'times':>8}{'at least':>10}")
    for what in sorted(set(made) | set(AT_LEAST)):
        print(f"{what:<40}{made[what]:>8}{AT_LEAST.get(what, 0):>10}")
    print(f"{'all':<40}{sum(made.values()):>8}")
    print("seconds: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in spent.items()), end="")
    print(f"; {time.monotonic() - began:.0f} in all")
    failed = False
    for number, differences in sorted(different):
        failed = True
        case = Case(number)
        path = Path(tempfile.gettempdir()) / f"handslag-differs-{number}.csv"
        path.write_text(case.csv())
        print(f"\nprofile {number} ({case.kind}, {case.candidates} candidates, m = {case.seats}) is in {path}:")
        print(f"lot {','.join(NAMES[c] for c in case.lot)}")
        for difference in differences:
            print("  " + difference)
    if profiles < 500:
        print("\nfewer than 500 profiles")
        failed = True
    for what, least in AT_LEAST.items() if profiles >= 500 else ():
        if made[what] < least:
            print(f"\n{what}: compared {made[what]} times, not {least}")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
