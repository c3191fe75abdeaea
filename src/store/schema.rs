//! The tables, kept by hand; `tests/it/migrations.rs` holds them against both databases.

diesel::table! {
    rounds (id) {
        id -> Text,
        title_sv -> Text,
        title_en -> Text,
        participant_kind -> Text,
        opens_at -> Timestamp,
        closes_at -> Timestamp,
        picks_min -> Integer,
        picks_max -> Integer,
        rule -> Text,
        points -> Text,
        cut -> Integer,
        visibility -> Text,
        ballot_book -> Text,
        require_condition -> Bool,
        ladder -> Text,
        lot -> Nullable<Text>,
        lot_source -> Nullable<Text>,
        synthetic -> Bool,
        state -> Text,
        opened_at -> Nullable<Timestamp>,
        closed_at -> Nullable<Timestamp>,
        sequence -> BigInt,
        head -> Text,
        last_at -> Nullable<Timestamp>,
        revision -> Integer,
        first_closes_at -> Timestamp,
    }
}

diesel::table! {
    initiatives (round_id, id) {
        round_id -> Text,
        id -> Text,
        number -> Integer,
        title_sv -> Text,
        title_en -> Text,
        area -> Nullable<Text>,
        owner -> Nullable<Text>,
        status -> Text,
        source -> Nullable<Text>,
    }
}

diesel::table! {
    participants (round_id, code) {
        round_id -> Text,
        code -> Text,
        name -> Text,
        population -> Nullable<Integer>,
        weight -> Text,
    }
}

diesel::table! {
    memberships (round_id, participant_code, column_name) {
        round_id -> Text,
        participant_code -> Text,
        position -> Integer,
        column_name -> Text,
        value -> Text,
    }
}

diesel::table! {
    log_entries (round_id, sequence) {
        round_id -> Text,
        sequence -> BigInt,
        at -> Timestamp,
        kind -> Text,
        participant_code -> Nullable<Text>,
        revision -> Nullable<Integer>,
        event -> Text,
        hash -> Text,
    }
}

diesel::table! {
    ballots (round_id, participant_code) {
        round_id -> Text,
        participant_code -> Text,
        revision -> Integer,
        sequence -> BigInt,
        ranking -> Nullable<Text>,
        answered_at -> Nullable<Timestamp>,
        synthetic -> Bool,
    }
}

diesel::table! {
    private_texts (round_id, sequence, field) {
        round_id -> Text,
        sequence -> BigInt,
        field -> Text,
        salt -> Text,
        text -> Text,
    }
}

diesel::table! {
    log_subtrees (round_id, level, position) {
        round_id -> Text,
        level -> Integer,
        position -> BigInt,
        hash -> Text,
    }
}

diesel::table! {
    audit_entries (sequence) {
        sequence -> BigInt,
        at -> Timestamp,
        operation -> Text,
        outcome -> Text,
        client -> Nullable<Text>,
        target_id -> Nullable<Text>,
        organisation -> Nullable<Text>,
        round_id -> Nullable<Text>,
        participant_code -> Nullable<Text>,
        covers -> Nullable<BigInt>,
        event -> Text,
        hash -> Text,
    }
}

diesel::table! {
    audit_chain (id) {
        id -> Integer,
        sequence -> BigInt,
        head -> Text,
    }
}

diesel::table! {
    registry (id) {
        id -> Integer,
        version -> BigInt,
    }
}

diesel::table! {
    clients (id) {
        id -> Text,
        kind -> Text,
        participant -> Nullable<Text>,
        scopes -> Text,
        name -> Text,
        auth_method -> Text,
        created_at -> Timestamp,
        disabled_at -> Nullable<Timestamp>,
        revision -> Integer,
    }
}

diesel::table! {
    client_credentials (client_id, id) {
        client_id -> Text,
        id -> Text,
        value -> Text,
        created_at -> Timestamp,
        ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    used_assertions (client_id, jti) {
        client_id -> Text,
        jti -> Text,
        ends -> BigInt,
    }
}

diesel::table! {
    token_keys (kid) {
        kid -> Text,
        public -> Text,
        created_at -> Timestamp,
        signs_from -> Timestamp,
        retires_at -> Nullable<Timestamp>,
    }
}
