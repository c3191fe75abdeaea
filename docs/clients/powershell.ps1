<#
Submits a ballot and reads the ranking into a table.

    powershell.ps1 URL CLIENT-ID SECRET-FILE ROUND CODE FIRST SECOND …

PowerShell 7, with a client that has a secret: .NET cannot sign with the keys that `handslag client create` makes.
#>
param(
    [Parameter(Mandatory)] [string] $Url,
    [Parameter(Mandatory)] [string] $Client,
    [Parameter(Mandatory)] [string] $File,
    [Parameter(Mandatory)] [string] $Round,
    [Parameter(Mandatory)] [string] $Code,
    [Parameter(Mandatory, ValueFromRemainingArguments)] [string[]] $Ranking
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$Url = $Url.TrimEnd('/')
$base = "$Url/handslag/v1/rounds/$Round"

# 1. A token. It lives for five minutes; keep it meanwhile.
$server = Invoke-RestMethod "$Url/.well-known/oauth-authorization-server"
$form = @{
    grant_type    = 'client_credentials'
    client_id     = $Client
    client_secret = (Get-Content -Raw $File).Trim()
}
$token = (Invoke-RestMethod -Method Post $server.token_endpoint -Body $form).access_token
$headers = @{ Authorization = "Bearer $token" }

# 2. What is stored now, so that nobody's change is written over unseen.
$stored = Invoke-WebRequest "$base/ballots/$Code" -Headers $headers -SkipHttpErrorCheck
switch ($stored.StatusCode) {
    200 { $headers['If-Match'] = [string] $stored.Headers['ETag'] }
    404 { $headers['If-None-Match'] = '*' }
    default { throw [string] $stored.Content }
}

# 3. The ballot. Keep the answer: it holds the receipt.
$body = @{ ranking = @($Ranking) } | ConvertTo-Json
$ballot = Invoke-RestMethod -Method Put "$base/ballots/$Code" -Headers $headers -SkipHeaderValidation `
    -ContentType 'application/json; charset=utf-8' -Body $body
"revision $($ballot.revision) receipt $($ballot.receipt.signature)"

# 4. The ranking, as a table.
$results = Invoke-WebRequest "$base/results?format=csv" -Headers @{ Authorization = "Bearer $token" }
$csv = [System.Text.Encoding]::UTF8.GetString($results.RawContentStream.ToArray())
$csv | ConvertFrom-Csv | ForEach-Object { "$($_.resolvedRank)`t$($_.initiativeId)`t$($_.score)" }
