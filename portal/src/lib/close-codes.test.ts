import { expect, test } from "vitest";
import { explainCode, explainReason } from "./close-codes";

test("every code that the gateway sends has a name and an advice", () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 3003, 4429]) {
    const told = explainCode(code);
    expect(told.name).not.toContain("own code");
    expect(told.advice).not.toBe("");
  }
});

test("an unknown code is said to be someone else's", () => {
  expect(explainCode(4123).name).toBe("The backend's own code");
});

test("the JSON reason is told in words, anything else as it came", () => {
  expect(explainReason('{"reason":"quota","plan":"Gold","retry_after":37}')).toBe(
    "The plan's messages are used up for this window. Plan: Gold. Try again in 37 seconds.",
  );
  expect(explainReason('{"reason":"quota","plan":"PerPerson","level":"rule","retry_after":1}')).toBe(
    "What an administrator's rule gives is used up for this window. Custom rule: PerPerson. Try again in 1 second.",
  );
  expect(explainReason('{"reason":"quota","plan":"10PerMin","level":"application"}')).toBe(
    "The application's own limit is reached for this window. Application policy: 10PerMin.",
  );
  expect(explainReason('{"reason":"api-blocked","title":"The API is blocked for now"}')).toBe(
    "The API is blocked for now.",
  );
  expect(explainReason('{"reason":"backend-refused","title":"The backend refused the handshake"}')).toBe(
    "The backend refused the handshake.",
  );
  expect(explainReason('{"reason":"rsv_bits"}')).toBe("Rsv bits.");
  expect(explainReason('{"reason":"lifetime"}')).toBe("The session was as old as the API lets one get.");
  expect(explainReason('{"reason":"message_size"}')).toBe(
    "A message or a frame was larger than the API allows.",
  );
  expect(explainReason('{"reason":"revoked"}')).toBe("The token was ended before its time.");
  expect(explainReason('{"reason":"credential-revoked"}')).toBe(
    "The key was deleted, or the token was ended before its time.",
  );
  expect(explainReason("bye")).toBe("bye");
  expect(explainReason("[1]")).toBe("[1]");
  expect(explainReason('{"other":1}')).toBe('{"other":1}');
});
