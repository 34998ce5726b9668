//! Projects in memory, moved and proved.

use camino::Utf8PathBuf;
use portplan::compose::environment::Environment;
use portplan::compose::project::{Project, PublishId, Request};
use portplan::compose::reading::Reading;
use portplan::edit::{Changes, Destination, Workspace};
use portplan::plan::Move;
use portplan::source::Memory;

/// Projects of files in memory, below `/w`.
pub struct Scene {
    pub files: Memory,
    pub reading: Reading,
    pub projects: Vec<Project>,
}

impl Scene {
    /// The project in `/w`, or those of the files that `projects` names.
    pub fn new(files: &[(&str, &[u8])], shell: &[(&str, &str)], projects: &[&str]) -> Self {
        let files = files
            .iter()
            .map(|(path, bytes)| (Utf8PathBuf::from("/w").join(path), bytes.to_vec()));
        let files = Memory(files.collect());
        let request = |paths: &[&str]| Request {
            files: paths.iter().map(Utf8PathBuf::from).collect(),
            profiles: vec!["*".into()],
            ..Request::default()
        };
        let requests = match projects {
            [] => vec![request(&[])],
            projects => projects.iter().map(|path| request(&[path])).collect(),
        };
        let reading = Reading {
            requests,
            shell: Environment::from_shell(shell.iter().copied()),
            cwd: "/w".into(),
            stdin: None,
        };
        let projects = reading.load(&files);
        Self {
            files,
            reading,
            projects,
        }
    }

    pub fn workspace(&self) -> Workspace<'_> {
        Workspace {
            reading: &self.reading,
            files: &self.files,
            projects: &self.projects,
        }
    }

    /// Moves written as `web 8080 8081`, several divided by commas; every publish of a service
    /// with that name and number moves.
    pub fn moves(&self, text: &str) -> Vec<Move> {
        let mut moves = Vec::new();
        for one in text.split(',') {
            let [service, from, to] = one.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{one}: write SERVICE FROM TO");
            };
            let before = moves.len();
            for id in self.publishes() {
                let (_, owner, publish) = id.of(&self.projects);
                if owner.name == service && publish.published.as_deref() == Some(from) {
                    moves.push(Move {
                        publish: id,
                        from: from.parse().unwrap(),
                        to: to.parse().unwrap(),
                    });
                }
            }
            assert!(
                moves.len() > before,
                "nothing is {one}: {:?}",
                self.projects
            );
        }
        moves
    }

    /// The names of all publishes.
    pub fn publishes(&self) -> Vec<PublishId> {
        publishes(&self.projects)
    }

    /// The changes, proved.
    pub fn changes(&self, moves: &[Move], destination: Destination) -> Changes {
        let workspace = self.workspace();
        let changes = workspace.changes(moves, destination);
        if let Err(error) = workspace.prove(moves, &changes) {
            let diffs: Vec<String> = changes.patches.iter().map(|patch| patch.diff()).collect();
            panic!("{error}\n{}", diffs.join("\n"));
        }
        changes
    }
}

/// The names of all publishes of some projects.
pub fn publishes(projects: &[Project]) -> Vec<PublishId> {
    let mut ids = Vec::new();
    for (project, read) in projects.iter().enumerate() {
        for (service, read) in read.services.iter().enumerate() {
            let ports = 0..read.ports.len();
            ids.extend(ports.map(|port| PublishId {
                project,
                service,
                port,
            }));
        }
    }
    ids
}

/// One case: the files, the moves, and for each file that changes what becomes of it, as pairs of
/// the text that goes and the text that comes.
pub struct Case {
    pub name: &'static str,
    pub files: &'static [(&'static str, &'static str)],
    pub moves: &'static str,
    pub becomes: &'static [(&'static str, &'static str, &'static str)],
}

impl Case {
    /// Carries out the moves, and compares all files.
    pub fn check(&self, destination: Destination) {
        let files: Vec<(&str, &[u8])> = self
            .files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect();
        let scene = Scene::new(&files, &[], &[]);
        for project in &scene.projects {
            assert_eq!(project.problems, [], "{}", self.name);
        }
        let moves = scene.moves(self.moves);
        let changes = scene.changes(&moves, destination);
        assert_eq!(changes.refusals, [], "{}", self.name);
        let mut expected = expected(self.files, self.becomes);
        expected.sort();
        for (found, expected) in applied(&scene, &changes).iter().zip(&expected) {
            assert_eq!(found.0, expected.0, "{}", self.name);
            assert_eq!(
                found.1, expected.1,
                "{}:\n{}\n{}",
                self.name, found.1, expected.1
            );
        }
    }
}

/// `files` with `becomes` carried out.
fn expected(files: &[(&str, &str)], becomes: &[(&str, &str, &str)]) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    for (path, old, new) in becomes {
        match files.iter_mut().find(|(file, _)| file == path) {
            Some((_, text)) => {
                assert_eq!(text.matches(old).count(), 1, "{old} in {text}");
                *text = text.replace(old, new);
            }
            None => files.push(((*path).to_owned(), (*new).to_owned())),
        }
    }
    files
}

/// The files of a scene with changes applied.
pub fn applied(scene: &Scene, changes: &Changes) -> Vec<(String, String)> {
    let mut files = scene.files.0.clone();
    for patch in &changes.patches {
        assert_eq!(
            files.get(&patch.path).cloned(),
            patch.before,
            "{}",
            patch.shown
        );
        files.insert(patch.path.clone(), patch.new_bytes());
    }
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    files
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix("/w").unwrap().to_string(), text(bytes)))
        .collect()
}
