//! `handslag submit` and `handslag withdraw`: a participant's ballot, sent to a service.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use super::ballot::{Ballot, Content, Place};
use super::change::{Change, Made};
use super::profile::{Chosen, failed};
use super::round::{initiatives, title, unknown};
use super::session::{Session, language};
use crate::cli::ballot_input::is_standard;
use crate::cli::{Failure, output, print, tell};
use crate::domain::RoundId;
use crate::export::Language;

/// The most bytes of a file that are read: the service takes fewer.
const MOST: u64 = 64 * 1024;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows what will be sent and what it changes, and asks; where nobody can be asked, --yes is needed. The \
                  ballot is replaced only if it still is the one that was shown. Prints revision, sequence and receipt as name=value, a \
                  line each. Where the same is stored already nothing is sent.\n\n\
                  A file holds the ballot as the API takes it: {\"ranking\": [\"…\"], \"engagements\": […], …}.\n\n\
                  Exit codes: 0 stored, 1 refused, 2 wrong usage, 3 a file or the network failed.\n\n\
                  Example: handslag submit --round handslag-2024 valfardsteknik identitet-behorighet sdk-socialtjanst \
                  juridiskt-stod kompetensgemenskaper"
)]
pub(in crate::cli) struct SubmitArguments {
    /// The round's id
    #[arg(long)]
    round: RoundId,
    /// Ids of initiatives, the most urgent first
    #[arg(value_name = "ID", required_unless_present = "file", conflicts_with = "file")]
    ranking: Vec<String>,
    /// The ballot as JSON; - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The participant's own reference, such as that of a decision
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// A comment for those who read the ballots
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Whose ballot it is [default: that of the profile]
    #[arg(long, value_name = "CODE")]
    participant: Option<String>,
    /// A new file for the receipt, which `receipt verify` checks
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Do not ask; needed where standard input is no terminal
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks first; where nobody can be asked, --yes is needed. The ballot is withdrawn only if it still is the one that was shown; \
                  while the round is open another can be submitted.\n\n\
                  Exit codes: 0 withdrawn, 1 refused, 2 wrong usage, 3 a file or the network failed.\n\n\
                  Example: handslag withdraw --round handslag-2024 --yes"
)]
pub(in crate::cli) struct WithdrawArguments {
    /// The round's id
    #[arg(long)]
    round: RoundId,
    /// Whose ballot it is [default: that of the profile]
    #[arg(long, value_name = "CODE")]
    participant: Option<String>,
    /// Do not ask; needed where standard input is no terminal
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    chosen: Chosen,
}

pub(in crate::cli) fn submit(arguments: &SubmitArguments) -> Result<(), Failure> {
    let from_input = arguments.file.as_deref().is_some_and(is_standard);
    may_go_on(arguments.yes, from_input)?;
    let content = content(arguments)?;
    if let Some(path) = arguments.receipt.as_deref().filter(|path| path.exists()) {
        let path = path.display();
        return Err(Failure::refused(
            language().pick(format!("{path}: finns redan"), format!("{path}: is there already")),
        ));
    }
    let mut session = Session::open(&arguments.chosen)?;
    let language = session.language;
    let place = Place::of(&mut session, arguments.round.clone(), arguments.participant.as_deref())?;
    let stored = place.stored(&mut session)?;
    let initiatives = initiatives(&mut session, &place.round)?;
    let faults = unknown(&content.ranking, &initiatives, language);
    if !faults.is_empty() {
        return Err(Failure::Refused(faults));
    }
    let before = stored.as_ref().map(Ballot::content);
    if let Some(ballot) = stored.as_ref().filter(|ballot| ballot.content().says_the_same(&content)) {
        say(language.pick("Så står det redan; inget skickades.", "It says so already; nothing was sent."));
        return report(ballot, arguments.receipt.as_deref());
    }
    let titled = |id: &str| title(&initiatives, id, language);
    show(&place, &content.lines(before.as_ref(), &titled, language), stored.as_ref(), language);
    if !arguments.yes {
        ask(language)?;
    }
    let change = Change {
        place: &place,
        method: "PUT",
        body: Some(serde_json::to_vec(&content).expect("texts")),
        seen: stored.map(|ballot| ballot.revision),
        is_done: &|found| found.is_some_and(|ballot| ballot.content().says_the_same(&content)),
    };
    let ballot = match change.make(&mut session)? {
        Made::Told(answer) => answer.json()?,
        Made::Found(found) => found.expect("a ballot that says the same"),
    };
    report(&ballot, arguments.receipt.as_deref())
}

pub(in crate::cli) fn withdraw(arguments: &WithdrawArguments) -> Result<(), Failure> {
    may_go_on(arguments.yes, false)?;
    let mut session = Session::open(&arguments.chosen)?;
    let language = session.language;
    let place = Place::of(&mut session, arguments.round.clone(), arguments.participant.as_deref())?;
    // The service says why there is nothing.
    let answer = session.get(&place.path())?.is(200)?;
    let ballot: Ballot = answer.json()?;
    let initiatives = initiatives(&mut session, &place.round)?;
    let titled = |id: &str| title(&initiatives, id, language);
    let lines = Content::default().lines(Some(&ballot.content()), &titled, language);
    show(&place, &lines, Some(&ballot), language);
    if !arguments.yes {
        ask(language)?;
    }
    let seen = Some(ballot.revision);
    let change =
        Change { place: &place, method: "DELETE", body: None, seen, is_done: &|found| found.is_none() };
    change.make(&mut session)?;
    tell(language.pick("Prioriteringen är återkallad.\n", "The ballot is withdrawn.\n"));
    Ok(())
}

/// What is to be sent.
fn content(arguments: &SubmitArguments) -> Result<Content, Failure> {
    let content = match &arguments.file {
        None => Content { ranking: arguments.ranking.clone(), ..Content::default() },
        Some(path) => {
            let mut text = String::new();
            let read = if is_standard(path) {
                io::stdin().take(MOST).read_to_string(&mut text)
            } else {
                std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_string(&mut text))
            };
            read.map_err(|error| failed(path, &error))?;
            serde_json::from_str(&text)
                .map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?
        }
    };
    let Content { reference, comment, .. } = content.clone();
    Ok(Content {
        reference: arguments.reference.clone().or(reference),
        comment: arguments.comment.clone().or(comment),
        ..content
    })
}

/// Shows what will be sent, beside what is stored.
fn show(place: &Place, lines: &[String], stored: Option<&Ballot>, language: Language) {
    let Place { round, participant } = place;
    let before = match stored {
        None => language.pick("ingen prioritering förut", "no ballot before").to_owned(),
        Some(ballot) => {
            let (revision, at) = (ballot.revision, ballot.accepted());
            language
                .pick(format!("ersätter nr {revision} från {at}"), format!("replaces no. {revision} of {at}"))
        }
    };
    say(&format!("{participant} · {round} · {before}\n{}", lines.join("\n")));
}

/// Refuses to go on where somebody must be asked and nobody can be: a ballot is not replaced by accident.
fn may_go_on(yes: bool, input_is_read: bool) -> Result<(), Failure> {
    if yes || !input_is_read && io::stdin().is_terminal() {
        return Ok(());
    }
    let said = language().pick(
        "ingen terminal att fråga vid: ange --yes om det ska ske ändå; inget skickades",
        "no terminal to ask at: give --yes if it is to be done nevertheless; nothing was sent",
    );
    Err(Failure::Misconfigured(vec![said.to_owned()]))
}

/// Asks whoever sits at the terminal.
fn ask(language: Language) -> Result<(), Failure> {
    eprint!("{}", language.pick("Skicka? [j/N] ", "Send? [y/N] "));
    // A prompt that is not shown is no reason to send.
    io::stderr().flush().map_err(Failure::failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::failed)?;
    if ["j", "ja", "y", "yes"].contains(&&*answer.trim().to_lowercase()) {
        return Ok(());
    }
    Err(Failure::refused(language.pick("inget skickades", "nothing was sent")))
}

/// What is said about the work goes to standard error, what it gave to standard output.
fn say(text: &str) {
    eprintln!("{text}");
}

fn report(ballot: &Ballot, file: Option<&Path>) -> Result<(), Failure> {
    let Ballot { revision, sequence, receipt, .. } = ballot;
    let signature = &receipt.signature;
    // The ballot is stored, whatever becomes of the file.
    print(format!("revision={revision}\nsequence={sequence}\nreceipt={signature}\n").as_bytes())?;
    let Some(path) = file else { return Ok(()) };
    output::write(path, false, |out| writeln!(out, "{signature}").map_err(|error| failed(path, &error)))
}
