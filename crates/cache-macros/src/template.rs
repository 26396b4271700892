//! Key and tag templates: `user:{id}:profile`.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::parse::Parse;
use syn::{Expr, LitStr};

use crate::function::Function;

/// A namespace or family, and what follows it.
pub(crate) struct Template {
    literal: LitStr,
    head: String,
    segments: Vec<Segment>,
}

enum Segment {
    Literal(String),
    Placeholder { root: String, value: Box<Expr> },
}

impl Template {
    /// Reads a template whose placeholders are known to `function`. `noun`: "key" or "tag".
    pub(crate) fn read(literal: &LitStr, noun: &str, function: &Function) -> syn::Result<Self> {
        let text = literal.value();
        let refuse = |message: String| Err(syn::Error::new(literal.span(), message));
        if text.is_empty() {
            return refuse(format!(
                "an empty {noun}; it begins with a name, as in \"user:{{id}}\""
            ));
        }
        let mut parts = text.split(':');
        let head = parts.next().unwrap_or_default();
        if head.is_empty() || head.contains(['{', '}']) {
            return refuse(format!(
                "a {noun} begins with a literal name, then `:`, as in \"user:{{id}}\"; \
                 found `{head}`"
            ));
        }
        let segments = parts
            .map(|part| segment(part, literal, noun, function))
            .collect::<syn::Result<Vec<_>>>()?;
        Ok(Self { literal: literal.clone(), head: head.to_owned(), segments })
    }

    /// The arguments it names.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Placeholder { root, .. } => Some(root.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// An expression that builds it. `family`: the path of `Key` or `Tag`.
    pub(crate) fn build(&self, family: &TokenStream) -> TokenStream {
        let span = self.literal.span();
        let head = LitStr::new(&self.head, span);
        let mut built = quote_spanned!(span=> #family::new(#head));
        for segment in &self.segments {
            built = match segment {
                Segment::Literal(text) => {
                    let text = LitStr::new(text, span);
                    quote_spanned!(span=> #built.part(#text))
                }
                Segment::Placeholder { value, .. } => quote_spanned!(span=> #built.with(&#value)),
            };
        }
        built
    }
}

fn segment(part: &str, literal: &LitStr, noun: &str, function: &Function) -> syn::Result<Segment> {
    let refuse = |message: String| Err(syn::Error::new(literal.span(), message));
    if !part.contains(['{', '}']) {
        return match part {
            "" => refuse(format!(
                "an empty segment in the {noun} {:?}; separate names and placeholders by one `:`",
                literal.value()
            )),
            text => Ok(Segment::Literal(text.to_owned())),
        };
    }
    let (opened, closed) = (part.matches('{').count(), part.matches('}').count());
    let Some(inner) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return refuse(match (opened, closed) {
            (opened, closed) if opened > closed => format!("`{part}` lacks its closing `}}`"),
            (opened, closed) if opened < closed => format!("`{part}` lacks its opening `{{`"),
            _ => format!(
                "`{part}` mixes a name and a placeholder; separate them by `:`, as in \
                 \"page:{{number}}\""
            ),
        });
    };
    if (opened, closed) != (1, 1) {
        return refuse(format!("`{part}` must be one placeholder, such as `{{id}}`"));
    }
    if inner.trim().is_empty() {
        return refuse(format!(
            "an empty placeholder; name what stands there: there {}",
            function.names_there_are()
        ));
    }
    let Ok(value) = LitStr::new(inner, literal.span()).parse_with(Expr::parse) else {
        return refuse(not_a_path(inner));
    };
    let Some(root) = root(&value) else { return refuse(not_a_path(inner)) };
    if !function.knows(&root) {
        return refuse(format!(
            "`{root}` is not an argument of `{}`; there {}",
            function.name(),
            function.names_there_are()
        ));
    }
    Ok(Segment::Placeholder { root, value: Box::new(value) })
}

fn not_a_path(inner: &str) -> String {
    format!(
        "`{{{inner}}}` is too much for a placeholder; it holds an argument, a field such as \
         `{{user.id}}` or a method without arguments such as `{{page.limit()}}`"
    )
}

/// The variable that a path of fields and methods without arguments begins with.
fn root(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) if call.args.is_empty() && call.turbofish.is_none() => {
            root(&call.receiver)
        }
        _ => None,
    }
}
