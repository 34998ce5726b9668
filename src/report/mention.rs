//! Where else files name the ports that move.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table::align;
use crate::mention::{Doubt, Kind, Mention};
use crate::remedy::Remedy;
use crate::world::World;

/// No more are shown to people; programs get all.
const MAX_SHOWN: usize = 40;

/// A place that names a port which moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedMention {
    /// The file, relative to the working directory.
    #[schemars(with = "String")]
    pub file: Utf8PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// Address and port as they are, variables replaced: `localhost:8080`.
    pub text: String,
    /// Likewise, as they should be; null where that is not known.
    pub to: Option<String>,
    /// The project whose port moves.
    pub project: String,
    /// The service whose port moves.
    pub service: String,
    /// What follows from it.
    pub kind: MentionKind,
    /// The same in words.
    pub note: String,
}

/// What follows from a mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MentionKind {
    /// `--follow` edits it.
    Follow,
    /// It may mean something else; it is not edited.
    Unclear,
    /// A comment or a document: nothing depends on it.
    Documentation,
    /// Something depends on it, and it is not edited.
    Config,
}

impl ProposedMention {
    /// All mentions of a remedy.
    #[must_use]
    pub fn all(world: &World, remedy: &Remedy) -> Vec<Self> {
        let mentions = remedy.mentions.iter();
        let mentions = mentions.map(|mention| {
            let (project, service, _) = mention.publish.of(&world.projects);
            Self {
                file: mention.shown.clone(),
                line: mention.at.line,
                column: mention.at.column,
                text: mention.text.clone(),
                to: mention.to.clone(),
                project: project.name.clone(),
                service: service.name.clone(),
                kind: match mention.kind {
                    Kind::Follow => MentionKind::Follow,
                    Kind::Unclear(_) => MentionKind::Unclear,
                    Kind::Documentation => MentionKind::Documentation,
                    Kind::Config => MentionKind::Config,
                },
                note: note(mention, remedy.followed),
            }
        });
        mentions.collect()
    }

    fn row(&self) -> [String; 3] {
        let place = format!("  {}:{}:{}", self.file, self.line, self.column);
        [place, self.text.clone(), format!("({})", self.note)]
    }
}

/// What follows from a mention, in words.
fn note(mention: &Mention, followed: bool) -> String {
    match &mention.kind {
        Kind::Follow if followed => "also edited".to_owned(),
        Kind::Follow => "--follow edits it".to_owned(),
        Kind::Unclear(Doubt::Other(service)) => format!("unclear: that of `{service}`, perhaps"),
        Kind::Unclear(Doubt::Own) => "unclear: the container's own port, perhaps".to_owned(),
        Kind::Unclear(Doubt::Several) => "unclear: several ports come in its place".to_owned(),
        Kind::Documentation => "documentation".to_owned(),
        Kind::Config => "not edited: change it by hand".to_owned(),
    }
}

/// Mentions under a heading; nothing if there are none.
#[must_use]
pub fn block(mentions: &[ProposedMention]) -> String {
    if mentions.is_empty() {
        return String::new();
    }
    let rows = mentions.iter().take(MAX_SHOWN).map(ProposedMention::row);
    let rows: Vec<[String; 3]> = rows.collect();
    let more = match mentions.len() - rows.len() {
        0 => String::new(),
        more => format!("  and {more} more: see --format json\n"),
    };
    format!("mentioned elsewhere\n{}{more}", align(&rows))
}

/// Mentions of one move, a line each.
#[must_use]
pub fn lines(mentions: &[&Mention], followed: bool) -> String {
    let rows = mentions.iter().take(MAX_SHOWN).map(|it| {
        let place = format!("  {}", it.place());
        [place, it.text.clone(), format!("({})", note(it, followed))]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    align(&rows)
}
