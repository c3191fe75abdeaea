//! Any bytes as a ballot file of any format: no panic, and what could be read is written and read back the same.
#![no_main]

use handslag::ballotfile::{Format, Options, read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, content)) = bytes.split_first() else { return };
    // The first byte chooses the format; beyond them the content tells it.
    let format = Format::ALL.get(usize::from(choice)).copied();
    let options = Options { format, keep_participants: choice >= 128, ..Options::default() };
    let Ok(ballots) = read("x", Box::new(std::io::Cursor::new(content.to_vec())), &options) else { return };
    for format in Format::ALL {
        let mut written = Vec::new();
        if write(format, &ballots, &mut written).is_err() {
            continue;
        }
        // The candidates are given, because some formats hold only those that ballots name.
        let numbered = matches!(format, Format::Soc | Format::Soi | Format::Toc | Format::Toi | Format::Blt);
        let candidates = Some(&*ballots.candidates).filter(|_| !numbered);
        let options = Options { format: Some(format), candidates, ..Options::default() };
        let again = read("x", Box::new(std::io::Cursor::new(written)), &options).expect("what was written is read");
        assert_eq!(again.profile, ballots.profile, "{format:?}");
    }
});
