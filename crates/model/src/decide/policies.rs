//! What a change to policies (business plans, application policies, API policies) may do, as pure functions. The other policies, and what uses
//! one, are handed in.

use crate::{
    attribute::LookedAt,
    command::Refused,
    group::NAMES_MAX,
    policy::{DEFAULT_APPLICATION_POLICY, KeptPolicy, Policy, PolicyKind},
    role::{OwnRole, Permission},
    rule::{self, FieldProblem},
    user::Actor,
};

use super::{counted, folded, needs, no_problems, not_stale, roles, some};

/// Most policies of a kind: lists of them are never cut into pages, and gateways hold them all.
pub const POLICIES_MAX: usize = 200;

/// What a policy is used by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Subscriptions under it.
    pub subscriptions: u64,
    /// APIs that offer a plan, or are held to an API policy themselves or by a topic, in their working copy or live; as
    /// name and version.
    pub apis: Vec<String>,
    /// Applications that have it.
    pub applications: u64,
}

/// Decides on a new policy; `others` are all of its kind, `own` all own roles.
///
/// # Errors
/// [`Refused`]: not an administrator, fields that break rules, one of that name, too many.
pub fn create(
    kind: PolicyKind,
    policy: Policy,
    actor: &Actor,
    others: &[KeptPolicy],
    own: &[OwnRole],
) -> Result<KeptPolicy, Refused> {
    needs(actor, Permission::Administer)?;
    let mut problems = Vec::new();
    fields("", kind, &policy, own, &mut problems);
    no_problems(problems)?;
    if let Some(twin) = named(others, &policy.name) {
        let detail = format!("There is a {} “{}” already. Change that one.", kind.noun(), twin.policy.name);
        return Err(Refused::Duplicate(FieldProblem::new("/name", "duplicate", detail)));
    }
    not_too_many(kind, others.len() + 1)?;
    look_at_few(others.iter().map(|kept| &kept.policy).chain([&policy]))?;
    Ok(policy.into())
}

/// What is wrong with a policy of this kind. `at` is the pointer of it.
fn fields(at: &str, kind: PolicyKind, policy: &Policy, own: &[OwnRole], problems: &mut Vec<FieldProblem>) {
    rule::policy(at, kind, policy, problems);
    problems.extend(roles::unknown_among(&format!("{at}/roles"), &policy.terms.roles, own));
}

/// Decides on a change; answers the policy after it. `all` are those of its kind, this one among them; `own` are all own
/// roles.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag, fields that break rules, too much that is looked at.
pub fn change(
    kind: PolicyKind,
    was: &KeptPolicy,
    policy: Policy,
    based_on: Option<u64>,
    actor: &Actor,
    (all, own): (&[KeptPolicy], &[OwnRole]),
) -> Result<KeptPolicy, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, based_on)?;
    let mut problems = Vec::new();
    fields("", kind, &policy, own, &mut problems);
    no_problems(problems)?;
    let others = all.iter().map(|kept| &kept.policy).filter(|other| other.name != was.policy.name);
    look_at_few(others.chain([&policy]))?;
    Ok(KeptPolicy { policy, etag: was.etag + 1 })
}

/// Decides on a deletion.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag, something uses it.
pub fn delete(
    kind: PolicyKind,
    kept: &KeptPolicy,
    based_on: Option<u64>,
    actor: &Actor,
    usage: &Usage,
) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(kept.etag, based_on)?;
    let name = &kept.policy.name;
    if kind == PolicyKind::Application && name == DEFAULT_APPLICATION_POLICY {
        return Err(Refused::conflict(format!("{name} is what new applications have, and stays.")));
    }
    let mut uses = Vec::new();
    if usage.subscriptions > 0 {
        uses.push(format!("{} under it", counted(usage.subscriptions, "subscription")));
    }
    if usage.applications > 0 {
        uses.push(format!("{} with it", counted(usage.applications, "application")));
    }
    if !usage.apis.is_empty() {
        let count = u64::try_from(usage.apis.len()).unwrap_or(u64::MAX);
        let that = if kind == PolicyKind::Api { "held to it" } else { "that offer it" };
        uses.push(format!("{} {that} ({})", counted(count, "API"), some(&usage.apis)));
    }
    if uses.is_empty() {
        return Ok(());
    }
    let way = match kind {
        PolicyKind::Business => {
            "Take it out of the APIs' plans and deploy them, and end the subscriptions or let them subscribe under \
             another plan. Then delete it."
        }
        PolicyKind::Api => {
            "Give the APIs and their topics another policy, or none, and deploy them. Then delete it."
        }
        PolicyKind::Application => "Give the applications another policy. Then delete it.",
    };
    Err(Refused::conflict(format!("{name} is in use: {}. {way}", uses.join(", "))))
}

/// What an import does to one policy: none of its kind before, or another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Of which kind.
    pub kind: PolicyKind,
    /// As it was; `None`: it is new.
    pub was: Option<KeptPolicy>,
    /// As it is from now on; the same as before where nothing differs.
    pub is: KeptPolicy,
}

/// Decides on an import: for each kind what is wanted, and all there are.
///
/// # Errors
/// [`Refused`]: not an administrator, fields that break rules, a name twice, too many.
pub fn import(
    told: [(PolicyKind, Vec<Policy>, &[KeptPolicy]); 3],
    actor: &Actor,
    own: &[OwnRole],
) -> Result<Vec<Step>, Refused> {
    needs(actor, Permission::Administer)?;
    let (mut problems, mut steps) = (Vec::new(), Vec::new());
    let all = told.each_ref().map(|(_, _, kept)| *kept);
    for (kind, wanted, kept) in told {
        let mut added = 0;
        for (place, policy) in wanted.iter().enumerate() {
            let at = format!("/{}/{place}", kind.plural());
            fields(&at, kind, policy, own, &mut problems);
            if wanted[..place].iter().any(|other| folded(&other.name) == folded(&policy.name)) {
                let detail = format!("“{}” stands twice.", policy.name);
                problems.push(FieldProblem::new(format!("{at}/name"), "repeated", detail));
            }
            let was = named(kept, &policy.name).cloned();
            added += usize::from(was.is_none());
            let is = match &was {
                // Names differ at most by case: the one that is used elsewhere stays.
                Some(was) => {
                    let policy = Policy { name: was.policy.name.clone(), ..policy.clone() };
                    let etag = was.etag + u64::from(policy != was.policy);
                    KeptPolicy { policy, etag }
                }
                None => policy.clone().into(),
            };
            steps.push(Step { kind, was, is });
        }
        not_too_many(kind, kept.len() + added)?;
    }
    no_problems(problems)?;
    let is_left = |kept: &&KeptPolicy| !steps.iter().any(|step| step.was.as_ref() == Some(*kept));
    let as_before = all.into_iter().flatten().filter(is_left);
    look_at_few(as_before.chain(steps.iter().map(|step| &step.is)).map(|kept| &kept.policy))?;
    Ok(steps)
}

fn named<'p>(policies: &'p [KeptPolicy], name: &str) -> Option<&'p KeptPolicy> {
    policies.iter().find(|kept| folded(&kept.policy.name) == folded(name))
}

/// What policies look at is kept with every session, so it is not much.
fn look_at_few<'p>(policies: impl Iterator<Item = &'p Policy>) -> Result<(), Refused> {
    let mut looked_at = LookedAt::default();
    for condition in policies.flat_map(|policy| &policy.groups).flat_map(|group| &group.conditions) {
        condition.look(&mut looked_at);
    }
    if looked_at.len() <= NAMES_MAX {
        return Ok(());
    }
    Err(Refused::conflict(format!(
        "All API policies together look at {NAMES_MAX} headers, query parameters and claims at most. Take out conditions on \
         what is not needed."
    )))
}

fn not_too_many(kind: PolicyKind, count: usize) -> Result<(), Refused> {
    if count <= POLICIES_MAX {
        return Ok(());
    }
    Err(Refused::conflict(format!(
        "There are at most {POLICIES_MAX} of a kind. Delete a {} that is not used.",
        kind.noun()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        group::Group,
        limit::{Limit, Window},
        policy::business_plans,
        role::Role,
    };

    const NONE_OF_APPLICATIONS: (PolicyKind, Vec<Policy>, &[KeptPolicy]) =
        (PolicyKind::Application, Vec::new(), &[]);
    const NONE_OF_APIS: (PolicyKind, Vec<Policy>, &[KeptPolicy]) = (PolicyKind::Api, Vec::new(), &[]);

    fn actor(role: Role) -> Actor {
        Actor { roles: [role].into(), ..Actor::product() }
    }

    fn kept() -> Vec<KeptPolicy> {
        business_plans().into_iter().map(|policy| KeptPolicy { policy, etag: 3 }).collect()
    }

    fn policy(name: &str) -> Policy {
        let limits = vec![Limit::messages(7, Window::Hour)];
        Policy { name: name.to_owned(), limits, ..Policy::default() }
    }

    #[test]
    fn only_administrators_change_policies() {
        let (plans, publisher) = (kept(), actor(Role::Publisher));
        let refused = Refused::Forbidden(Permission::Administer);
        let kind = PolicyKind::Business;
        assert_eq!(create(kind, policy("New"), &publisher, &plans, &[]), Err(refused.clone()));
        assert_eq!(
            change(PolicyKind::Business, &plans[0], policy("Gold"), None, &publisher, (&plans, &[])),
            Err(refused.clone())
        );
        let none = Usage::default();
        assert_eq!(delete(kind, &plans[0], None, &publisher, &none), Err(refused.clone()));
        let told = [(kind, vec![policy("New")], &plans[..]), NONE_OF_APPLICATIONS, NONE_OF_APIS];
        assert_eq!(import(told, &publisher, &[]), Err(refused));
    }

    #[test]
    fn a_name_is_one_whatever_its_case() {
        let (plans, admin) = (kept(), actor(Role::Admin));
        let made = create(PolicyKind::Business, policy("Platinum"), &admin, &plans, &[]);
        assert_eq!(made, Ok(KeptPolicy { policy: policy("Platinum"), etag: 1 }));
        let twin = create(PolicyKind::Business, policy("gold"), &admin, &plans, &[]);
        assert!(matches!(twin, Err(Refused::Duplicate(problem)) if problem.pointer == "/name"));
        let many: Vec<_> =
            (0..POLICIES_MAX).map(|n| KeptPolicy { policy: policy(&format!("p{n}")), etag: 1 }).collect();
        let one_more = create(PolicyKind::Application, policy("Platinum"), &admin, &many, &[]);
        assert!(matches!(one_more, Err(Refused::Conflict { .. })));
    }

    #[test]
    fn a_change_is_from_the_tag_of_now_and_keeps_the_rules() {
        let (plans, admin) = (kept(), actor(Role::Admin));
        let changed = change(PolicyKind::Business, &plans[0], policy("Gold"), Some(3), &admin, (&plans, &[]));
        assert_eq!(changed, Ok(KeptPolicy { policy: policy("Gold"), etag: 4 }));
        let stale = change(PolicyKind::Business, &plans[0], policy("Gold"), Some(2), &admin, (&plans, &[]));
        assert_eq!(stale, Err(Refused::Stale { current: 3 }));
        let nothing = Policy { limits: vec![Limit::messages(0, Window::Hour)], ..policy("Gold") };
        assert!(matches!(
            change(PolicyKind::Business, &plans[0], nothing, None, &admin, (&plans, &[])),
            Err(Refused::Invalid(_))
        ));
    }

    /// A policy that looks at so many headers, beginning with this one.
    fn looking(name: &str, first: usize, headers: usize) -> Policy {
        let condition = |header: usize| {
            let body = serde_json::json!({"kind": "header", "name": format!("x-{header}"), "any_of": ["*"]});
            serde_json::from_value(body).unwrap()
        };
        let group = |place: usize| Group {
            name: place.to_string(),
            conditions: (first..first + headers).skip(8 * place).take(8).map(condition).collect(),
            ..Group::default()
        };
        Policy { groups: (0..headers.div_ceil(8)).map(group).collect(), ..policy(name) }
    }

    #[test]
    fn all_policies_together_look_at_few_things() {
        let (kind, admin) = (PolicyKind::Api, actor(Role::Admin));
        let kept: Vec<KeptPolicy> = vec![looking("one", 0, 20).into(), looking("two", 10, 20).into()];
        let is_refused = |refused: Result<_, Refused>| matches!(refused, Err(Refused::Conflict { .. }));
        assert!(create(kind, looking("three", 25, 7), &admin, &kept, &[]).is_ok());
        assert!(is_refused(create(kind, looking("three", 25, 8), &admin, &kept, &[])));
        assert!(change(kind, &kept[1], looking("two", 0, 32), None, &admin, (&kept, &[])).is_ok());
        assert!(is_refused(change(kind, &kept[1], looking("two", 0, 33), None, &admin, (&kept, &[]))));
        let import = |wanted| {
            import(
                [(PolicyKind::Business, Vec::new(), &[]), NONE_OF_APPLICATIONS, (kind, wanted, &kept)],
                &admin,
                &[],
            )
        };
        assert!(import(vec![looking("three", 25, 7)]).is_ok());
        assert!(matches!(import(vec![looking("three", 25, 8)]), Err(Refused::Conflict { .. })));
        assert!(
            import(vec![looking("one", 30, 2), looking("three", 32, 10)]).is_ok(),
            "what is changed looks elsewhere"
        );
    }

    #[test]
    fn what_is_in_use_stays_and_says_by_what() {
        let (plans, admin) = (kept(), actor(Role::Admin));
        assert_eq!(delete(PolicyKind::Business, &plans[0], Some(3), &admin, &Usage::default()), Ok(()));
        let stale = delete(PolicyKind::Business, &plans[0], Some(1), &admin, &Usage::default());
        assert_eq!(stale, Err(Refused::Stale { current: 3 }));
        let apis = (1..=6).map(|version| format!("Echo {version}.0")).collect();
        let usage = Usage { subscriptions: 1, apis, applications: 2 };
        let Err(Refused::Conflict { detail, .. }) =
            delete(PolicyKind::Business, &plans[0], None, &admin, &usage)
        else {
            panic!("it is in use")
        };
        for words in [
            "1 subscription under it",
            "2 applications with it",
            "6 APIs that offer it (Echo 1.0,",
            "5.0, …)",
        ] {
            assert!(detail.contains(words), "{detail}");
        }
        let free = KeptPolicy { policy: policy(DEFAULT_APPLICATION_POLICY), etag: 1 };
        let default = delete(PolicyKind::Application, &free, None, &admin, &Usage::default());
        assert!(matches!(default, Err(Refused::Conflict { .. })));
        assert_eq!(delete(PolicyKind::Business, &free, None, &admin, &Usage::default()), Ok(()));
    }

    #[test]
    fn an_import_makes_changes_or_leaves_each_and_is_refused_as_a_whole() {
        let (plans, admin) = (kept(), actor(Role::Admin));
        let wanted = vec![policy("New"), policy("gold"), plans[1].policy.clone()];
        let told = [(PolicyKind::Business, wanted, &plans[..]), NONE_OF_APPLICATIONS, NONE_OF_APIS];
        let steps = import(told, &admin, &[]).unwrap();
        let shown: Vec<_> = steps.iter().map(|step| (&*step.is.policy.name, step.is.etag)).collect();
        assert_eq!(shown, [("New", 1), ("Gold", 4), ("Silver", 3)]);
        assert!(steps[0].was.is_none() && steps[2].was.as_ref() == Some(&steps[2].is));
        let wanted = vec![policy("New"), policy("NEW"), policy("not good")];
        let told = [
            (PolicyKind::Business, wanted, &plans[..]),
            (PolicyKind::Application, vec![policy("")], &[][..]),
            (PolicyKind::Api, vec![policy("fine"), policy("a b")], &[][..]),
        ];
        let Err(Refused::Invalid(problems)) = import(told, &admin, &[]) else { panic!("it breaks rules") };
        let pointers: Vec<_> = problems.iter().map(|problem| &*problem.pointer).collect();
        assert_eq!(
            pointers,
            ["/plans/1/name", "/plans/2/name", "/application_policies/0/name", "/api_policies/1/name",]
        );
    }
}
