//! The sheet that a participant is sent with its client: what it is, and the lines that fetch a token with it.

use crate::domain::{ClientId, Participant};

/// What stands on a sheet.
pub(super) struct Sheet<'a> {
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
    /// The secret, if the client has one.
    pub(super) secret: Option<&'a str>,
}

/// Writes a sheet, in Swedish and in English.
pub(super) fn write(sheet: &Sheet<'_>) -> String {
    let Sheet { participant, client, issuer, file, .. } = sheet;
    let (name, code) = (&participant.name, &participant.code);
    let lines = lines(sheet);
    let flag = if sheet.secret.is_some() { "--secret-file" } else { "--key" };
    format!(
        "Handslag: uppgifter för {name} ({code})

Ert system kan nu lämna och läsa er prioritering.

  Adress       {issuer}
  Klient-id    {client}
  Hemlig fil   {file}

Filen är hemlig: den som har den kan prioritera i ert namn. Lägg den där bara ert system kan läsa
den, och radera den ur brev och mappar. Säg till om någon annan kan ha sett den, så stängs klienten
och ni får en ny.

Så hämtas en åtkomstbiljett, som gäller i fem minuter (bash, openssl 3 och curl):

{lines}
Eller, vid en terminal med programmet handslag:

    handslag login --url {issuer} --client {client} {flag} {file}
    handslag status

Sänd biljetten i Authorization: Bearer. Vad som finns att anropa: {issuer}/handslag/v1/openapi.yaml

----------------------------------------------------------------------------------------------------

Handslag: access for {name} ({code})

Your system can now submit and read your ballot.

  Address      {issuer}
  Client id    {client}
  Secret file  {file}

The file is secret: whoever has it can submit in your name. Put it where only your system can read it,
and delete it from letters and folders. Tell us if somebody else may have seen it: the client is then
closed, and you get a new one.

The lines above fetch an access token, which lives for five minutes (bash, openssl 3 and curl), or keep who
you are for the commands of the program handslag. Send the token in Authorization: Bearer. What there is to call: {issuer}/handslag/v1/openapi.yaml
"
    )
}

/// What fetches a token, to be pasted where the file is.
fn lines(sheet: &Sheet<'_>) -> String {
    let Sheet { client, issuer, file, kid, .. } = sheet;
    if sheet.secret.is_some() {
        return format!(
            "    curl -sS {issuer}/oauth/token -d grant_type=client_credentials -d client_id={client} \\
        --data-urlencode client_secret=\"$(cat {file})\"
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
