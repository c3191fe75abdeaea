//! The sheet that a participant is sent with its client: what it is, and the lines that fetch a token with it and
//! submit a ballot.

use crate::domain::{AuthMethod, ClientId, Participant, Round};
use crate::export::Links;
use crate::export::rounds::local;

/// What stands on a sheet.
pub(super) struct Sheet<'a> {
    /// The round that it is made for.
    pub(super) round: &'a Round,
    /// For whom it is.
    pub(super) participant: &'a Participant,
    /// Its client.
    pub(super) client: &'a ClientId,
    /// The address of the service.
    pub(super) issuer: &'a str,
    /// The file with the private key or the secret, which goes with the sheet.
    pub(super) file: &'a str,
    /// The id of the key.
    pub(super) kid: &'a str,
    /// How the client shows who it is.
    pub(super) method: AuthMethod,
}

/// Writes a sheet, in Swedish and in English.
pub(super) fn write(sheet: &Sheet<'_>) -> String {
    let Sheet { round, participant, client, issuer, file, method, .. } = sheet;
    let (name, code) = (&participant.name, &participant.code);
    let titles = &round.definition.title;
    let closes = local(round.definition.closes_at);
    let closes = closes.get(..16).unwrap_or(&closes).replace('T', " ");
    let (lines, submit) = (lines(sheet), submit(sheet));
    let initiatives = format!("{issuer}{}/rounds/{}/initiatives", Links::PATH, round.id);
    let (flag, tools) = match method {
        AuthMethod::PrivateKeyJwt => ("--key", ["bash, openssl 3 och curl", "bash, openssl 3 and curl"]),
        AuthMethod::ClientSecretPost => ("--secret-file", ["bash och curl", "bash and curl"]),
    };
    let [tools_sv, tools_en] = tools;
    let (title_sv, title_en) = (&titles.sv, &titles.en);
    format!(
        "Handslag: uppgifter för {name} ({code})

Ert system kan nu lämna och läsa er prioritering i {title_sv}.
Omgången stänger {closes} svensk tid.

  Adress       {issuer}
  Omgång       {round_id}
  Klient-id    {client}
  Hemlig fil   {file}

Filen är hemlig: den som har den kan prioritera i ert namn. Lägg den där bara ert system kan läsa
den, och radera den ur brev och mappar. Säg till om någon annan kan ha sett den, så stängs klienten
och ni får en ny. Svara den som sände bladet till er.

Så hämtas en åtkomstbiljett, access_token, som gäller i fem minuter ({tools_sv}):

{lines}
Så lämnas en prioritering. Skriv {{\"ranking\": [\"id\", \"id\"]}} i filen prioritering.json, det viktigaste först;
id står i {initiatives}. Klistra in biljetten efter första raden:

{submit}
Eller, vid en terminal med programmet handslag:

    handslag login --url {issuer} --client {client} {flag} {file}
    handslag submit --round {round_id} ID ID …

Vad som finns att anropa: {issuer}/handslag/v1/openapi.yaml

----------------------------------------------------------------------------------------------------

Handslag: access for {name} ({code})

Your system can now submit and read your ballot in {title_en}.
The round closes at {closes} Swedish time.

  Address      {issuer}
  Round        {round_id}
  Client id    {client}
  Secret file  {file}

The file is secret: whoever has it can submit in your name. Put it where only your system can read it,
and delete it from letters and folders. Say so if somebody else may have seen it: the client is then
closed, and you get a new one. Answer whoever sent you this sheet.

The first lines above fetch an access token, which lives for five minutes ({tools_en}). The next submit a ballot:
write {{\"ranking\": [\"id\", \"id\"]}} into the file prioritering.json, the most urgent first, and paste the token after
the first line. The ids are in {initiatives}. The last do the same with the program handslag.
What there is to call: {issuer}/handslag/v1/openapi.yaml
",
        round_id = round.id
    )
}

/// What submits a ballot with a token that is pasted; it does not stand on a command line, which others could see.
fn submit(sheet: &Sheet<'_>) -> String {
    let Sheet { round, participant, issuer, .. } = sheet;
    let address = format!("{issuer}{}/rounds/{}/ballots/{}", Links::PATH, round.id, participant.code);
    format!(
        "    read -r token
    printf 'Authorization: Bearer %s' \"$token\" | curl -sS -X PUT -H @- -H 'Content-Type: application/json' \\
        -d @prioritering.json {address}
"
    )
}

/// What fetches a token, to be pasted where the file is.
fn lines(sheet: &Sheet<'_>) -> String {
    let Sheet { client, issuer, file, kid, .. } = sheet;
    if sheet.method == AuthMethod::ClientSecretPost {
        return format!(
            "    curl -sS {issuer}/oauth/token -d grant_type=client_credentials -d client_id={client} \\
        --data-urlencode client_secret@{file}
"
        );
    }
    format!(
        "    b64() {{ openssl base64 -A | tr '+/' '-_' | tr -d '='; }}
    now=$(date +%s)
    head=$(printf '{{\"alg\":\"EdDSA\",\"typ\":\"client-authentication+jwt\",\"kid\":\"{kid}\"}}' | b64)
    body=$(printf '{{\"iss\":\"{client}\",\"sub\":\"{client}\",\"aud\":\"{issuer}\",\"exp\":%s,\"jti\":\"%s\"}}' \\
        $((now + 60)) \"$(openssl rand -hex 16)\" | b64)
    printf '%s.%s' \"$head\" \"$body\" > handslag.jwt
    curl -sS {issuer}/oauth/token -d grant_type=client_credentials \\
        -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\
        -d client_assertion=\"$(cat handslag.jwt).$(openssl pkeyutl -sign -rawin -inkey {file} -in handslag.jwt | b64)\"
    rm handslag.jwt
"
    )
}
