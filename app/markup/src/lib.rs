//! `view!`: markup as in Leptos, for the dashboard.
//!
//! Leptos' own macro gives every tree of elements a type of its own, and every type its own code to build, rebuild and
//! mount it. With a dozen screens that alone is more than the page may weigh (250 KB compressed, all in all). This one
//! expands the same markup to plain calls of `crate::dom`, of which each exists once. Signals, effects, contexts and
//! components remain Leptos'.
//!
//! What it knows: elements, text, `{expressions}`, components (names that begin with a capital), `attribute=value`,
//! `on:event=heard`, `class:name=flag`, `prop:name=value`, `node_ref=reference`.

use proc_macro::TokenStream;
use proc_macro2::{Ident, Span, TokenStream as Code};
use quote::{format_ident, quote, quote_spanned};
use rstml::Infallible;
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeBlock, NodeElement};
use syn::spanned::Spanned;
use syn::{Block, Error, Expr, ExprLit, Lit, Stmt};

/// Markup as a `crate::dom::View`.
#[proc_macro]
pub fn view(tokens: TokenStream) -> TokenStream {
    match rstml::parse(tokens) {
        Ok(nodes) => children(&nodes).into(),
        Err(error) => error.to_compile_error().into(),
    }
}

/// Several nodes as one view.
fn children(nodes: &[Node<Infallible>]) -> Code {
    let views = views(nodes);
    match views.as_slice() {
        [] => quote!(crate::dom::View::nothing()),
        [only] => quote!(crate::dom::IntoView::into_view(#only)),
        many => quote!(crate::dom::together(::std::vec![#(crate::dom::IntoView::into_view(#many)),*])),
    }
}

/// Nodes as expressions that are `IntoView`. Neighbours that are the same each time become one.
fn views(nodes: &[Node<Infallible>]) -> Vec<Code> {
    let mut views = Vec::new();
    let mut fixed = String::new();
    for node in nodes.iter().filter(|node| !matches!(node, Node::Comment(_) | Node::Doctype(_))) {
        let before = fixed.len();
        if !write(node, &mut fixed) {
            fixed.truncate(before);
            if !fixed.is_empty() {
                views.push(stamped(&std::mem::take(&mut fixed)));
            }
            views.push(expression(node));
        }
    }
    if !fixed.is_empty() {
        views.push(stamped(&fixed));
    }
    views
}

/// A text that `crate::dom::stamp` makes nodes of; a text alone stays one.
fn stamped(text: &str) -> Code {
    if let Some(only) = text.strip_prefix(TEXT).filter(|text| !text.contains(is_step)) {
        quote!(#only)
    } else {
        quote!(crate::dom::stamp(#text))
    }
}

/// Opens an element of HTML; its name follows.
const HTML: char = '\u{1}';
/// Opens an element of SVG; its name follows.
const SVG: char = '\u{2}';
/// The name of an attribute.
const NAME: char = '\u{3}';
/// The value of the attribute.
const VALUE: char = '\u{4}';
/// A text.
const TEXT: char = '\u{5}';
/// Closes an element.
const CLOSE: char = '\u{6}';

fn is_step(c: char) -> bool {
    (HTML..=CLOSE).contains(&c)
}

/// Writes a node that is the same each time as steps for `crate::dom::stamp`; `false` where it is not. Text is far smaller than
/// code: it is what makes a dozen screens fit.
fn write(node: &Node<Infallible>, text: &mut String) -> bool {
    match node {
        Node::Text(found) => {
            text.push(TEXT);
            text.push_str(&found.value_string());
            true
        }
        Node::Element(element) if !is_component(element) => {
            write_head(element, text);
            let is_fixed =
                element.attributes().iter().all(|found| matches!(found, NodeAttribute::Attribute(found) if fixed(found).is_some()));
            let is_fixed = is_fixed && element.children().iter().all(|child| write(child, text));
            text.push(CLOSE);
            is_fixed
        }
        Node::Comment(_) | Node::Doctype(_) => true,
        _ => false,
    }
}

/// Writes an element's name and those of its attributes that are the same each time.
fn write_head(element: &NodeElement<Infallible>, text: &mut String) {
    let name = element.name().to_string();
    text.push(if matches!(name.as_str(), "svg" | "path" | "rect") { SVG } else { HTML });
    text.push_str(&name);
    for found in element.attributes() {
        if let NodeAttribute::Attribute(found) = found
            && let Some(value) = fixed(found)
        {
            text.push(NAME);
            text.push_str(&found.key.to_string());
            text.push(VALUE);
            text.push_str(&value);
        }
    }
}

fn is_component(element: &NodeElement<Infallible>) -> bool {
    let name = element.name().to_string();
    name.starts_with(|first: char| first.is_ascii_uppercase()) || name.contains("::")
}

/// A node that is not the same each time, as an expression that is `IntoView`.
fn expression(node: &Node<Infallible>) -> Code {
    match node {
        Node::Element(found) if is_component(found) => component(found),
        Node::Element(found) => element(found),
        Node::Block(NodeBlock::ValidBlock(block)) => inside(block),
        Node::Fragment(fragment) => children(fragment.children()),
        other => {
            Error::new(other.span(), "an element, a text in quotation marks or an expression in braces is expected").to_compile_error()
        }
    }
}

fn element(element: &NodeElement<Infallible>) -> Code {
    let mut head = String::new();
    write_head(element, &mut head);
    let made = made();
    let attributes = element.attributes().iter().filter_map(|found| match found {
        NodeAttribute::Attribute(found) if fixed(found).is_some() => None,
        NodeAttribute::Attribute(found) => Some(attribute(found)),
        NodeAttribute::Block(_) => Some(Error::new(found.span(), "an attribute is name=value").to_compile_error()),
    });
    let nodes = views(element.children());
    quote! {{
        let #made = crate::dom::Element::new(#head);
        #(#attributes)*
        #(crate::dom::Element::add(&#made, #nodes);)*
        #made
    }}
}

/// The value of an attribute that is the same each time: a text, or `true` for one without a value.
fn fixed(found: &KeyedAttribute) -> Option<String> {
    if found.key.to_string().contains(':') {
        return None;
    }
    match found.value() {
        None => Some(String::new()),
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Some(text.value()),
        Some(Expr::Lit(ExprLit { lit: Lit::Bool(holds), .. })) if holds.value => Some(String::new()),
        Some(_) => None,
    }
}

/// An attribute that is not the same each time.
fn attribute(found: &KeyedAttribute) -> Code {
    let name = found.key.to_string();
    let (value, made) = (value_of(found), made());
    let span = found.key.span();
    let element = quote!(&#made);
    if let Some(event) = name.strip_prefix("on:") {
        let kind = match event {
            "click" | "mousedown" => "MouseEvent",
            "keydown" => "KeyboardEvent",
            "submit" => "SubmitEvent",
            _ => "Event",
        };
        let kind = format_ident!("{kind}");
        return quote_spanned!(span=> crate::dom::Element::hear::<::web_sys::#kind>(#element, #event, #value););
    }
    if let Some(class) = name.strip_prefix("class:") {
        return quote_spanned!(span=> crate::dom::Element::class_if(#element, #class, crate::dom::Holds::flag(#value)););
    }
    if let Some(property) = name.strip_prefix("prop:") {
        return quote_spanned!(span=> crate::dom::Property::keep(#value, #element, #property););
    }
    if name == "node_ref" {
        // Not with the span of the markup: the compiler would find the path longer than need be there.
        return quote_spanned!(Span::mixed_site()=> crate::dom::NodeRef::found(#value, #element););
    }
    quote_spanned!(span=> crate::dom::Attribute::put(#value, #element, #name);)
}

/// The variable that holds what is being made: of the macro's own, whatever names the code around it uses.
fn made() -> Ident {
    Ident::new("made", Span::mixed_site())
}

/// The expression in braces, without them where it is the only one.
fn inside(block: &Block) -> Code {
    match block.stmts.as_slice() {
        [Stmt::Expr(Expr::Paren(only), None)] => {
            let only = &only.expr;
            quote!(#only)
        }
        [Stmt::Expr(only, None)] => quote!(#only),
        _ => quote!(#block),
    }
}

/// `<Name a=b>…</Name>` as a call with the builder of its properties that Leptos' `#[component]` writes.
fn component(element: &NodeElement<Infallible>) -> Code {
    let name = element.name();
    let properties = element.attributes().iter().map(|found| {
        let NodeAttribute::Attribute(found) = found else {
            return Error::new(found.span(), "a property is name=value").to_compile_error();
        };
        let (key, value) = (&found.key, value_of(found));
        quote!(.#key(#value))
    });
    let inside = element.children();
    let inside = (!inside.is_empty()).then(|| {
        let inside = children(inside);
        quote!(.children(crate::dom::ToChildren::to_children(move || #inside)))
    });
    quote! {
        ::leptos::component::component_view(#name, ::leptos::component::component_props_builder(&#name) #(#properties)* #inside .build())
    }
}

/// The value of an attribute; `true` where it has none.
fn value_of(found: &KeyedAttribute) -> Code {
    match found.value() {
        Some(Expr::Block(block)) => inside(&block.block),
        Some(value) => quote!(#value),
        None => quote!(true),
    }
}
