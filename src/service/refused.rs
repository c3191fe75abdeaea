//! Why a count was refused, as a fault of the parameter that it concerns.

use super::Fault;
use crate::domain::Slate;
use crate::tally::Refusal;

/// A refusal as a fault of the parameter that it concerns.
pub(super) fn refused(refusal: &Refusal, slate: &Slate) -> Fault {
    let fault = |member: &str, code: &'static str, sv: &str| {
        Fault::member(member, code, sv, &capital(&refusal.to_string()))
    };
    let parameter = |member: &str, sv: &str| fault(member, "parameter", sv);
    match refusal {
        Refusal::DoesNotTake(name) => parameter(name, &format!("Regeln tar inte {name}.")),
        Refusal::PointsMissing => parameter("points", "Regeln tar poäng, ett per plats."),
        Refusal::WrongNumberOfPoints => parameter("points", "Lika många poängtal som val behövs."),
        Refusal::PointsRise => {
            parameter("points", "Poängen får inte stiga från en plats till nästa och inte vara negativa.")
        }
        Refusal::TooFine => parameter("points", "Poängen är för stora eller har för fin gemensam nämnare."),
        Refusal::TooDeep => {
            parameter("rule", "approval-j läser de j första platserna, och en prioritering här har färre.")
        }
        Refusal::OppositionDoesNotApply => parameter("strength", "opposition är en styrka bara för minimax."),
        Refusal::Seats => parameter("seats", "Platserna är från 1 till så många som initiativen."),
        Refusal::TooManyCandidates { most } => {
            fault("rule", "too-large", &format!("Regeln räknas för högst {most} initiativ."))
        }
        Refusal::TooManyPortfolios => {
            fault("seats", "too-large", "Portföljerna av denna storlek är för många att jämföra.")
        }
        Refusal::NoSuchPortfolio => {
            fault("rule", "no-such-portfolio", "Ingen portfölj uppfyller alla villkor.")
        }
        Refusal::NotWhole => fault("weights", "not-whole", "Regeln tar bara vikter som är heltal."),
        Refusal::TooHeavy => fault(
            "weights",
            "too-large",
            "Prioriteringarna väger tillsammans för mycket för att räknas exakt.",
        ),
        Refusal::Undecided { tied } => {
            let ids: Vec<&str> = tied.iter().map(|&c| slate.initiatives()[c].id.as_str()).collect();
            let ids = ids.join(", ");
            Fault::member(
                "ladder",
                "undecided",
                &format!(
                    "Räkningen måste välja mellan lika som stegen inte skiljer: {ids}. En lottning avgör."
                ),
                &format!(
                    "The count must choose between equals that the ladder leaves: {ids}. A lot decides."
                ),
            )
        }
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
