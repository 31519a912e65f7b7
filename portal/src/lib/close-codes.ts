// Close codes in words: name, what happened, what to do. The codes are those of RFC 6455 section 7.4.1, its
// registry, and the product's own 4429. The reason of ours is short JSON, see `explainClose`.

export interface CloseExplanation {
  code: number;
  name: string;
  meaning: string;
  advice: string;
}

const CODES: Record<number, [name: string, meaning: string, advice: string]> = {
  1000: ["Normal closure", "One side said it was done.", "Connect again when you need it."],
  1001: [
    "Going away",
    "The session was idle too long or as old as it may get, or the other side is leaving.",
    "Connect again.",
  ],
  1002: [
    "Protocol error",
    "A frame broke the WebSocket protocol.",
    "Check the client or backend that sent it.",
  ],
  1003: [
    "Unsupported data",
    "A kind of message was sent that the other side does not take.",
    "Send the other kind.",
  ],
  1005: ["No code", "The other side closed without saying why.", "Ask whoever runs the backend."],
  1006: [
    "Connection lost",
    "The connection ended without a goodbye, or never opened.",
    "Check that the product is running and reachable, then connect again.",
  ],
  1007: ["Invalid payload", "A text message was not valid UTF-8.", "Send bytes as a binary message."],
  1008: ["Policy violation", "A rule of the gateway was broken.", "Read the reason, change what it names."],
  1009: ["Message too big", "A message was larger than allowed.", "Send smaller messages."],
  1010: ["Extension missing", "The client needed an extension that was not agreed.", "Connect without it."],
  1011: [
    "Internal error",
    "Something failed on the gateway's or the backend's side.",
    "Try again, then report it.",
  ],
  1012: ["Restart", "The gateway restarts or was redeployed.", "Connect again in a moment."],
  1013: ["Try again later", "The gateway has too much to do.", "Wait a little, then connect again."],
  1014: [
    "Backend gone",
    "The backend did not answer, or broke off.",
    "Ask the API's owner to test the endpoint.",
  ],
  3000: [
    "Unauthorized",
    "The token is missing, wrong, expired or revoked.",
    "Get a new token and connect again.",
  ],
  3003: [
    "Forbidden",
    "The application may not use this API now.",
    "Check the subscription, and whether the API is blocked or retired.",
  ],
  3008: ["Timeout", "The session lasted too long or did not answer pings.", "Connect again."],
  4429: [
    "Limit reached",
    "What a limit lets pass is used up.",
    "Wait until there is more; where it is the plan's, choose a larger one.",
  ],
};

const REASONS: Record<string, string> = {
  quota: "The plan's messages are used up for this window.",
  application_quota: "The application's own limit is reached for this window.",
  expired: "The token has expired.",
  credential_expired: "The token has expired.",
  credential_invalid: "The token is not one of this product's, or was changed on the way.",
  credential_missing: "No token was presented.",
  key_revoked: "The key was deleted.",
  credential_revoked: "The key was deleted, or the token was ended before its time.",
  credential_not_accepted: "The API does not accept a token in this place.",
  revoked: "The token was ended before its time.",
  signing_key_removed: "The key that signed the token was taken away. Get a new token.",
  origin_refused: "The API does not let this web page connect.",
  worker_lost: "A part of the gateway failed. Connect again.",
  api_blocked: "The API is blocked for now.",
  denied: "An administrator denies this connection.",
  api_retired: "The API was retired.",
  unknown_api: "No API answers at this address. Look at the topic.",
  subscription_ended: "The subscription ended.",
  unknown_topic: "The API has no such topic.",
  issuer_away: "The issuer of the token does not answer. Try again later.",
  scope_missing: "The topic asks for a scope that the token does not have.",
  direction: "The client may only listen on this topic, or its token has no scope to send.",
  topic_gone: "The topic is not declared any more.",
  issuer_not_accepted: "The API does not take tokens of this issuer any more.",
  no_subscription: "The application is not subscribed to this API.",
  idle: "No message passed for longer than the API's idle timeout.",
  lifetime: "The session was as old as the API lets one get.",
  no_pong: "A Ping was not answered in time.",
  utf8: "A text message was not UTF-8.",
  compression: "A compressed message was damaged.",
  message_size: "A message or a frame was larger than the API allows.",
  backend_protocol_error: "The backend broke the WebSocket protocol, or sent more than the API allows.",
  restart: "The gateway is restarting.",
};

/** Whose limit it is, where it is not the plan's: in a sentence, and before its name. */
const LEVELS: Record<string, [string, string]> = {
  application: ["The application's own limit is reached for this window.", "Application policy"],
  api: ["What the API takes from all who use it is used up for this window.", "API policy"],
  topic: ["What the topic takes from all who are on it is used up for this window.", "API policy"],
  rule: ["What an administrator's rule gives is used up for this window.", "Custom rule"],
};

export function explainCode(code: number): CloseExplanation {
  const known = CODES[code];
  if (known) return { code, name: known[0], meaning: known[1], advice: known[2] };
  const owner = code >= 4000 ? "The backend's own code" : "A code of another application";
  return {
    code,
    name: owner,
    meaning: "The other side knows what it means.",
    advice: "Ask the API's owner.",
  };
}

/** `policy_violated` as `Policy violated`. */
function words(word: string): string {
  const spaced = word.replaceAll(/[_-]/g, " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** The reason in words: our JSON is spelt out, anything else is shown as it came. */
export function explainReason(reason: string): string {
  if (reason === "") return "";
  let parsed: unknown;
  try {
    parsed = JSON.parse(reason);
  } catch {
    return reason;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return reason;
  const { reason: word, title, plan, policy, level, retry_after: wait } = parsed as Record<string, unknown>;
  const held = word === "quota" && typeof level === "string" ? LEVELS[level] : undefined;
  const sentences: string[] = [];
  if (typeof word === "string") {
    const told = typeof title === "string" && title !== "" ? title : words(word);
    sentences.push(held?.[0] ?? REASONS[word.replaceAll("-", "_")] ?? `${told}.`);
  }
  if (typeof plan === "string" && plan !== "") sentences.push(`${held?.[1] ?? "Plan"}: ${plan}.`);
  if (typeof policy === "string" && policy !== "") sentences.push(`Application policy: ${policy}.`);
  if (typeof wait === "number") sentences.push(`Try again in ${wait} ${wait === 1 ? "second" : "seconds"}.`);
  return sentences.length > 0 ? sentences.join(" ") : reason;
}
