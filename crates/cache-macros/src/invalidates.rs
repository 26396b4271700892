//! `#[invalidates]`.

use proc_macro2::TokenStream;
use syn::LitStr;

use crate::arguments::{Invalidates, List, Text};
use crate::common::{Source, both, engine, no_hidden_result, ours, tags};
use crate::function::Function;
use crate::output::Output;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = Function::read(item, "invalidates")?;
    let given: Invalidates = syn::parse2(arguments)?;
    if function.has_attribute("cached") {
        return Err(both(&function));
    }
    let named = |list: Option<&List>| list.is_some_and(|list| !list.items.is_empty());
    if !named(given.tags.as_ref()) && !named(given.namespaces.as_ref()) {
        let message = "it invalidates nothing: name `tags = [\"user:{id}\"]`, or \
                       `namespaces = [\"user\"]` when nobody knows whose rows change";
        return Err(syn::Error::new(function.name().span(), message));
    }

    let engine = engine(given.root.as_ref());
    let source = Source::read(given.cache.as_ref(), &engine, &function)?;
    let tags = tags(given.tags.as_ref(), &engine, &function)?;
    let namespaces = namespaces(given.namespaces.as_ref())?;
    let output = Output::of(&function.output);
    let guard = match output.fallible {
        true => TokenStream::new(),
        false => no_hidden_result(&function.output, &engine, "invalidates"),
    };
    let conclude = conclude(&given, output.fallible)?;
    let (whole, bind) = (&function.output, &source.bind);
    let statements = function.body();
    let mutable = (!namespaces.is_empty()).then(|| ours!(mut));
    let body = ours! {
        #guard
        #bind
        let #mutable write = #engine::Cache::begin_write(cache, #tags);
        #(write.add_namespace(#namespaces);)*
        let body = async move || -> #whole #statements;
        let outcome: #whole = #engine::__private::run(body).await;
        #conclude
        outcome
    };
    Ok(function.with_body(body))
}

fn namespaces<'l>(list: Option<&'l List>) -> syn::Result<Vec<&'l LitStr>> {
    let literal = |item: &'l Text| match item {
        Text::Literal(literal) if literal.value().contains([':', '{', '}']) => {
            Err(syn::Error::new(
                literal.span(),
                "a namespace is the first name of a key alone, such as \"user\"",
            ))
        }
        Text::Literal(literal) => Ok(literal),
        Text::Other(value) => {
            Err(syn::Error::new_spanned(value, "a namespace is a literal, such as \"user\""))
        }
    };
    list.iter().flat_map(|list| &list.items).map(literal).collect()
}

/// What becomes of the guard. `WriteGuard::committed` answers whether the shared level knows; if
/// not, the guard has put the tags into quarantine, so the caller has nothing left to do.
fn conclude(given: &Invalidates, fallible: bool) -> syn::Result<TokenStream> {
    let committed = ours!(write.committed().await;);
    if !fallible {
        let span = given.on_error.as_ref().map(LitStr::span);
        let condition = given.rolled_back_if.as_ref().map(syn::spanned::Spanned::span);
        return match span.or(condition) {
            Some(span) => Err(syn::Error::new(
                span,
                "there are no errors to judge: this function returns no `Result`",
            )),
            None => Ok(committed),
        };
    }
    let on_error = match given.on_error.as_ref() {
        None => ours!(::core::mem::drop(write);),
        Some(choice) => match choice.value().as_str() {
            "unknown" => ours!(::core::mem::drop(write);),
            "rolled_back" => ours!(write.rolled_back();),
            "committed" => committed.clone(),
            _ => {
                let message = "`on_error` is \"unknown\" (the default), \"rolled_back\" or \
                               \"committed\"";
                return Err(syn::Error::new(choice.span(), message));
            }
        },
    };
    // Judged first: nothing of the outcome is borrowed while the future waits.
    let rolled_back = given.rolled_back_if.as_ref().map(|judge| {
        ours! {
            else if ::core::option::Option::is_some_and(
                ::core::result::Result::as_ref(&outcome).err(),
                #judge,
            ) {
                write.rolled_back();
            }
        }
    });
    Ok(ours! {
        if ::core::result::Result::is_ok(&outcome) { #committed } #rolled_back else { #on_error }
    })
}
