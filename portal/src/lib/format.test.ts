import { expect, test } from "vitest";
import {
  ago,
  alertInWords,
  count,
  counted,
  countsEchoTwice,
  duration,
  exactDuration,
  exactSize,
  planLimit,
  planPrice,
  planRoles,
  size,
  usedInWords,
  within,
} from "./format";

test("numbers carry thousands marks and sizes their unit", () => {
  expect(count(50_000)).toBe("50,000");
  expect(counted(1, "session")).toBe("1 session");
  expect(counted(0, "session")).toBe("0 sessions");
  expect(size(512)).toBe("512 B");
  expect(size(1536)).toBe("1.5 KiB");
});

test("durations use the largest units that say it", () => {
  expect(duration(250)).toBe("250 ms");
  expect(duration(5_000)).toBe("5 s");
  expect(duration(900_000)).toBe("15 min");
  expect(duration(90_500)).toBe("1 min 30.5 s");
  expect(duration(86_400_000)).toBe("24 h");
});

test("two values never read the same where it matters", () => {
  expect(exactSize(16_777_216)).toBe("16 MiB");
  expect(exactSize(65_536)).toBe("64 KiB");
  expect(exactSize(65_537)).toBe("64 KiB (65,537 B)");
  expect(exactSize(125)).toBe("125 B");
  expect(exactSize(1_073_741_824)).toBe("1 GiB");
  expect(exactDuration(90_500)).toBe("1 min 30.5 s");
  expect(exactDuration(90_550)).toBe("1 min 30.6 s (90,550 ms)");
  expect(exactDuration(3_600_000)).toBe("1 h");
  expect(exactDuration(3_600_500)).toBe("1 h (3,600,500 ms)");
});

test("times are told relative to now", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  expect(ago("2026-01-01T11:55:00Z", now)).toBe("5 minutes ago");
  expect(ago("2026-01-01T11:59:58Z", now)).toBe("just now");
  expect(ago("2026-01-03T12:00:00Z", now)).toBe("in 2 days");
});

test("what is used of a limit is said in words", () => {
  const limit = {
    amount: 5000,
    unit: "messages",
    per: "minute",
    counting: "calendar",
    burst: null,
    direction: "both",
    most: 5000,
    used: 1234,
    left: 3766,
    renewed_at: "2026-01-01T12:01:00Z",
  };
  expect(usedInWords(limit)).toBe("1,234 of 5,000 messages used this minute, 3,766 left");
  const bytes = { ...limit, unit: "bytes", per: "day", amount: 2048, most: 2048, used: 4096, left: 0 };
  expect(usedInWords(bytes)).toBe("4 KiB of 2 KiB used this day, 0 B left");
  const sliding = { ...limit, amount: 600, counting: "sliding", burst: 20, most: 20, used: 7, left: 13 };
  expect(usedInWords(sliding)).toBe("7 of 20 messages used, of 600 messages per minute, 13 left");
});

test("a plan says its limit in words", () => {
  const limit = {
    amount: 5000,
    unit: "messages",
    per: "minute",
    counting: "calendar",
    burst: null,
    direction: "both",
  };
  expect(planLimit({ limits: [limit] })).toBe("5,000 messages per minute");
  expect(planLimit({ limits: [] })).toBe("No limit on messages");
  const several = [
    { ...limit, amount: 1, unit: "connects" },
    { ...limit, amount: 2048, unit: "bytes", per: "second", direction: "publish" },
    { ...limit, amount: 600, counting: "sliding", burst: 20, direction: "subscribe" },
  ];
  expect(planLimit({ limits: several })).toBe(
    "1 new session per minute; 2 KiB published per second; " +
      "600 received messages per minute, evenly, at most 20 received messages at once",
  );
  const bounds = {
    sessions_max: 2,
    message_bytes_max: 65536,
    idle_timeout_ms: 60000,
    lifetime_max_ms: 3600000,
  };
  expect(planLimit({ limits: [], ...bounds, on_excess: "drop" })).toBe(
    "No limit on messages; 2 sessions at once; messages of at most 64 KiB; " +
      "a session ends after 1 min without a message; a session ends after 1 h",
  );
  expect(planLimit({ limits: [], sessions_per_user_max: 1, sessions_per_address_max: 5 })).toBe(
    "No limit on messages; 1 session of one user at once; 5 sessions from one address at once",
  );
  const group = { name: "One", description: "", conditions: [], limits: [] };
  expect(planLimit({ limits: [limit], groups: [group] })).toBe(
    "5,000 messages per minute; 1 group with limits of their own",
  );
  expect(planLimit({ limits: [limit], sessions_max: null, on_excess: "delay" })).toBe(
    "5,000 messages per minute; what is beyond waits",
  );
  expect(planLimit({ limits: [limit], on_excess: "drop" })).toContain("what is beyond is dropped");
  expect(within(planLimit({ limits: [] }))).toBe("no limit on messages");
  expect(countsEchoTwice({ limits: [limit] })).toBe(true);
  expect(countsEchoTwice({ limits: several })).toBe(false);
});

test("an alert says what was used of what", () => {
  const limit = {
    amount: 10,
    unit: "messages",
    per: "day",
    counting: "calendar",
    burst: null,
    direction: "both",
  };
  expect(alertInWords({ used: 8, limit })).toBe("8 of 10 messages per day");
  expect(alertInWords({ used: 2048, limit: { ...limit, unit: "bytes", amount: 4096 } })).toBe(
    "2 KiB of 4 KiB per day",
  );
});

test("a plan says what it costs and for whom it is", () => {
  const billing = { currency: "EUR", per: "year", price: "49.00", price_per_1000_messages: "0.05" };
  expect(planPrice({ billing })).toBe("EUR 49.00 per year and EUR 0.05 per 1,000 messages");
  expect(planPrice({ billing: { ...billing, price: null } })).toBe("EUR 0.05 per 1,000 messages");
  expect(planPrice({ billing: null })).toBe("");
  expect(planRoles({ roles: ["partner", "publisher"] })).toBe("Only for partner, publisher");
  expect(planRoles({ roles: [] })).toBe("");
});
