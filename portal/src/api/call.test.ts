// Calls go where the REST API answers: the prefix comes from the OpenAPI document, and nothing here takes it away.
import { afterEach, expect, test, vi } from "vitest";
import "./call";
import { listPlans } from "./generated";

afterEach(() => vi.unstubAllGlobals());

test("calls go to the address that the OpenAPI document names", async () => {
  const asked: string[] = [];
  class Asked {
    method = "GET";
    headers = new Headers();
    constructor(url: string) {
      asked.push(url);
    }
  }
  vi.stubGlobal("Request", Asked);
  vi.stubGlobal("fetch", async () => Response.json({ items: [] }));
  await listPlans();
  expect(asked).toEqual(["/api/v1/plans"]);
});
