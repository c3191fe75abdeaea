//! Settings, help and exit codes, through the program.
//!
//! A setting that is misspelt must not silently be the default, and a password must not be printed by the command
//! that people paste into reports.

use std::collections::BTreeSet;

use crate::program::{Program, Ran, repository};

/// The commands that the program's own help lists, those of commands too: `round create`.
fn commands(program: &Program, of: &[&str]) -> Vec<Vec<String>> {
    let help = program.run(&[of, &["--help"]].concat()).is(0).out;
    let Some((_, listed)) = help.split_once("\nCommands:\n") else {
        return vec![of.iter().map(ToString::to_string).collect()];
    };
    let names = listed.lines().take_while(|line| !line.is_empty());
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.flat_map(|name| commands(program, &[of, &[name]].concat())).collect()
}

/// The example at the end of a help text, without redirections.
fn example(help: &str) -> Vec<String> {
    let (_, example) = help.rsplit_once("Example: ").unwrap_or_else(|| panic!("no example:\n{help}"));
    let (_, arguments) = example.split_once("handslag ").unwrap();
    let arguments = arguments.split([')', '>']).next().unwrap_or_default();
    arguments.split_whitespace().map(ToOwned::to_owned).collect()
}

#[test]
fn every_command_has_help_with_an_example_of_itself() {
    let program = Program::new();
    let commands = commands(&program, &[]);
    let names: BTreeSet<String> = commands.iter().map(|command| command.join(" ")).collect();
    for expected in
        ["serve", "token", "round create", "round list", "ballots import", "tally", "export", "config"]
    {
        assert!(names.contains(expected), "{expected} is not among {names:?}");
    }
    for command in &commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = program.run(&arguments).is(0).out;
        let example = example(&help);
        assert_eq!(example[..command.len()], command[..], "the example is of another command");
        assert!(help.contains("Usage: handslag"), "{help}");
    }
    assert!(program.run(&["--help"]).is(0).out.contains("Exit codes: 0 done, 1 refused, 2 wrong usage, 3 "));
}

#[test]
fn help_shows_the_servers_settings_where_they_do_something() {
    let program = Program::new();
    let shown = |command: &str| program.run(&[command, "--help"]).is(0).out.contains("--data-dir");
    for command in ["serve", "token", "export", "doctor", "config"] {
        assert!(shown(command), "{command}");
    }
    for command in ["tally", "convert", "login", "logout", "submit", "withdraw", "status", "results"] {
        assert!(!shown(command), "{command}");
    }
    // They are taken there all the same, so that a script can give them to every command.
    program.run(&["logout", "--data-dir", "elsewhere", "--help"]).is(0);
}

#[test]
fn every_example_is_taken_as_it_stands() {
    let program = Program::new();
    program.write("ballots.csv", "participantCode,rank1,rank2,rank3,rank4,rank5\n");
    std::os::unix::fs::symlink(repository("fixtures"), program.path("fixtures")).unwrap();
    for command in commands(&program, &[]).iter().filter(|command| command[0] != "serve") {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let example = example(&program.run(&arguments).out);
        let ran = program.run(&example.iter().map(String::as_str).collect::<Vec<_>>());
        // What it does depends on what is there; that it is understood does not.
        assert!(!ran.err.contains("Usage:"), "{example:?}: {}", ran.err);
    }
}

#[test]
fn exit_codes_tell_refusal_usage_and_failure_apart() {
    let program = Program::with_draft();
    program.run(&["config"]).is(0);
    program.run(&["round", "show", "liten"]).is(0);
    // Refused: what was given, or the state of the round.
    program.run(&["round", "show", "stor"]).is(1);
    program.run(&["round", "close", "liten"]).is(1);
    program.run(&["token", "--municipality", "01"]).is(1);
    // Wrong usage.
    program.run(&[]).is(2);
    program.run(&["rounds"]).is(2);
    program.run(&["round", "show", "Not An Id"]).is(2);
    program.run(&["round", "list", "--page", "0"]).is(2);
    program.run(&["export", "--round", "liten", "--format", "xlsx"]).is(2);
    // A file, the database or the network failed.
    program.run(&["tally", "none.csv"]).is(3);
    program.run(&["round", "create", "nowhere"]).is(3);
    program.run(&["--database", "postgres://nobody@127.0.0.1:1/none", "round", "list"]).is(3);
    program.write("file", "");
    program.run(&["--database", "sqlite:file/handslag.db", "round", "list"]).is(3);
    program.write("notes.db", "This is no database. ".repeat(100));
    program.run(&["--database", "sqlite:notes.db", "round", "list"]).is(3);
}

#[test]
fn a_refusal_says_why_on_standard_error_alone() {
    let program = Program::with_draft();
    let refused = program.run(&["round", "show", "stor"]).is(1);
    assert_eq!((refused.out.as_str(), refused.err.as_str()), ("", "there is no such round\n"));
}

/// The line of one setting, as `config` prints it.
#[track_caller]
fn setting(ran: Ran, name: &str) -> String {
    let out = ran.is(0).out;
    let mut lines = out.lines().filter_map(|line| line.strip_prefix(&format!("{name} = ")));
    let line = lines.next().unwrap_or_else(|| panic!("{name} is not in\n{out}"));
    line.to_owned()
}

#[test]
fn config_tells_every_setting_and_where_it_came_from() {
    let program = Program::new();
    program.write(
        "handslag.toml",
        "bind = \"127.0.0.1:9000\"\nworkers = 7\nlogLevel = \"warn\"\npublicUrl = \"https://a.example\"\n",
    );
    let variables =
        [("HANDSLAG_WORKERS", "5"), ("HANDSLAG_LOG_LEVEL", "error"), ("HANDSLAG_CONFIG", "handslag.toml")];
    let arguments = ["config", "--workers", "3", "--data-dir", "elsewhere"];
    let told = program.run_with(&variables, &arguments).is(0).out;
    // A flag goes before a variable, that before the file, that before the default.
    assert_eq!(
        told,
        "dataDir = \"elsewhere\"  # flag or environment\n\
         bind = \"127.0.0.1:9000\"  # file\n\
         database = \"sqlite:elsewhere/handslag.db\"  # default\n\
         readDatabase = \"sqlite:elsewhere/handslag.db\"  # default\n\
         publicUrl = \"https://a.example\"  # file\n\
         workers = 3  # flag or environment\n\
         logLevel = \"error\"  # flag or environment\n\
         logFormat = \"text\"  # default on a terminal; json elsewhere\n\
         auditRetentionDays = 730  # default\n\
         trustedProxies = []  # default\n\
         corsOrigins = []  # default\n\
         limits.enabled = true  # default\n\
         limits.clientRate = 50  # default\n\
         limits.clientBurst = 500  # default\n\
         limits.addressRate = 500  # default\n\
         limits.addressBurst = 5000  # default\n\
         limits.addressConnections = 1000  # default\n"
    );
    // What it prints is a settings file that says the same.
    program.write("again.toml", &told);
    let again = program.run_with(&[], &["config", "--config", "again.toml"]).is(0).out;
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(values(&again), values(&told));
}

#[test]
fn the_defaults_are_those_of_the_help() {
    let program = Program::new();
    let defaults = || program.run_with(&[], &["config"]);
    assert_eq!(setting(defaults(), "dataDir"), "\"./data\"  # default");
    assert_eq!(setting(defaults(), "bind"), "\"127.0.0.1:8080\"  # default");
    assert_eq!(setting(defaults(), "database"), "\"sqlite:./data/handslag.db\"  # default");
    assert_eq!(setting(defaults(), "readDatabase"), "\"sqlite:./data/handslag.db\"  # default");
    assert_eq!(setting(defaults(), "publicUrl"), "\"http://127.0.0.1:8080\"  # default");
    assert_eq!(setting(defaults(), "logLevel"), "\"info\"  # default");
    assert!(!program.path("data").exists(), "to tell the settings makes nothing");
}

#[track_caller]
fn check_masked(url: &str, shown: &str) {
    let program = Program::new();
    for ran in [
        program.run_with(&[], &["--database", url, "config"]),
        program.run_with(&[("HANDSLAG_DATABASE", url)], &["config"]),
    ] {
        assert_eq!(setting(ran, "database"), format!("{shown:?}  # flag or environment"));
    }
    let plain = ["--database", "postgres://h@db/handslag"];
    for ran in [
        program.run_with(&[], &[&plain[..], &["--read-database", url, "config"]].concat()),
        program.run_with(&[("HANDSLAG_READ_DATABASE", url)], &[&plain[..], &["config"]].concat()),
    ] {
        assert_eq!(setting(ran, "readDatabase"), format!("{shown:?}  # flag or environment"));
    }
    // Without one of its own it is the database's, as secret as that.
    let ran = program.run_with(&[], &["--database", url, "config"]);
    assert_eq!(setting(ran, "readDatabase"), format!("{shown:?}  # default"));
}

#[test]
fn reads_go_another_way_only_to_the_same_kind_of_database() {
    let program = Program::new();
    let postgres = "postgres://h:hemligt@db/handslag";
    for arguments in [
        ["--database", "sqlite:a.db", "--read-database", postgres],
        ["--database", postgres, "--read-database", "sqlite:a.db"],
        ["--database", "sqlite:a.db", "--read-database", "sqlite:b.db"],
        ["--database", postgres, "--read-database", "db/handslag"],
    ] {
        let refused = program.run(&[&arguments[..], &["config"]].concat()).is(2);
        assert!(refused.err.contains("read-database: "), "{arguments:?}: {}", refused.err);
        assert!(!refused.err.contains("hemligt"), "{arguments:?}: {}", refused.err);
    }
    program.write("handslag.toml", format!("database = \"{postgres}\"\nreadDatabase = \"{postgres}?a=b\"\n"));
    let shown = "\"postgres://h:***@db/handslag?a=b\"  # file";
    assert_eq!(setting(program.run(&["--config", "handslag.toml", "config"]), "readDatabase"), shown);
}

#[test]
fn passwords_are_masked_wherever_they_stand() {
    check_masked("postgres://h:hemligt@db.example/handslag", "postgres://h:***@db.example/handslag");
    check_masked("postgresql://h:hem@ligt@db/handslag", "postgresql://h:***@db/handslag");
    check_masked(
        "postgres://h:a:b@db:5432/handslag?sslmode=require",
        "postgres://h:***@db:5432/handslag?sslmode=require",
    );
    check_masked(
        "postgres://db/handslag?user=h&password=hemligt",
        "postgres://db/handslag?user=h&password=***",
    );
    check_masked("postgres://h@db/x?sslpassword=hemligt&a=b", "postgres://h@db/x?sslpassword=***&a=b");
    check_masked("postgres://h@db/handslag", "postgres://h@db/handslag");
    check_masked(
        "postgres://h:hemligt@a:5432,b:5433/handslag?target_session_attrs=read-write&connect_timeout=2",
        "postgres://h:***@a:5432,b:5433/handslag?target_session_attrs=read-write&connect_timeout=2",
    );
}

#[test]
fn a_password_with_a_question_mark_is_masked() {
    // PostgreSQL's own reader of addresses takes everything up to the @ for user and password.
    check_masked("postgres://h:hem?ligt@db/handslag", "postgres://h:***@db/handslag");
}

#[test]
fn help_does_not_show_the_database_of_the_environment() {
    let program = Program::new();
    let variables = [("HANDSLAG_DATABASE", "postgres://h:hemligt@db/handslag")];
    let help = program.run_with(&variables, &["--help"]).is(0).out;
    assert!(help.contains("HANDSLAG_DATABASE") && !help.contains("hemligt"), "{help}");
}

#[test]
fn an_unknown_key_of_the_file_is_an_error() {
    let program = Program::new();
    program.write("handslag.toml", "bind = \"127.0.0.1:9000\"\nworkerss = 7\n");
    let refused = program.run(&["--config", "handslag.toml", "config"]).is(2);
    assert_eq!(refused.out, "");
    assert!(refused.err.contains("handslag.toml") && refused.err.contains("workerss"), "{}", refused.err);
    assert!(refused.err.contains("line 2"), "{}", refused.err);
}

#[test]
fn an_unknown_key_does_not_show_its_value() {
    let program = Program::new();
    program.write("handslag.toml", "databse = \"postgres://h:hemligt@db/handslag\"\n");
    let refused = program.run(&["--config", "handslag.toml", "config"]).is(2);
    assert!(refused.err.contains("databse") && !refused.err.contains("hemligt"), "{}", refused.err);
}

#[test]
fn a_line_that_is_no_setting_does_not_show_what_is_in_it() {
    let program = Program::new();
    program.write("handslag.toml", "database: \"postgres://h:hemligt@db/handslag\"\n");
    let refused = program.run(&["--config", "handslag.toml", "config"]).is(2);
    assert!(refused.err.contains("line 1") && !refused.err.contains("hemligt"), "{}", refused.err);
}

#[test]
fn metrics_are_told_nowhere_unless_an_address_is_given() {
    let program = Program::new();
    assert!(!program.run(&["config"]).is(0).out.contains("metrics"));
    let variables = [("HANDSLAG_METRICS_BIND", "127.0.0.1:9464")];
    let given = setting(program.run_with(&variables, &["config"]), "metricsBind");
    assert_eq!(given, "\"127.0.0.1:9464\"  # flag or environment");
    program.write("handslag.toml", "metricsBind = \"[::1]:9464\"\n");
    let filed = setting(program.run(&["--config", "handslag.toml", "config"]), "metricsBind");
    assert_eq!(filed, "\"[::1]:9464\"  # file");
}

#[test]
fn many_can_start_on_a_new_database_at_once() {
    let program = Program::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| program.run(&["round", "list"]).is(0));
        }
    });
}

#[test]
fn an_unknown_variable_of_ours_is_an_error() {
    let program = Program::new();
    let refused = program.run_with(&[("HANDSLAG_DATABSE", "sqlite:x.db")], &["config"]).is(2);
    assert!(refused.err.contains("HANDSLAG_DATABSE") && !refused.err.contains("x.db"), "{}", refused.err);
    program.run_with(&[("OTHER_DATABSE", "x"), ("HANDSLAGET", "x")], &["config"]).is(0);
}

#[test]
fn values_that_make_no_sense_are_refused_by_name() {
    let program = Program::new();
    for (arguments, name) in [
        (["--workers", "0"], "workers"),
        (["--workers", "many"], "--workers"),
        (["--bind", "localhost"], "--bind"),
        (["--metrics-bind", "9464"], "--metrics-bind"),
        (["--database", "handslag.db"], "database"),
        (["--database", "mysql://db/handslag"], "database"),
        (["--database", "sqlite:"], "database"),
        (["--public-url", "https://a.example/api"], "public-url"),
        (["--public-url", "a.example"], "public-url"),
        (["--log-level", "loud"], "--log-level"),
    ] {
        let refused = program.run(&[&arguments[..], &["config"]].concat()).is(2);
        assert!(refused.err.contains(name), "{arguments:?}: {}", refused.err);
    }
    program.write("handslag.toml", "workers = \"seven\"\n");
    assert!(program.run(&["--config", "handslag.toml", "config"]).is(2).err.contains("workers"));
}
