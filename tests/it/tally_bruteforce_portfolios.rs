//! Portfolios against what their definitions say, tried out: all sets, all assignments, all orders of ties.
//!
//! Nothing here shares code with the rules. Loads are spread by flows, not by the dense parts that the rule looks for.

use std::collections::BTreeSet;

use handslag::tally::portfolio::{Budget, Constraints, Portfolio};
use handslag::tally::{Detail, Fraction, Parameters, Refusal};
use proptest::prelude::*;

use crate::tally_space::{
    Case, all_of_four, all_of_three, alone, by_lot, find, orders, random_with_order, sets,
};

type Members = Vec<usize>;

fn whole(number: usize) -> Fraction {
    Fraction::from_integer(number.into())
}

fn lists(ballot: &[u8], c: usize) -> bool {
    ballot.iter().any(|&pick| usize::from(pick) == c)
}

fn has(ballot: &[u8], set: &[usize]) -> usize {
    set.iter().filter(|&&c| lists(ballot, c)).count()
}

fn portfolio(case: &Case, rule: &str, parameters: &Parameters) -> Result<Portfolio, Refusal> {
    match case.count(&find(rule), parameters)?.detail {
        Detail::Portfolio(portfolio) => Ok(*portfolio),
        other => panic!("no portfolio: {other:?}"),
    }
}

/// Linear points of a portfolio's members together.
fn points(case: &Case, set: &[usize]) -> usize {
    let of = |ballot: &Vec<u8>, c: usize| {
        ballot.iter().position(|&p| usize::from(p) == c).map_or(0, |i| case.picks - i)
    };
    case.ballots.iter().map(|ballot| set.iter().map(|&c| of(ballot, c)).sum::<usize>()).sum()
}

fn covered(case: &Case, set: &[usize], times: usize) -> usize {
    case.ballots.iter().filter(|ballot| has(ballot, set) >= times).count()
}

/// The most voters who can be represented when each is given to one member and every member has so much room.
fn given(ballots: &[Vec<u8>], set: &[usize], room: &mut [usize]) -> usize {
    let Some((ballot, rest)) = ballots.split_first() else { return 0 };
    let mut most = 0;
    for i in (0..set.len()).filter(|&i| room[i] > 0).collect::<Vec<_>>() {
        room[i] -= 1;
        most = most.max(given(rest, set, room) + usize::from(lists(ballot, set[i])));
        room[i] += 1;
    }
    most
}

/// Monroe: every member has as much room as the others; which of them have one place more is tried out.
fn monroe(case: &Case, set: &[usize]) -> usize {
    let (each, more) = (case.ballots.len() / set.len(), case.ballots.len() % set.len());
    let with = |larger: Members| {
        let mut room: Vec<usize> = (0..set.len()).map(|i| each + usize::from(larger.contains(&i))).collect();
        given(&case.ballots, set, &mut room)
    };
    sets(set.len(), more).into_iter().map(with).max().unwrap()
}

/// Puts parts of a member's load somewhere, moving other members' parts where it must; how many.
fn push(
    member: usize,
    parts: u64,
    supporters: &[Vec<usize>],
    most: &[u64],
    flow: &mut [Vec<u64>],
    seen: &mut [bool],
) -> u64 {
    seen[member] = true;
    for &voter in &supporters[member] {
        let room = most[voter] - flow.iter().map(|row| row[voter]).sum::<u64>();
        if room > 0 {
            flow[member][voter] += room.min(parts);
            return room.min(parts);
        }
    }
    for &voter in &supporters[member] {
        for other in 0..flow.len() {
            if !seen[other] && flow[other][voter] > 0 {
                let moved = push(other, parts.min(flow[other][voter]), supporters, most, flow, seen);
                if moved > 0 {
                    flow[other][voter] -= moved;
                    flow[member][voter] += moved;
                    return moved;
                }
            }
        }
    }
    0
}

/// Whether every member's load of `load` parts can be spread with nobody above so many parts: by augmenting paths.
fn can_spread(supporters: &[Vec<usize>], load: u64, most: &[u64]) -> bool {
    let mut flow = vec![vec![0_u64; most.len()]; supporters.len()];
    for member in 0..supporters.len() {
        let mut left = load;
        while left > 0 {
            let mut seen = vec![false; supporters.len()];
            let pushed = push(member, left, supporters, most, &mut flow, &mut seen);
            if pushed == 0 {
                return false;
            }
            left -= pushed;
        }
    }
    true
}

/// The lexicographically least loads of the voters, the largest first, in parts of which 840 000 000 are a load; and
/// before them how many members nobody lists.
fn loads(case: &Case, set: &[usize]) -> (usize, Vec<u64>) {
    const LOAD: u64 = 840_000_000;
    let of = |&c: &usize| (0..case.ballots.len()).filter(|&v| lists(&case.ballots[v], c)).collect::<Vec<_>>();
    let supporters: Vec<Vec<usize>> =
        set.iter().map(of).filter(|voters: &Vec<usize>| !voters.is_empty()).collect();
    let mut most = vec![u64::MAX / 1_000; case.ballots.len()];
    let mut open: Vec<usize> = (0..case.ballots.len()).collect();
    while !open.is_empty() {
        // Every load is a number of members over a number of voters: the least at which all can be spread …
        let mut levels: Vec<u64> = (0..=set.len() as u64)
            .flat_map(|members| (1..=case.ballots.len() as u64).map(move |voters| LOAD * members / voters))
            .collect();
        levels.sort_unstable();
        let with = |level: u64, voters: &[usize]| {
            let mut most = most.clone();
            for &v in voters {
                most[v] = level;
            }
            most
        };
        let level = levels.into_iter().find(|&l| can_spread(&supporters, LOAD, &with(l, &open))).unwrap();
        // … and those who cannot carry even a little less stay there.
        let at_level = with(level, &open);
        let is_tight = |&v: &usize| {
            let mut less = at_level.clone();
            less[v] = less[v].saturating_sub(1_000);
            level == 0 || !can_spread(&supporters, LOAD, &less)
        };
        let tight: Vec<usize> = open.iter().copied().filter(is_tight).collect();
        assert!(!tight.is_empty());
        most = with(level, &tight);
        open.retain(|v| !tight.contains(v));
    }
    most.sort_unstable_by(|a, b| b.cmp(a));
    (set.len() - supporters.len(), most)
}

/// The portfolios that have most of something.
fn best<T: Ord>(all: &[Members], figure: impl Fn(&Members) -> T) -> Option<(T, BTreeSet<Members>)> {
    let most = all.iter().map(&figure).max()?;
    let sets = all.iter().filter(|set| figure(set) == most).cloned().collect();
    Some((most, sets))
}

/// Of every rule that compares all portfolios, which are best, and their value.
fn optima(case: &Case, rule: &str, allowed: &[Members]) -> Option<(Option<Fraction>, BTreeSet<Members>)> {
    let by = |figure: &dyn Fn(&Members) -> Fraction| {
        best(allowed, figure).map(|(value, sets)| (Some(value), sets))
    };
    match rule {
        "coverage" => by(&|set| whole(covered(case, set, 1))),
        "coverage-ranked" => by(&|set| {
            let first = |ballot: &Vec<u8>| ballot.iter().position(|&c| set.contains(&c.into()));
            whole(case.ballots.iter().filter_map(first).map(|rank| case.picks - rank).sum())
        }),
        "approval" => by(&|set| whole(case.ballots.iter().map(|ballot| has(ballot, set)).sum())),
        "pav" => by(&|set| {
            let part =
                |ballot: &Vec<u8>| (1..=has(ballot, set)).map(|i| Fraction::new(1.into(), i.into())).sum();
            case.ballots.iter().map(part).fold(whole(0), |sum, part: Fraction| sum + part)
        }),
        "monroe" => by(&|set| whole(monroe(case, set))),
        "leximax-phragmen" => {
            best(allowed, |set| std::cmp::Reverse(loads(case, set))).map(|(_, sets)| (None, sets))
        }
        other => panic!("{other} compares nothing"),
    }
}

const COMPARING: [&str; 6] = ["coverage", "coverage-ranked", "approval", "pav", "monroe", "leximax-phragmen"];

fn sorted(sets: &[Members]) -> BTreeSet<Members> {
    let sort = |set: &Members| set.iter().copied().collect::<BTreeSet<usize>>().into_iter().collect();
    sets.iter().map(sort).collect()
}

#[track_caller]
fn check_comparing(case: &Case, lot: &[usize], seats: usize, constraints: &Constraints, allowed: &[Members]) {
    for rule in COMPARING {
        let constraints = constraints.clone();
        let parameters =
            Parameters { ladder: by_lot(lot), constraints, ..alone(&find(rule), case.picks, seats) };
        let found = portfolio(case, rule, &parameters);
        let Some((value, expected)) = optima(case, rule, allowed) else {
            assert_eq!(found.unwrap_err(), Refusal::NoSuchPortfolio, "{rule} {case:?}");
            continue;
        };
        let found = found.unwrap();
        let context = format!("{rule} {seats} {lot:?} {case:?}");
        assert_eq!(sorted(&found.optima.listed), expected, "{context}");
        assert_eq!(found.optima.count, expected.len() as u64, "{context}");
        assert!(value.is_none() || found.value == value, "{context}: {:?} {value:?}", found.value);
        // Published is the first by the lot; of `coverage` first the one that most list twice, then by points.
        let places = |set: &Members| {
            let mut places: Vec<usize> =
                set.iter().map(|c| lot.iter().position(|drawn| drawn == c).unwrap()).collect();
            places.sort_unstable();
            places
        };
        let key = |set: &&Members| {
            let second = if rule == "coverage" { (covered(case, set, 2), points(case, set)) } else { (0, 0) };
            (std::cmp::Reverse(second), places(set))
        };
        let first = expected.iter().min_by_key(key).unwrap();
        assert_eq!(sorted(&[found.selected.unwrap()]), BTreeSet::from([first.clone()]), "{context}");
        let twice = found.coverage.unwrap();
        assert_eq!(twice.covered, whole(covered(case, first, 1)), "{context}");
        assert_eq!(twice.twice, whole(covered(case, first, 2)), "{context}");
        let without = |c: usize| first.iter().copied().filter(|&other| other != c).collect::<Vec<_>>();
        for (c, alone) in twice.alone {
            assert_eq!(alone, whole(covered(case, first, 1) - covered(case, &without(c), 1)), "{context}");
        }
        // The trade: nobody of the size has more of both.
        let figures = |set: &Members| (points(case, set), covered(case, set, 1));
        let beaten = |one: &(usize, usize)| {
            let mut others = allowed.iter().map(figures);
            others.any(|other| other != *one && other.0 >= one.0 && other.1 >= one.1)
        };
        let front: BTreeSet<_> = allowed.iter().map(figures).filter(|one| !beaten(one)).collect();
        let row = |&(score, covered): &(usize, usize)| {
            let count = allowed.iter().filter(|set| figures(set) == (score, covered)).count();
            (whole(score), whole(covered), count)
        };
        let rows: Vec<_> = front.iter().rev().map(row).collect();
        let shown: Vec<_> =
            found.trade_offs.unwrap().into_iter().map(|t| (t.score, t.covered, t.count)).collect();
        assert_eq!(shown, rows, "{context}");
        let most =
            |size: usize| sets(case.candidates, size).iter().map(|set| covered(case, set, 1)).max().unwrap();
        let curve: Vec<Fraction> = (1..=case.candidates).map(|size| whole(most(size))).collect();
        assert_eq!(found.curve, curve, "{context}");
    }
}

/// What each voter carries or owns.
type Voters = Vec<Fraction>;

/// A step of a sequential rule: from the members so far to the price of a candidate, and who then carries what.
type Price<'a> = &'a dyn Fn(&Members, &Voters, usize) -> Option<(Fraction, Voters)>;

/// Every state that a rule can end in when each time somebody of the lowest price is taken, in whatever order.
fn ends(
    case: &Case,
    seats: usize,
    from: BTreeSet<(Members, Voters)>,
    price: Price<'_>,
) -> BTreeSet<(Members, Voters)> {
    let mut through = BTreeSet::new();
    let mut open: Vec<(Members, Voters)> = from.into_iter().collect();
    let mut seen: BTreeSet<(Members, Voters)> = BTreeSet::new();
    while let Some((members, voters)) = open.pop() {
        let outside = (0..case.candidates).filter(|c| !members.contains(c));
        let prices: Vec<_> = outside.filter_map(|c| Some((c, price(&members, &voters, c)?))).collect();
        let least = prices.iter().map(|(_, (price, _))| price).min();
        let Some(least) = least.filter(|_| members.len() < seats) else {
            through.insert((members, voters));
            continue;
        };
        for (c, (_, after)) in prices.iter().filter(|(_, (price, _))| price == least) {
            let mut members = [&members[..], &[*c]].concat();
            members.sort_unstable();
            let state = (members, after.clone());
            if seen.insert(state.clone()) {
                open.push(state);
            }
        }
    }
    through
}

fn supporters(case: &Case, c: usize) -> Vec<usize> {
    (0..case.ballots.len()).filter(|&v| lists(&case.ballots[v], c)).collect()
}

/// Phragmén's load; whom nobody lists burdens more than anybody can.
fn phragmen(case: &Case, voters: &Voters, c: usize) -> (Fraction, Voters) {
    let who = supporters(case, c);
    if who.is_empty() {
        return (whole(1_000_000), voters.clone());
    }
    let load = who.iter().fold(whole(1), |sum, &v| sum + &voters[v]) / whole(who.len());
    let mut after = voters.clone();
    for &v in &who {
        after[v].clone_from(&load);
    }
    (load, after)
}

/// Equal shares: the least part that nobody who can pay it pays more than, if together they can pay.
fn share(case: &Case, voters: &Voters, c: usize) -> Option<(Fraction, Voters)> {
    let who = supporters(case, c);
    // So many of the poorest pay all they own: the rest share what is left. One of these numbers is the right one.
    let mut owned: Vec<Fraction> = who.iter().map(|&v| voters[v].clone()).collect();
    owned.sort();
    let parts = (0..owned.len())
        .map(|poor| (whole(1) - owned[..poor].iter().sum::<Fraction>()) / whole(owned.len() - poor));
    let paid = |part: &Fraction| owned.iter().map(|owns| owns.min(part).clone()).sum::<Fraction>();
    let part = parts.filter(|part| paid(part) == whole(1)).min()?;
    let mut after = voters.clone();
    for &v in &who {
        after[v] = &voters[v] - voters[v].clone().min(part.clone());
    }
    Some((part, after))
}

#[track_caller]
fn check_sequential(case: &Case, lot: &[usize], seats: usize) {
    let nothing = BTreeSet::from([(Vec::new(), vec![whole(0); case.ballots.len()])]);
    let harmonic = |members: &Members, voters: &Voters, c: usize| {
        let gain = supporters(case, c)
            .into_iter()
            .map(|v| Fraction::new(1.into(), (has(&case.ballots[v], members) + 1).into()));
        Some((-gain.sum::<Fraction>(), voters.clone()))
    };
    let loaded = |_: &Members, voters: &Voters, c: usize| Some(phragmen(case, voters, c));
    let money = Fraction::new(seats.into(), case.ballots.len().max(1).into());
    let rich = BTreeSet::from([(Vec::new(), vec![money; case.ballots.len()])]);
    let bought = ends(case, seats, rich, &|_, voters, c| share(case, voters, c));
    let indebted = bought.iter().map(|(set, owned)| (set.clone(), owned.iter().map(|own| -own).collect()));
    let completed = ends(case, seats, indebted.collect(), &loaded);
    let only =
        |ends: &BTreeSet<(Members, Voters)>| ends.iter().map(|(set, _)| set.clone()).collect::<BTreeSet<_>>();
    for (rule, expected) in [
        ("sequential-pav", ends(case, seats, nothing.clone(), &harmonic)),
        ("sequential-phragmen", ends(case, seats, nothing, &loaded)),
        ("equal-shares", completed),
    ] {
        let parameters = Parameters { ladder: by_lot(lot), ..alone(&find(rule), case.picks, seats) };
        let found = portfolio(case, rule, &parameters).unwrap();
        assert_eq!(sorted(&found.optima.listed), only(&expected), "{rule} {seats} {case:?}");
        if let Some(before) = found.before_completion {
            assert_eq!(sorted(&before.listed), only(&bought), "{rule} {seats} {case:?}");
        }
    }
}

#[track_caller]
fn check(case: &Case, lot: &[usize], seats: usize) {
    check_comparing(case, lot, seats, &Constraints::default(), &sets(case.candidates, seats));
    check_sequential(case, lot, seats);
}

#[test]
fn portfolios_of_all_elections_of_three_candidates_and_three_voters_are_what_their_definitions_say() {
    for case in all_of_three() {
        let lots = orders(case.candidates);
        (1..=case.candidates).for_each(|seats| check(&case, &lots[lots.len() / 2], seats));
    }
}

#[test]
#[ignore = "all elections of four: without optimisation an hour; .ci/run has them"]
fn portfolios_of_all_elections_of_four_candidates_and_four_voters_are_what_their_definitions_say() {
    let lots = orders(4);
    for case in all_of_four() {
        (1..=4).for_each(|seats| check(&case, &lots[lots.len() / 2], seats));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn portfolios_of_random_elections_are_what_their_definitions_say((case, lot) in random_with_order(5, 6)) {
        (1..=case.candidates).for_each(|seats| check(&case, &lot, seats));
    }

    #[test]
    fn conditions_leave_the_portfolios_that_meet_them(
        (case, lot) in random_with_order(5, 5),
        pairs in prop::array::uniform4((0_usize..5, 0_usize..5)),
        given in 0_u8..32,
        costs in prop::array::uniform5(0_usize..4),
        limit in 2_usize..8,
        seats in 1_usize..=4,
    ) {
        let seats = seats.min(case.candidates);
        let is_given = |bit: u8| given & (1 << bit) != 0;
        let at = |(a, b): (usize, usize)| (a % case.candidates, b % case.candidates);
        let [must, exclude, either_or, requires] = pairs.map(at);
        let different = |(a, b): (usize, usize)| a != b;
        let constraints = Constraints {
            must: if is_given(0) { vec![must.0] } else { Vec::new() },
            exclude: if is_given(1) { vec![exclude.0] } else { Vec::new() },
            either_or: if is_given(2) && different(either_or) { vec![either_or] } else { Vec::new() },
            requires: if is_given(3) && different(requires) { vec![requires] } else { Vec::new() },
            budget: is_given(4).then(|| Budget {
                limit: whole(limit),
                costs: costs[..case.candidates].iter().map(|&cost| whole(cost)).collect(),
            }),
        };
        let allowed: Vec<Members> = sets(case.candidates, seats)
            .into_iter()
            .filter(|set| {
                let has = |c: &usize| set.contains(c);
                constraints.must.iter().all(has)
                    && !constraints.exclude.iter().any(has)
                    && !constraints.either_or.iter().any(|(a, b)| has(a) && has(b))
                    && constraints.requires.iter().all(|(a, b)| !has(a) || has(b))
                    && (!is_given(4) || set.iter().map(|&c| costs[c]).sum::<usize>() <= limit)
            })
            .collect();
        check_comparing(&case, &lot, seats, &constraints, &allowed);
    }
}
