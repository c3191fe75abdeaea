//! A counterexample to every property that a rule of the table lacks, short enough to be followed by hand.
//!
//! A rule that no longer breaks what its row says it breaks fails here.

use handslag::tally::Property::{
    self, Condorcet, EjrPlus, Homogeneity, Monotonicity, Pareto, Reversal, Smith,
};
use handslag::tally::{Refusal, rules};

use crate::paper::{Paper, fractions};
use crate::tally_axioms::refutation_of;
use crate::tally_space::{Case, alone, find};

/// A rule, with points where it takes them; the property; the seats; the election.
type Row = (&'static str, Property, usize, Paper);

const fn abc(ballots: &'static str) -> Paper {
    Paper { candidates: "ABC", picks: 3, ballots }
}

/// A beats B and C three to two; B has more points: 12 to 11.
const BEATEN_BY_POINTS: Paper = abc("3*ABC 2*BCA");
/// Three first places for C, and four last ones: more than anybody has either way.
const FIRST_AND_LAST: Paper = abc("2*CAB CBA 2*ABC 2*BAC");
/// A stands above B and B above C on every ballot.
const ONE_BALLOT: Paper = abc("ABC");
/// A beats B and C three to two, with the fewest first places.
const SQUEEZED: Paper = abc("2*BAC 2*CAB ABC");
/// A, B and C beat each other in a circle six to three; each of them beats D five to four.
const CIRCLE_ABOVE_D: Paper =
    Paper { candidates: "ABCD", picks: 4, ballots: "2*ABCD 2*BCAD CABD DABC DBCA 2*DCAB" };

const ROWS: &[Row] = &[
    ("linear", Condorcet, 1, BEATEN_BY_POINTS),
    ("linear", Smith, 1, BEATEN_BY_POINTS),
    ("borda-average", Condorcet, 1, BEATEN_BY_POINTS),
    ("borda-average", Smith, 1, BEATEN_BY_POINTS),
    ("borda-pessimistic", Condorcet, 1, BEATEN_BY_POINTS),
    ("borda-pessimistic", Smith, 1, BEATEN_BY_POINTS),
    ("modified-borda", Condorcet, 1, BEATEN_BY_POINTS),
    ("modified-borda", Smith, 1, BEATEN_BY_POINTS),
    // A 1 + 1/2 + 1/2 and B 1 + 1: equal, though B beats A.
    ("dowdall", Condorcet, 1, Paper { candidates: "AB", picks: 2, ballots: "A 2*BA" }),
    ("dowdall", Smith, 1, Paper { candidates: "AB", picks: 2, ballots: "A 2*BA" }),
    // B 4, A 23/6, C 19/6; turned round B 4, too, and A and C 7/2 each.
    ("dowdall", Reversal, 1, abc("2*BAC BCA 2*ACB CAB")),
    ("approval-1", Condorcet, 1, abc("A BA CA")),
    ("approval-1", Smith, 1, abc("A BA CA")),
    ("approval-1", Reversal, 1, FIRST_AND_LAST),
    ("approval-1", Pareto, 1, ONE_BALLOT),
    ("custom 3,2,1", Condorcet, 1, BEATEN_BY_POINTS),
    ("custom 3,2,1", Smith, 1, BEATEN_BY_POINTS),
    ("custom 1,0,0", Reversal, 1, FIRST_AND_LAST),
    ("custom 1,1,1", Pareto, 1, ONE_BALLOT),
    // A, B and C are the Smith set: A draws with B and C, B beats C. C lost by one, and so did D.
    ("minimax", Smith, 1, Paper { candidates: "ABCD", picks: 2, ballots: "A BC" }),
    ("minimax", Reversal, 1, CIRCLE_ABOVE_D),
    // B and C both lost by one vote to none.
    ("minimax", Pareto, 1, ONE_BALLOT),
    // ABC, BAC and BCA are best. All put B above C, and yet the three share a tier.
    ("kemeny", Pareto, 1, abc("AB BC")),
    // One of two is no majority, and both are on that one.
    ("bucklin", Condorcet, 1, Paper { candidates: "AB", picks: 2, ballots: "- AB" }),
    ("bucklin", Smith, 1, Paper { candidates: "AB", picks: 2, ballots: "- AB" }),
    ("bucklin", Reversal, 1, abc("ABC CBA")),
    ("bucklin", Pareto, 1, ONE_BALLOT),
    // B leaves, and A wins 11 to 6; with BAC turned to ABC, C leaves A nine to eight behind.
    ("irv", Monotonicity, 1, abc("6*ABC 5*CAB 4*BCA 2*BAC")),
    ("irv", Condorcet, 1, SQUEEZED),
    ("irv", Smith, 1, SQUEEZED),
    ("irv", Reversal, 1, abc("3*CAB 2*BCA 3*ABC")),
    // Neither B nor C ever has a vote.
    ("irv", Pareto, 1, ONE_BALLOT),
    // The quota is 3 of 7, and 5 of 14.
    ("stv", Homogeneity, 2, abc("4*ABC 2*CAB BCA")),
    ("coverage", EjrPlus, 2, abc("AB")),
    ("coverage-ranked", EjrPlus, 2, abc("AB")),
    ("approval", EjrPlus, 2, abc("A BC")),
    // A, B, C and so on to J are all chosen for more than 120 each; the 120 of K are more than a tenth (Aziz and
    // others, Justified representation in approval-based committee voting, 2017).
    (
        "sequential-pav",
        EjrPlus,
        10,
        Paper {
            candidates: "ABCDEFGHIJK",
            picks: 3,
            ballots: "81*AB 81*AC 80*B 80*C 81*DE 81*DF 80*E 80*F 49*GH 49*GI 49*GJ 96*H 96*I 96*J 120*K",
        },
    ),
    // The four who list A and B are two twelfths, and have one each (Brill and others 2017).
    (
        "sequential-phragmen",
        EjrPlus,
        12,
        Paper {
            candidates: "ABCDEFGHIJKLMN",
            picks: 14,
            ballots: "2*ABC 2*ABD 6*CDEFGHIJKLMN 5*DEFGHIJKLMN 9*EFGHIJKLMN",
        },
    ),
    // B and C burden one each; both list A.
    ("leximax-phragmen", EjrPlus, 2, abc("AB AC")),
    // One ballot is represented by one member; two are by both.
    ("monroe", Homogeneity, 2, abc("AB")),
    ("monroe", EjrPlus, 2, abc("AB")),
];

fn case(paper: Paper) -> Case {
    let profile = paper.profile();
    let repeated =
        |(ranking, ballots): (&[u8], u64)| vec![ranking.to_vec(); usize::try_from(ballots).unwrap()];
    let ballots = profile.iter().flat_map(repeated).collect();
    Case { candidates: profile.candidates(), picks: paper.picks, ballots }
}

#[test]
fn every_property_that_a_rule_breaks_has_a_counterexample() {
    for (named, property, seats, paper) in ROWS {
        let (id, points) = named.split_once(' ').map_or((*named, None), |(id, points)| (id, Some(points)));
        let rule = find(id);
        let case = case(*paper);
        let mut parameters = alone(&rule, case.picks, *seats);
        if let Some(points) = points {
            parameters.points = Some(fractions(points));
        }
        let count = |case: &Case| match case.count(&rule, &parameters) {
            Ok(outcome) => Some(outcome),
            Err(Refusal::Undecided { .. }) => None,
            Err(refusal) => panic!("{named}: {refusal}"),
        };
        let refuted = refutation_of(*property, &count(&case).unwrap(), &case, &count);
        assert!(refuted.is_some(), "{named} keeps {property:?} with {}", paper.ballots);
        println!("{named} {property:?} {}: {}", paper.ballots, refuted.unwrap());
    }
}

#[test]
fn no_row_of_the_table_breaks_a_property_without_a_counterexample() {
    for rule in rules(3) {
        // One for `approval-j` of any j.
        let kind = rule.id().trim_end_matches(|digit: char| digit.is_ascii_digit()).to_owned();
        for &property in rule.breaks() {
            let is_it = |(id, broken, ..): &Row| {
                let id = id.split(' ').next().unwrap();
                *broken == property && (id == kind || (kind.ends_with('-') && id.starts_with(&*kind)))
            };
            assert!(ROWS.iter().any(is_it), "{rule:?} {property:?}");
        }
    }
    for (id, property, ..) in ROWS {
        assert!(find(id.split(' ').next().unwrap()).breaks().contains(property), "{id} {property:?}");
    }
}
