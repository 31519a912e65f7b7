// Numbers, sizes and times as people read them. Pure: now is an argument.
import type { LimitUsage, Plan } from "../api/types";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const exact = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
  hour12: false,
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** 50000 as `50,000`. */
export const count = (value: number): string => whole.format(value);

/** `1 session`, `2 sessions`. */
export const counted = (value: number, noun: string, many = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : many}`;

/** What something final does to live sessions, in numbers. */
export const closesSessions = (open: number): string =>
  open === 0 ? "No session is live now." : `${counted(open, "live session")} will be closed within a second.`;

/** 1536 as `1.5 KiB`. */
export function size(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${one.format(value)} ${units[unit]}`;
}

/** A size that hides nothing: `64 KiB`, and `64 KiB (65,537 B)` where the short form rounds. */
export function exactSize(bytes: number): string {
  const short = size(bytes);
  const factor = 1024 ** Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return (bytes * 10) % factor === 0 ? short : `${short} (${count(bytes)} B)`;
}

/** A rate with one decimal below ten. */
export const rate = (value: number): string => (value < 10 ? one.format(value) : whole.format(value));

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** `5 minutes ago`, `in 2 days`, `just now`. */
export function ago(at: string, now: number): string {
  const seconds = (Date.parse(at) - now) / 1_000;
  if (Number.isNaN(seconds)) return at;
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return seconds > 5 ? "in less than a minute" : "just now";
}

/** The exact local time, for a tooltip. */
export const exactTime = (at: string): string => exact.format(new Date(at));

/** `14:05` local time. */
export const minuteOfDay = (at: string): string => clock.format(new Date(at));

/** 90500 ms as `1 min 30.5 s`; 900000 as `15 min`. */
export function duration(millis: number): string {
  if (millis < 1_000) return `${whole.format(millis)} ms`;
  const hours = Math.floor(millis / 3_600_000);
  const minutes = Math.floor((millis % 3_600_000) / 60_000);
  const seconds = (millis % 60_000) / 1_000;
  const parts = [];
  if (hours > 0) parts.push(`${whole.format(hours)} h`);
  if (minutes > 0) parts.push(`${minutes} min`);
  if (seconds > 0 && hours === 0) parts.push(`${one.format(seconds)} s`);
  return parts.join(" ");
}

/** A duration that hides nothing: `1 h`, and `1 h (3,600,500 ms)` where the short form leaves something out. */
export function exactDuration(millis: number): string {
  const told = millis < 1_000 || (millis < 3_600_000 ? millis % 100 === 0 : millis % 60_000 === 0);
  return told ? duration(millis) : `${duration(millis)} (${count(millis)} ms)`;
}

type Limit = Plan["limits"][number];

const sides: Record<string, string> = { publish: "published ", subscribe: "received " };

/** So many units of what a limit counts: `2 KiB published`, `1 new session`, `5,000 messages`. */
function unitsInWords(limit: Pick<Limit, "unit" | "direction">, units: number): string {
  const side = sides[limit.direction] ?? "";
  return (
    {
      bytes: `${size(units)}${side && ` ${side.trim()}`}`,
      connects: counted(units, "new session"),
    }[limit.unit] ?? counted(units, `${side}message`)
  );
}

function limitInWords(limit: Limit): string {
  const amount = (units: number): string => unitsInWords(limit, units);
  const rate = `${amount(limit.amount)} per ${limit.per}`;
  return limit.burst === null ? rate : `${rate}, evenly, at most ${amount(limit.burst)} at once`;
}

/** `5,000 messages per minute`: what a limit gives in its time. */
export const windowInWords = (limit: Limit): string =>
  `${unitsInWords(limit, limit.amount)} per ${limit.per}`;

/** `1,234 of 5,000 messages used this minute, 3,766 left`. */
export function usedInWords(limit: LimitUsage): string {
  const [used, left] = [limit.used ?? 0, limit.left ?? 0];
  const number = limit.unit === "bytes" ? size : count;
  const when = limit.counting === "sliding" ? `, of ${windowInWords(limit)}` : ` this ${limit.per}`;
  return `${number(used)} of ${unitsInWords(limit, limit.most)} used${when}, ${number(left)} left`;
}

/** `8 of 10 messages per day`: what an alert is about. */
export const alertInWords = ({ used, limit }: { used: number; limit: Limit }): string =>
  `${(limit.unit === "bytes" ? size : count)(used)} of ${windowInWords(limit)}`;

type Bounds =
  | "sessions_max"
  | "sessions_per_user_max"
  | "sessions_per_address_max"
  | "message_bytes_max"
  | "idle_timeout_ms"
  | "lifetime_max_ms"
  | "on_excess"
  | "groups";

/** What a plan gives, in words. */
export function planLimit(plan: Pick<Plan, "limits"> & Partial<Pick<Plan, Bounds>>): string {
  const { limits, sessions_max, message_bytes_max, idle_timeout_ms, lifetime_max_ms, on_excess } = plan;
  const { sessions_per_user_max, sessions_per_address_max, groups } = plan;
  const words = limits.length > 0 ? limits.map(limitInWords) : ["No limit on messages"];
  if (limits.length > 0 && on_excess === "delay") words.push("what is beyond waits");
  if (limits.length > 0 && on_excess === "drop") words.push("what is beyond is dropped");
  if (limits.length > 0 && on_excess === "notify") words.push("what is beyond is dropped, and told");
  if (limits.length > 0 && on_excess === "count") words.push("what is beyond passes, and is counted");
  if (groups && groups.length > 0) words.push(`${counted(groups.length, "group")} with limits of their own`);
  if (sessions_max) words.push(`${counted(sessions_max, "session")} at once`);
  if (sessions_per_user_max) words.push(`${counted(sessions_per_user_max, "session")} of one user at once`);
  if (sessions_per_address_max)
    words.push(`${counted(sessions_per_address_max, "session")} from one address at once`);
  if (message_bytes_max) words.push(`messages of at most ${exactSize(message_bytes_max)}`);
  if (idle_timeout_ms) words.push(`a session ends after ${duration(idle_timeout_ms)} without a message`);
  if (lifetime_max_ms) words.push(`a session ends after ${duration(lifetime_max_ms)}`);
  return words.join("; ");
}

/** What a plan costs: `EUR 49.00 per month and EUR 0.05 per 1,000 messages`; nothing of a free one. */
export function planPrice({ billing }: Pick<Plan, "billing">): string {
  if (!billing) return "";
  const { currency, per, price, price_per_1000_messages } = billing;
  const words = [];
  if (price) words.push(`${currency} ${price} per ${per ?? "month"}`);
  if (price_per_1000_messages) words.push(`${currency} ${price_per_1000_messages} per 1,000 messages`);
  return words.join(" and ");
}

/** For whom a plan is; nothing where everybody may choose it. */
export const planRoles = ({ roles }: Pick<Plan, "roles">): string =>
  roles.length === 0 ? "" : `Only for ${roles.join(", ")}`;

/** All that is told of a plan, behind what an administrator says of it. */
export const planWords = (plan: Plan): string =>
  [plan.description, planLimit(plan), planPrice(plan), planRoles(plan)].filter(Boolean).join(" · ");

/** Words that begin a sentence, within one. */
export const within = (words: string): string => words.charAt(0).toLowerCase() + words.slice(1);

/** Whether a message that is echoed counts twice. */
export const countsEchoTwice = (plan: Pick<Plan, "limits">): boolean =>
  plan.limits.some((limit) => limit.unit === "messages" && limit.direction === "both");

/** First letter in upper case: REST words as headings. */
export const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
