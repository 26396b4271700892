//! What both attributes share: where the cache comes from, and lists of tags.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Path};

use crate::arguments::{List, Text};
use crate::function::Function;
use crate::template::Template;

/// Like `quote!`; its variables are not seen by the function's own code, nor those by it.
macro_rules! ours {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}
pub(crate) use ours;

/// The error of a function that has both attributes.
pub(crate) fn both(function: &Function) -> syn::Error {
    let message = "a function is `#[cached]` or `#[invalidates]`, not both: a hit would \
                   invalidate, or a write would be left out";
    syn::Error::new(function.name().span(), message)
}

/// The path of the engine's crate.
pub(crate) fn engine(root: Option<&Path>) -> TokenStream {
    root.map_or_else(|| quote!(::guildhall_cache), |root| quote!(#root))
}

/// The cache to use, and the statement that binds `cache` to it.
pub(crate) struct Source {
    /// The variable it is taken from.
    pub(crate) root: Option<String>,
    pub(crate) bind: TokenStream,
}

impl Source {
    pub(crate) fn read(
        given: Option<&Expr>,
        engine: &TokenStream,
        function: &Function,
    ) -> syn::Result<Self> {
        let own = function.receiver().map(|receiver| &receiver.self_token);
        let value = match (given, own) {
            (Some(value), _) => value.clone(),
            (None, Some(own)) => syn::parse_quote!(#own.cache),
            (None, None) => {
                let message = format!(
                    "where is the cache of `{}`? A method uses `self.cache`; a function says it: \
                     `cache = ..`",
                    function.name()
                );
                return Err(syn::Error::new(function.name().span(), message));
            }
        };
        let root = root(&value);
        // Errors point at the expression; the variable is ours.
        let span = value.span().resolved_at(Span::mixed_site());
        let of = quote_spanned!(span=> #engine::__private::of(source));
        // A handle of our own where the body may move away or borrow what the cache stands in.
        let bind = match &root {
            Some(root) if function.owns(root) => ours! {
                let cache = { let source = &#value; ::core::clone::Clone::clone(#of) };
                let cache = &cache;
            },
            _ => ours! {
                let source = &#value;
                let cache = #of;
            },
        };
        Ok(Self { root, bind })
    }
}

/// The variable that an expression starts from.
fn root(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Index(index) => root(&index.expr),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::Unary(unary) => root(&unary.expr),
        Expr::Paren(paren) => root(&paren.expr),
        Expr::Group(group) => root(&group.expr),
        _ => None,
    }
}

/// An array of the tags.
pub(crate) fn tags(
    list: Option<&List>,
    engine: &TokenStream,
    function: &Function,
) -> syn::Result<TokenStream> {
    let family = quote!(#engine::Tag);
    let mut items = Vec::new();
    for item in list.iter().flat_map(|list| &list.items) {
        items.push(match item {
            Text::Literal(literal) => Template::read(literal, "tag", function)?.build(&family),
            Text::Other(value) => quote!(#value),
        });
    }
    let count = items.len();
    Ok(ours!({ let tags: [#family; #count] = [#(#items),*]; tags }))
}

/// Refuses a `Result` that only the compiler can see, behind an alias: its errors would count as
/// values.
pub(crate) fn no_hidden_result(
    value: &syn::Type,
    engine: &TokenStream,
    attribute: &str,
) -> TokenStream {
    let message = format!(
        "`#[{attribute}]` sees no `Result` in this signature, but there is one: write \
         `Result<..>`, so that errors are told from values"
    );
    quote_spanned! {value.span()=>
        const {
            #[allow(unused_imports, reason = "not needed where the type is a `Result`")]
            use #engine::__private::NotResult as _;
            ::core::assert!(!#engine::__private::Probe::<#value>::IS_RESULT, #message);
        }
    }
}
