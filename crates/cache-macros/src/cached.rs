//! `#[cached]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Ident, Type};

use crate::arguments::{Cached, Text, mentioned};
use crate::common::{Source, both, engine, no_hidden_result, ours, tags};
use crate::function::Function;
use crate::output::Output;
use crate::template::Template;
use crate::ttl;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = Function::read(item, "cached")?;
    let given: Cached = syn::parse2(arguments)?;
    if function.has_attribute("invalidates") {
        return Err(both(&function));
    }
    let output = Output::of(&function.output);
    check_output(&function, output.value)?;

    let engine = engine(given.root.as_ref());
    let source = Source::read(given.cache.as_ref(), &engine, &function)?;
    let (key, in_key) = key(&given, &engine, &function)?;
    check_complete(&given, &source, &in_key, &function)?;
    let Some(list) = given.tags.as_ref() else {
        let message = "`tags` is missing: list what the value depends on, as in \
                       `tags = [\"user:{id}\"]`, or say `tags = []` if only its age bounds it";
        return Err(syn::Error::new(function.name().span(), message));
    };
    let tags = tags(Some(list), &engine, &function)?;
    let ttl = time_to_live(given.ttl.as_ref())?;
    let weigh = given.weigh.as_ref().map(|size| quote_spanned!(size.span()=> .weigh(#size)));
    let negative_if =
        given.negative_if.as_ref().map(|empty| quote_spanned!(empty.span()=> .negative_if(#empty)));

    let guard = no_hidden_result(output.value, &engine, "cached");
    let (whole, value, bind) = (&function.output, output.value, &source.bind);
    let get_or_load = Ident::new(
        if output.optional { "get_or_load_optional" } else { "get_or_load" },
        whole.span().resolved_at(Span::mixed_site()),
    );
    let read = match output.fallible {
        true => ours!(entry.#get_or_load(load).await),
        false => ours! {
            #engine::__private::loaded(
                entry
                    .#get_or_load(async move || {
                        ::core::result::Result::<#whole, ::core::convert::Infallible>::Ok(
                            #engine::__private::run(load).await,
                        )
                    })
                    .await,
            )
        },
    };
    let statements = function.body();
    let body = ours! {
        #guard
        #bind
        let entry = #engine::Cache::entry::<#value>(cache, #key, #tags, #ttl) #weigh #negative_if;
        let load = async move || -> #whole #statements;
        #read
    };
    Ok(function.with_body(body))
}

fn check_output(function: &Function, value: &Type) -> syn::Result<()> {
    if !function.says_what_it_returns() {
        let message = format!(
            "`{}` returns nothing that could be cached: add `-> ..` with the value's type",
            function.name()
        );
        return Err(syn::Error::new(function.name().span(), message));
    }
    match value {
        Type::Reference(_) => Err(syn::Error::new(
            value.span(),
            "a cached value outlives the call, so it cannot be a reference: return an owned one, \
             such as `String` or `Arc<str>`",
        )),
        _ => Ok(()),
    }
}

/// The expression of the key, and the variables in it.
fn key(
    given: &Cached,
    engine: &TokenStream,
    function: &Function,
) -> syn::Result<(TokenStream, Vec<String>)> {
    match given.key.as_ref() {
        Some(Text::Literal(literal)) => {
            let template = Template::read(literal, "key", function)?;
            let roots = template.roots().map(str::to_owned).collect();
            Ok((template.build(&quote!(#engine::Key)), roots))
        }
        Some(Text::Other(value)) => Ok((quote!(#value), mentioned(value))),
        None => Err(syn::Error::new(
            function.name().span(),
            "`key` is missing: name what is cached, as in `key = \"user:{id}:profile\"`",
        )),
    }
}

/// Every argument is in the key, or said to make no difference: one that is forgotten would serve
/// the value of another call.
fn check_complete(
    given: &Cached,
    source: &Source,
    in_key: &[String],
    function: &Function,
) -> syn::Result<()> {
    let none = Vec::new();
    let ignored = given.ignore.as_ref().unwrap_or(&none);
    let mut errors: Option<syn::Error> = None;
    let mut add = |span: Span, message: String| {
        let error = syn::Error::new(span, message);
        match &mut errors {
            Some(errors) => errors.combine(error),
            None => errors = Some(error),
        }
    };
    for name in ignored {
        let text = name.to_string();
        if in_key.contains(&text) {
            add(name.span(), format!("`{name}` is in the key, so it is not ignored"));
        } else if !function.knows(&text) && function.parameters().all(|known| known != name) {
            let there = function.names_there_are();
            add(name.span(), format!("there is no `{name}` to ignore; there {there}"));
        }
    }
    for name in function.arguments.iter().flat_map(|argument| &argument.names) {
        let text = name.to_string();
        let is_source = source.root.as_deref() == Some(&text);
        if !is_source && !in_key.contains(&text) && !ignored.contains(name) {
            add(name.span(), forgotten(&text));
        }
    }
    for parameter in function.parameters() {
        let text = parameter.to_string();
        let in_types = function.arguments.iter().map(|argument| &argument.ty);
        let seen = in_types.chain([&function.output]).any(|ty| names(ty, parameter));
        if !seen && !in_key.contains(&text) && !ignored.contains(parameter) {
            let message = format!(
                "`{parameter}` chooses what is loaded, but neither an argument nor the returned \
                 type shows it, so calls that differ in it would share one entry; if it makes no \
                 difference, say `ignore({parameter})`"
            );
            add(parameter.span(), message);
        }
    }
    errors.map_or(Ok(()), Err)
}

fn forgotten(name: &str) -> String {
    if name.starts_with("__arg") {
        return "a pattern cannot be seen through `#[async_trait]`: give this argument a name and \
                take it apart in the body"
            .to_owned();
    }
    format!(
        "`{name}` is not in the key, so calls that differ in it would share one value; add \
         `{{{name}}}` to the key or, if it makes no difference, say `ignore({name})`"
    )
}

/// Whether a type names a parameter.
fn names(ty: &Type, parameter: &Ident) -> bool {
    struct Search<'p>(&'p Ident, bool);
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.1 |= ident == self.0;
        }
    }
    let mut search = Search(parameter, false);
    search.visit_type(ty);
    search.1
}

fn time_to_live(given: Option<&Text>) -> syn::Result<TokenStream> {
    Ok(match given {
        None => quote!(::core::option::Option::None::<::core::time::Duration>),
        Some(Text::Literal(literal)) => {
            let ms = ttl::millis(literal)?;
            quote!(::core::time::Duration::from_millis(#ms))
        }
        Some(Text::Other(value)) => quote!(#value),
    })
}
