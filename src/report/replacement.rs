//! The edit that a finding proposes, where it is a change in one place.

use crate::compose::port::OriginKind;
use crate::finding::{Finding, Rewrite};
use crate::source::SourceFile;
use crate::span::Span;
use crate::world::World;

/// Bytes of a file, and what should stand there instead.
#[derive(Clone, Debug)]
pub struct Replacement<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// The bytes.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// The edit that resolves a finding.
#[must_use]
pub fn replacement<'w>(finding: &Finding, world: &'w World) -> Option<Replacement<'w>> {
    let fix = finding
        .fix
        .as_ref()
        .map(|fix| (&fix.rewrite, finding.claims.first()));
    let (project, span, text) = match fix {
        None => return moved(finding, world),
        Some((Rewrite::Removal { project, span }, _)) => (*project, *span, String::new()),
        Some((Rewrite::Quotes, Some(claim))) => {
            let span = claim.origin.entry;
            let text = world.projects[claim.project].sources.slice(span);
            (claim.project, span, format!("\"{text}\""))
        }
        // where it goes is known when the files are edited
        Some(_) => return None,
    };
    let file = world.projects[project].sources.file(span.file);
    Some(Replacement { file, span, text })
}

/// The edit of a finding's remap. None where the number is not written as it counts, or where
/// other services share it.
fn moved<'w>(finding: &Finding, world: &'w World) -> Option<Replacement<'w>> {
    let remap = finding.remap.as_ref()?;
    let mut claims = finding.claims.iter().filter(|claim| {
        let published = claim.published.as_deref();
        claim.service == remap.service && published == host_port(&remap.from)
    });
    let (claim, None) = (claims.next()?, claims.next()) else {
        return None;
    };
    let sources = &world.projects[claim.project].sources;
    let written = matches!(
        claim.origin.kind,
        OriginKind::Literal | OriginKind::Default { .. }
    );
    let span = claim.origin.span;
    let here =
        claim.origin.trail.is_empty() && claim.published.as_deref() == Some(sources.slice(span));
    (written && here).then_some(())?;
    Some(Replacement {
        file: sources.file(span.file),
        span,
        text: host_port(&remap.to)?.to_owned(),
    })
}

/// The host port or range of a mapping in short syntax.
fn host_port(mapping: &str) -> Option<&str> {
    mapping.rsplit(':').nth(1)
}
