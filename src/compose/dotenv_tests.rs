use proptest::prelude::*;

use super::*;
use crate::compose::environment::Environment;

fn read(text: &str) -> (SourceFile, Result<Variables, DotenvError>) {
    let file = SourceFile::decode(".env", text.as_bytes().to_vec()).unwrap();
    let shell = Environment::from_shell([("OS", "shell")]);
    let mut variables = Variables::new();
    let result = parse(
        &file,
        FileId(0),
        &shell,
        &mut variables,
        &mut BTreeSet::new(),
    );
    (file, result.map(|()| variables))
}

/// The runs of A's value as `bytes@start`, joined by blanks.
fn runs_of_a(text: &str) -> (String, String) {
    let (file, variables) = read(text);
    let value = &variables.unwrap()["A"];
    let runs = value.writers().map(|written| match written.span() {
        Some(span) => format!("{}@{}", &file.text()[span.range()], span.start),
        None => "shell".to_owned(),
    });
    let runs = runs.collect::<Vec<_>>().join(" ");
    (value.value().to_owned(), runs)
}

#[test]
fn every_run_points_at_its_bytes() {
    for (text, value, runs) in [
        ("A=8080", "8080", "8080@2"),
        ("\u{feff}A=8080\r\n", "8080", "8080@5"),
        ("# c\nexport A = 8080 # c\n", "8080", "8080@15"),
        ("A: '8080'", "8080", "8080@4"),
        ("A=\"8080\"", "8080", "8080@3"),
        ("A=\"80\\t\"", "80\t", "80@3 \\t@5"),
        ("A=\"\\060123\"", "\\60123", "\\0601@3 23@8"),
        ("A=\"\\0061\"", "1", "\\0061@3"),
        ("A=\"\\$B\"", "$B", "\\$@3 B@5"),
        ("A='1\\'2'", "1'2", "1@3 \\'@4 2@6"),
        ("B=80\nA=$B${Z:-90}", "8090", "80@2 90@14"),
        ("A=1$OS", "1shell", "1@2 shell"),
        ("A\nA=1", "1", "1@4"),
        ("A=1\nA=2", "2", "2@6"),
        ("A=\"80\"B=1", "80", "80@3"),
    ] {
        let expected = (value.to_owned(), runs.to_owned());
        assert_eq!(runs_of_a(text), expected, "{text:?}");
    }
}

#[test]
fn the_writer_is_the_variable_that_holds_the_bytes() {
    let (_, variables) = read("B=80\nA=$B\nC=${Z:-1}\nOS\nD=x");
    let variables = variables.unwrap();
    let writer = |name: &str| variables[name].single().unwrap();
    let span = |start, end| Span::new(FileId(0), start, end);
    let variable = "B".into();
    assert_eq!(
        writer("A"),
        Written::EnvFile {
            variable,
            span: span(2, 4)
        }
    );
    let variable = "Z".into();
    assert_eq!(
        writer("C"),
        Written::Default {
            variable,
            span: span(17, 18)
        }
    );
    let variable = "OS".into();
    assert_eq!(writer("OS"), Written::Shell { variable });
}

#[test]
fn escapes_are_those_of_compose() {
    // Worked out from the expression `\\(?:[abcfnrtv$"\\]|0\d{0,3})` and Go's `UnquoteChar`.
    for (escaped, value) in [
        (r"\a\b\f\n\r\t\v", "\x07\x08\x0c\n\r\t\x0b"),
        (r"\\n", r"\n"),
        (r"\c\q\x41\u0041\101", r"\c\q\x41\u0041\101"),
        (r"\0101", "A"),
        (r"\0377", "\u{ff}"),
        (r"\0400", r"\400"),
        (r"\0189", r"\189"),
        (r"\0", r"\"),
        (r"\012x", r"\12x"),
        (r"\'", r"\'"),
        (r"\é", r"\é"),
        (r"\0044OS", "shell"),
    ] {
        assert_eq!(runs_of_a(&format!("A=\"{escaped}\"")).0, value, "{escaped}");
    }
}

#[test]
fn an_error_names_its_bytes() {
    use DotenvErrorKind::*;
    for (text, bytes, is) in [
        (
            "B=1\nA@=1",
            "@",
            (|kind| matches!(kind, UnexpectedCharacter { character: '@' })) as fn(&_) -> _,
        ),
        ("B=1\nset A=1", "set A", |kind| *kind == SpaceInKey),
        ("export  ", "export  ", |kind| *kind == MissingKey),
        ("A='1\n2", "'1", |kind| *kind == UnterminatedQuote),
        ("A=\"1\\", "\"1\\", |kind| *kind == UnterminatedQuote),
        ("A=x${B:?need}", "${B:?need}", |kind| {
            matches!(kind, Interpolation(_))
        }),
        ("A=\"\\t${B\"", "${B", |kind| {
            matches!(kind, Interpolation(_))
        }),
    ] {
        let (file, result) = read(text);
        let error = result.unwrap_err();
        assert_eq!(&file.text()[error.span.range()], bytes, "{text:?}");
        assert!(is(&error.kind), "{text:?}: {error}");
    }
}

#[test]
fn utf_16_and_exploding_values_are_refused() {
    let file = SourceFile::decode(".env", b"\xff\xfeA\0=\x001\0".to_vec()).unwrap();
    let (mut variables, mut unset) = (Variables::new(), BTreeSet::new());
    let environment = Environment::default();
    let error = parse(&file, FileId(0), &environment, &mut variables, &mut unset).unwrap_err();
    assert_eq!(error.kind, DotenvErrorKind::NotUtf8);

    let mut bomb = format!("A={}\n", "1".repeat(1 << 19));
    bomb.extend((0..64).map(|n| format!("A{n}=$A\n")));
    assert_eq!(read(&bomb).1.unwrap_err().kind, DotenvErrorKind::TooLarge);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*|(?s).*") {
        let _ = read(&text);
    }

    #[test]
    fn likely_text_is_read_without_panic(text in "([AB]|export |=|: |'|\"|\\\\|\\$|\\$\\{|\\}|:-|0|12| #|\n|\r\n|é)*") {
        let _ = read(&text);
    }

    #[test]
    fn digits_are_found_exactly(
        port in 0u16..,
        before in "(|\u{feff}|# c\n|B=1\r\n|export )",
        open in "( ?= ?['\"]?|: ?)",
    ) {
        let close = open.trim_start_matches([' ', '=', ':']);
        let text = format!("{before}A{open}{port}{close} # c\n");
        let expected = format!("{port}@{}", before.len() + 1 + open.len());
        prop_assert_eq!(runs_of_a(&text), (port.to_string(), expected));
    }
}
