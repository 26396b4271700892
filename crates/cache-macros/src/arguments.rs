//! What stands in the parentheses of the attributes.

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, parenthesized};

/// An argument that may be given once.
pub(crate) struct Once<T>(Option<T>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Once<T> {
    pub(crate) fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }

    fn set(&mut self, name: &Ident, value: T) -> syn::Result<()> {
        match self.0.replace(value) {
            None => Ok(()),
            Some(_) => Err(syn::Error::new(name.span(), format!("`{name}` is given twice"))),
        }
    }
}

/// A text, which has a meaning of its own, or an expression.
pub(crate) enum Text {
    Literal(LitStr),
    Other(Box<Expr>),
}

impl Parse for Text {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self::from(input.parse::<Expr>()?))
    }
}

impl From<Expr> for Text {
    fn from(value: Expr) -> Self {
        match value {
            // A `macro_rules!` macro hands its literals over in such a group.
            Expr::Group(group) => Self::from(*group.expr),
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Self::Literal(literal),
            other => Self::Other(Box::new(other)),
        }
    }
}

/// `["user:{id}", keys::tag(id)]`
pub(crate) struct List {
    pub(crate) items: Vec<Text>,
}

impl Parse for List {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        match input.parse::<Expr>()? {
            Expr::Array(array) => {
                Ok(Self { items: array.elems.into_iter().map(Text::from).collect() })
            }
            other => Err(syn::Error::new_spanned(
                other,
                "a list is expected here, as in `tags = [\"user:{id}\"]`",
            )),
        }
    }
}

/// Arguments of `#[cached]`.
#[derive(Default)]
pub(crate) struct Cached {
    pub(crate) cache: Once<Expr>,
    pub(crate) key: Once<Text>,
    pub(crate) ttl: Once<Text>,
    pub(crate) tags: Once<List>,
    pub(crate) ignore: Once<Vec<Ident>>,
    pub(crate) negative_if: Once<Expr>,
    pub(crate) weigh: Once<Expr>,
    pub(crate) root: Once<Path>,
}

impl Parse for Cached {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut given = Self::default();
        each(input, |name| match name.to_string().as_str() {
            "cache" => given.cache.set(name, value(input)?),
            "key" => given.key.set(name, value(input)?),
            "ttl" => given.ttl.set(name, value(input)?),
            "tags" => given.tags.set(name, value(input)?),
            "ignore" => given.ignore.set(name, names(input)?),
            "negative_if" => given.negative_if.set(name, value(input)?),
            "weigh" => given.weigh.set(name, value(input)?),
            "crate" => given.root.set(name, value(input)?),
            _ => Err(unknown(
                name,
                "cached",
                "`key`, `tags`, `ttl`, `cache`, `ignore(..)`, `negative_if`, `weigh` and `crate`",
            )),
        })?;
        Ok(given)
    }
}

/// Arguments of `#[invalidates]`.
#[derive(Default)]
pub(crate) struct Invalidates {
    pub(crate) cache: Once<Expr>,
    pub(crate) tags: Once<List>,
    pub(crate) namespaces: Once<List>,
    pub(crate) on_error: Once<LitStr>,
    pub(crate) rolled_back_if: Once<Expr>,
    pub(crate) root: Once<Path>,
}

impl Parse for Invalidates {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut given = Self::default();
        each(input, |name| match name.to_string().as_str() {
            "cache" => given.cache.set(name, value(input)?),
            "tags" => given.tags.set(name, value(input)?),
            "namespaces" => given.namespaces.set(name, value(input)?),
            "on_error" => given.on_error.set(name, value(input)?),
            "rolled_back_if" => given.rolled_back_if.set(name, value(input)?),
            "crate" => given.root.set(name, value(input)?),
            _ => Err(unknown(
                name,
                "invalidates",
                "`tags`, `namespaces`, `cache`, `on_error`, `rolled_back_if` and `crate`",
            )),
        })?;
        Ok(given)
    }
}

fn each(
    input: ParseStream<'_>,
    mut take: impl FnMut(&Ident) -> syn::Result<()>,
) -> syn::Result<()> {
    while !input.is_empty() {
        take(&input.call(Ident::parse_any)?)?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

fn value<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn names(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let inner;
    parenthesized!(inner in input);
    Ok(Punctuated::<Ident, Token![,]>::parse_terminated(&inner)?.into_iter().collect())
}

fn unknown(name: &Ident, attribute: &str, there_are: &str) -> syn::Error {
    let message = format!("unknown argument `{name}`: `#[{attribute}]` takes {there_are}");
    syn::Error::new(name.span(), message)
}

/// Every variable that an expression may mention, those in format strings included. Rather one
/// too many: it decides whether an argument was forgotten.
pub(crate) fn mentioned(value: &impl ToTokens) -> Vec<String> {
    let mut found = Vec::new();
    collect(value.to_token_stream(), &mut found);
    found
}

fn collect(tokens: proc_macro2::TokenStream, found: &mut Vec<String>) {
    let mut after_dot = false;
    for token in tokens {
        let dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        match token {
            TokenTree::Ident(name) if !after_dot => found.push(name.to_string()),
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let inlined = text.split('{').skip(1);
                found.extend(inlined.map(|rest| {
                    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
                }));
            }
            _ => {}
        }
        after_dot = dot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_found_in_calls_and_format_strings_but_fields_are_none() {
        let value: Expr = syn::parse_quote!(keys::page(user.id, format!("{limit:>4} {}", after)));
        let found = mentioned(&value);
        for name in ["user", "limit", "after"] {
            assert!(found.iter().any(|found| found == name), "{name}");
        }
        assert!(!found.iter().any(|found| found == "id"));
    }
}
