//! Files that commands write: packed if their name says so, and never a half one in the place of another.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Failure;

/// Writes a file. Where it replaces one, beside it first, so that a failure leaves what was there.
pub(super) fn write(
    path: &Path,
    replace: bool,
    content: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = path.display().to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let target = if replace { Path::new(&beside) } else { path };
    let mut options = File::options();
    options.write(true).create_new(!replace).create(replace).truncate(replace);
    // What is written holds ballots, and a ballot book may be closed: for its owner, who can widen it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(target).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => there_already(&name),
        _ => Failure::failed(format!("{name}: {error}")),
    })?;
    let failed = |error: io::Error| Failure::failed(format!("{name}: {error}"));
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let mut file = BufWriter::new(file);
    let written = if packed {
        let mut packed = GzEncoder::new(file, Compression::default());
        content(&mut packed).and_then(|()| packed.finish().and_then(|mut file| file.flush()).map_err(failed))
    } else {
        content(&mut file).and_then(|()| file.flush().map_err(failed))
    };
    let placed =
        written.and_then(|()| if replace { std::fs::rename(target, path).map_err(failed) } else { Ok(()) });
    placed.inspect_err(|_| {
        // What was begun is of no use; that it cannot be removed either is no second failure.
        let _ = std::fs::remove_file(target);
    })
}

/// That something is there which would be lost.
pub(super) fn there_already(name: &str) -> Failure {
    Failure::refused(format!("{name}: is there already; --force replaces it"))
}
