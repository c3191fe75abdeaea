//! The `handslag` program, run in a folder of its own with an environment of its own.
//!
//! Files are given by names without a path, so what the program says of them is the same on every machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder to run the program in; its data goes to `data` there.
pub(crate) struct Program {
    folder: TempDir,
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Program {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A folder with the small round `liten` as a draft: four municipalities, four initiatives, one to three picks.
    pub(crate) fn with_draft() -> Self {
        let program = Self::new();
        program.write_round("round.toml");
        program.run(&["round", "create", "round.toml"]).is(0);
        program
    }

    /// The same, opened.
    pub(crate) fn with_open_round() -> Self {
        let program = Self::with_draft();
        program.run(&["round", "open", "liten"]).is(0);
        program
    }

    /// Writes the files of the small round.
    pub(crate) fn write_round(&self, definition: &str) {
        self.write(definition, ROUND);
        self.write("initiatives.csv", INITIATIVES);
        self.write("participants.csv", PARTICIPANTS);
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it on the folder's data.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(&[], &[&["--data-dir", "data"], arguments].concat())
    }

    /// Runs it with these variables and nothing else.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handslag"));
        command.env_clear().envs(variables.iter().copied()).current_dir(self.folder.path());
        Ran::of(command.args(arguments).output().unwrap())
    }

    /// Starts the service on the folder's data, which is to fail; `under` are arguments of another program that becomes
    /// it. One that starts is stopped after a minute, with another code.
    pub(crate) fn serve(&self, under: &[&str], arguments: &[&str]) -> Ran {
        let own = [env!("CARGO_BIN_EXE_handslag"), "--data-dir", "data", "serve", "--bind", "127.0.0.1:0"];
        let line = [&["timeout", "60"], under, &own, arguments].concat();
        let output = Command::new(line[0]).args(&line[1..]).current_dir(self.folder.path()).output().unwrap();
        Ran::of(output)
    }

    /// The small round as `round show` tells it.
    #[track_caller]
    pub(crate) fn round(&self) -> Value {
        self.run(&["round", "show", "liten"]).is(0).json()
    }
}

impl Ran {
    fn of(Output { status, stdout, stderr }: Output) -> Self {
        Self {
            code: status.code().expect("the program ends by itself"),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// What it did, if it ended with this code; else the test fails and shows what it said.
    #[track_caller]
    pub(crate) fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nout: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON: {error}\n{self:?}"))
    }

    /// Place and code of every fault on standard error: `ballots.csv:2:3 ranked-twice`.
    pub(crate) fn faults(&self) -> Vec<String> {
        let told = |line: &str| {
            let mut parts = line.split(": ");
            let place = parts.next().unwrap_or_default();
            // Files of definitions name the member between place and code.
            let last = parts.clone().take_while(|part| !part.contains(' ')).last().unwrap_or_default();
            format!("{place} {last}")
        };
        self.err.lines().filter(|line| !line.starts_with("handslag: ")).map(told).collect()
    }
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_str().unwrap().to_owned()
}

/// The small round's definition.
pub(crate) const ROUND: &str = r#"id = "liten"
titleSv = "Liten omgång"
titleEn = "Small round"
opensAt = 2150-03-02T08:00:00+01:00
closesAt = 2150-03-31T23:59:59+02:00
picksMin = 1
picksMax = 3
cut = 2
"#;

/// The small round's initiatives.
pub(crate) const INITIATIVES: &str = "\
id,number,titleSv,titleEn,status
ett,1,Ett,One,documented
tva,2,Två,Two,documented
tre,3,Tre,Three,example
fyra,4,Fyra,Four,example
";

/// The small round's roll.
pub(crate) const PARTICIPANTS: &str = "\
code,name,population,county
0180,Stockholm,995574,01
0980,Gotland,60852,09
1280,Malmö,365644,12
2584,Kiruna,22267,25
";
