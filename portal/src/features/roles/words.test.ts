import { describe, expect, test } from "vitest";
import { aboutRole, meaning, roleLabel } from "./words";

describe("roles in words", () => {
  test("one that ships is called and told by its own words", () => {
    expect(roleLabel("admin")).toBe("Admin");
    expect(aboutRole({ name: "observer", description: "", means: [] })).toMatch(/^Sees what/);
  });

  test("an own one by its name, its description and what it means", () => {
    expect(roleLabel("partner")).toBe("partner");
    expect(meaning(["publisher", "observer"])).toBe("Publisher, Observer");
    expect(aboutRole({ name: "partner", description: "Who resells.", means: ["publisher"] })).toBe(
      "Who resells. (Publisher)",
    );
    expect(aboutRole({ name: "auditor", description: "", means: [] })).toBe("Its name alone, for scopes.");
  });
});
