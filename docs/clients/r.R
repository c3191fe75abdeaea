#!/usr/bin/env Rscript
# Submits a ballot and reads the ranking into a data frame.
#
#   Rscript r.R URL CLIENT-ID KEY-OR-SECRET-FILE ROUND CODE FIRST SECOND …
#
# Needs httr2, which brings jsonlite and openssl; where the client has a key, openssl signs with it.
library(httr2)

given <- commandArgs(trailingOnly = TRUE)
url <- sub("/$", "", given[1])
client <- given[2]
file <- given[3]
base <- paste0(url, "/handslag/v1/rounds/", given[4])
ballot <- paste0(base, "/ballots/", given[5])
ranking <- given[-(1:5)]

base64url <- function(content) {
  chartr("+/", "-_", gsub("[=\n]", "", openssl::base64_encode(content)))
}

# What only the owner of the key can sign; good for one use.
assertion <- function(issuer) {
  claims <- list(
    iss = client, sub = client, aud = issuer, exp = floor(as.numeric(Sys.time())) + 60,
    jti = paste(openssl::rand_bytes(16), collapse = "")
  )
  json <- jsonlite::toJSON(claims, auto_unbox = TRUE, digits = 0)
  head <- base64url(charToRaw('{"alg":"EdDSA","typ":"client-authentication+jwt"}'))
  message <- paste0(head, ".", base64url(charToRaw(json)))
  paste0(message, ".", base64url(openssl::ed25519_sign(charToRaw(message), openssl::read_key(file))))
}

# 1. A token. It lives for five minutes; keep it meanwhile.
server <- request(paste0(url, "/.well-known/oauth-authorization-server")) |> req_perform() |> resp_body_json()
form <- list(grant_type = "client_credentials", client_id = client)
content <- readLines(file)
if (any(grepl("PRIVATE KEY", content))) {
  form$client_assertion_type <- "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
  form$client_assertion <- assertion(server$issuer)
} else {
  form$client_secret <- trimws(content[1])
}
token <- (request(server$token_endpoint) |> req_body_form(!!!form) |> req_perform() |> resp_body_json())$access_token
ask <- function(address) request(address) |> req_auth_bearer_token(token)

# 2. What is stored now, so that nobody's change is written over unseen.
stored <- ask(ballot) |> req_error(is_error = \(answer) !resp_status(answer) %in% c(200, 404)) |> req_perform()
condition <- if (resp_status(stored) == 200) {
  list("If-Match" = resp_header(stored, "ETag"))
} else {
  list("If-None-Match" = "*")
}

# 3. The ballot. Keep the answer: it holds the receipt.
accepted <- ask(ballot) |>
  req_method("PUT") |>
  req_headers(!!!condition) |>
  req_body_json(list(ranking = as.list(ranking))) |>
  req_perform() |>
  resp_body_json()
cat("revision", accepted$revision, "receipt", accepted$receipt$signature, "\n")

# 4. The ranking, as a data frame.
csv <- ask(paste0(base, "/results?format=csv")) |> req_perform() |> resp_body_string()
results <- read.csv(text = csv, colClasses = c(score = "character"))
write.table(results[c("resolvedRank", "initiativeId", "score")], sep = "\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
