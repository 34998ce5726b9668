//! The first minutes of somebody who has pip, git and pre-commit, and no Rust: with the wheel just
//! built and the real pre-commit.
//!
//! `PORTPLAN_TEST_PACKAGES` is the folder that `ci/package` filled, `PORTPLAN_TEST_PYTHON` the folder of a virtual
//! environment with pre-commit; `.ci/run` makes both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::common::say;

const BAD: &str =
    "services:\n  a: {image: i, ports: ['8080:80']}\n  b: {image: i, ports: ['8080:80']}\n";
const GOOD: &str = "services:\n  a: {image: i, ports: ['8080:80']}\n";

/// What all commands of these tests share.
struct Desk {
    python: PathBuf,
    wheels: PathBuf,
    /// Where pip and pre-commit keep what they install.
    home: PathBuf,
    /// The commit of the hooks.
    rev: String,
}

/// A git repository of the newcomer's.
struct Repository<'d> {
    desk: &'d Desk,
    folder: tempfile::TempDir,
}

/// The desk, one for all tests; none, and a word on it, where there is no wheel.
fn desk() -> Option<&'static Desk> {
    static DESK: OnceLock<Option<Desk>> = OnceLock::new();
    let desk = DESK.get_or_init(Desk::set_up).as_ref();
    if desk.is_none() {
        say(
            "skipped: the newcomer, for there is no wheel (PORTPLAN_TEST_PACKAGES, PORTPLAN_TEST_PYTHON)",
        );
    }
    desk
}

impl Desk {
    /// Makes the hooks of this checkout, as they are, committed or not, a repository of their own.
    fn set_up() -> Option<Self> {
        let folder = |name| std::env::var_os(name).map(PathBuf::from);
        let (python, wheels) =
            folder("PORTPLAN_TEST_PYTHON").zip(folder("PORTPLAN_TEST_PACKAGES"))?;
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("newcomer");
        // of an earlier run
        let _ = fs::remove_dir_all(&home);
        let hooks = home.join("hooks");
        fs::create_dir_all(&hooks).unwrap();
        let mut desk = Self {
            python: python.canonicalize().unwrap(),
            wheels: wheels.canonicalize().unwrap(),
            home,
            rev: String::new(),
        };
        for file in [".pre-commit-hooks.yaml", "pyproject.toml"] {
            fs::copy(
                Path::new(env!("CARGO_MANIFEST_DIR")).join(file),
                hooks.join(file),
            )
            .unwrap();
        }
        desk.run(&hooks, &["git", "init", "-q", "-b", "main"]);
        desk.run(&hooks, &["git", "add", "-A"]);
        desk.run(&hooks, &["git", "commit", "-q", "-m", "hooks"]);
        desk.rev = desk
            .run(&hooks, &["git", "rev-parse", "HEAD"])
            .trim()
            .to_owned();
        Some(desk)
    }

    fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        let own = self.home.join("venv/bin");
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            own.display(),
            self.python.join("bin").display()
        );
        // proxies and certificates of the machine stay
        command
            .current_dir(folder)
            .env("PATH", path)
            .env("HOME", &self.home)
            .env("PIP_FIND_LINKS", &self.wheels)
            .env("GIT_CONFIG_COUNT", "3")
            .env("GIT_CONFIG_KEY_0", "user.name")
            .env("GIT_CONFIG_VALUE_0", "n")
            .env("GIT_CONFIG_KEY_1", "user.email")
            .env("GIT_CONFIG_VALUE_1", "n@example.invalid")
            .env("GIT_CONFIG_KEY_2", "safe.directory")
            .env("GIT_CONFIG_VALUE_2", "*");
        for variable in [
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "GIT_WORK_TREE",
            "PRE_COMMIT_HOME",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a program; whether it ended well, and all it printed.
    fn try_run(&self, folder: &Path, words: &[&str]) -> (bool, String) {
        let output = self
            .command(words[0], folder)
            .args(&words[1..])
            .output()
            .unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(printed).unwrap())
    }

    fn run(&self, folder: &Path, words: &[&str]) -> String {
        let (good, printed) = self.try_run(folder, words);
        assert!(good, "{words:?}: {printed}");
        printed
    }

    /// A repository with a hook.
    fn repository(&self, hook: &str) -> Repository<'_> {
        let repository = Repository {
            desk: self,
            folder: tempfile::tempdir().unwrap(),
        };
        let hooks = self.home.join("hooks");
        let config = format!(
            "repos:\n  - repo: {}\n    rev: {}\n    hooks:\n      - id: {hook}\n",
            hooks.display(),
            self.rev
        );
        repository.run(&["git", "init", "-q", "-b", "main"]);
        repository.write(".pre-commit-config.yaml", &config);
        repository.run(&["git", "add", "-A"]);
        repository.run(&["git", "commit", "-q", "-m", "begin"]);
        repository.run(&["pre-commit", "install"]);
        repository
    }
}

impl Repository<'_> {
    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    fn run(&self, words: &[&str]) -> String {
        self.desk.run(self.folder.path(), words)
    }

    /// Commits all there is, through the hook; whether that was accepted, and what was printed.
    fn commit(&self) -> (bool, String) {
        self.run(&["git", "add", "-A"]);
        self.desk
            .try_run(self.folder.path(), &["git", "commit", "-m", "change"])
    }

    fn accepted(&self) {
        let (good, printed) = self.commit();
        assert!(good, "{printed}");
    }

    fn refused(&self) -> String {
        let (good, printed) = self.commit();
        assert!(!good, "{printed}");
        printed
    }
}

#[test]
fn a_wheel_a_refused_commit_a_fix_and_an_accepted_one() {
    let Some(desk) = desk() else { return };
    desk.run(&desk.home, &["python3", "-m", "venv", "venv"]);
    desk.run(
        &desk.home,
        &["pip", "install", "-q", "--no-index", "portplan"],
    );
    let repository = desk.repository("portplan-check");
    repository.write("compose.yaml", BAD);
    let init = repository.run(&["portplan", "init"]);
    assert!(init.contains("wrote portplan.yaml"), "{init}");
    // the hook that it shows is the one that is there, but for where it comes from
    let hook = init
        .lines()
        .filter(|line| line.contains("id: ") || line.contains("rev: "));
    let hook: Vec<&str> = hook.map(str::trim).collect();
    assert_eq!(hook[1], "- id: portplan-check", "{init}");
    let said = repository.refused();
    assert!(
        said.contains("error[host-port-collision]: `a` and `b` both publish 8080/tcp"),
        "{said}"
    );
    assert!(said.contains("help: "), "{said}");
    repository.run(&["portplan", "fix"]);
    assert_eq!(
        repository.read("compose.yaml"),
        BAD.replace("b: {image: i, ports: ['8080", "b: {image: i, ports: ['8081")
    );
    repository.accepted();
}

#[test]
fn the_hooks_on_odd_input() {
    let Some(desk) = desk() else { return };
    let repository = desk.repository("portplan-check");
    // a base that is good alone, and what is laid over it
    repository.write("compose.yaml", GOOD);
    repository.write("-x/docker-compose.yml", GOOD);
    repository.write("it's \"odd\" é/compose.prod.yaml", GOOD);
    repository.accepted();
    repository.write(
        "compose.override.yaml",
        "services:\n  b: {image: i, ports: ['8080:80']}\n",
    );
    let said = repository.refused();
    assert!(said.contains("compose.override.yaml"), "{said}");
    repository.write("compose.yaml", &GOOD.replace("8080", "8090"));
    repository.accepted();
    // a name with blanks, quotes, a leading dash
    for path in ["-x/docker-compose.yml", "it's \"odd\" é/compose.prod.yaml"] {
        repository.write(path, BAD);
        let said = repository.refused();
        assert!(said.contains("both publish 8080/tcp"), "{path}: {said}");
        repository.write(path, GOOD);
    }
    // what is deleted is not checked, and what is no compose file neither
    fs::remove_file(repository.folder.path().join("-x/docker-compose.yml")).unwrap();
    repository.write("values.yaml", "ports: ['8080:80', '8080:80']\n");
    repository.accepted();
    // the names that a search of folders knows, and no others
    for name in ["db.compose.yml", "docker_compose.yml", "compose-dev.yaml"] {
        repository.write(name, BAD);
        let said = repository.refused();
        assert!(said.contains("both publish 8080/tcp"), "{name}: {said}");
        repository.write(name, GOOD);
    }
    repository.write("composer.yaml", BAD);
    repository.accepted();
    // what is excluded, though pre-commit names it, alone and beside others
    repository.write("portplan.yaml", "version: 1\nexclude: vendor\n");
    repository.write("vendor/compose.yaml", BAD);
    repository.accepted();
    repository.write("vendor/compose.yaml", &BAD.replace("8080", "8090"));
    repository.write("own/compose.yaml", &BAD.replace("8080", "7070"));
    let said = repository.refused();
    assert!(said.contains("7070") && !said.contains("8090"), "{said}");
    repository.write("own/compose.yaml", GOOD);
    repository.accepted();
    // two hundred at once
    for number in 0..200 {
        repository.write(&format!("stacks/{number}/compose.yaml"), GOOD);
    }
    repository.accepted();
    repository.write("stacks/77/compose.yaml", BAD);
    let said = repository.refused();
    assert!(
        said.contains("stacks/77/compose.yaml") && !said.contains("stacks/76/"),
        "{said}"
    );
}

#[test]
fn the_hook_that_fixes() {
    let Some(desk) = desk() else { return };
    let repository = desk.repository("portplan-fix");
    repository.write("compose.yaml", BAD);
    let said = repository.refused();
    assert!(said.contains("files were modified by this hook"), "{said}");
    assert!(repository.read("compose.yaml").contains("8081:80"));
    repository.accepted();
    repository.write("portplan.yaml", "version: 1\nexclude: vendor\n");
    repository.write("vendor/compose.yaml", BAD);
    repository.accepted();
    assert_eq!(repository.read("vendor/compose.yaml"), BAD);
}

/// The blocks of the guide to the hook, of one language.
fn blocks(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/hook.md");
    let guide = fs::read_to_string(guide).unwrap();
    let fence = format!("```{language}\n");
    let blocks = guide.split(&*fence).skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn the_guide_to_the_hook() {
    let Some(desk) = desk() else { return };
    let yaml = blocks("yaml");
    // what it says to write, but for where the hooks come from
    let config = yaml[0].replace(
        env!("CARGO_PKG_REPOSITORY"),
        desk.home.join("hooks").to_str().unwrap(),
    );
    let config = config.replace(
        &format!("rev: v{}", env!("CARGO_PKG_VERSION")),
        &format!("rev: {}", desk.rev),
    );
    let repository = desk.repository("portplan-check");
    let written = repository.read(".pre-commit-config.yaml");
    let lines = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&config), lines(&written));
    // a warning is let through, and with the flags of the guide it is not
    let warning = "services:\n  a: {image: i, ports: ['8080:80', '${NONE}:81']}\n";
    repository.write("compose.yaml", warning);
    repository.accepted();
    let config = config.replace("      - id: portplan-check\n", &yaml[1]);
    repository.write(".pre-commit-config.yaml", &config);
    repository.write("compose.yaml", &format!("{warning}# again\n"));
    let said = repository.refused();
    assert!(said.contains("warning[unset-variable-port]"), "{said}");
    // once, without writing a config
    let hooks = desk.home.join("hooks");
    let once = [
        "pre-commit",
        "try-repo",
        hooks.to_str().unwrap(),
        "portplan-check",
    ];
    let once = [
        &once[..],
        &["--ref", &desk.rev, "--files", "compose.yaml", "--verbose"],
    ]
    .concat();
    let said = repository.run(&once);
    assert!(said.contains("1 warning"), "{said}");
}

#[test]
fn a_hook_without_pre_commit() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(desk) = desk() else { return };
    let repository = desk.repository("portplan-check");
    let hook = repository.folder.path().join(".git/hooks/pre-commit");
    let program = Path::new(env!("CARGO_BIN_EXE_portplan"));
    let script = &blocks("sh")[0];
    let script = script.replace("exec portplan", &format!("exec {}", program.display()));
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    repository.write("stacks/a/compose.yaml", BAD);
    let said = repository.refused();
    assert!(said.contains("stacks/a/compose.yaml"), "{said}");
    repository.write("stacks/a/compose.yaml", GOOD);
    repository.accepted();
}

/// The wheel, the hooks, the gates and the guides name one version.
#[test]
fn versions_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = |version: &str| {
        let output = Command::new(root.join("ci/version")).arg(version).output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    // the changelog names it from its release on
    let missing = said(env!("CARGO_PKG_VERSION"));
    let missing = missing
        .lines()
        .filter(|line| !line.starts_with("CHANGELOG.md"));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
    assert_eq!(said("99.0.0").lines().count(), 10);
}
