"""Submits a ballot and reads it back with a client that was generated from the API document.

What it proves is that the document is enough: every address, header, member and type used here comes out of the
generated package `handslag_client`, nothing is written by hand. Any difference ends the script with a message.

Environment: SERVICE_URL, TOKEN_PARTICIPANT (ballots.read and ballots.write of municipality:0180) and TOKEN_ANALYST
(ballots.list and results.read). The round handslag-2024 is open and has 0180 on its roll.
"""

import os
import sys
from http import HTTPStatus

from handslag_client import AuthenticatedClient, Client
from handslag_client.api.ballots import delete_ballot, get_ballot, list_ballot_revisions, put_ballot
from handslag_client.api.info import get_api_info
from handslag_client.api.results import get_participation, get_results
from handslag_client.api.rounds import get_round, list_initiatives
from handslag_client.models import BallotInput, Engagement, EngagementEngagement, Problem

ROUND, MUNICIPALITY = "handslag-2024", "0180"
REFERENCE = "KS 2024/412"
COMMENT = "Vi delar gärna vår upphandling av digital tillsyn."


def expect(what, got, *wanted):
    """One comparison, told aloud; the first that differs ends the script."""
    if got not in wanted:
        sys.exit(f"client: {what}: got {got!r}, wanted {' or '.join(map(repr, wanted))}")
    print(f"client: {what}: as it should be")


def answer(what, response, *statuses):
    """The parsed body of a response that has one of these statuses."""
    if response.status_code not in statuses:
        sys.exit(f"client: {what}: status {response.status_code.value}: {response.content.decode()}")
    if "traceparent" not in response.headers:
        sys.exit(f"client: {what}: the response has no traceparent")
    print(f"client: {what}: status {response.status_code.value}")
    return response.parsed


def main():
    base = os.environ["SERVICE_URL"].rstrip("/") + "/handslag/v1"
    anyone = Client(base_url=base)
    participant = AuthenticatedClient(base_url=base, token=os.environ["TOKEN_PARTICIPANT"])
    analyst = AuthenticatedClient(base_url=base, token=os.environ["TOKEN_ANALYST"])

    info = answer("API", get_api_info.sync_detailed(client=anyone), HTTPStatus.OK)
    expect("name of the API", info.api_name, "Handslag API")

    round_ = answer("round", get_round.sync_detailed(ROUND, client=anyone), HTTPStatus.OK)
    expect("state of the round", round_.state.value, "open")
    page = answer("initiatives", list_initiatives.sync_detailed(ROUND, client=anyone, limit=100), HTTPStatus.OK)
    expect("number of initiatives", len(page.initiatives), round_.initiative_count)

    # The last ones first, so that the ballot is not what a seeded one would be.
    ranking = [initiative.id for initiative in reversed(page.initiatives)][: round_.picks_max]
    ballot = BallotInput(
        ranking=ranking,
        engagements=[Engagement(initiative_id=ranking[0], engagement=EngagementEngagement.LEAD)],
        reference=REFERENCE,
        comment=COMMENT,
    )

    # If somebody has been here before, the write says which revision it replaces; else that there is none.
    before = get_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant)
    answer("ballot before", before, HTTPStatus.OK, HTTPStatus.NOT_FOUND)
    known = before.headers.get("etag")
    there = before.status_code == HTTPStatus.OK
    condition = {"if_match": known} if there else {"if_none_match": "*"}
    written = put_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant, body=ballot, **condition)
    accepted = answer("submission", written, HTTPStatus.OK if there else HTTPStatus.CREATED)
    tag = written.headers["etag"]
    expect("ETag of the ballot", tag, f'"{accepted.revision}"')
    expect("receipt", accepted.receipt.sequence, accepted.sequence)
    expect("time of the receipt", accepted.receipt.accepted_at, accepted.accepted_at)

    for who, client in (("participant", participant), ("analyst", analyst)):
        read = get_ballot.sync_detailed(ROUND, MUNICIPALITY, client=client)
        expect(f"ballot as the {who} reads it", answer(f"ballot for the {who}", read, HTTPStatus.OK), accepted)
    expect("ranking", accepted.ranking, ranking)
    expect("reference", accepted.reference, REFERENCE)
    expect("comment", accepted.comment, COMMENT)
    expect("engagements", accepted.engagements, ballot.engagements)
    unchanged = get_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant, if_none_match=tag)
    answer("the same ballot again", unchanged, HTTPStatus.NOT_MODIFIED)
    history = list_ballot_revisions.sync_detailed(ROUND, MUNICIPALITY, client=participant)
    newest = answer("revisions", history, HTTPStatus.OK).revisions[0]
    expect("newest revision", (newest.revision, newest.entry_hash), (accepted.revision, accepted.receipt.entry_hash))

    # Refusals are parsed too, and name every fault.
    faulty = BallotInput(ranking=[ranking[0], ranking[0]])
    refused = put_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant, body=faulty, if_match=tag)
    problem = answer("a faulty ballot", refused, HTTPStatus.UNPROCESSABLE_ENTITY)
    expect("problem", problem.type_, "https://handslag.example.se/problems/invalid-ballot")
    expect("faults", sorted(fault.code for fault in problem.errors), ["ranked-twice", "too-few-picks"])
    stale = put_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant, body=ballot, if_none_match="*")
    answer("a stale condition", stale, HTTPStatus.PRECONDITION_FAILED)
    foreign = put_ballot.sync_detailed(ROUND, "1280", client=participant, body=ballot)
    answer("somebody else's ballot", foreign, HTTPStatus.FORBIDDEN)

    result = answer("result", get_results.sync_detailed(ROUND, client=analyst), HTTPStatus.OK)
    first = {standing.initiative_id: standing for standing in result.standings}[ranking[0]]
    expect("round of the result", result.round_id, ROUND)
    expect("initiatives of the result", len(result.standings), round_.initiative_count)
    if result.sequence < accepted.sequence or first.rank_counts[0] < 1:
        sys.exit(f"client: the result at sequence {result.sequence} does not count the ballot at {accepted.sequence}")
    participation = answer("participation", get_participation.sync_detailed(ROUND, client=anyone), HTTPStatus.OK)
    expect("answered", participation.answered, result.counted)

    answer("withdrawal", delete_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant, if_match=tag),
           HTTPStatus.NO_CONTENT)
    gone = answer("ballot after the withdrawal", get_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant),
                  HTTPStatus.NOT_FOUND)
    if not isinstance(gone, Problem):
        sys.exit(f"client: a missing ballot is not told as a problem: {gone!r}")
    again = put_ballot.sync_detailed(ROUND, MUNICIPALITY, client=participant, body=ballot, if_none_match="*")
    anew = answer("submission after the withdrawal", again, HTTPStatus.CREATED)
    expect("revision after the withdrawal", anew.revision, accepted.revision + 2)
    print("client: everything as the document says")


if __name__ == "__main__":
    main()
