//! The function under the attribute: what it takes, what it returns, where its body is.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{
    Block, Expr, FnArg, GenericArgument, GenericParam, Ident, ItemFn, Pat, PatIdent, PathArguments,
    Receiver, ReceiverKind, ReturnType, Stmt, TraitItemFn, Type, TypeParamBound,
};

/// An async function, as written or as `#[async_trait]` has rewritten it.
pub(crate) struct Function {
    item: ItemFn,
    pub(crate) arguments: Vec<Argument>,
    /// What the future gives.
    pub(crate) output: Type,
    erased: bool,
}

/// One argument other than `self`.
pub(crate) struct Argument {
    /// The variables its pattern binds.
    pub(crate) names: Vec<Ident>,
    pub(crate) ty: Type,
}

impl Function {
    /// `attribute`: its name, for errors.
    pub(crate) fn read(item: TokenStream, attribute: &str) -> syn::Result<Self> {
        let item = parse_item(item, attribute)?;
        let signature = &item.sig;
        let (output, erased) = match &signature.output {
            _ if signature.asyncness.is_some() => (declared(&signature.output), false),
            ReturnType::Type(_, boxed) if erased_body(&item.block).is_some() => {
                match output_of_boxed(boxed) {
                    Some(output) => (output, true),
                    None => return Err(not_async(&item, attribute)),
                }
            }
            _ => return Err(not_async(&item, attribute)),
        };
        if let Type::ImplTrait(hidden) = &output {
            let message = format!("`#[{attribute}]` needs a return type that has a name");
            return Err(syn::Error::new(hidden.span(), message));
        }
        let arguments = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Receiver(_) => None,
                FnArg::Typed(typed) => {
                    Some(Argument { names: names_bound_by(&typed.pat), ty: (*typed.ty).clone() })
                }
            })
            .collect();
        Ok(Self { item, arguments, output, erased })
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.item.sig.ident
    }

    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        self.item.sig.receiver()
    }

    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        let named = |attribute: &syn::Attribute| {
            attribute.path().segments.last().is_some_and(|last| last.ident == name)
        };
        self.item.attrs.iter().any(named)
    }

    /// Whether `->` stands in the signature.
    pub(crate) fn says_what_it_returns(&self) -> bool {
        !matches!(&self.output, Type::Tuple(unit) if unit.elems.is_empty())
    }

    /// Type and constant parameters of the function itself.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Ident> {
        self.item.sig.generics.params.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some(&parameter.ident),
            GenericParam::Const(parameter) => Some(&parameter.ident),
            _ => None,
        })
    }

    fn constants(&self) -> impl Iterator<Item = &Ident> {
        self.item.sig.generics.const_params().map(|parameter| &parameter.ident)
    }

    /// Whether a placeholder may begin with this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        (name == "self" && self.receiver().is_some())
            || self.arguments.iter().flat_map(|argument| &argument.names).any(|n| n == name)
            || self.constants().any(|constant| constant == name)
    }

    /// "are `self`, `id`", for errors.
    pub(crate) fn names_there_are(&self) -> String {
        let own = self.receiver().is_some().then(|| "`self`".to_owned());
        let bound = self.arguments.iter().flat_map(|argument| &argument.names);
        let bound = bound.chain(self.constants()).map(|name| format!("`{name}`"));
        let names: Vec<_> = own.into_iter().chain(bound).collect();
        match names.as_slice() {
            [] => "are none".to_owned(),
            [one] => format!("is {one}"),
            several => format!("are {}", several.join(", ")),
        }
    }

    /// Whether the body can move away what this expression borrows from.
    pub(crate) fn owns(&self, root: &str) -> bool {
        if root == "self" {
            return self.receiver().is_some_and(|receiver| match &receiver.kind {
                ReceiverKind::Reference(_, _, mutable) => mutable.is_some(),
                ReceiverKind::Typed(_, ty) => !is_shared_reference(ty),
                _ => true,
            });
        }
        let named = |argument: &&Argument| argument.names.iter().any(|name| name == root);
        self.arguments.iter().find(named).is_some_and(|argument| !is_shared_reference(&argument.ty))
    }

    /// The body, to be run inside of what replaces it.
    pub(crate) fn body(&self) -> &Block {
        match erased_body(&self.item.block) {
            Some(body) if self.erased => body,
            _ => &self.item.block,
        }
    }

    /// The function with another body.
    pub(crate) fn with_body(mut self, body: TokenStream) -> TokenStream {
        let body = match self.erased {
            true => quote!(Box::pin(async move { #body })),
            false => body,
        };
        self.item.block.stmts = vec![Stmt::Expr(Expr::Verbatim(body), None)];
        self.item.into_token_stream()
    }
}

fn parse_item(item: TokenStream, attribute: &str) -> syn::Result<ItemFn> {
    let whole = item.clone();
    let first = item.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    syn::parse2::<ItemFn>(item).map_err(|error| {
        let message = if syn::parse2::<TraitItemFn>(whole.clone()).is_ok() {
            "has nothing to run here: it goes where the function has its body"
        } else if syn::parse2::<syn::Item>(whole).is_ok() {
            "goes on an async function or method"
        } else {
            return error;
        };
        syn::Error::new(first, format!("`#[{attribute}]` {message}"))
    })
}

fn not_async(item: &ItemFn, attribute: &str) -> syn::Error {
    let message = format!("`#[{attribute}]` needs an `async fn`: `{}` is none", item.sig.ident);
    syn::Error::new(item.sig.fn_token.span(), message)
}

fn declared(output: &ReturnType) -> Type {
    match output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => syn::parse_quote!(()),
    }
}

/// The body that `#[async_trait]` left: `Box::pin(async move { .. })`.
fn erased_body(block: &Block) -> Option<&Block> {
    let Some(Stmt::Expr(Expr::Call(call), None)) = block.stmts.last() else { return None };
    let Expr::Path(called) = &*call.func else { return None };
    let ends_in_pin = called.path.segments.last().is_some_and(|last| last.ident == "pin");
    match call.args.first() {
        Some(Expr::Async(future)) if ends_in_pin && call.args.len() == 1 => Some(&future.block),
        _ => None,
    }
}

/// `T` of `Pin<Box<dyn Future<Output = T> + ..>>`.
fn output_of_boxed(boxed: &Type) -> Option<Type> {
    let object = only_argument(only_argument(boxed, "Pin")?, "Box")?;
    let Type::TraitObject(object) = object else { return None };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => {
                Some(output.ty.clone())
            }
            _ => None,
        })
    })
}

fn only_argument<'t>(of: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(argument) => Some(argument),
        _ => None,
    }
}

fn is_shared_reference(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if reference.mutability.is_none())
}

fn names_bound_by(pattern: &Pat) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, bound: &'ast PatIdent) {
            self.0.push(bound.ident.clone());
            syn::visit::visit_pat_ident(self, bound);
        }
    }
    let mut names = Names(Vec::new());
    names.visit_pat(pattern);
    names.0
}

/// The item without our attributes, for after an error: what else is wrong is then told, too.
pub(crate) fn as_written(item: TokenStream) -> TokenStream {
    let Ok(mut function) = syn::parse2::<ItemFn>(item.clone()) else { return item };
    function.attrs.retain(|attribute| {
        let last = attribute.path().segments.last();
        !last.is_some_and(|last| last.ident == "cached" || last.ident == "invalidates")
    });
    function.into_token_stream()
}
