//! What a release has, as `ci/package` has just made it; `PORTPLAN_TEST_PACKAGES` is its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{root, say};

/// The folder that `ci/package` filled; none, and a word on it, where that was not done.
pub fn packages() -> Option<PathBuf> {
    let folder = std::env::var_os("PORTPLAN_TEST_PACKAGES").map(PathBuf::from);
    if folder.is_none() {
        say("skipped: the packages of a release, for there are none (PORTPLAN_TEST_PACKAGES)");
    }
    folder.map(|folder| folder.canonicalize().unwrap())
}

/// Runs a program that must end well; what it printed.
pub fn run(program: impl AsRef<Path>, args: &[&str], cwd: &Path) -> String {
    let command = Command::new(program.as_ref())
        .args(args)
        .current_dir(cwd)
        .output();
    let output = command.unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The archive, unpacked.
fn unpacked(packages: &Path, into: &Path) -> PathBuf {
    let files = fs::read_dir(packages).unwrap();
    let mut files = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let archive = files.find(|name| name.ends_with(".tar.gz")).unwrap();
    let path = packages.join(&archive);
    run("tar", &["xzf", path.to_str().unwrap()], into);
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        archive.starts_with(&format!("portplan-{version}-")),
        "{archive}"
    );
    into.join(archive.trim_end_matches(".tar.gz"))
}

/// True if a program of 64 bits asks for no loader of shared libraries: it is static.
fn is_static(program: &[u8]) -> bool {
    let number = |at: usize, bytes: usize| {
        let bytes = program[at..at + bytes].iter().rev();
        bytes.fold(0_usize, |all, byte| all << 8 | usize::from(*byte))
    };
    assert_eq!(&program[..5], b"\x7fELF\x02");
    let (start, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    let kinds: Vec<usize> = (0..count).map(|it| number(start + it * size, 4)).collect();
    assert!(kinds.contains(&1), "something is loaded: {kinds:?}");
    !kinds.contains(&3)
}

#[test]
fn the_archive_is_whole_and_its_program_static() {
    let Some(packages) = packages() else { return };
    let folder = tempfile::tempdir().unwrap();
    let archive = unpacked(&packages, folder.path());
    let program = archive.join("portplan");
    if archive.to_str().unwrap().ends_with("-musl") {
        assert!(is_static(&fs::read(&program).unwrap()));
    } else {
        say("skipped: is the program static? There is no target for that");
    }
    for file in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        assert_eq!(
            fs::read(archive.join(file)).unwrap(),
            fs::read(root().join(file)).unwrap()
        );
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = archive.join(format!("completions/portplan.{shell}"));
        let script = fs::read_to_string(script).unwrap();
        assert!(script.contains("force-exclude"), "{shell}: {script}");
    }
    run("bash", &["-n", "completions/portplan.bash"], &archive);
    for page in ["portplan", "portplan-check", "portplan-fix"] {
        let page = fs::read_to_string(archive.join(format!("man/{page}.1"))).unwrap();
        assert!(page.contains(".TH portplan"), "{page}");
    }
    let version = format!("portplan {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&program, &["--version"], root().as_path()), version);
    // as the program of these tests
    let list = ["list", "--format", "json", "fixtures/corpus/own"];
    let mut own = Command::new(env!("CARGO_BIN_EXE_portplan"));
    let own = own.args(list).current_dir(root()).output().unwrap();
    let theirs = Command::new(&program)
        .args(list)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(own.stdout.len() > 1000 && own.stdout == theirs.stdout);
    assert_eq!(own.status, theirs.status);
}
