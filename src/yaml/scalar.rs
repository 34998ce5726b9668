//! What a scalar means to go-yaml v3: `017` is 15, `22:22` a string, `080` a float.
//!
//! Source: `resolve.go` of go.yaml.in/yaml v3.0.4; checked row by row against
//! `fixtures/tables/scalars.jsonl`.

use std::rc::Rc;

use super::node::{Str, Style, Value};

const CORE: &str = "tag:yaml.org,2002:";

/// The value of a scalar, given its tag in full (`tag:yaml.org,2002:int`), if it has one.
///
/// # Errors
/// The text cannot be what its tag says.
pub(super) fn resolve(text: &str, style: Style, tag: Option<&str>) -> Result<Value, String> {
    let string = || Value::Str(Str::Plain(Rc::from(text), style));
    let Some(tag) = tag.and_then(|tag| tag.strip_prefix(CORE)) else {
        return Ok(
            if style == Style::Plain && tag.is_none_or(|tag| tag != "!") {
                plain(text).unwrap_or_else(string)
            } else {
                string()
            },
        );
    };
    match tag {
        "str" => Ok(string()),
        "binary" => match base64(text) {
            Some(decoded) => Ok(Value::Str(Str::Plain(Rc::from(decoded), style))),
            None => Err("`!!binary` value contains invalid base64 data".into()),
        },
        _ => {
            let value = plain(text).unwrap_or_else(string);
            match (tag, value) {
                ("int", value @ (Value::Int(_) | Value::Uint(_)))
                | ("float", value @ Value::Float(_))
                | ("bool", value @ Value::Bool(_))
                | ("null", value @ Value::Null)
                | ("timestamp", value @ Value::Timestamp) => Ok(value),
                ("float", Value::Int(number)) => Ok(Value::Float(number as f64)),
                ("float", Value::Uint(number)) => Ok(Value::Float(number as f64)),
                ("int" | "float" | "bool" | "null" | "timestamp", _) => {
                    Err(format!("`{text}` cannot be read as `!!{tag}`"))
                }
                (_, value) => Ok(value),
            }
        }
    }
}

/// Whether an unquoted scalar is a number of base 60 in YAML 1.1, where `22:22` is 1342.
///
/// `[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+`; to Compose it is a string.
#[must_use]
pub fn is_base_sixty(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((first, rest)) = digits.split_once(':') else {
        return false;
    };
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'_';
    let is_sixtieth = |part: &str| match part.as_bytes() {
        [one] => one.is_ascii_digit(),
        [ten, one] => (b'0'..=b'5').contains(ten) && one.is_ascii_digit(),
        _ => false,
    };
    matches!(first.as_bytes(), [b'1'..=b'9', more @ ..] if more.iter().all(is_digit))
        && rest.split(':').all(is_sixtieth)
}

/// What an unquoted scalar resolves to, unless it is a string.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Value::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Value::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    match text.as_bytes()[0] {
        b'0'..=b'9' | b'+' | b'-' => {}
        b'.' => return go_float(text).map(Value::Float),
        _ => return None,
    }
    if is_timestamp(text) {
        return Some(Value::Timestamp);
    }
    let digits = text.replace('_', "");
    integer(&digits).or_else(|| is_decimal(&digits).then(|| go_float(&digits).map(Value::Float))?)
}

/// Go's `strconv.ParseInt(digits, 0, 64)`, then `ParseUint`.
fn integer(digits: &str) -> Option<Value> {
    let (negative, number) = match digits.as_bytes() {
        [b'-', ..] => (true, &digits[1..]),
        [b'+', ..] => (false, &digits[1..]),
        _ => (false, digits),
    };
    let signed = negative || number.len() < digits.len();
    let (base, number) = match number.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &number[2..]),
        [b'0', b'b' | b'B', ..] => (2, &number[2..]),
        [b'0', b'o' | b'O', ..] => (8, &number[2..]),
        [b'0', _, ..] => (8, &number[1..]),
        _ => (10, number),
    };
    if number.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(number, base).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(magnitude).map(Value::Int);
    }
    match i64::try_from(magnitude) {
        Ok(number) => Some(Value::Int(number)),
        Err(_) if !signed => Some(Value::Uint(magnitude)),
        Err(_) => None,
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let len = digits(fraction);
        if whole == 0 && len == 0 {
            return false;
        }
        rest = &fraction[len..];
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// Numbers only: Go's `ParseFloat` also takes `inf` and `nan`, but neither begins like a number.
fn go_float(text: &str) -> Option<f64> {
    is_decimal(text).then(|| text.parse().ok())?
}

/// `2006-1-2`, alone or with a time after `T`, `t` or a blank.
fn is_timestamp(text: &str) -> bool {
    let number = |text: &str, max: usize| {
        (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let day = |part: Option<&str>, last: u8| {
        part.is_some_and(|part| {
            number(part, 2) && part.parse().is_ok_and(|day: u8| (1..=last).contains(&day))
        })
    };
    parts
        .next()
        .is_some_and(|year| year.len() == 4 && number(year, 4))
        && day(parts.next(), 12)
        && day(parts.next(), 31)
        && parts.next().is_none()
        && time.is_none_or(|time| {
            let clock = time
                .trim_start()
                .split(['.', 'Z', '+', '-'])
                .next()
                .unwrap_or("");
            let fields: Vec<&str> = clock.split(':').collect();
            fields.len() == 3 && fields.iter().all(|field| number(field, 2))
        })
}

/// The text of `!!binary`, if it is base64 of UTF-8.
fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut have) = (0u32, 0);
    let digits = text.trim_end_matches(['=', '\n', '\r', ' ']);
    for byte in digits.bytes().filter(|b| !b"\n\r ".contains(b)) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push((bits >> have) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match resolve(text, Style::Plain, None).unwrap() {
            Value::Str(text) => format!("{:?}", text.as_str()),
            value => format!("{value:?}"),
        }
    }

    #[test]
    fn scalars_mean_what_go_yaml_says() {
        for (text, value) in [
            ("80", "Int(80)"),
            ("017", "Int(15)"),
            ("0o17", "Int(15)"),
            ("0x50", "Int(80)"),
            ("8_0", "Int(80)"),
            ("+80", "Int(80)"),
            ("-80", "Int(-80)"),
            ("080", "Float(80.0)"),
            ("08", "Float(8.0)"),
            ("80.", "Float(80.0)"),
            (".5", "Float(0.5)"),
            ("1e3", "Float(1000.0)"),
            ("18446744073709551615", "Uint(18446744073709551615)"),
            ("22:22", "\"22:22\""),
            ("1:2:3", "\"1:2:3\""),
            ("yes", "\"yes\""),
            ("2024-01-01", "Timestamp"),
            ("8000-8010", "\"8000-8010\""),
            ("-", "\"-\""),
            ("~", "Null"),
            ("True", "Bool(true)"),
        ] {
            assert_eq!(show(text), value, "{text}");
        }
    }
}
