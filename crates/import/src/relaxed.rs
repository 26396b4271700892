//! JavaScript literals as people write them by hand: keys without quotes, three kinds of quotes,
//! comments, commas at the end, and `ObjectId("…")`. Read into JSON values.

use serde_json::{Map, Number, Value};

/// Nesting deeper than this is refused, so that a file cannot exhaust the stack.
const DEPTH_MAX: usize = 32;

/// Where and why a text is no literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {expected} expected")]
pub struct RelaxedError {
    /// The line, from 1.
    pub line: usize,
    /// What should have been there.
    pub expected: &'static str,
}

/// Reads the array literal that begins at the first `[` after `from`. What follows it is ignored.
pub(crate) fn array_at(text: &str, from: usize) -> Result<Vec<Value>, RelaxedError> {
    let mut reader = Reader { text, at: from };
    while !matches!(reader.peek(), Some('[') | None) {
        reader.skip_one();
        reader.skip_space()?;
    }
    match reader.value(0)? {
        Value::Array(items) => Ok(items),
        _ => Err(reader.expected("an array")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn expected(&self, expected: &'static str) -> RelaxedError {
        let read = self.text.get(..self.at).unwrap_or(self.text);
        RelaxedError { line: 1 + read.matches('\n').count(), expected }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Past one character, or past a whole string where one begins: brackets inside are not meant.
    fn skip_one(&mut self) {
        match self.peek() {
            Some('"' | '\'' | '`') if self.string().is_ok() => {}
            Some(c) => self.at += c.len_utf8(),
            None => {}
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// Past white space and comments.
    fn skip_space(&mut self) -> Result<(), RelaxedError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let skipped = if trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").ok_or_else(|| self.expected("the end of the comment"))? + 2
            } else {
                return Ok(());
            };
            self.at += skipped;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, RelaxedError> {
        if depth > DEPTH_MAX {
            return Err(self.expected("a value that is not nested so deeply"));
        }
        self.skip_space()?;
        match self.peek() {
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('"' | '\'' | '`') => self.string().map(Value::String),
            Some('-' | '+' | '.' | '0'..='9') => self.number(),
            Some(c) if is_name(c) => self.word(),
            _ => Err(self.expected("a value")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, RelaxedError> {
        self.eat('[');
        let mut items = Vec::new();
        loop {
            self.skip_space()?;
            if self.eat(']') {
                return Ok(Value::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.skip_space()?;
            if !self.eat(',') && self.peek() != Some(']') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, RelaxedError> {
        self.eat('{');
        let mut fields = Map::new();
        loop {
            self.skip_space()?;
            if self.eat('}') {
                return Ok(Value::Object(fields));
            }
            let key = match self.peek() {
                Some('"' | '\'' | '`') => self.string()?,
                _ => self.name()?,
            };
            self.skip_space()?;
            if !self.eat(':') {
                return Err(self.expected("`:`"));
            }
            let value = self.value(depth + 1)?;
            fields.insert(key, value); // As in JavaScript, the last of two counts.
            self.skip_space()?;
            if !self.eat(',') && self.peek() != Some('}') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn name(&mut self) -> Result<String, RelaxedError> {
        let rest = self.rest();
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.expected("a key"));
        }
        let name = rest[..length].to_owned();
        self.at += length;
        Ok(name)
    }

    /// `true`, `false`, `null`, `undefined`, or a call such as `ObjectId("…")`: its argument.
    fn word(&mut self) -> Result<Value, RelaxedError> {
        let name = self.name()?;
        match name.as_str() {
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            "null" | "undefined" => return Ok(Value::Null),
            _ => {}
        }
        self.skip_space()?;
        if !self.eat('(') {
            return Err(self.expected("a value"));
        }
        self.skip_space()?;
        let argument = if matches!(self.peek(), Some('"' | '\'' | '`')) {
            Value::String(self.string()?)
        } else {
            Value::Null
        };
        self.skip_space()?;
        if self.eat(')') { Ok(argument) } else { Err(self.expected("`)`")) }
    }

    fn number(&mut self) -> Result<Value, RelaxedError> {
        let rest = self.rest();
        let numeric = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
        let length = rest.find(|c| !numeric(c)).unwrap_or(rest.len());
        let raw = rest[..length].replace('_', "");
        let number = match raw.parse::<i64>() {
            Ok(whole) => Some(Number::from(whole)),
            Err(_) => raw.parse::<f64>().ok().and_then(Number::from_f64),
        };
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.at += length;
        Ok(Value::Number(number))
    }

    fn string(&mut self) -> Result<String, RelaxedError> {
        let begin = self.at;
        let text = self.quoted();
        if text.is_none() {
            self.at = begin;
        }
        text.ok_or_else(|| self.expected("the end of the string"))
    }

    /// `None` without a closing quote, or with an escape that is none.
    fn quoted(&mut self) -> Option<String> {
        let quote = self.next()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == quote => return Some(text),
                '\n' if quote != '`' => return None,
                '\\' => text.extend(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// What an escape stands for; a line that goes on stands for nothing.
    fn escaped(&mut self) -> Option<Option<char>> {
        Some(Some(match self.next()? {
            '\n' => return Some(None),
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' if self.eat('{') => {
                let hex = self.rest().split('}').next()?.to_owned();
                self.at += hex.len() + 1;
                char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?
            }
            'u' => self.utf16()?,
            'x' => char::from_u32(self.hex(2)?)?,
            c => c,
        }))
    }

    /// `\uXXXX`, and the second half of a pair where it is a first one.
    fn utf16(&mut self) -> Option<char> {
        let first = u16::try_from(self.hex(4)?).ok()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            units.push(u16::try_from(self.hex(4)?).ok()?);
        }
        let mut chars = char::decode_utf16(units);
        let c = chars.next()?.ok()?;
        chars.next().is_none().then_some(c)
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let raw = self.rest().get(..digits)?;
        let number = u32::from_str_radix(raw, 16).ok()?;
        self.at += digits;
        Some(number)
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn literals_are_read_as_people_write_them() {
        let text = r#"
            // A [comment] and 'a quote.
            db.items.insertMany( /* [ */ "not [ this", [
                { _id: ObjectId("65a"), title: 'It\'s 🏆', "cost": 1_000, price: -1.5, }, // end
                { nested: { on: true, off: null }, list: [1, .5,], key2: `two
lines` },
            ]);
            print("done");
        "#;
        let items = array_at(text, 0).unwrap();
        assert_eq!(
            Value::Array(items),
            json!([
                { "_id": "65a", "title": "It's 🏆", "cost": 1000, "price": -1.5 },
                { "nested": { "on": true, "off": null }, "list": [1, 0.5], "key2": "two\nlines" },
            ])
        );
    }

    #[test]
    fn escapes_are_understood() {
        let text = r#"["\u00e9\u{1F3C6}\ud83c\udfc6\x41\n\"\/"]"#;
        assert_eq!(array_at(text, 0).unwrap(), [json!("é🏆🏆A\n\"/")]);
    }

    #[test]
    fn what_is_no_literal_is_refused_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("nothing here", 1),
            ("[", 1),
            ("[1 2]", 1),
            ("\n[{a 1}]", 2),
            ("[{a: }]", 1),
            ("['open\n']", 1),
            ("[\"\\ud83c\"]", 1),
            ("[\"\\uzzzz\"]", 1),
            ("[/* open", 1),
            ("[fetch]", 1),
            ("[1e999]", 1),
        ] {
            assert_eq!(array_at(text, 0).unwrap_err().line, line, "{text}");
        }
        assert!(array_at(&"[".repeat(100_000), 0).is_err());
    }
}
