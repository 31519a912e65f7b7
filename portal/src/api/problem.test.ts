import { expect, test } from "vitest";
import { fieldErrors, Problem, wayOut } from "./problem";

const document = {
  type: "https://localhost:9443/problems/validation",
  title: "Some fields break a rule",
  status: 400,
  detail: "…",
  instance: "r-1",
  errors: [
    { pointer: "/name", code: "required", detail: "Enter a name." },
    { pointer: "/endpoints/production/url", code: "scheme", detail: "The address must begin with ws://." },
    { pointer: "/other", code: "x", detail: "Something else." },
  ],
};

test("pointers become form fields, and what fits none is kept", () => {
  const problem = new Problem(document, new Response(null, { status: 400 }));
  expect(problem.kind).toBe("validation");
  expect(fieldErrors(problem, { "/name": "name", "/endpoints": "endpoint" })).toEqual({
    fields: { name: "Enter a name.", endpoint: "The address must begin with ws://." },
    rest: ["Something else."],
  });
});

test("no answer at all is offline and passes by itself", () => {
  const problem = new Problem(undefined, undefined);
  expect(problem.isOffline).toBe(true);
  expect(problem.isPassing).toBe(true);
  expect(wayOut(problem)).toContain("by itself");
});

test("a throttled answer says how long to wait", () => {
  const throttled = { ...document, type: "https://x/problems/throttled" };
  const problem = new Problem(
    throttled,
    new Response(null, { status: 429, headers: { "retry-after": "7" } }),
  );
  expect(wayOut(problem)).toBe("Try again in 7 seconds.");
});
