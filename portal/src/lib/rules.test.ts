import { describe, expect, test } from "vitest";
import {
  checkApplicationName,
  checkContext,
  checkEndpointUrl,
  checkName,
  checkVersion,
  connectAddress,
  suggestContext,
} from "./rules";

describe("a name", () => {
  test.each(["EchoWebSocket", "Orders 2", "Ünïcode", "a", "x".repeat(50)])("“%s” is accepted", (text) => {
    expect(checkName(text)).toBeNull();
  });
  test.each([
    ["", "Enter a name."],
    ["x".repeat(51), "at most 50"],
    [" a", "spaces at its ends"],
    ["a ", "spaces at its ends"],
    ["a  b", "two spaces in a row"],
    ["a\tb", "control characters"],
    ...[..."~!@#;:%^*()+={}|\\<>\"',&$[]/"].map((bad) => [`a${bad}b`, `“${bad}”`] as [string, string]),
  ])("“%s” is refused with the reason", (text, reason) => {
    expect(checkName(text)).toContain(reason);
  });
});

describe("a version", () => {
  test.each(["1.0", "v2", "2026-11", "1_0"])("“%s” is accepted", (text) => {
    expect(checkVersion(text)).toBeNull();
  });
  test.each([
    ["", "Enter a version."],
    ["1 0", "spaces"],
    ["1/0", "“/”"],
    ["..", "part of an address"],
    ["ü", "part of an address"],
    ["1".repeat(31), "at most 30"],
  ])("“%s” is refused with the reason", (text, reason) => {
    expect(checkVersion(text)).toContain(reason);
  });
});

describe("a context", () => {
  test.each([
    "/orders",
    "orders",
    "/a/b-c_d.e",
    "/{version}/orders",
    "/orders/{version}",
    "/a(b)",
    "/a$;x",
    "/total",
  ])("“%s” is accepted", (text) => expect(checkContext(text)).toBeNull());
  test.each([
    ["", "Enter a context"],
    ["/", "Enter a context"],
    ["/a b", "“ ”"],
    ["/ä", "“ä”"],
    ["/a/", "cannot end"],
    ["/a//b", "“//”"],
    ["/a/../b", "“/../”"],
    ["/t/x", "reserved"],
    ["/a/t/x", "reserved"],
    ["/t", "reserved"],
    ["/a{version}", "whole segment"],
    ["/{version}/{version}", "may stand once"],
    ["/{id}", "no other braces"],
    ["/a(b", "balanced"],
    ["/a)b(", "balanced"],
    [`/${"a".repeat(200)}`, "at most 200"],
  ])("“%s” is refused with the reason", (text, reason) => {
    expect(checkContext(text)).toContain(reason);
  });
});

describe("an endpoint", () => {
  test.each(["ws://localhost:8080", "wss://echo.example:443/path?x=1", "ws://[::1]:9000", "ws://127.0.0.1"])(
    "“%s” is accepted",
    (text) => expect(checkEndpointUrl(text)).toBeNull(),
  );
  test.each([
    ["", "Enter the address"],
    ["http://x", "must begin with ws://"],
    ["localhost:8080", "must begin with ws://"],
    ["ws://", "no host"],
    ["ws:///path", "no host"],
    ["ws://:80", "no host"],
    ["ws://u:p@x", "user name or password"],
    ["ws://x#y", "“#”"],
    ["ws://x y", "spaces"],
    ["ws://x:0", "Port 0"],
    ["ws://x:99999", "not an address"],
    [`ws://x/${"a".repeat(2_048)}`, "at most 2048"],
  ])("“%s” is refused with the reason", (text, reason) => {
    expect(checkEndpointUrl(text)).toContain(reason);
  });
});

test("a context is suggested from the name", () => {
  expect(suggestContext("EchoWebSocket")).toBe("/echowebsocket");
  expect(suggestContext("Orders & Fills 2")).toBe("/orders-fills-2");
  expect(suggestContext("…")).toBe("");
  expect(suggestContext("T")).toBe("/t-api");
});

test("every suggested context keeps the rules", () => {
  for (const name of ["EchoWebSocket", "A.B", "..x..", "Ünïcode Näme", "x".repeat(50), "t"]) {
    expect(checkContext(suggestContext(name))).toBeNull();
  }
});

test("an application's name may hold what an API's may not", () => {
  expect(checkApplicationName("Shop / checkout #2")).toBeNull();
  expect(checkApplicationName(" x")).toContain("ends");
  expect(checkApplicationName("")).toContain("Enter");
});

test("the address shows where the version goes", () => {
  expect(connectAddress("ws://localhost:9099", "echo", "1.0")).toBe("ws://localhost:9099/echo/1.0");
  expect(connectAddress("ws://localhost:9099/", "/{version}/echo", "2")).toBe("ws://localhost:9099/2/echo");
  expect(connectAddress("ws://localhost:9099", "/echo", "")).toBe("ws://localhost:9099/echo/…");
});
