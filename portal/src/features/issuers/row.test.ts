import { describe, expect, it } from "vitest";
import type { KeyManager } from "../../api/types";
import { changeOf, keySet, NEW, rowErrors, rowOf } from "./row";

const manager: KeyManager = {
  id: "1",
  name: "Corporate",
  issuer: "https://issuer.example",
  keys: { jwks_url: "https://issuer.example/jwks" },
  audiences: ["tidegate", "other"],
  claims: { client_id: "azp", scope: "scp", subject: "sub" },
  algorithms: ["RS256"],
  requires_at_jwt: true,
  introspection: { url: "https://issuer.example/introspect", client_id: "gateway" },
  enabled: false,
  held: { keys: [], fetched_at: null, tried_at: null, problem: null },
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  etag: "1",
};

describe("a key manager's row", () => {
  it("goes back as it came, and without a secret that nobody typed", () => {
    const { id, name, held, created_at, updated_at, etag, ...decided } = manager;
    expect(changeOf(rowOf(manager))).toEqual(decided);
    const typed = changeOf({ ...rowOf(manager), introspection_secret: "s" });
    expect(typed.introspection?.client_secret).toBe("s");
    expect(changeOf({ ...rowOf(manager), introspects: false }).introspection).toBeUndefined();
  });

  it("takes a key set as JSON and nothing else for one", () => {
    const row = { ...NEW, source: "jwks" as const, keys: '{"keys":[]}' };
    expect(changeOf(row).keys).toEqual({ jwks: { keys: [] } });
    for (const bad of ["", "[]", "null", "7", "{"]) expect(keySet(bad)).toBeUndefined();
    expect(rowErrors({ ...row, keys: "{" }).keys).toBe("This is not JSON.");
  });

  it("asks for what cannot be left out", () => {
    expect(Object.keys(rowErrors({ ...NEW, algorithms: [] })).sort()).toEqual([
      "algorithms",
      "audiences",
      "issuer",
      "keys",
      "name",
    ]);
    expect(rowErrors(rowOf(manager))).toEqual({});
  });

  it("drops empty lines of audiences", () => {
    expect(changeOf({ ...rowOf(manager), audiences: " a \n\n b\n" }).audiences).toEqual(["a", "b"]);
  });
});
