import { expect, test } from "vitest";
import { snippets } from "./snippets";

const URL = "ws://localhost:9099/echo/1.0";

test("every snippet carries the address and the token", () => {
  for (const snippet of snippets(URL, "abc.def")) {
    expect(snippet.text).toContain(URL);
    expect(snippet.text).toContain("abc.def");
    expect(snippet.text).not.toContain("TOKEN");
  }
});

test("without a token a variable takes its place", () => {
  for (const snippet of snippets(URL, null)) expect(snippet.text).toContain("TOKEN");
});

test("an address that a shell would read is quoted", () => {
  const [first] = snippets("ws://localhost:9099/a(b)/1.0", "t");
  expect(first?.text).toContain("'ws://localhost:9099/a(b)/1.0'");
});
