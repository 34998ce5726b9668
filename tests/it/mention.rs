//! Places that name a port which moves: what is one, what follows, and what is held back.

use std::fs;
use std::path::Path;

use portplan::mention::{self, Doubt, Kind, Survey};

use crate::common::{Output, run_with_stdin};
use crate::edit_common::Scene;

/// The mentions, a line each: `compose.yaml:3:9 localhost:8000 follow`.
fn mentions(files: &[(&str, &str)], moves: &str, projects: &[&str]) -> Vec<String> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(p, t)| (*p, t.as_bytes())).collect();
    let scene = Scene::new(&files, &[("SHELL_PORT", "8000")], projects);
    let moves = scene.moves(moves);
    let scanner = mention::scanner(&scene.projects);
    let mut survey = Survey::new(scene.workspace(), &scanner);
    survey.cover(&moves);
    let found = survey.mentions(&moves).into_iter().map(|it| {
        let kind = match &it.kind {
            Kind::Follow => "follow".to_owned(),
            Kind::Unclear(Doubt::Other(service)) => format!("other {service}"),
            Kind::Unclear(Doubt::Own) => "own".to_owned(),
            Kind::Unclear(Doubt::Several) => "several".to_owned(),
            Kind::Documentation => "documentation".to_owned(),
            Kind::Config => "config".to_owned(),
        };
        format!("{} {} {kind}", it.place(), it.text)
    });
    found.collect()
}

const WEB: &str = "  web: {image: i, ports: ['8000:80']}\n";

#[test]
fn what_a_value_means() {
    // the rest of `services`, and the kinds of the mentions in it
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "environment of another service",
            "  a: {environment: {U: 'http://localhost:8000,http://127.0.0.1:8000'}}",
            &["follow", "follow"],
        ),
        (
            "the list form",
            "  a: {environment: ['U=http://[::1]:8000/']}",
            &["follow"],
        ),
        (
            "labels",
            "  a: {labels: {home.href: 'http://localhost:8000'}}",
            &["follow"],
        ),
        (
            "build arguments",
            "  a: {build: {context: ., args: {U: localhost:8000}}}",
            &["follow"],
        ),
        ("an extension", "x-url: localhost:8000", &["follow"]),
        (
            "where logs go",
            "  a: {logging: {options: {a: 'udp://localhost:8000'}}}",
            &["follow"],
        ),
        (
            "another port",
            "  a: {environment: {U: localhost:8001, V: 'localhost:80000'}}",
            &[],
        ),
        (
            "another host",
            "  a: {environment: {U: 'web:8000', V: 'my-localhost:8000'}}",
            &[],
        ),
        (
            "a published port",
            "  a: {ports: ['127.0.0.1:8001:8000']}",
            &[],
        ),
        (
            "in a container it is the container",
            "  a:\n    command: serve localhost:8000\n    entrypoint: [a, '0.0.0.0:8000']\n    \
             healthcheck: {test: 'curl http://127.0.0.1:8000'}",
            &[],
        ),
        (
            "the host, seen from a container",
            "  a: {healthcheck: {test: 'curl http://host.docker.internal:8000'}}",
            &["follow"],
        ),
        (
            "a container in the host's network",
            "  a: {network_mode: host, command: serve localhost:8000, environment: {L: '0.0.0.0:8000'}}",
            &["follow", "follow"],
        ),
        (
            "perhaps its own port",
            "  a: {environment: {U: 'http://localhost:8000'}, ports: ['9000:8000']}",
            &["own"],
        ),
        (
            "perhaps that of who shares its network",
            "  a: {environment: {U: localhost:8000}, network_mode: 'service:b'}\n  \
               b: {ports: ['9000:8000']}",
            &["own"],
        ),
        (
            "where it listens",
            "  a: {environment: {L: '0.0.0.0:8000'}, ports: ['9000:8000']}",
            &[],
        ),
        (
            "where it listens, perhaps",
            "  a: {environment: {L: '0.0.0.0:8000'}}",
            &["own"],
        ),
        (
            "a file for who knows whom",
            "configs: {c: {content: 'proxy localhost:8000'}}",
            &["own"],
        ),
        (
            "an anchor: where it is used, it counts",
            "  a: {healthcheck: *h}\nx-h: &h {test: curl localhost:8000}",
            &[],
        ),
        (
            "an anchor with two meanings",
            "  a: {command: *u, environment: {U: *u}}\nx-u: &u localhost:8000",
            &["own"],
        ),
        (
            "merged in",
            "  a: {environment: {<<: *e}}\nx-e: &e {U: localhost:8000}",
            &["follow"],
        ),
        ("a comment", "# http://localhost:8000", &["documentation"]),
        (
            "a default",
            "  a: {environment: {U: '${U:-http://localhost:8000}'}}",
            &["follow"],
        ),
        (
            "a default port",
            "  a: {environment: {U: 'localhost:${P:-8000}'}}",
            &["follow"],
        ),
        (
            "a variable of the shell",
            "  a: {environment: {U: 'localhost:$SHELL_PORT'}}",
            &["config"],
        ),
        (
            "two services have it",
            "  a: {ports: ['127.0.0.1:8000:80']}\n  b: {environment: {U: localhost:8000}}",
            &["other a"],
        ),
        (
            "another has it elsewhere",
            "  a: {ports: ['127.0.0.2:8000:80']}\n  \
               b: {environment: {U: localhost:8000, V: '127.0.0.2:8000'}}",
            &["follow", "other a"],
        ),
        (
            "one of a range",
            "  a: {ports: ['8000-8001:81']}\n  b: {environment: {U: localhost:8000}}",
            &["other a"],
        ),
    ];
    for (name, rest, expected) in cases {
        // anchors come before their uses
        let (top, services): (Vec<&str>, Vec<&str>) =
            rest.split('\n').partition(|line| line.starts_with("x-"));
        let (top, rest) = (top.join("\n"), services.join("\n"));
        let text = format!("{top}\nservices:\n{WEB}{rest}\n");
        let found = mentions(&[("compose.yaml", &text)], "web 8000 8001", &[]);
        let kinds: Vec<&str> = found
            .iter()
            .map(|line| line.splitn(3, ' ').last().unwrap())
            .collect();
        assert_eq!(kinds, *expected, "{name}\n{text}");
    }
}

#[test]
fn where_is_looked() {
    let compose = format!(
        "services:\n{WEB}  a:\n    image: i\n    env_file: [a.env, {{path: none.env, required: false}}]\n    \
         environment:\n      U: $URL\n      V: http://localhost:$PORT\n    command: serve $HOST\n"
    );
    let files = [
        ("compose.yaml", &*compose),
        (
            ".env",
            "# localhost:8000\nURL=http://localhost:8000 # localhost:8000\nPORT=8000\n\
             HOST=localhost:8000\nNONE='localhost:8000'\n",
        ),
        ("a.env", "A=localhost:8000\n"),
        ("README.md", "See <http://localhost:8000>.\n"),
        ("docs/use.txt", "é localhost:8000\n"),
        (".env.example", "URL=http://localhost:8000\n"),
        ("nginx/nginx.conf", "proxy_pass http://127.0.0.1:8000;\n"),
        ("package.json", "{\"proxy\": \"http://localhost:8000\"}\n"),
        ("run.sh", "curl localhost:${PORT:-8000}\n"),
        ("main.py", "localhost:8000\n"),
        ("Dockerfile", "CMD serve localhost:8000\n"),
        ("data.json", "\0localhost:8000\n"),
        ("compose.prod.yaml", "x: localhost:8000\n"),
        ("other/compose.yaml", "services: {}\n"),
        ("other/README.md", "localhost:8000\n"),
    ];
    let found = mentions(&files, "web 8000 8001", &[]);
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn who_may_mean_it() {
    let two = "services:\n  b: {image: i, ports: ['8000:80'], environment: {U: localhost:8000}}\n";
    let one = format!("services:\n{WEB}  a: {{image: i, env_file: ../both.env}}\n");
    let files = [
        ("a/compose.yaml", &*one),
        ("b/compose.yaml", two),
        ("both.env", "U=localhost:8000\n"),
        ("a/README.md", "localhost:8000\n"),
        ("b/README.md", "localhost:8000\n"),
    ];
    let projects = ["a/compose.yaml", "b/compose.yaml"];
    let found = mentions(&files, "web 8000 8001", &projects);
    assert_eq!(
        found,
        [
            "a/README.md:1:1 localhost:8000 documentation",
            "both.env:1:3 localhost:8000 follow",
        ]
    );
    let found = mentions(&files[..2], "b 8000 8001", &projects);
    assert_eq!(found, ["b/compose.yaml:2:54 localhost:8000 follow"]);

    // ranges of fixed ports: each port by itself; replicas get several for one
    let range = "services:\n  r: {image: i, ports: ['8000-8001:80-81']}\n  \
                 a: {image: i, environment: {U: 'localhost:8000 localhost:8001'}}\n";
    let found = mentions(&[("compose.yaml", range)], "r 8000 8005,r 8001 8006", &[]);
    assert_eq!(found.len(), 2);
    let found = mentions(&[("compose.yaml", range)], "r 8000 8005-8006", &[]);
    assert_eq!(found, ["compose.yaml:3:35 localhost:8000 several"]);
}

const COMPOSE: &str = "\
# the shop: http://localhost:8080
services:
  db:
    image: i
    ports: [\"127.0.0.2:8080:80\"]
  web:
    image: i
    ports: [\"8080:80\"] # for all
    healthcheck: {test: curl http://localhost:8080}
  api:
    image: i
    env_file: api.env
    environment:
      CORS: 'http://localhost:8080, http://127.0.0.1:8080'
";

fn shop(more: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("compose.yaml", COMPOSE),
        ("api.env", "# here\r\nHOME=\"http://localhost:8080/\"\r\n"),
        ("README.md", "Open http://localhost:8080.\n"),
    ];
    for (name, text) in files.iter().chain(more) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn portplan(folder: &Path, args: &str, input: &str) -> Output {
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    run_with_stdin(&args, folder, &[], input.as_bytes())
}

fn shown(output: &Output) -> String {
    let status = output.status.unwrap();
    format!("{}{}(exit status {status})\n", output.stdout, output.stderr)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn what_nobody_names_moves_first() {
    let folder = shop(&[]);
    let output = portplan(folder.path(), "fix", "");
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let expected = COMPOSE.replace("127.0.0.2:8080", "127.0.0.2:8081");
    assert_eq!(read(folder.path(), "compose.yaml"), expected);
}

#[test]
fn what_others_name_is_held_back() {
    let folder = shop(&[]);
    let output = portplan(folder.path(), "fix --pin db", "");
    insta::assert_snapshot!("held_back", shown(&output));
    assert_eq!(read(folder.path(), "compose.yaml"), COMPOSE);
}

#[test]
fn what_names_a_port_follows() {
    let folder = shop(&[]);
    let output = portplan(folder.path(), "plan --pin db --follow", "");
    insta::assert_snapshot!("follow_plan", shown(&output));
    let output = portplan(folder.path(), "fix --pin db --follow", "");
    insta::assert_snapshot!("follow_fix", shown(&output));
    let after = COMPOSE.replace("\"8080:80\"", "\"8081:80\"").replace(
        "'http://localhost:8080, http://127.0.0.1:8080'",
        "'http://localhost:8081, http://127.0.0.1:8081'",
    );
    assert_eq!(read(folder.path(), "compose.yaml"), after);
    let env = "# here\r\nHOME=\"http://localhost:8081/\"\r\n";
    assert_eq!(read(folder.path(), "api.env"), env);
    assert_eq!(
        read(folder.path(), "README.md"),
        "Open http://localhost:8080.\n"
    );
    let again = portplan(folder.path(), "fix --follow", "");
    assert_eq!(
        (again.status, &*again.stdout),
        (Some(0), "nothing has to move\n")
    );
    assert_eq!(read(folder.path(), "compose.yaml"), after);
}

#[test]
fn what_cannot_follow_is_the_users_to_decide() {
    let folder = shop(&[("nginx.conf", "proxy_pass http://127.0.0.1:8080;\n")]);
    let held = portplan(folder.path(), "fix --pin db --follow", "");
    insta::assert_snapshot!("config_held_back", shown(&held));
    assert_eq!(read(folder.path(), "compose.yaml"), COMPOSE);

    let no = portplan(folder.path(), "fix --pin db --interactive", "n\n");
    insta::assert_snapshot!("config_asked", shown(&no));
    assert_eq!(read(folder.path(), "compose.yaml"), COMPOSE);

    let output = portplan(folder.path(), "fix --pin db --unsafe-fixes", "");
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let after = COMPOSE.replace("\"8080:80\"", "\"8081:80\"");
    assert_eq!(read(folder.path(), "compose.yaml"), after);
}

#[test]
fn programs_get_the_mentions() {
    let folder = shop(&[]);
    let output = portplan(
        folder.path(),
        "plan --pin db --format json -o plan.json",
        "",
    );
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    crate::schemas::validate("plan", &json);
    let mentions = json["mentions"].as_array().unwrap();
    let kinds: Vec<String> = mentions
        .iter()
        .map(|it| format!("{}:{} {}", it["file"], it["line"], it["kind"]).replace('"', ""))
        .collect();
    let expected = [
        "README.md:1 documentation",
        "api.env:2 follow",
        "compose.yaml:1 documentation",
        "compose.yaml:14 follow",
        "compose.yaml:14 follow",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(mentions[1]["to"], "localhost:8081");
    // a saved plan names no port
    let held = portplan(folder.path(), "fix --pin db --diff --follow", "");
    assert_eq!(
        held.stderr.matches("plan.json").count(),
        0,
        "{}",
        held.stderr
    );
    // a plan that was reviewed is carried out as it is
    let output = portplan(folder.path(), "fix --plan plan.json", "");
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let after = COMPOSE.replace("\"8080:80\"", "\"8081:80\"");
    assert_eq!(read(folder.path(), "compose.yaml"), after);

    let output = portplan(folder.path(), "plan --follow --into override", "");
    assert_eq!(output.status, Some(2));
}

#[test]
fn a_variable_takes_its_values_along() {
    let web = "services:\n  db: {image: i, ports: ['127.0.0.2:8080:80']}\n  \
               web: {image: i, ports: ['${WEB_PORT}:80']}\n  ";
    // the rest, whether --follow writes it, and what becomes of the files
    let cases = [
        (
            "in one place",
            "a: {image: i, environment: {U: 'http://localhost:$WEB_PORT,localhost:${WEB_PORT}'}}",
            true,
        ),
        (
            "in a container it is another port",
            "a: {image: i, command: 'serve localhost:$WEB_PORT', environment: {U: 'localhost:$WEB_PORT'}}",
            false,
        ),
        (
            "another use beside it",
            "a: {image: i, environment: {U: 'localhost:$WEB_PORT $WEB_PORT'}}",
            false,
        ),
        (
            "given to a container",
            "a: {image: i, env_file: .env, environment: {U: 'localhost:$WEB_PORT'}}",
            false,
        ),
    ];
    for (name, rest, follows) in cases {
        let folder = tempfile::tempdir().unwrap();
        let compose = format!("{web}{rest}\n");
        fs::write(folder.path().join("compose.yaml"), &compose).unwrap();
        fs::write(folder.path().join(".env"), "WEB_PORT=8080\n").unwrap();
        let held = portplan(folder.path(), "fix --pin db", "");
        assert_eq!(held.status, Some(1), "{name}: {}", held.stderr);
        let output = portplan(folder.path(), "fix --pin db --follow", "");
        let status = if follows { 0 } else { 1 };
        assert_eq!(output.status, Some(status), "{name}: {}", output.stderr);
        assert_eq!(read(folder.path(), "compose.yaml"), compose, "{name}");
        let env = if follows {
            "WEB_PORT=8081\n"
        } else {
            "WEB_PORT=8080\n"
        };
        assert_eq!(read(folder.path(), ".env"), env, "{name}");
    }
}
