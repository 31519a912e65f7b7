import { describe, expect, test } from "vitest";
import { checkOrigin } from "./origins";

describe("an entry of an API's list of origins", () => {
  test.each([
    "*",
    "null",
    "https://good.test",
    "http://localhost:3000",
    "https://[::1]:8443",
    "https://*.good.test",
    "https://xn--bcher-kva.test",
    "chrome-extension://abcdefghijklmnop",
  ])("%s is what a browser sends", (entry) => {
    expect(checkOrigin(entry)).toBeNull();
  });

  test.each([
    ["good.test", "Write an origin"],
    ["https://good.test/", "ends with its host"],
    ["https://user@good.test", "ends with its host"],
    ["https://Good.test", "lower case"],
    ["https://good.test.", "Write the host"],
    ["https://", "Write the host"],
    ["https://bücher.test", "Write the host"],
    ["https://*", "one whole label"],
    ["https://*.test", "one whole label"],
    ["https://a*.good.test", "one whole label"],
    ["https://good.test:443", "A port"],
    ["https://good.test:", "A port"],
    ["https://good.test:99999", "A port"],
  ])("%s is not", (entry, told) => {
    expect(checkOrigin(entry)).toContain(told);
  });
});
