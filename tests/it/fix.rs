//! `portplan plan` and `portplan fix`, as users see them.

use std::fs;
use std::path::Path;

use crate::common::{Output, run, run_with_stdin};

const COMPOSE: &str = "# the shop
services:
  web:
    image: web
    ports:
      - \"8080:80\"   # the front
  api:
    image: api
    ports: ['127.0.0.1:8080:8000']
  db: {image: postgres, ports: [{target: 5432, published: 5432}]}
  test-db: {image: postgres, ports: [\"${TEST_DB:-5432}:5432\"]}
";

fn folder(compose: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shop = folder.path().join("shop");
    fs::create_dir(&shop).unwrap();
    fs::write(shop.join("compose.yaml"), compose).unwrap();
    folder
}

fn words(args: &str) -> Vec<String> {
    args.split_whitespace().map(str::to_owned).collect()
}

fn portplan(folder: &Path, args: &str) -> Output {
    run(&words(args), &folder.join("shop"), &[])
}

fn shown(output: &Output) -> String {
    let status = output.status.unwrap();
    format!("{}{}(exit status {status})\n", output.stdout, output.stderr)
}

fn compose(folder: &Path) -> String {
    fs::read_to_string(folder.join("shop/compose.yaml")).unwrap()
}

#[test]
fn a_plan_a_fix_and_nothing_more() {
    let folder = folder(COMPOSE);
    let path = folder.path();
    insta::assert_snapshot!("plan", shown(&portplan(path, "plan")));
    assert_eq!(compose(path), COMPOSE);
    insta::assert_snapshot!("diff", shown(&portplan(path, "fix --diff")));
    assert_eq!(compose(path), COMPOSE);
    insta::assert_snapshot!("fix", shown(&portplan(path, "fix --backup")));
    let fixed = COMPOSE
        .replace("127.0.0.1:8080", "127.0.0.1:8081")
        .replace("TEST_DB:-5432", "TEST_DB:-5433");
    assert_eq!(compose(path), fixed);
    assert_eq!(
        fs::read_to_string(path.join("shop/compose.yaml.bak")).unwrap(),
        COMPOSE
    );
    assert_eq!(
        shown(&portplan(path, "fix")),
        "nothing has to move\n(exit status 0)\n"
    );
    assert_eq!(portplan(path, "check").status, Some(0));
    assert_eq!(compose(path), fixed);
}

#[test]
fn a_saved_plan_is_carried_out_exactly() {
    let folder = folder(COMPOSE);
    let path = folder.path();
    assert_eq!(
        portplan(path, "plan --strategy offset:1000 -o plan.json").status,
        Some(1)
    );
    let text = fs::read_to_string(path.join("shop/plan.json")).unwrap();
    crate::schemas::validate("plan", &serde_json::from_str(&text).unwrap());
    let changed = format!("{COMPOSE}# one line more\n");
    fs::write(path.join("shop/compose.yaml"), &changed).unwrap();
    insta::assert_snapshot!(
        "changed_since",
        shown(&portplan(path, "fix --plan plan.json"))
    );
    assert_eq!(compose(path), changed);
    fs::write(path.join("shop/compose.yaml"), COMPOSE).unwrap();
    assert_eq!(portplan(path, "fix --plan plan.json").status, Some(0));
    let fixed = COMPOSE
        .replace("127.0.0.1:8080", "127.0.0.1:9080")
        .replace("TEST_DB:-5432", "TEST_DB:-6432");
    assert_eq!(compose(path), fixed);
}

#[test]
fn each_move_can_be_asked_for() {
    let folder = folder(COMPOSE);
    let path = folder.path();
    // not the api, so the web; on a port that is taken, then on one that is not; the rest as planned
    let answers = b"n\n5432\n8090\ny\n";
    let output = run_with_stdin(&words("fix -i"), &path.join("shop"), &[], answers);
    insta::assert_snapshot!("interactive", shown(&output));
    let fixed = COMPOSE
        .replace("\"8080:80\"", "\"8090:80\"")
        .replace("TEST_DB:-5432", "TEST_DB:-5433");
    assert_eq!(compose(path), fixed);
    // the end of the input is a no
    fs::write(path.join("shop/compose.yaml"), COMPOSE).unwrap();
    assert_eq!(portplan(path, "fix -i").status, Some(1));
    assert_eq!(compose(path), COMPOSE);
}

#[test]
fn what_cannot_be_asked_for() {
    let folder = folder(COMPOSE);
    let path = folder.path();
    for args in [
        "fix --pin wbe",
        "fix --service wbe",
        "fix --only no-such-rule",
        "fix --pin web:x",
        "fix --strategy far",
        "fix --plan none.json",
        "fix --plan compose.yaml",
        "plan -o compose.yaml --format json --only replica-collision",
        "plan --pin web --pin api --pin db --pin test-db",
    ] {
        let output = portplan(path, args);
        insta::assert_snapshot!(args.replace([' ', '-', ':'], "_"), shown(&output));
        assert_eq!(compose(path), COMPOSE);
    }
}

#[test]
fn only_what_is_asked_for_is_moved() {
    let folder = folder(COMPOSE);
    let path = folder.path();
    assert_eq!(portplan(path, "fix --service test-db").status, Some(1));
    assert_eq!(
        compose(path),
        COMPOSE.replace("TEST_DB:-5432", "TEST_DB:-5433")
    );
    assert_eq!(
        portplan(path, "fix --only replica-collision").status,
        Some(0)
    );
    assert_eq!(portplan(path, "fix --pin api").status, Some(0));
    let fixed = COMPOSE.replace("TEST_DB:-5432", "TEST_DB:-5433");
    assert_eq!(compose(path), fixed.replace("\"8080:80\"", "\"8081:80\""));
}

#[test]
fn numbers_become_variables() {
    let folder = folder(COMPOSE);
    let path = folder.path();
    let listed = portplan(path, "list --format json").stdout;
    let before: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(portplan(path, "fix --parameterize").status, Some(0));
    insta::assert_snapshot!("parameterized", compose(path));
    let listed = portplan(path, "list --format json").stdout;
    let after: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let published = |list: &serde_json::Value| {
        let ports = list["projects"][0]["ports"].as_array().unwrap().clone();
        ports
            .iter()
            .map(|port| port["published"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(published(&before), published(&after));
    assert_eq!(portplan(path, "fix --into env").status, Some(0));
    insta::assert_snapshot!("env", fs::read_to_string(path.join("shop/.env")).unwrap());
    assert_eq!(portplan(path, "check").status, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_fix_leaves_files_whole_and_the_next_one_ends_it() {
    use std::process::Stdio;
    use std::time::Instant;

    const TIMES: u64 = 500;
    const FILES: [&str; 2] = ["compose.yaml", ".env"];
    // two files to write, long enough to be torn
    let compose = COMPOSE.to_owned() + &"# filler\n".repeat(500);
    let env = "# filler\n".repeat(1_000);
    let folder = folder(&compose);
    let shop = folder.path().join("shop");
    let read = || FILES.map(|name| fs::read_to_string(shop.join(name)).unwrap());
    let reset = || {
        fs::write(shop.join("compose.yaml"), &compose).unwrap();
        fs::write(shop.join(".env"), &env).unwrap();
    };
    let fix = || portplan(folder.path(), "fix --into env").status;
    reset();
    let start = Instant::now();
    assert_eq!(fix(), Some(0));
    let takes = start.elapsed();
    let old = [compose.clone(), env.clone()];
    let new = read();
    assert!(old[0] != new[0] && old[1] != new[1]);
    let mut seed = 0x9e37_79b9_u64;
    let (mut untouched, mut half) = (0, 0);
    for _ in 0..TIMES {
        reset();
        let mut child = crate::common::command(&words("fix --into env"), &shop, &[])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(takes.mul_f64((seed >> 33) as f64 / f64::from(u32::MAX >> 1)));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = read();
        let whole = [0, 1].map(|file| {
            let is_new = found[file] == new[file];
            assert!(
                is_new || found[file] == old[file],
                "{} is torn",
                FILES[file]
            );
            is_new
        });
        untouched += u32::from(whole == [false, false]);
        half += u32::from(whole[0] != whole[1]);
        assert_eq!(fix(), Some(0));
        assert_eq!(portplan(folder.path(), "check").status, Some(0));
    }
    crate::common::say(&format!(
        "killed: {TIMES} runs of `fix`, each file whole each time; {untouched} had written nothing, \
         {half} one of two files; the next run ended all of them"
    ));
}

/// What docs/fix.md says of us beside others.
#[test]
fn two_numbers_change_in_the_file_of_the_comparison() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/peers/docker-compose.yml");
    let before = fs::read_to_string(file).unwrap();
    for text in [before.clone(), before.replace('\n', "\r\n")] {
        let folder = folder(&text);
        let fixed = portplan(folder.path(), "fix");
        assert_eq!(fixed.status, Some(0), "{fixed:?}");
        assert_eq!(
            compose(folder.path()),
            text.replace("127.0.0.1:8080", "127.0.0.1:8081")
        );
    }
}
