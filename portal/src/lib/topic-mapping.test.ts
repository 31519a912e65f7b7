// The cases of the gateway's own tests: what is tried out in a page is what happens.
import { expect, test } from "vitest";
import { checkBackend, checkTopic, isCanonical, mapped } from "./topic-mapping";

function leads(topic: string, backend: string, asked: string): string | null {
  expect([checkTopic(topic), checkBackend({ topic, backend })]).toEqual([null, null]);
  return mapped([{ topic, backend }], asked)?.path ?? null;
}

test("parameters are filled in in path and query", () => {
  expect(leads("/rooms/{room}", "/chat/{room}", "/rooms/7")).toBe("/chat/7");
  expect(leads("/rooms/{room}", "/chat?room={room}", "/rooms/7")).toBe("/chat?room=7");
  expect(leads("/a/{x}/b/{y}", "/{y}-{x}?q={x}", "/a/1/b/2")).toBe("/2-1?q=1");
  expect(leads("/news", "/feed", "/news")).toBe("/feed");
  expect(leads("/", "/root", "/")).toBe("/root");
  expect(leads("/rooms/{room}", "/c/{room}?r={room}", "/rooms/a&b=c;d+%20")).toBe(
    "/c/a&b=c;d+%20?r=a%26b%3Dc%3Bd%2B%20",
  );
});

test("a wildcard takes all that follows", () => {
  expect(leads("/v1/*", "/old/{*}", "/v1/a/b")).toBe("/old/a/b");
  expect(leads("/v1/*", "/old/{*}", "/v1/")).toBe("/old/");
  expect(leads("/v1/*", "/old", "/v1/a")).toBe("/old");
  expect(leads("/v1/*", "/old/{*}", "/v1")).toBeNull();
});

test("what does not fit is left alone", () => {
  for (const asked of ["/rooms", "/rooms/", "/rooms/7/8", "/rooms/7/", "/room/7", "/", ""]) {
    expect(leads("/rooms/{room}", "/chat/{room}", asked), asked).toBeNull();
  }
  // A dot segment to a lenient server.
  expect(leads("/rooms/{room}", "/.{room}", "/rooms/;x")).toBeNull();
});

test("the first that fits decides", () => {
  const mappings = [
    { topic: "/rooms/lobby", backend: "/lobby" },
    { topic: "/rooms/{room}", backend: "/chat/{room}" },
  ];
  expect(mapped(mappings, "/rooms/lobby")).toEqual({ place: 0, path: "/lobby" });
  expect(mapped(mappings, "/rooms/7")).toEqual({ place: 1, path: "/chat/7" });
  expect(mapped(mappings, "/users/7")).toBeNull();
});

test("what makes no sense is refused with the reason", () => {
  const topics: [string, RegExp][] = [
    ["rooms", /Begin with/],
    ["/rooms/{}", /in braces/],
    ["/rooms/{a b}", /Encode it/],
    ["/rooms/r-{room}", /whole segment, like/],
    ["/{a}/{a}", /\{a\} stands twice/],
    ["/a*", /whole last segment/],
    ["/*/a", /whole last segment/],
    ["/a/../b", /Encode it/],
    ["/a?b", /Encode it/],
    [`/${"a".repeat(512)}`, /at most 512 bytes/],
  ];
  for (const [topic, why] of topics) expect(checkTopic(topic), topic).toMatch(why);
  const backends: [string, RegExp][] = [
    ["chat", /Begin with/],
    ["/{user}", /no parameter \{user\}/],
    ["/{*}", /no parameter \{\*\}/],
    ["/{room", /in braces/],
    ["/a#b", /Encode it/],
    ["/a\r\nX: y", /Encode it/],
    ["/a?b={room}&c=%zz", /Encode it/],
  ];
  for (const [backend, why] of backends) {
    expect(checkBackend({ topic: "/rooms/{room}", backend }), backend).toMatch(why);
  }
});

test("a path has one reading", () => {
  for (const path of ["/", "/a", "/a/", "/a%20b", "/a;x=1", "/a,b"])
    expect(isCanonical(path), path).toBe(true);
  for (const path of ["", "a", "//", "/a//b", "/.", "/..;x", "/%41", "/%2F", "/%2", "/a\\b", "/a b", "/ä"]) {
    expect(isCanonical(path), path).toBe(false);
  }
});
