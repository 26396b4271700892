//! What a function returns, as far as its signature shows.

use syn::{GenericArgument, PathArguments, Type};

/// The shape of a return type. An alias hides it; the generated code checks that no `Result` is
/// behind one.
pub(crate) struct Output<'t> {
    /// Whether errors are told apart from values.
    pub(crate) fallible: bool,
    /// Whether absence is told apart from values.
    pub(crate) optional: bool,
    /// What is cached when it is there.
    pub(crate) value: &'t Type,
}

impl<'t> Output<'t> {
    pub(crate) fn of(whole: &'t Type) -> Self {
        let (fallible, answer) = match argument_of(whole, "Result") {
            Some(answer) => (true, answer),
            None => (false, whole),
        };
        let (optional, value) = match argument_of(answer, "Option") {
            Some(value) => (true, value),
            None => (false, answer),
        };
        Self { fallible, optional, value }
    }
}

/// `T` of `Name<T, ..>`, under whatever path.
fn argument_of<'t>(of: &'t Type, name: &str) -> Option<&'t Type> {
    let path = match of {
        Type::Group(group) => return argument_of(&group.elem, name),
        Type::Paren(paren) => return argument_of(&paren.elem, name),
        Type::Path(path) => path,
        _ => return None,
    };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == name => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(argument) => Some(argument),
                _ => None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn results_and_options_are_seen_under_any_path() {
        let shape = |whole: Type| {
            let output = Output::of(&whole);
            let value = output.value;
            (output.fallible, output.optional, quote::quote!(#value).to_string())
        };
        assert_eq!(shape(parse_quote!(User)), (false, false, "User".to_owned()));
        assert_eq!(shape(parse_quote!(Option<User>)), (false, true, "User".to_owned()));
        assert_eq!(shape(parse_quote!(Result<User, E>)), (true, false, "User".to_owned()));
        assert_eq!(shape(parse_quote!(io::Result<Option<User>>)), (true, true, "User".to_owned()));
        assert_eq!(
            shape(parse_quote!(Option<Result<User, E>>)),
            (false, true, "Result < User , E >".to_owned())
        );
    }
}
