use proptest::prelude::*;

use super::*;
use crate::compose::environment::Environment;
use crate::source::{SourceFile, SourceMap};
use crate::span::{FileId, Span};

const ENV_FILE: &str = "P=8080\nHALF=80\nR='90'\n";

/// A map with the document as file 0 and [`ENV_FILE`] as file 1, and what interpolation sees.
fn project(document: &str) -> (SourceMap, Text, Environment) {
    let mut files = SourceMap::new();
    for (path, text) in [("compose.yaml", document), (".env", ENV_FILE)] {
        files.add(SourceFile::decode(path, text.as_bytes().to_vec()).unwrap());
    }
    let span = Span::new(FileId(0), 0, document.len() as u32);
    let mut environment = Environment::from_shell([("S", "7070"), ("E", "")]);
    let env_file = (FileId(1), files.file(FileId(1)));
    environment
        .add_env_files([env_file], &mut BTreeSet::new())
        .unwrap();
    (files, Text::literal(document, span), environment)
}

/// The runs of `text` as `writer bytes@start`, joined by blanks.
fn runs(files: &SourceMap, text: &Text) -> String {
    let runs = text.writers().map(|written| {
        let who = match written {
            Written::Literal(_) => "literal".to_owned(),
            Written::Default { variable, .. } => format!("default({variable})"),
            Written::EnvFile { variable, .. } => format!("env({variable})"),
            Written::Shell { variable } => format!("shell({variable})"),
        };
        match written.span() {
            Some(span) => format!("{who} {}@{}", files.slice(span), span.start),
            None => who,
        }
    });
    runs.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_run_points_at_its_bytes() {
    for (template, value, expected) in [
        ("8080:80", "8080:80", "literal 8080:80@0"),
        ("$P:80", "8080:80", "env(P) 8080@2 literal :80@2"),
        ("${P}:80", "8080:80", "env(P) 8080@2 literal :80@4"),
        ("${P:-1}:80", "8080:80", "env(P) 8080@2 literal :80@7"),
        (
            "${U:-8080}:80",
            "8080:80",
            "default(U) 8080@5 literal :80@10",
        ),
        ("${U-8080}", "8080", "default(U) 8080@4"),
        ("${E:-8080}", "8080", "default(E) 8080@5"),
        ("${S}:80", "7070:80", "shell(S) literal :80@4"),
        ("${S:-1}", "7070", "shell(S)"),
        ("${S:?e}", "7070", "shell(S)"),
        ("${R}", "90", "env(R) 90@18"),
        ("${U:-$P}", "8080", "env(P) 8080@2"),
        ("${U:-${W:-80}}", "80", "default(W) 80@10"),
        (
            "${U:-1${W:-2}3}",
            "123",
            "default(U) 1@5 default(W) 2@11 default(U) 3@13",
        ),
        ("80${HALF}", "8080", "literal 80@0 env(HALF) 80@12"),
        ("${S:+8080}", "8080", "literal 8080@5"),
        ("${U:-${S:+80}}", "80", "default(U) 80@10"),
        ("a$$b", "a$b", "literal a@0 literal $$@1 literal b@3"),
        (
            "${U:-1}${W:-2}3",
            "123",
            "default(U) 1@5 default(W) 2@12 literal 3@14",
        ),
        ("1$ 2", "1$ 2", "literal 1$ 2@0"),
        ("é${U:-80}", "é80", "literal é@0 default(U) 80@7"),
    ] {
        let (files, text, environment) = project(template);
        let result = interpolate(&text, &environment, &mut BTreeSet::new()).unwrap();
        assert_eq!(result.value(), value, "{template}");
        assert_eq!(runs(&files, &result), expected, "{template}");
    }
}

#[test]
fn an_error_names_its_bytes() {
    for (template, bytes) in [
        ("a${1}b", "${1}"),
        ("a${V x\ny}", "${V x"),
        ("${U:-x}y${ }z", "${ }"),
        ("80:${U:?no}:80", "${U:?no}"),
        ("${P:-${U?}}", "${U?}"),
        ("${", "${"),
    ] {
        let (_, text, environment) = project(template);
        let error = interpolate(&text, &environment, &mut BTreeSet::new()).unwrap_err();
        assert_eq!(&template[error.range], bytes, "{template}");
    }
}

#[test]
fn the_innermost_template_is_shown() {
    for (template, shown) in [
        ("a ${V!} b", "a ${V!} b"),
        ("${U:-x${ }}", "x${ }"),
        ("${U:-x}y${ } z", "y${ }"),
        ("${U:-x}y${ z", "${U:-x}y${ z"),
    ] {
        let (_, text, environment) = project(template);
        let error = interpolate(&text, &environment, &mut BTreeSet::new()).unwrap_err();
        let template = shown.to_owned();
        assert_eq!(
            error.kind,
            InterpolationErrorKind::InvalidFormat { template }
        );
    }
}

#[test]
fn names_fold_case_as_go_does() {
    let (_, text, environment) = project("$\u{212a}x${\u{17f}:-d}");
    let mut unset = BTreeSet::new();
    let result = interpolate(&text, &environment, &mut unset).unwrap();
    assert_eq!(result.value(), "d");
    assert!(unset.contains("\u{212a}x"));
}

#[test]
fn hostile_templates_are_refused_or_read_quickly() {
    let kind = |template: &str| {
        let (_, text, environment) = project(template);
        interpolate(&text, &environment, &mut BTreeSet::new()).map_err(|error| error.kind)
    };
    let nested = |depth| "${U:-".repeat(depth) + &"}".repeat(depth);
    assert_eq!(
        kind(&nested(MAX_DEPTH)).map(|text| text.value().len()),
        Ok(0)
    );
    assert_eq!(kind(&nested(100_000)), Err(InterpolationErrorKind::TooDeep));
    assert!(kind(&"${U:-".repeat(100_000)).is_err());
    assert!(kind(&"${U:-x}".repeat(100_000)).is_ok());
    assert!(kind(&"${U:-{}".repeat(100_000)).is_err());
    assert_eq!(
        kind(&"$P".repeat(300_000)),
        Err(InterpolationErrorKind::TooLong)
    );
}

/// Templates made of what matters to the syntax, and a few plain characters.
fn template() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("$"),
        Just("${"),
        Just("}"),
        Just("{"),
        Just(":-"),
        Just("-"),
        Just(":+"),
        Just("?"),
        Just("P"),
        Just("U"),
        Just("S"),
        Just("80"),
        Just("\n"),
        Just("é"),
        Just(" "),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(template in ".*") {
        let (_, text, environment) = project(&template);
        let _ = interpolate(&text, &environment, &mut BTreeSet::new());
    }

    #[test]
    fn every_character_maps_back_to_itself(template in template()) {
        let (files, text, environment) = project(&template);
        match interpolate(&text, &environment, &mut BTreeSet::new()) {
            Ok(result) => {
                for (at, c) in result.value().char_indices() {
                    let written = result.slice(at..at + c.len_utf8()).single().unwrap();
                    let Some(span) = written.span() else { continue };
                    let source = files.slice(span);
                    prop_assert!(source == c.to_string() || (c == '$' && source == "$$"));
                }
            }
            Err(error) => {
                let at = &template[error.range.clone()];
                prop_assert_eq!(at.get(..2), Some("${"));
                prop_assert_eq!(files.slice(text.extent(error.range).unwrap()), at);
            }
        }
    }
}
