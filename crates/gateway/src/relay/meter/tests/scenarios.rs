//! Seeded scenarios over all levels and actions, each decision held against a slow model that counts everything anew from
//! what has passed: it keeps no budget, only a list.
//!
//! `TIDEGATE_SEED=n` replays one; a failure names its seed and step.

use std::net::IpAddr;

use tidegate_model::{
    attribute::{Attributes, Claims, LookedAt},
    group::{Aspect, Condition, Group, Pattern},
    id::{ApiId, ApplicationId},
    notice::Notice,
    topic::{Direction, Topic, Topics},
};

use super::*;

const SCENARIOS: u64 = 1_000;
const STEPS: usize = 150;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// A policy with up to three limits.
    fn policy(&mut self, name: String) -> Arc<Policy> {
        let (limits, on_excess) = (self.limits(), self.of(&Excess::ALL));
        Arc::new(Policy { name, limits, on_excess, ..Policy::default() })
    }

    /// The same with up to two groups, and what they are in plain words.
    fn grouped(&mut self, name: String) -> (Arc<Policy>, Vec<Apart>) {
        let aparts: Vec<_> = (0..self.below(3))
            .map(|_| Apart {
                tiers: TIERS.into_iter().filter(|_| self.below(2) > 0).collect(),
                is_inverted: self.below(2) > 0,
                address: self.of(&[None, None, Some(HERE), Some(THERE)]),
                limits: self.limits(),
            })
            .filter(|apart| !apart.tiers.is_empty())
            .collect();
        let groups = aparts.iter().enumerate().map(|(place, apart)| apart.group(place)).collect();
        let policy = Policy { groups, ..Policy::clone(&self.policy(name)) };
        (Arc::new(policy), aparts)
    }

    /// Up to three limits of different shapes.
    fn limits(&mut self) -> Vec<Limit> {
        let mut limits: Vec<Limit> = Vec::new();
        for _ in 0..self.below(4) {
            let burst = 1 + self.below(6);
            let limit = Limit {
                amount: 1 + self.below(30),
                unit: self.of(&[Unit::Messages, Unit::Messages, Unit::Bytes]),
                per: self.of(&Window::ALL),
                counting: self.of(&[Counting::Calendar, Counting::Calendar, Counting::Sliding { burst }]),
                direction: self.of(&Direction::ALL),
            };
            if limits.iter().all(|other| other.shape() != limit.shape()) {
                limits.push(limit);
            }
        }
        limits
    }
}

const TIERS: [&str; 2] = ["gold", "silver"];
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// A group: of those of these tiers, or of all others; from one address, or from everywhere.
#[derive(Clone)]
struct Apart {
    tiers: Vec<&'static str>,
    is_inverted: bool,
    address: Option<IpAddr>,
    limits: Vec<Limit>,
}

impl Apart {
    fn has(&self, tier: Option<&str>, address: IpAddr) -> bool {
        let is_named = tier.is_some_and(|tier| self.tiers.contains(&tier));
        is_named != self.is_inverted && self.address.is_none_or(|only| only == address)
    }

    fn group(&self, place: usize) -> Group {
        let any_of = self.tiers.iter().map(|tier| Pattern((*tier).to_owned())).collect();
        let aspect = Aspect::Claim { name: "tier".to_owned(), any_of };
        let mut conditions = vec![Condition { aspect, is_inverted: self.is_inverted }];
        if let Some(address) = self.address {
            let aspect = Aspect::Address { any_of: vec![address.into()] };
            conditions.push(Condition { aspect, is_inverted: false });
        }
        Group { name: place.to_string(), conditions, limits: self.limits.clone(), ..Group::default() }
    }
}

/// What a token with this tier says.
fn claims(tier: Option<&str>) -> Claims {
    let mut looked_at = LookedAt::default();
    looked_at.add_claim("tier");
    let token = tier.map(|tier| ("tier".to_owned(), tier.into())).into_iter().collect();
    Claims::of(&token, looked_at.claims())
}

/// Something that passed: when, who sent it and its bytes.
#[derive(Clone, Copy)]
struct Event {
    at: Moment,
    from: Side,
    bytes: u64,
    /// Bytes of a later frame, which begin no message.
    is_more: bool,
    /// Bytes of the message's first frame.
    first: u64,
}

/// Whose and by which limit, with what counts there.
struct Slow {
    holder: String,
    limit: Limit,
    counted: Vec<Event>,
}

const NANOS: u128 = 1_000_000;

impl Slow {
    fn cost(&self, event: Event) -> Option<u64> {
        let counts = match self.limit.direction {
            Direction::Both => true,
            Direction::Publish => event.from == Side::Client,
            Direction::Subscribe => event.from == Side::Backend,
        };
        match self.limit.unit {
            Unit::Messages if counts && !event.is_more => Some(1),
            Unit::Bytes if counts => Some(event.bytes),
            _ => None,
        }
    }

    /// Milliseconds until something is left, where nothing is.
    fn waits(&self, now: Moment) -> Option<u64> {
        let per = self.limit.per;
        let costs = self.counted.iter().map(|event| (event.at, u128::from(self.cost(*event).unwrap())));
        match self.limit.counting {
            Counting::Calendar => {
                let number = per.number(now.wall);
                let of_window = costs.filter(|(at, _)| per.number(at.wall) == number);
                let used: u128 = of_window.map(|(_, cost)| cost).sum();
                let rest = per.begin(number + 1).millis() - now.wall.millis();
                (used >= u128::from(self.limit.amount)).then(|| rest.unsigned_abs())
            }
            Counting::Sliding { burst } => {
                let window = u128::from(per.millis().unsigned_abs()) * NANOS;
                let time = |units: u128| (window * units).div_ceil(u128::from(self.limit.amount));
                let most = match self.limit.unit {
                    Unit::Bytes => time(burst.into()),
                    _ => time(1) * u128::from(burst),
                };
                let nanos = |at: Moment| u128::from(at.micros) * 1_000;
                let clear = costs.fold(0, |clear: u128, (at, cost)| clear.max(nanos(at)) + time(cost));
                let lacks = (clear.saturating_sub(nanos(now)) + time(1)).saturating_sub(most);
                (lacks > 0).then(|| u64::try_from(lacks.div_ceil(NANOS)).unwrap())
            }
        }
    }
}

/// Which messages somebody is held to: a custom rule may choose.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    All,
    OfClient,
    Large(Side),
}

impl Which {
    fn holds(self, event: Event) -> bool {
        match self {
            Self::All => true,
            Self::OfClient => event.from == Side::Client,
            Self::Large(from) => event.from == from && event.first > 2,
        }
    }
}

/// Rules for a topic, for what an application sends, and for large messages of each side.
const EXPRESSIONS: [&str; 3] =
    ["topic", "direction == 'publish' ? application.id : null", "size > 2 ? direction : null"];

/// A session: what it may, its meter, and who holds it to what, in the order of levels.
struct Talk {
    meter: Meter,
    grant: Grant,
    tier: Option<&'static str>,
    held: Vec<(String, Arc<Policy>, Vec<Apart>, Which)>,
    /// Until when its client is not told again.
    told_until: Micros,
}

impl Talk {
    /// Whose limits it is held to now: those of the first group that it is in, or the policy's own.
    fn limits(&self) -> Vec<(String, Arc<Policy>, Vec<Limit>, Which)> {
        let of = |(holder, policy, aparts, which): &(String, Arc<Policy>, Vec<Apart>, Which)| {
            let group = aparts.iter().position(|apart| apart.has(self.tier, self.grant.address));
            let (holder, limits) = match group {
                Some(place) => (format!("group {place} of {holder}"), &aparts[place].limits),
                None => (holder.clone(), &policy.limits),
            };
            (holder, Arc::clone(policy), limits.clone(), *which)
        };
        self.held.iter().map(of).collect()
    }
}

struct World {
    dice: Dice,
    budgets: Arc<Budgets>,
    talks: Vec<Talk>,
    slow: Vec<Slow>,
    now: Moment,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let budgets = budgets();
        let of_apis = [0, 1].map(|api| dice.grouped(format!("api-{api}")));
        let of_topics = [0, 1].map(|topic| dice.grouped(format!("topic-{topic}")));
        let of_applications = [0, 1].map(|application| dice.policy(format!("application-{application}")));
        let plans = [0, 1, 2, 3].map(|plan| dice.policy(format!("plan-{plan}")));
        let of_rules = [0, 1, 2].map(|rule| dice.policy(format!("rule-{rule}")));
        let rules = of_rules.iter().zip(EXPRESSIONS).zip(1..).map(|((policy, expression), number)| {
            let (id, policy) = (CustomRuleId::new(NOW, [number; 10]), (**policy).clone());
            CustomRuleFacts { id, policy, expression: expression.to_owned() }
        });
        let rules =
            Snapshot::new(SnapshotParts { custom_rules: rules.collect(), ..SnapshotParts::default() });
        let mut talks = Vec::new();
        for _ in 0..5 {
            let [api, topic, application] =
                [2, 3, 2].map(|bound| usize::try_from(dice.below(bound)).unwrap());
            let mut facts = testing::api();
            facts.id = ApiId::new(NOW, [u8::try_from(api).unwrap(); 10]);
            let declared = [0, 1, 2].map(|number| Topic { path: format!("/{number}"), ..Topic::default() });
            facts.topics = Topics { declared: declared.into(), ..Topics::default() };
            let shape = serde_json::json!({"of": "$policy", "in": "$retry_after"});
            facts.notice = Some(Arc::new(Notice::of(shape.as_object().unwrap().clone())));
            let mut who = testing::application();
            who.id = ApplicationId::new(NOW, [u8::try_from(application).unwrap(); 10]);
            let subscription = 2 * api + application;
            let mut grant = testing::grant(facts, who);
            grant.topic = format!("/{topic}").into();
            grant.api_policy = Some(Arc::clone(&of_apis[api].0));
            grant.topic_policy = of_topics.get(topic).map(|(policy, _)| Arc::clone(policy));
            let tier = dice.of(&[None, Some("gold"), Some("silver")]);
            grant.attributes = Attributes::renewed(None, &claims(tier), None);
            grant.address = dice.of(&[HERE, THERE]);
            grant.application_policy = Arc::clone(&of_applications[application]);
            grant.plan = Some(Arc::clone(&plans[subscription]));
            let id = SubscriptionId::new(NOW, [u8::try_from(subscription).unwrap(); 10]);
            grant.subscription = Some(id);
            let names = [
                format!("api {api}"),
                format!("topic {topic} of {api}"),
                format!("application {application}"),
                format!("subscription {subscription}"),
            ];
            let policies = [
                Some(of_apis[api].clone()),
                of_topics.get(topic).cloned(),
                Some((Arc::clone(&grant.application_policy), Vec::new())),
                grant.plan.clone().map(|plan| (plan, Vec::new())),
            ];
            let held = names.into_iter().zip(policies);
            let held = held
                .filter_map(|(name, held)| held.map(|(policy, aparts)| (name, policy, aparts, Which::All)));
            let of_rules = [
                (format!("rule 0 of {topic}"), &of_rules[0], Which::All),
                (format!("rule 1 of {application}"), &of_rules[1], Which::OfClient),
                ("rule 2 of clients".to_owned(), &of_rules[2], Which::Large(Side::Client)),
                ("rule 2 of backends".to_owned(), &of_rules[2], Which::Large(Side::Backend)),
            ];
            let of_rules =
                of_rules.map(|(name, policy, which)| (name, Arc::clone(policy), Vec::new(), which));
            let held = held.chain(of_rules).collect();
            let grant = grant.under_rules(&rules);
            let meter = budgets.meter(&grant);
            talks.push(Talk { meter, held, grant, tier, told_until: Micros::ZERO });
        }
        let now = Moment { wall: NOW, micros: 5_000_000 };
        Self { dice, budgets, talks, slow: Vec::new(), now }
    }

    /// What counts for one limit of a holder.
    fn slow(&mut self, holder: &str, limit: Limit) -> &mut Slow {
        let same = |slow: &Slow| slow.holder == holder && slow.limit.shape() == limit.shape();
        let place = self.slow.iter().position(same).unwrap_or_else(|| {
            self.slow.push(Slow { holder: holder.to_owned(), limit, counted: Vec::new() });
            self.slow.len() - 1
        });
        &mut self.slow[place]
    }

    /// What the definition says of a message, and what then counts.
    fn expected(&mut self, talk: usize, event: Event) -> Admission {
        let held = self.talks[talk].limits();
        let now = self.now;
        let mut longest: Option<(u64, Arc<Policy>)> = None;
        let refuses = |(_, policy, _, which): &&(_, Arc<Policy>, _, Which)| {
            policy.on_excess != Excess::Count && which.holds(event)
        };
        for (holder, policy, limits, _) in held.iter().filter(refuses) {
            for limit in limits {
                let slow = self.slow(holder, *limit);
                let waits = slow.cost(event).and_then(|_| slow.waits(now));
                if let Some(waits) = waits.filter(|waits| longest.as_ref().is_none_or(|it| *waits >= it.0)) {
                    longest = Some((waits, Arc::clone(policy)));
                }
            }
        }
        let at = Micros::new(now.micros);
        if let Some((waits, policy)) = longest {
            let is_told = self.talks[talk].told_until <= at;
            return match policy.on_excess {
                Excess::Notify if is_told => {
                    self.talks[talk].told_until = at.plus(Micros::from_secs(1));
                    Admission::Notify
                }
                Excess::Drop | Excess::Notify => Admission::Drop,
                Excess::Delay if waits <= 60_000 => Admission::Delay(at.plus(Micros::from_millis(waits))),
                _ => {
                    let (word, _) = policy.name.split_once('-').unwrap();
                    let level = Level::ALL.into_iter().find(|level| level.as_str() == word);
                    Admission::Close(quota_close(&UsedUp {
                        plan: policy.name.clone(),
                        level: level.unwrap_or(Level::Subscription),
                        retry_after_seconds: u32::try_from(waits.div_ceil(1_000)).unwrap(),
                        scarcity: Scarcity::Used,
                    }))
                }
            };
        }
        self.count(talk, event);
        Admission::Pass
    }

    /// What passes counts everywhere; but what slides and only counts takes no more than is left.
    fn count(&mut self, talk: usize, event: Event) {
        let now = self.now;
        for (holder, policy, limits, which) in self.talks[talk].limits() {
            if !which.holds(event) {
                continue;
            }
            for limit in &limits {
                let slow = self.slow(&holder, *limit);
                let is_free = policy.on_excess == Excess::Count
                    && limit.counting != Counting::Calendar
                    && slow.waits(now).is_some();
                if slow.cost(event).is_some() && !is_free {
                    slow.counted.push(event);
                }
            }
        }
    }

    /// A fresh token, with another tier perhaps: the session goes on under what holds then.
    fn renew(&mut self, talk: usize) {
        let tier = self.dice.of(&[None, Some("gold"), Some("silver")]);
        let talk = &mut self.talks[talk];
        talk.tier = tier;
        talk.grant.attributes = Attributes::renewed(talk.grant.attributes.as_ref(), &claims(tier), None);
        let mut meter = self.budgets.meter_of_open(&talk.grant);
        meter.go_on_from(&talk.meter);
        talk.meter = meter;
    }

    fn step(&mut self) -> Result<Admission, String> {
        let pause = match self.dice.below(20) {
            0 => 90_000,
            1 => 1_500,
            2 => 3_700_000,
            _ => self.dice.below(40),
        };
        self.now.wall = self.now.wall.plus_millis(i64::try_from(pause).unwrap());
        self.now.micros += pause * 1_000;
        let talk = usize::try_from(self.dice.below(5)).unwrap();
        if self.dice.below(15) == 0 {
            self.renew(talk);
        }
        let from = self.dice.of(&Side::BOTH);
        let event = Event { at: self.now, from, bytes: self.dice.below(6), is_more: false, first: 0 };
        let event = Event { first: event.bytes, ..event };
        let expected = self.expected(talk, event);
        let kind = self.dice.of(&[MessageKind::Text, MessageKind::Binary]);
        let is_whole = self.dice.below(3) > 0;
        let message = MessageStart { from, kind, payload_bytes: event.bytes, is_whole };
        let at = Micros::new(self.now.micros);
        let meter = &mut self.talks[talk].meter;
        meter.at(self.now.wall, at);
        let decided = meter.admit(at, message);
        if decided != expected {
            return Err(format!("{from:?} on {talk}: {decided:?}, and not {expected:?}"));
        }
        if decided == Admission::Pass {
            meter.passed(from, event.bytes);
            if !is_whole {
                meter.passed(from, 3);
                self.count(talk, Event { bytes: 3, is_more: true, ..event });
            }
        }
        Ok(decided)
    }
}

/// Decisions by kind: passed, dropped, told, held back, closed.
fn play(seed: u64) -> [u64; 5] {
    let mut world = World::new(seed);
    let mut decisions = [0; 5];
    for step in 0..STEPS {
        let decided = world.step().unwrap_or_else(|wrong| {
            panic!("seed {seed}, step {step}: {wrong}. Replay with TIDEGATE_SEED={seed}")
        });
        let kind = match decided {
            Admission::Pass => 0,
            Admission::Drop => 1,
            Admission::Notify => 2,
            Admission::Delay(_) => 3,
            Admission::Close(_) => 4,
        };
        decisions[kind] += 1;
    }
    decisions
}

#[test]
fn a_thousand_scenarios_of_all_levels_and_actions_have_no_wrong_decision() {
    if let Ok(seed) = std::env::var("TIDEGATE_SEED") {
        play(seed.parse().expect("TIDEGATE_SEED is a number"));
        return;
    }
    let mut all = [0; 5];
    for seed in 0..SCENARIOS {
        all.iter_mut().zip(play(seed)).for_each(|(sum, more)| *sum += more);
    }
    assert!(all.iter().all(|decisions| *decisions > 1_000), "every action is among them: {all:?}");
}
