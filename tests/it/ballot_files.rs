//! Ballot files of this and other programs: read exactly or refused with the place of every fault, written so that
//! reading them gives the same ballots.

use std::io::{Read, Write};

use flate2::write::GzEncoder;
use handslag::ballotfile::{Ballots, Candidate, Format, Options, ReadError, WriteError, read, write};
use handslag::tally::Profile;
use proptest::prelude::*;

use crate::program::repository;

/// Reads bytes as the file of this name.
fn read_as(name: &str, bytes: &[u8], options: &Options<'_>) -> Result<Ballots, ReadError> {
    read(name, Box::new(std::io::Cursor::new(bytes.to_vec())), options)
}

#[track_caller]
fn ballots(name: &str, content: impl AsRef<[u8]>) -> Ballots {
    read_as(name, content.as_ref(), &Options::default())
        .unwrap_or_else(|error| panic!("{name}: {:#?}", told(Err(error))))
}

#[track_caller]
fn with_participants(name: &str, content: impl AsRef<[u8]>) -> Ballots {
    let options = Options { keep_participants: true, ..Options::default() };
    read_as(name, content.as_ref(), &options).unwrap()
}

/// Place and code of every fault: `3:1 count`.
fn told(read: Result<Ballots, ReadError>) -> Vec<String> {
    match read {
        Ok(_) => Vec::new(),
        Err(ReadError::Io(error)) => vec![error.to_string()],
        Err(ReadError::Faults { faults, total }) => {
            assert_eq!(total, faults.len() as u64);
            faults.iter().map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.code)).collect()
        }
    }
}

fn faults(name: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    told(read_as(name, content.as_ref(), &Options::default()))
}

fn written(format: Format, ballots: &Ballots) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    write(format, ballots, &mut bytes).map(|()| bytes)
}

fn candidates(ids: &[&str]) -> Vec<Candidate> {
    ids.iter().map(|id| Candidate { id: (*id).to_owned(), title: (*id).to_owned() }).collect()
}

fn profile(candidates: usize, rankings: &[(&[u8], u64)]) -> Profile {
    let mut profile = Profile::new(candidates);
    for (ranking, ballots) in rankings {
        profile.add(ranking, *ballots);
    }
    profile
}

/// `a>b 3, c 1`, by text.
fn rankings(ballots: &Ballots) -> String {
    let id = |&pick: &u8| ballots.candidates[usize::from(pick)].id.as_str();
    let told = |(ranking, count): (&[u8], u64)| {
        format!("{} {count}", ranking.iter().map(id).collect::<Vec<_>>().join(">"))
    };
    let mut rankings: Vec<String> = ballots.profile.iter().map(told).collect();
    rankings.sort();
    rankings.join(", ")
}

#[test]
fn every_format_says_the_same_ballots() {
    let preflib = "# FILE NAME: x.soi\n# DATA TYPE: soi\n# NUMBER ALTERNATIVES: 3\n# NUMBER VOTERS: 6\n\
                   # NUMBER UNIQUE ORDERS: 3\n# ALTERNATIVE NAME 1: Ett\n# ALTERNATIVE NAME 2: Två\n\
                   # ALTERNATIVE NAME 3: Tre\n3: 1,2\n2: 3,2,1\n1: 2\n";
    let files = [
        ("a.csv", "count,rank1,rank2,rank3\n3,1,2,\n2,3,2,1\n1,2,,\n", Format::Csv),
        ("a.txt", "Count;Plats 1;Plats 2;PLATS 3\n3;'1;'2;\n2;3;2;1\n1; 2 ;;\n", Format::Csv),
        (
            "a.csv",
            "participantCode,rank,initiativeId\na,1,1\na,2,2\nb,2,2\nb,1,1\nc,1,1\nc,2,2\nd,1,3\nd,3,1\nd,2,2\n\
             e,3,1\ne,2,2\ne,1,3\nf,1,2\n",
            Format::CsvLong,
        ),
        ("a.soi", preflib, Format::Soi),
        ("a.abif", "# c\n\n3:1>2\n2: 3 > 2 > 1 # x\n1:2 : {\"a\": 1}\n", Format::Abif),
        ("a", "{version: \"0.1\"}\n={title: no}\n", Format::Abif),
        (
            "a.blt",
            "3 2 # c\n3 1 2 0\n2 3 2 1 0\n1 2 0 # c\n0\nEtt\n\"Två\"\n\"Tre\"\n\"Titel\"\n",
            Format::Blt,
        ),
        ("a.blt", "3 2 3 1 2 0 2 3 2 1 0 1 2 0 0 \"Ett\" \"Två\" \"Tre\"\n", Format::Blt),
        (
            "a.ndjson",
            "{\"participantCode\":\"a\",\"ranking\":[\"1\",\"2\"]}\n\n\
             {\"participantCode\":\"b\",\"ranking\":[\"1\",\"2\"]}\n\
             {\"participantCode\":\"c\",\"ranking\":[\"1\",\"2\"],\"sequence\":null}\n\
             {\"participantCode\":\"d\",\"ranking\":[\"3\",\"2\",\"1\"],\"comment\":\"x\"}\n\
             {\"participantCode\":\"e\",\"ranking\":[\"3\",\"2\",\"1\"]}\n\
             {\"participantCode\":\"f\",\"ranking\":[\"2\"]}",
            Format::NdJson,
        ),
    ];
    for (name, content, format) in files {
        if content.contains("no}") {
            assert_eq!(faults(name, content), ["2:2 field"]);
            continue;
        }
        let read = ballots(name, content);
        assert_eq!((rankings(&read).as_str(), read.format), ("1>2 3, 2 1, 3>2>1 2", format), "{content}");
        assert_eq!(read.candidates.len(), 3);
        // What the content tells needs no name, and a name does not mislead.
        let blt_on_one_line = content.starts_with("3 2 3");
        if !blt_on_one_line {
            assert_eq!(ballots("a.csv", content), read, "{content}");
            assert_eq!(ballots("-", content), read, "{content}");
        }
    }
}

#[test]
fn titles_seats_and_names_are_read() {
    let blt = ballots(
        "a.blt",
        "3 2\n-2\n4 1 2 3 0\n1 2 0\n0\n\"Adam B\"\nBasil\n\"\"\n\"The title\"\n\"source\"\n",
    );
    assert_eq!(rankings(&blt), " 1, 1>3 4");
    let titles: Vec<(&str, &str)> =
        blt.candidates.iter().map(|candidate| (candidate.id.as_str(), candidate.title.as_str())).collect();
    assert_eq!(titles, [("1", "Adam B"), ("3", "3")]);
    assert_eq!((blt.seats, blt.title.as_deref()), (Some(2), Some("The title")));
    let abif = "ABIF 1.0\n{\"title\": \"T\"}\n=DGM:[Doña García]\n=\"蘇 業\":\"[x]\"\n=[Adam]:AM\nSY:[Sue]\n=[N N]\n\
                27: DGM > \"蘇 業\">[N N]\n10:\n2: AM>SY>DGM = [N N],\"蘇 業\"\n";
    let abif = ballots("a", abif);
    assert_eq!(rankings(&abif), " 10, AM>SY 2, DGM>蘇 業>N N 27");
    let titles: Vec<&str> = abif.candidates.iter().map(|candidate| candidate.title.as_str()).collect();
    assert_eq!(
        (titles, abif.title.as_deref()),
        (vec!["Doña García", "[x]", "Adam", "Sue", "N N"], Some("T"))
    );
}

#[test]
fn a_last_tie_of_all_who_remain_leaves_them_unranked() {
    let header = |kind: &str| format!("# DATA TYPE: {kind}\n# NUMBER ALTERNATIVES: 4\n");
    let toc = format!(
        "{}1: 2,{{1,3,4}}\n2: {{1,2,3,4}}\n3: 4,3,2,1\n4: 4,3,2,{{1}}\n5: {{4}},3,{{2, 1}}\n",
        header("toc")
    );
    assert_eq!(rankings(&ballots("a.toc", toc)), " 2, 2 1, 4>3 5, 4>3>2 4, 4>3>2>1 3");
    let bad = "1: {1,2},3,4\n1: 1,{2,3},4\n1: 1,2\n1: 1,{2,3}\n";
    assert_eq!(faults("a.toc", header("toc") + bad), ["3:4 tie", "4:6 tie", "5:3 incomplete", "6:6 tie"]);
    let toi = header("toi") + "1: 1,2\n1: 1,{2,3}\n1: 1,{2,3,4}\n";
    assert_eq!(faults("a.toi", toi), ["4:6 tie"]);
    assert_eq!(faults("a.soc", header("soc") + "1: 1,2,3,{4}\n1: 1,2\n"), ["3:10 tie", "4:3 incomplete"]);
    let abif = "=a:[A]\n=b:[B]\n=c:[C]\n1:a>b=c\n1:a,b,c\n1:a=b>c\n1:a=b\n";
    assert_eq!(faults("a.abif", abif), ["6:5 tie", "7:5 tie"]);
    // Who all are, only a declaration tells.
    assert_eq!(faults("a.abif", "1:a>b=c\n"), ["1:7 tie"]);
}

#[test]
fn the_last_word_of_a_participant_in_the_log_counts() {
    let log = r#"{"at":"x","definition":"00","kind":"opening","roundId":"r","sequence":1}
{"kind":"ballot","participant":"municipality:0180","ranking":["a","b"],"revision":1,"roundId":"r","sequence":2}
{"kind":"ballot","participant":"municipality:0980","ranking":["b"],"revision":1,"roundId":"r","sequence":3}
{"kind":"ballot","participant":"municipality:0180","ranking":["c"],"revision":2,"roundId":"r","sequence":4}
{"kind":"withdrawal","participant":"municipality:0980","revision":2,"roundId":"r","sequence":5}
{"kind":"ballot","participant":"network:sobona","ranking":[],"revision":1,"roundId":"r","sequence":6}
{"closesAt":"x","kind":"extension","roundId":"r","sequence":7}
{"kind":"closing","roundId":"r","sequence":8}
"#;
    let read = with_participants("a", log);
    assert_eq!(rankings(&read), " 1, c 1");
    // Whoever was named can be picked.
    assert_eq!(read.candidates, candidates(&["a", "b", "c"]));
    assert_eq!(
        read.participants,
        Some(vec![("0180".to_owned(), Box::from([2])), ("sobona".to_owned(), Box::from([]))])
    );
    let backwards: Vec<&str> = log.lines().rev().collect();
    assert_eq!(ballots("a", backwards.join("\n")).profile, read.profile);
    let twice =
        log.replace("\"sequence\":4", "\"sequence\":2").replace("r\",\"sequence\":7", "s\",\"sequence\":7");
    assert_eq!(faults("a", twice), ["4:18 twice", "7:36 round"]);
}

#[test]
fn every_fault_of_csv_has_its_place() {
    let wide = "count,participantCode,rank1,rank2,synthetic\n\
                x,a,p,q,\n1,b,p,p,\n-1,c,p,q,\n1,d,,q,\n1,e,p\n1,a,p,q,maybe\n,f,p,q,\n1000000000001,g,p,,\n\
                ,,,,\n\n1,h,p,q,TRUE\n1,b,q,p,falskt\n1,i,\u{7},p,\n";
    assert_eq!(
        faults("a.csv", wide),
        [
            "2:1 count",
            "3:4 ranked-twice",
            "4:1 count",
            "5:3 gap",
            "6:4 fields",
            "7:1 twice",
            "7:5 synthetic",
            "8:1 count",
            "9:1 count",
            "13:1 twice",
            "14:3 id"
        ]
    );
    let long = "participantCode,rank,initiativeId,engagement\n\
                a,1,p,\na,3,q,\nb,1,p,\nb,1,q,\nc,0,p,\nc,65,p,\n,1,p,\nd,1,,\ne,1,p,\ne,2,p,\na,1,p,\n";
    assert_eq!(
        faults("a.csv", long),
        [
            "3:2 gap",
            "5:2 rank",
            "6:2 field",
            "7:2 field",
            "8:1 field",
            "9:3 field",
            "11:3 ranked-twice",
            "12:1 twice"
        ]
    );
    assert_eq!(faults("a.csv", ""), ["1:1 heading"]);
    assert_eq!(faults("a.csv", "\""), ["1:1 quote"]);
    assert_eq!(faults("a.csv", b"\xFFrank1\na\n"), ["1:1 utf-8"]);
    assert_eq!(faults("a.csv", "\n\ncount,rank2\n"), ["3:1 heading", "3:2 heading"]);
    assert_eq!(faults("a.csv", "rank1,rank1,what\na,b,c\n"), ["1:2 heading", "1:3 heading"]);
    assert_eq!(faults("a.csv", "rank,initiativeId\n1,a\n"), ["1:1 heading"]);
    assert_eq!(faults("a.csv", "rank1\n\"a\nb\n"), ["2:1 quote"]);
    assert_eq!(
        faults("a.csv", b"rank1\na\n\xE5\nb,\xFF\n\"c\n\xFF\"\n"),
        ["3:1 utf-8", "4:3 utf-8", "6:1 utf-8"]
    );
    let ids: Vec<String> = (0..65).map(|id| format!("c{id}")).collect();
    assert_eq!(faults("a.csv", format!("rank1\n{}\n", ids.join("\n"))), ["1:1 candidates"]);
    assert_eq!(faults("a.csv", format!("rank1\n{}\n{}\n", "å".repeat(200), "å".repeat(201))), ["3:1 id"]);
    let many = "1000000000000,a\n".repeat(1_000_001);
    assert_eq!(faults("a.csv", format!("count,rank1\n{many}")), ["1:1 count"]);
}

#[test]
fn every_fault_of_the_other_formats_has_its_place() {
    let given =
        "# FILE NAME: x.soi\n# NUMBER ALTERNATIVES: 3\n# NUMBER VOTERS: 9\n# NUMBER UNIQUE ORDERS: 2\n";
    assert_eq!(faults("x", format!("{given}4: 1\n6: 2\n")), ["3:1 mismatch"]);
    assert_eq!(faults("x", format!("{given}9: 1\n")), ["4:1 mismatch"]);
    let preflib = "# ALTERNATIVE NAME 4: x\n# ALTERNATIVE NAME 1: x\n# ALTERNATIVE NAME 1: y\n# ALTERNATIVE NAME 0: x\n\
                   x: 1\n1: 4\n1: 1,1\n1: 1,\n1: a\n1\n1: {1,2\n1: 1 2\n1:\n# NUMBER VOTERS: 3\n1: 2,{1}\n";
    assert_eq!(
        faults("x", format!("{given}{preflib}")),
        [
            "5:1 candidate",
            "7:20 candidate",
            "8:20 candidate",
            "9:1 count",
            "10:4 unknown-initiative",
            "11:6 ranked-twice",
            "12:6 field",
            "13:4 field",
            "14:1 field",
            "15:4 field",
            "16:4 field",
            "17:3 field",
            "18:1 header",
            "19:6 tie"
        ]
    );
    assert_eq!(faults("x", "# DATA TYPE: cat\n# NUMBER ALTERNATIVES: 2\n"), ["1:14 format"]);
    assert_eq!(faults("x", "# NUMBER ALTERNATIVES: 2\n1: 2\n"), ["2:1 format"]);
    assert_eq!(faults("x.soi", "1: 2\n"), ["1:1 header"]);
    assert_eq!(faults("x.soi", "# NUMBER ALTERNATIVES: 65\n1: 2\n"), ["1:1 candidates"]);
    let blt = "3 1\n-4\n1 1 4 0\n1 1 1 0\n1.5 1 2 0\n1 1\n1 1=2 0\n1 - 2 0\n1 x 0\n0 1\n\"A\n";
    assert_eq!(
        faults("x", blt),
        [
            "2:1 unknown-initiative",
            "3:5 unknown-initiative",
            "4:5 ranked-twice",
            "5:1 count",
            "6:4 end",
            "7:3 tie",
            "8:3 gap",
            "9:3 field",
            "10:3 end",
            "11:1 quote"
        ]
    );
    assert_eq!(faults("x.blt", "x 1\n"), ["1:1 header"]);
    assert_eq!(faults("x.blt", "65 1\n"), ["1:1 candidates"]);
    assert_eq!(faults("x.blt", "2 1\n1 2 0\n"), ["2:1 end"]);
    assert_eq!(faults("x.blt", "2 1\n0\nA\n"), ["3:1 names"]);
    assert_eq!(faults("x.blt", "1 1\n0\nA\nB\nC\nD\nE\n"), ["7:1 names"]);
    let abif = "=a:[A]\n=b:[B\n=a:[A]\nx y\n1:a>c\n1:a/5>b/2\n1:a*2\n1:a>a\n:a\n1000000000001:a\n1:a>\n1:a b\n1:\"a\n\
                =d:[D]\n";
    assert_eq!(
        faults("x.abif", abif),
        [
            "2:4 quote",
            "3:2 candidate",
            "4:1 field",
            "5:5 unknown-initiative",
            "6:4 rating",
            "7:4 rating",
            "8:5 ranked-twice",
            "9:1 declaration",
            "10:1 count",
            "11:5 field",
            "12:3 field",
            "13:3 quote",
            "14:1 declaration"
        ]
    );
    let book = "{\"participantCode\":\"a\",\"ranking\":[\"p\",\"p\"]}\n{]\n[]\n{\"kind\":\"x\"}\n{\"participantCode\":\"b\"}\n\
                {\"participantCode\":\"c\",\"ranking\":[1]}\n{\"ranking\":[]}\n{\"participantCode\":\"d\",\"ranking\":[\" \"]}\n\
                {\"participantCode\":\"e\",\"ranking\":[]}\n{\"participantCode\":\"e\",\"ranking\":[]}\n";
    assert_eq!(
        faults("x", book),
        [
            "1:24 ranked-twice",
            "2:2 json",
            "3:1 json",
            "4:2 kind",
            "5:1 field",
            "6:24 field",
            "7:1 field",
            "8:24 id",
            "10:2 twice"
        ]
    );
    for name in ["x.abif", "x.ndjson", "x.blt", "x.soi"] {
        assert!(faults(name, b"\n\xC3\n").contains(&"2:1 utf-8".to_owned()), "{name}");
    }
    assert_eq!(faults("x", "hello\n"), ["1:1 format"]);
    assert_eq!(faults("x.txt", ""), ["1:1 format"]);
}

#[test]
fn a_fault_is_a_line_of_a_report() {
    let ReadError::Faults { faults, .. } =
        read_as("b.csv", b"count,rank1\nx,a\n", &Options::default()).unwrap_err()
    else {
        panic!("no faults")
    };
    assert_eq!(faults[0].to_string(), "b.csv:2:1: count: Ett heltal behövs. / A whole number is needed.");
}

#[test]
fn all_faults_are_counted_and_the_first_thousand_kept() {
    let file = format!("count,rank1\n{}", "x,a\n".repeat(600_000));
    let ReadError::Faults { faults, total } =
        read_as("a.csv", file.as_bytes(), &Options::default()).unwrap_err()
    else {
        panic!("no faults")
    };
    assert_eq!((total, faults.len()), (600_000, 1_000));
    assert!((2..).zip(&faults).all(|(line, fault)| fault.line == line));
}

#[test]
fn given_candidates_are_all_there_are() {
    let given = [("ett", "Ett"), ("tva", "Två"), ("tre", "Tre")]
        .map(|(id, title)| Candidate { id: id.to_owned(), title: title.to_owned() });
    let options = Options { candidates: Some(&given), picks: Some(2), ..Options::default() };
    let read = |name: &str, content: &str| read_as(name, content.as_bytes(), &options);
    let same = profile(3, &[(&[2, 0], 1)]);
    for (name, content) in [
        ("a.csv", "rank1,rank2\ntre,ett\n"),
        ("a.soi", "# NUMBER ALTERNATIVES: 2\n# ALTERNATIVE NAME 1: Ett\n# ALTERNATIVE NAME 2: tre\n1: 2,1\n"),
        ("a.abif", "1:tre>ett\n"),
        ("a.abif", "=x:[Tre]\n=ett:[whatever]\n1:x>ett\n"),
        ("a.blt", "2 1\n1 1 2 0\n0\n\"Tre\"\n\"ett\"\n\"\"\n"),
        ("a.ndjson", "{\"participantCode\":\"a\",\"ranking\":[\"tre\",\"ett\"]}\n"),
    ] {
        let read = read(name, content).unwrap();
        assert_eq!((read.candidates, read.profile), (given.to_vec(), same.clone()), "{content}");
    }
    for (name, content, fault) in [
        ("a.csv", "rank1,rank2\nett,fyra\n", "2:2 unknown-initiative"),
        ("a.csv", "rank1,rank2,rank3\nett,tva,tre\n", "2:1 too-many-picks"),
        ("a.abif", "1:Ett\n", "1:3 unknown-initiative"),
        ("a.soi", "# NUMBER ALTERNATIVES: 1\n1: 1\n", "1:1 unknown-initiative"),
        ("a.blt", "2 1\n0\n\"Tre\"\n\"tre\"\n", "4:1 candidate"),
    ] {
        assert_eq!(told(read(name, content)), [fault], "{content}");
    }
}

#[test]
fn marks_line_ends_and_packing_do_not_matter() {
    let plain = "participantCode,rank1,rank2,comment\n0180,a,b,\n0980,\"b\",,\"two\nlines, \"\"quoted\"\"\"\n1280,b,a,å\n";
    let wanted = with_participants("a.csv", plain);
    assert_eq!(rankings(&wanted), "a>b 1, b 1, b>a 1");
    assert_eq!(
        wanted.participants.as_deref().unwrap()[1..],
        [("0980".to_owned(), Box::from([1])), ("1280".to_owned(), Box::from([1, 0]))]
    );
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(plain.as_bytes()).unwrap();
    let mut packed = packed.finish().unwrap();
    let second = {
        let mut second = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        second.write_all(b"1281,,,\n").unwrap();
        second.finish().unwrap()
    };
    for bytes in [
        format!("\u{feff}{plain}").into_bytes(),
        plain.replace('\n', "\r\n").into_bytes(),
        plain.replace('\n', "\r").into_bytes(),
        plain.trim_end().as_bytes().to_vec(),
        packed.clone(),
    ] {
        assert_eq!(with_participants("a", &bytes), wanted);
    }
    packed.extend(second);
    assert_eq!(rankings(&ballots("a", &packed)), " 1, a>b 1, b 1, b>a 1");
    packed.truncate(packed.len() - 9);
    assert!(matches!(read_as("a", &packed, &Options::default()), Err(ReadError::Io(_))));
    assert_eq!(faults("a.csv", plain.replace('\n', "\r\n").replace(",å", ",")).len(), 0);
    // The lines inside quotes count.
    assert_eq!(faults("a.csv", plain.replace("1280,b,a", "1280,b,b")), ["5:3 ranked-twice"]);
}

#[test]
fn what_is_read_in_parallel_is_what_is_read_in_turn() {
    // Some 6 MB, so that there are several blocks.
    let line = |i: usize, quote: &str| {
        let name = |k: usize| format!("{quote}initiative-{}{quote}", (i * 7 + k * 5) % 12);
        let code = (i * 7_919) % 120_011;
        format!(
            "{code},{},{},{}\n",
            name(0),
            name(1),
            if i.is_multiple_of(3) { String::new() } else { name(2) }
        )
    };
    let file = |quote: &str| {
        let lines: String = (0..120_000).map(|i| line(i, quote)).collect();
        format!("participantCode,rank1,rank2,rank3\n{lines}")
    };
    let plain = with_participants("a.csv", file(""));
    assert_eq!((plain.profile.ballots(), plain.candidates.len()), (120_000, 12));
    assert_eq!(plain, with_participants("a.csv", file("\"")));
    let mut naive = Profile::new(12);
    for (_, ranking) in plain.participants.as_deref().unwrap() {
        naive.add(ranking, 1);
    }
    assert_eq!(plain.profile, naive);
    assert_eq!(plain.participants.as_deref().unwrap()[100].0, ((100 * 7_919) % 120_011).to_string());
    // One quoted text over two lines in every thousandth, and a fault near the end.
    let mixed: String = (0..120_000)
        .map(|i| {
            line(i, if i.is_multiple_of(1_000) { "\"" } else { "" })
                .replace('\n', if i.is_multiple_of(1_000) { ",\"x\ny\"\n" } else { ",\n" })
        })
        .collect();
    let mixed = format!("participantCode,rank1,rank2,rank3,comment\n{mixed}");
    assert_eq!(with_participants("a.csv", &mixed), plain);
    let faulty = mixed + "0,initiative-1,initiative-1,,\n";
    assert_eq!(faults("a.csv", faulty), ["120122:1 twice", "120122:3 ranked-twice"]);
}

#[test]
fn progress_is_told_in_bytes_of_the_input() {
    let told = std::sync::Mutex::new(Vec::new());
    let file = format!("rank1\n{}", "a\n".repeat(2_000_000));
    let options = Options { progress: &|bytes| told.lock().unwrap().push(bytes), ..Options::default() };
    read_as("a.csv", file.as_bytes(), &options).unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 3 && told.is_sorted());
    assert_eq!(told.last(), Some(&(file.len() as u64)));
}

#[test]
fn a_record_without_end_is_a_fault_and_not_a_full_memory() {
    let endless = std::io::repeat(b'x').take(1 << 40);
    let head = std::io::Cursor::new(b"rank1\na\n\"");
    let Err(ReadError::Faults { faults, .. }) =
        read("a.csv", Box::new(head.chain(endless)), &Options::default())
    else {
        panic!("no faults")
    };
    assert_eq!((faults[0].line, faults[0].code), (3, "long"));
}

#[test]
fn what_a_format_cannot_carry_is_refused() {
    let few = ballots("a.csv", "count,rank1,rank2\n1,a,b\n2,,\n");
    for (format, told) in [
        (
            Format::Soc,
            "soc: En prioritering som inte har alla kandidater får inte plats; välj soi. / A ballot without all candidates does not fit; choose soi.",
        ),
        (Format::Soi, "soi: En tom prioritering får inte plats. / A ballot of no picks does not fit."),
        (
            Format::CsvLong,
            "csv-long: Deltagarna behövs, och filen nämner dem inte. / The participants are needed, and the file does not name them.",
        ),
        (
            Format::NdJson,
            "ndjson: Deltagarna behövs, och filen nämner dem inte. / The participants are needed, and the file does not name them.",
        ),
        (Format::Blt, "blt: Antalet platser behövs: --seats. / The number of seats is needed: --seats."),
    ] {
        assert_eq!(written(format, &few).unwrap_err().to_string(), told);
    }
    let mut quoted = Ballots { seats: Some(1), ..few };
    quoted.candidates[0].title = "\"".to_owned();
    assert!(written(Format::Blt, &quoted).is_err() && written(Format::Abif, &quoted).is_ok());
    quoted.candidates[0].title = "a\nb".to_owned();
    assert!(written(Format::Toc, &quoted).is_err() && written(Format::Abif, &quoted).is_ok());
}

#[test]
fn what_is_written_looks_as_the_formats_have_it() {
    let mut read = ballots("a.csv", "count,rank1,rank2,rank3\n1,p,q,r\n2,q,,\n0,s t,,\n");
    (read.seats, read.title) = (Some(2), Some("T".to_owned()));
    let text = |format| String::from_utf8(written(format, &read).unwrap()).unwrap();
    assert_eq!(text(Format::Csv), "count,rank1,rank2,rank3\n1,p,q,r\n2,q,,\n0,s t,,\n");
    assert_eq!(text(Format::Blt), "4 2\n1 1 2 3 0\n2 2 0\n0\n\"p\"\n\"q\"\n\"r\"\n\"s t\"\n\"T\"\n");
    assert_eq!(text(Format::Abif), "{title: \"T\"}\n=p:[p]\n=q:[q]\n=r:[r]\n=\"s t\":[s t]\n1:p>q>r\n2:q\n");
    insta::assert_snapshot!(text(Format::Toc), @r"
    # FILE NAME: ballots.toc
    # TITLE: T
    # DESCRIPTION: 
    # DATA TYPE: toc
    # MODIFICATION TYPE: 
    # RELATES TO: 
    # RELATED FILES: 
    # PUBLICATION DATE: 
    # MODIFICATION DATE: 
    # NUMBER ALTERNATIVES: 4
    # NUMBER VOTERS: 3
    # NUMBER UNIQUE ORDERS: 2
    # ALTERNATIVE NAME 1: p
    # ALTERNATIVE NAME 2: q
    # ALTERNATIVE NAME 3: r
    # ALTERNATIVE NAME 4: s t
    2: 2,{1,3,4}
    1: 1,2,3,{4}
    ");
}

#[test]
fn the_shipped_elections_are_the_same_in_every_format() {
    let mut elections = 0;
    for folder in std::fs::read_dir(repository("fixtures/elections")).unwrap() {
        let folder = folder.unwrap().path();
        let file = std::fs::read(folder.join("ballots.csv")).unwrap();
        let mut wanted = ballots("ballots.csv", file);
        (wanted.seats, elections) = (Some(1), elections + 1);
        assert!(wanted.profile.ballots() > 90);
        for format in [Format::Csv, Format::Soi, Format::Toc, Format::Toi, Format::Abif, Format::Blt] {
            let read = ballots("x", written(format, &wanted).unwrap());
            assert_eq!(read.profile, wanted.profile, "{} {format:?}", folder.display());
        }
        // Everybody a participant of its own.
        let owned = wanted.profile.iter().flat_map(|(ranking, ballots)| (0..ballots).map(move |_| ranking));
        let owned = (0..).zip(owned).map(|(i, ranking)| (format!("p{i}"), Box::from(ranking)));
        wanted.participants = Some(owned.collect());
        for format in [Format::Csv, Format::CsvLong, Format::NdJson] {
            let read = with_participants("x", written(format, &wanted).unwrap());
            assert_eq!(
                (read.profile, read.participants),
                (wanted.profile.clone(), wanted.participants.clone())
            );
        }
    }
    assert!(elections >= 7, "{elections} elections");
}

/// Ids in the order in which a file that declares none has them.
const IDS: [&str; 12] =
    ["#", "'p", "-", "10", "ABIF", "[z]", "a b", "a,b", "c01", "q=\"r\"", "{\"kind\":1}", "ö;å"];
const TITLES: [&str; 6] = ["", "Adam", "Björn (S)", "C [x]", "0", "# D: {e}"];

fn random() -> impl Strategy<Value = Ballots> {
    let ids = prop::sample::subsequence(IDS.to_vec(), 1..=6);
    let ids = (ids, prop::collection::vec(prop::sample::select(TITLES.to_vec()), 6));
    ids.prop_flat_map(|(ids, titles)| {
        let n = ids.len();
        let order = Just((0..n).map(|i| u8::try_from(i).unwrap()).collect::<Vec<u8>>()).prop_shuffle();
        let ballot = (order, 0..=n, 1..4_000_000_000_000_u64)
            .prop_map(|(order, length, ballots)| (order[..length].to_vec(), ballots));
        (Just(ids), Just(titles), prop::collection::vec(ballot, 0..8))
    })
    .prop_map(|(ids, titles, rankings)| {
        let title = |(id, title): (&&str, &&str)| Candidate {
            id: (*id).to_owned(),
            title: if title.is_empty() { (*id).to_owned() } else { (*title).to_owned() },
        };
        let mut profile = Profile::new(ids.len());
        for (ranking, ballots) in &rankings {
            profile.add(ranking, *ballots);
        }
        Ballots {
            candidates: ids.iter().zip(&titles).map(title).collect(),
            profile,
            participants: None,
            seats: Some(2),
            title: Some("Val #1".to_owned()),
            format: Format::Csv,
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(wanted in random()) {
        for format in Format::ALL.into_iter().filter(|format| !format.names_participants()) {
            let Ok(bytes) = written(format, &wanted) else { continue };
            let options = Options { format: Some(format), ..Options::default() };
            let read = read_as("x", &bytes, &options);
            prop_assert!(read.is_ok(), "{:?} {:?}\n{}", format, told(read), String::from_utf8_lossy(&bytes));
            let read = read.unwrap();
            prop_assert_eq!(&read.profile, &wanted.profile, "{:?}", format);
            let expected: Vec<Candidate> = (1..).zip(&wanted.candidates).map(|(number, candidate)| {
                let number: usize = number;
                let Candidate { id, title } = candidate.clone();
                match format {
                    Format::Csv => Candidate { id: id.clone(), title: id },
                    Format::Abif => Candidate { id, title },
                    _ => Candidate { id: number.to_string(), title },
                }
            }).collect();
            prop_assert_eq!(read.candidates, expected, "{:?}", format);
            prop_assert_eq!(read.title.as_deref(), (format != Format::Csv).then_some("Val #1"));
        }
    }

    #[test]
    fn whose_ballot_it_is_is_kept(wanted in random()) {
        let participants: Vec<(String, Box<[u8]>)> = (0..).zip(wanted.profile.iter())
            .map(|(i, (ranking, _))| (format!("p{i}"), Box::from(ranking))).collect();
        let mut one_each = Profile::new(wanted.candidates.len());
        for (_, ranking) in &participants {
            one_each.add(ranking, 1);
        }
        let wanted = Ballots { participants: Some(participants), profile: one_each, ..wanted };
        for format in [Format::Csv, Format::CsvLong, Format::NdJson] {
            let Ok(bytes) = written(format, &wanted) else { continue };
            let options = Options {
                format: Some(format), candidates: Some(&wanted.candidates), keep_participants: true,
                ..Options::default()
            };
            let read = read_as("x", &bytes, &options).unwrap();
            prop_assert_eq!(&read.participants, &wanted.participants);
            prop_assert_eq!(read.profile, wanted.profile.clone());
        }
    }

    #[test]
    fn quotes_are_read_as_the_csv_crate_reads_them(
        rows in prop::collection::vec(prop::collection::vec("[ab\" ]{0,4}|\"([ab, \n]|\"\"){0,4}\"", 3), 0..6),
    ) {
        let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        let file = format!("participantCode,rank1,comment\n{lines}");
        let options = Options { keep_participants: true, ..Options::default() };
        // A participant twice, a heading of nothing: not every file of these is one of ballots.
        let Ok(read) = read_as("a.csv", file.as_bytes(), &options) else { return Ok(()) };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
        let records = reader.records().map(|record| record.unwrap());
        let wanted: Vec<(String, Vec<String>)> = records
            .map(|record| record.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
            .filter(|cells| cells.iter().any(|cell| !cell.is_empty()))
            .map(|cells| (cells[0].clone(), cells[1..2].iter().filter(|id| !id.is_empty()).cloned().collect()))
            .collect();
        let id = |&pick: &u8| read.candidates[usize::from(pick)].id.clone();
        let found: Vec<(String, Vec<String>)> = read.participants.unwrap().into_iter()
            .map(|(code, ranking)| (code, ranking.iter().map(id).collect()))
            .collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let formats = Format::ALL.into_iter().map(Some).chain([None]);
        for format in formats {
            let _ = read_as("x", &bytes, &Options { format, ..Options::default() });
        }
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(
        wanted in random(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        for format in Format::ALL {
            let Ok(mut bytes) = written(format, &wanted) else { continue };
            for (at, byte, kind) in &damage {
                let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
                match kind {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, *byte),
                    2 => bytes.insert(at, b"\",:{}=>#\n\r0"[usize::from(*byte) % 11]),
                    _ => if let Some(old) = bytes.get_mut(at) { *old = *byte },
                }
            }
            let options = Options { format: Some(format), keep_participants: true, ..Options::default() };
            let _ = read_as("x", &bytes, &options);
        }
    }
}
