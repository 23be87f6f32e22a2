//! The `#[check]` attribute: reads a check's metadata where the check stands and registers it.

mod attribute;
mod doc;

use proc_macro::TokenStream;
use quote::{format_ident, quote};
use syn::{ItemFn, parse_macro_input, parse_quote};

use attribute::Attribute;

/// Declares a check.
///
/// The doc comment says why the behaviour is asked for and ends with its source in parentheses. The attribute
/// takes `title`, `task`, `points` and `hints`, and where they are wanted `needs` (ids of checks that must pass
/// first), `alone` (measures time), `held_out` (graded in CI only: nothing of it is compiled into a learner kit) and `limit` (seconds).
///
/// The function is `async fn name(lab: &Lab) -> CheckResult`. Its last expression may be any `Ok(…)`, so that a
/// chain of expectations can end a check.
#[proc_macro_attribute]
pub fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let attribute = parse_macro_input!(arguments as Attribute);
    let function = parse_macro_input!(item as ItemFn);
    expand(&attribute, function).unwrap_or_else(syn::Error::into_compile_error).into()
}

fn expand(attribute: &Attribute, mut function: ItemFn) -> syn::Result<proc_macro2::TokenStream> {
    if function.sig.asyncness.is_none() || function.sig.inputs.len() != 1 {
        return Err(syn::Error::new_spanned(&function.sig, "a check is `async fn name(lab: &Lab) -> CheckResult`"));
    }
    let (why, source) = doc::why_and_source(&function)?;
    // A check may end in a chain of expectations, whose value nobody wants: any value will do.
    function.sig.output = parse_quote!(-> ::std::result::Result<impl ::std::marker::Send, ::lab_kit::Failure>);
    let name = function.sig.ident.clone();
    let id = name.to_string();
    let run = format_ident!("__run_{}", name);
    let Attribute { title, task, points, needs, hints, held_out, alone, limit } = attribute;
    let limit = limit.as_ref().map_or_else(|| quote!(None), |seconds| quote!(Some(#seconds)));
    // With `--cfg learner_kit` a suite is compiled for learners: nothing of a held-out check is in it.
    let kept = held_out.then(|| quote!(#[cfg(not(learner_kit))]));
    Ok(quote! {
        #kept
        #function

        #kept
        #[doc(hidden)]
        fn #run(lab: &::lab_kit::Lab) -> ::lab_kit::check::CheckFuture<'_> {
            ::std::boxed::Box::pin(async move { #name(lab).await.map(|_| ()) })
        }

        #kept
        ::lab_kit::inventory::submit! {
            ::lab_kit::check::Check {
                id: #id,
                title: #title,
                task: #task,
                points: #points,
                needs: &[#(#needs),*],
                why: #why,
                source: #source,
                hints: &[#(#hints),*],
                held_out: #held_out,
                alone: #alone,
                limit_seconds: #limit,
                file: file!(),
                line: line!(),
                run: #run,
            }
        }
    })
}
