//! The tree of an expression: only names, functions and operators that are known here, no loops, no depth, and a result that
//! can be a key.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators},
};

use super::{Asked, Fault, Looks};

/// Deepest tree: as deep as evaluating it calls itself, on the stack of a worker.
const DEPTH_MAX: usize = 32;

/// What an expression can name, and the fields of what has some.
const FACTS: [(&str, &[&str]); 8] = [
    ("user", &[]),
    ("application", &["id", "name"]),
    ("api", &["name", "version", "context"]),
    ("topic", &[]),
    ("address", &[]),
    ("claims", &[]),
    ("size", &[]),
    ("direction", &[]),
];

/// Functions that can be called: each takes a number of steps that what it looks at bounds.
const FUNCTIONS: [&str; 8] =
    ["size", "contains", "startsWith", "endsWith", "string", "int", "double", "uint"];

const OPERATORS: [&str; 18] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::IN,
];

/// Operators whose result is a number or a truth, and so no key.
fn yields_no_key(operator: &str) -> bool {
    OPERATORS.contains(&operator)
        && !matches!(operator, operators::CONDITIONAL | operators::ADD | operators::INDEX)
}

/// Where a node stands in the source.
type Place<'p> = &'p dyn Fn(u64) -> Option<(usize, usize)>;

/// What the expression looks at.
pub(super) fn check(tree: &IdedExpr, place: Place<'_>) -> Result<Looks, Fault> {
    let mut walk = Walk { looks: Looks::default(), place };
    walk.node(tree, 1)?;
    walk.result(tree)?;
    walk.looks.claims.sort_unstable();
    walk.looks.claims.dedup();
    Ok(walk.looks)
}

struct Walk<'p> {
    looks: Looks,
    place: Place<'p>,
}

impl Walk<'_> {
    fn fault(&self, node: &IdedExpr, code: &'static str, detail: impl Into<String>) -> Fault {
        Fault::new(code, (self.place)(node.id), detail)
    }

    fn node(&mut self, node: &IdedExpr, depth: usize) -> Result<(), Fault> {
        if depth > DEPTH_MAX {
            let detail = format!("Operators and brackets may stand {DEPTH_MAX} deep in each other.");
            return Err(self.fault(node, "too_deep", detail));
        }
        match &node.expr {
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => self.select(node, select, depth),
            Expr::Call(call) => self.call(node, call, depth),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.node(element, depth + 1)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        return Err(self.fault(node, "syntax", "This map cannot be read."));
                    };
                    self.looks.names_amount |= text(&entry.key) == Some("amount");
                    self.node(&entry.key, depth + 1)?;
                    self.node(&entry.value, depth + 1)?;
                }
                Ok(())
            }
            Expr::Comprehension(_) => {
                let detail = "Loops (all, exists, exists_one, map, filter) are not available: each message would \
                              pay for them. Lists are asked with “in”.";
                Err(self.fault(node, "no_loops", detail))
            }
            Expr::Struct(_) => Err(self.fault(node, "unknown_type", "There are no types to make values of.")),
            Expr::Unspecified => Err(self.fault(node, "syntax", "This cannot be read as an expression.")),
        }
    }

    /// A name that stands alone.
    fn name(&mut self, node: &IdedExpr, name: &str) -> Result<(), Fault> {
        match name {
            "claims" => {
                let detail = "Name one claim: claims.tenant, or claims[\"tenant\"]. Only claims that are named are \
                              kept with a session.";
                return Err(self.fault(node, "unnamed_claim", detail));
            }
            "user" => self.looks.user = true,
            "size" => self.looks.asked = Asked::Message,
            "direction" => self.looks.asked = self.looks.asked.max(Asked::Direction),
            _ => {}
        }
        if FACTS.iter().any(|(known, _)| *known == name) {
            return Ok(());
        }
        let known = FACTS.map(|(known, _)| known).join(", ");
        let detail = format!("“{name}” is not known. There are: {known}.");
        Err(self.fault(node, "unknown_name", detail))
    }

    fn select(&mut self, node: &IdedExpr, select: &SelectExpr, depth: usize) -> Result<(), Fault> {
        self.field(node, &select.operand, &select.field, depth)
    }

    /// Something of what has fields.
    fn field(&mut self, node: &IdedExpr, of: &IdedExpr, field: &str, depth: usize) -> Result<(), Fault> {
        let Expr::Ident(name) = &of.expr else { return self.node(of, depth + 1) };
        if name == "claims" {
            self.looks.claims.push(field.to_owned());
            return Ok(());
        }
        match FACTS.iter().find(|(known, _)| known == name) {
            Some((_, fields)) if fields.contains(&field) => Ok(()),
            Some((_, [])) => {
                Err(self.fault(node, "unknown_name", format!("“{name}” has no fields, and no “{field}”.")))
            }
            Some((_, fields)) => {
                let detail = format!("“{name}” has no “{field}”. It has: {}.", fields.join(", "));
                Err(self.fault(node, "unknown_name", detail))
            }
            None => self.name(of, name),
        }
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr, depth: usize) -> Result<(), Fault> {
        let name = call.func_name.as_str();
        if !OPERATORS.contains(&name) && !FUNCTIONS.contains(&name) {
            let detail = format!("There is no {name}(). There are: {}, has.", FUNCTIONS.join(", "));
            return Err(self.fault(node, "unknown_function", detail));
        }
        match (name, &call.args[..]) {
            (operators::INDEX, [of, index]) if is_named(of) => match text(index) {
                Some(field) => return self.field(node, of, field, depth),
                // Of claims it has to be known which ones are looked at.
                None if matches!(&of.expr, Expr::Ident(name) if name == "claims") => {
                    return self.node(of, depth);
                }
                None => {}
            },
            (operators::IN, [claim, of]) if matches!(&of.expr, Expr::Ident(name) if name == "claims") => {
                return match text(claim) {
                    Some(claim) => {
                        self.looks.claims.push(claim.to_owned());
                        Ok(())
                    }
                    None => self.node(of, depth),
                };
            }
            _ => {}
        }
        let target = call.target.as_deref();
        target.into_iter().chain(&call.args).try_for_each(|part| self.node(part, depth + 1))
    }

    /// Whether what it yields can be a key, as far as that can be seen.
    fn result(&self, node: &IdedExpr) -> Result<(), Fault> {
        let is_key = match &node.expr {
            Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
                return call.args.iter().skip(1).try_for_each(|branch| self.result(branch));
            }
            Expr::Call(call) => {
                !yields_no_key(&call.func_name)
                    && (call.func_name == "string" || !FUNCTIONS.contains(&call.func_name.as_str()))
            }
            Expr::Literal(literal) => match literal {
                LiteralValue::String(_) | LiteralValue::Null => true,
                LiteralValue::Boolean(truth) => !*truth.inner(),
                _ => false,
            },
            Expr::Ident(name) => !matches!(name.as_str(), "size" | "api" | "application"),
            Expr::Select(select) => !select.test,
            Expr::Map(map) => map.entries.iter().any(
                |entry| matches!(&entry.expr, EntryExpr::MapEntry(entry) if text(&entry.key) == Some("key")),
            ),
            _ => false,
        };
        if is_key {
            return Ok(());
        }
        let detail = "An expression yields a key, which is a text, or null where the rule does not apply. For \
                      example: size > 65536 ? user : null";
        Err(self.fault(node, "no_key", detail))
    }
}

fn is_named(node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::Ident(_))
}

/// The text that a node is.
fn text(node: &IdedExpr) -> Option<&str> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
