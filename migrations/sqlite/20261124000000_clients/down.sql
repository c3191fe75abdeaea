DROP TABLE token_keys;
DROP TABLE used_assertions;
DROP TABLE client_credentials;
DROP TABLE clients;
DROP TABLE registry;
