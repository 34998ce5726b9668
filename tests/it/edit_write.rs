//! Files on the disk: whole, old or new, whatever happens.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use portplan::compose::environment::Environment;
use portplan::compose::project::Request;
use portplan::compose::reading::Reading;
use portplan::edit::{Changes, Destination, Format, Options, Patch, Workspace, WriteError, write};
use portplan::plan::Move;
use portplan::source::Disk;

use crate::edit_common::publishes;

/// The changes that add 1 to every published port of the projects below a folder.
fn next(folder: &Utf8Path, files: &[&str]) -> Changes {
    let request = |file: &&str| Request {
        files: vec![Utf8PathBuf::from(*file)],
        ..Request::default()
    };
    let reading = Reading {
        requests: files.iter().map(request).collect(),
        shell: Environment::default(),
        cwd: folder.to_owned(),
        stdin: None,
    };
    let projects = reading.load(&Disk);
    let workspace = Workspace {
        reading: &reading,
        files: &Disk,
        projects: &projects,
    };
    let moves: Vec<Move> = publishes(&projects)
        .into_iter()
        .map(|publish| {
            let published = publish.of(&projects).2.published.as_deref().unwrap();
            let from = published.parse::<u16>().unwrap();
            Move {
                publish,
                from: published.parse().unwrap(),
                to: (from + 1).to_string().parse().unwrap(),
            }
        })
        .collect();
    let changes = workspace.changes(&moves, Destination::Compose);
    workspace.prove(&moves, &changes).unwrap();
    assert_eq!(changes.refusals, []);
    changes
}

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().canonicalize().unwrap();
    let path = Utf8PathBuf::from_path_buf(path).unwrap();
    (home, path)
}

fn compose(port: u16) -> String {
    format!("services:\n  web:\n    image: x # é\n    ports: ['{port}:80']\n")
}

fn names(folder: &Utf8Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn patches_are_written() {
    let (_home, folder) = folder();
    for name in ["a.yaml", "b.yaml"] {
        fs::write(folder.join(name), compose(8080)).unwrap();
    }
    let changes = next(&folder, &["a.yaml", "b.yaml"]);
    let written = write(&changes.patches, Options::default()).unwrap();
    assert_eq!(written.files, ["a.yaml", "b.yaml"]);
    for name in ["a.yaml", "b.yaml"] {
        assert_eq!(
            fs::read_to_string(folder.join(name)).unwrap(),
            compose(8081)
        );
    }
    assert_eq!(names(&folder), ["a.yaml", "b.yaml"]);
}

#[test]
fn backups_never_replace_older_ones() {
    let (_home, folder) = folder();
    fs::write(folder.join("a.yaml"), compose(8080)).unwrap();
    for (name, port) in [("a.yaml.bak", 8080), ("a.yaml.bak.1", 8081)] {
        let changes = next(&folder, &["a.yaml"]);
        let written = write(&changes.patches, Options { backup: true }).unwrap();
        assert_eq!(written.backups, [folder.join(name)]);
        assert_eq!(
            fs::read_to_string(folder.join(name)).unwrap(),
            compose(port)
        );
    }
    assert_eq!(names(&folder), ["a.yaml", "a.yaml.bak", "a.yaml.bak.1"]);
}

#[test]
fn a_file_that_has_changed_is_left_alone_and_so_are_the_others() {
    let (_home, folder) = folder();
    for name in ["a.yaml", "b.yaml"] {
        fs::write(folder.join(name), compose(8080)).unwrap();
    }
    let changes = next(&folder, &["a.yaml", "b.yaml"]);
    fs::write(folder.join("b.yaml"), compose(9090)).unwrap();
    let error = write(&changes.patches, Options::default()).unwrap_err();
    assert!(matches!(error, WriteError::Changed(file) if file == "b.yaml"));
    assert_eq!(
        fs::read_to_string(folder.join("a.yaml")).unwrap(),
        compose(8080)
    );
    assert_eq!(names(&folder), ["a.yaml", "b.yaml"]);
}

#[test]
fn a_new_file_does_not_replace_one_that_has_appeared() {
    let (_home, folder) = folder();
    fs::write(folder.join("a.yaml"), compose(8080)).unwrap();
    let mut changes = next(&folder, &["a.yaml"]);
    let env = Patch::of(
        folder.join(".env"),
        ".env".into(),
        Format::Env,
        None,
        Vec::new(),
    );
    changes.patches.push(env);
    fs::write(folder.join(".env"), "A=1\n").unwrap();
    let error = write(&changes.patches, Options::default()).unwrap_err();
    assert!(matches!(error, WriteError::Appeared(file) if file == ".env"));
    assert_eq!(
        fs::read_to_string(folder.join("a.yaml")).unwrap(),
        compose(8080)
    );
}

#[cfg(unix)]
#[test]
fn mode_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (_home, folder) = folder();
    fs::create_dir(folder.join("real")).unwrap();
    let target = folder.join("real/stack.yaml");
    fs::write(&target, compose(8080)).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/stack.yaml", folder.join("a.yaml")).unwrap();
    // two projects, one file
    let changes = next(&folder, &["a.yaml", "real/stack.yaml"]);
    assert_eq!(changes.patches.len(), 1);
    write(&changes.patches, Options::default()).unwrap();
    let link = fs::symlink_metadata(folder.join("a.yaml")).unwrap();
    assert!(link.file_type().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), compose(8081));
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(names(&folder), ["a.yaml", "real"]);
    assert_eq!(names(&folder.join("real")), ["stack.yaml"]);
}

#[cfg(unix)]
#[test]
fn read_only_files_are_named_and_nothing_is_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_home, folder) = folder();
    for name in ["a.yaml", "b.yaml"] {
        fs::write(folder.join(name), compose(8080)).unwrap();
    }
    fs::set_permissions(folder.join("b.yaml"), fs::Permissions::from_mode(0o444)).unwrap();
    let changes = next(&folder, &["a.yaml", "b.yaml"]);
    let error = write(&changes.patches, Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`b.yaml` may not be written: make it writable (`chmod u+w b.yaml`, as its owner), or use \
         --into override"
    );
    assert_eq!(
        fs::read_to_string(folder.join("a.yaml")).unwrap(),
        compose(8080)
    );
}

#[cfg(unix)]
#[test]
fn what_was_written_is_put_back_when_a_later_file_cannot_be() {
    let (_home, folder) = folder();
    fs::write(folder.join("a.yaml"), compose(8080)).unwrap();
    let mut changes = next(&folder, &["a.yaml"]);
    // a folder in the place of the second file: it is not there when it is looked for, and in the
    // way when it is to be made
    let patch = Patch::of(
        folder.join("z/.env"),
        "z/.env".into(),
        Format::Env,
        None,
        Vec::new(),
    );
    changes.patches.push(patch);
    let error = write(&changes.patches, Options::default()).unwrap_err();
    assert!(matches!(error, WriteError::Folder { .. }), "{error}");
    assert_eq!(
        fs::read_to_string(folder.join("a.yaml")).unwrap(),
        compose(8080)
    );
    assert_eq!(names(&folder), ["a.yaml"]);
}

/// The name of the variable that makes the next test a writer, not a judge.
#[cfg(target_os = "linux")]
const WRITER: &str = "PORTPLAN_TEST_WRITER";

/// Two files that are moved back and forth, large enough to be torn.
#[cfg(target_os = "linux")]
const TORN: [&str; 2] = ["a.yaml", "b.yaml"];

#[cfg(target_os = "linux")]
fn large(port: u16) -> String {
    compose(port) + &"# filler\n".repeat(20_000)
}

/// The process that [`a_killed_writer_leaves_each_file_whole`] kills: it writes without end.
#[cfg(target_os = "linux")]
#[test]
fn writer() {
    use portplan::edit::{Edit, Scope};

    let Some(folder) = std::env::var_os(WRITER) else {
        return;
    };
    let folder = Utf8PathBuf::from_path_buf(folder.into()).unwrap();
    let at = compose(8080).find("8080").unwrap();
    let patch = |name: &str| {
        let path = folder.join(name);
        let before = fs::read(&path).unwrap();
        let new = if &before[at..at + 4] == b"8080" {
            "8081"
        } else {
            "8080"
        };
        let edit = Edit {
            range: at..at + 4,
            bytes: new.into(),
            scope: Scope::Number,
        };
        let edits = vec![edit];
        Patch::of(path, name.into(), Format::Yaml, Some(before), edits)
    };
    fs::write(folder.join("ready"), "").unwrap();
    loop {
        write(&TORN.map(patch), Options::default()).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_writer_leaves_each_file_whole() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    const TIMES: u32 = 500;
    let (_home, folder) = folder();
    for name in TORN {
        fs::write(folder.join(name), large(8080)).unwrap();
    }
    let texts = [8080, 8081].map(large);
    let state = |name: &str| {
        let found = fs::read_to_string(folder.join(name)).unwrap();
        let whole = texts.iter().position(|text| *text == found);
        whole.unwrap_or_else(|| panic!("{name} is torn: {} bytes", found.len()))
    };
    let mut seed = 0x9e37_79b9_u64;
    let (mut half, mut left) = (0, 0);
    for _ in 0..TIMES {
        let ready = folder.join("ready");
        let _ = fs::remove_file(&ready);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "edit_write::writer", "--nocapture"])
            .env(WRITER, &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !ready.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the writer gave up");
            std::thread::sleep(Duration::from_micros(200));
        }
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros(seed >> 33 & 0x3fff));
        child.kill().unwrap();
        child.wait().unwrap();
        half += u32::from(state("a.yaml") != state("b.yaml"));
        left += u32::from(names(&folder).len() > 3);
    }
    crate::common::say(&format!(
        "killed: {TIMES} writers, each file whole each time; {half} were between two files, {left} \
         left a temporary file"
    ));
    // what they left behind goes with the next run, which says what is left to do
    for name in TORN {
        fs::write(folder.join(name), compose(8080)).unwrap();
    }
    let changes = next(&folder, &TORN);
    write(&changes.patches, Options::default()).unwrap();
    assert_eq!(names(&folder), ["a.yaml", "b.yaml", "ready"]);
}
