import { expect, test } from "vitest";
import { topicErrors, topicFields, topicRows, topicsOf } from "./topics-row";

const api = {
  topics: {
    declared: [
      {
        path: "/rooms/{room}",
        description: "What is said",
        direction: "both",
        open: true,
        publish_scopes: ["chat:write", "chat:admin"],
        subscribe_scopes: [],
        api_policy: "10KPerMin",
      },
    ],
    misdirected: "close",
  },
  scopes: [
    { name: "chat:write", display_name: "Write", description: "", roles: ["subscriber"] },
    { name: "chat:admin", display_name: "", description: "", roles: [] },
  ],
};

test("topics and scopes go into the form and come out as they were", () => {
  expect(topicsOf(topicRows(api))).toEqual(api);
});

test("what makes no sense, or stands twice, is told beside its field", () => {
  const row = (path: string) => ({
    path,
    description: "",
    direction: "both",
    open: false,
    publish_scopes: "",
    subscribe_scopes: "",
    api_policy: null,
  });
  const scope = (name: string) => ({ name, display_name: "", description: "", roles: [] });
  const declared = [
    row("/a"),
    row("a"),
    row("/a"),
    row("/*/b"),
    { ...row("/c"), description: "x".repeat(513) },
    { ...row("/d"), publish_scopes: "read  write" },
    { ...row("/e"), open: true, publish_scopes: "read" },
    { ...row("/f"), open: true, direction: "publish", publish_scopes: "read" },
  ];
  const scopes = [scope("read"), scope("read"), scope("openid"), scope("two words"), scope("")];
  expect(topicErrors({ declared, misdirected: "drop", scopes })).toEqual({
    "declared.1.path": "Begin with “/”.",
    "declared.2.path": "This topic is declared already.",
    "declared.3.path": "“*” is the whole last segment of a topic.",
    "declared.4.description": "At most 512 characters.",
    "declared.5.publish_scopes": "There is no scope “write”. Define it below.",
    "declared.7.open": "Whoever has no credential has no scope. Leave a direction that asks for none.",
    "scopes.1.name": "This scope is defined already.",
    "scopes.2.name": "“openid” is about what a client may learn of a person.",
    "scopes.3.name": "A scope has visible ASCII characters, but no quote, backslash or space.",
    "scopes.4.name": "Enter the name that tokens say.",
  });
});

test("each place that REST can name has a field", () => {
  const fields = topicFields(topicRows(api));
  expect(fields["/topics/declared/0/direction"]).toBe("declared.0.direction");
  expect(fields["/topics/declared/0/publish_scopes/1"]).toBe("declared.0.publish_scopes");
  expect(fields["/topics/declared/0/open"]).toBe("declared.0.open");
  expect(fields["/topics/misdirected"]).toBe("misdirected");
  expect(fields["/scopes/1/name"]).toBe("scopes.1.name");
});
