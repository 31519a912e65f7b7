// Origins of web pages as an API names them, checked while typing; the control plane decides by the same rules. Pure.

const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:]+\]|[^:[\]]*)(?::(.*))?$/;
const LABEL = /^[a-z0-9_-]+$/;
/** Ports that a browser leaves out. */
const OWN_PORTS: Record<string, string> = { http: "80", https: "443" };

/** Why an entry names no origin, or null. */
export function checkOrigin(entry: string): string | null {
  if (entry === "*" || entry === "null") return null;
  if (!entry.includes("://"))
    return "Write an origin like https://app.example.com, https://*.example.com, null, or * for all.";
  if (entry !== entry.toLowerCase()) return "A browser writes origins in lower case.";
  if (/[/?#@]/.test(entry.slice(entry.indexOf("://") + 3)))
    return "An origin ends with its host or port: leave out what follows, also a final “/”.";
  const [, scheme = "", host = "", port] = SHAPE.exec(entry) ?? [];
  const badHost =
    "Write the host as browsers do: ASCII letters, digits, hyphens and dots, without a final dot.";
  if (scheme === "") return badHost;
  if (
    port !== undefined &&
    (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535 || OWN_PORTS[scheme] === port)
  )
    return "A port is a number, and left out where it is 80 for http or 443 for https.";
  if (host.startsWith("[")) return null;
  const domain = host.startsWith("*.") ? host.slice(2) : host;
  if (host.includes("*") && (domain === host || domain.includes("*") || !domain.includes(".")))
    return "“*” stands for one whole label in front of a domain, like https://*.example.com.";
  return domain.split(".").every((label) => LABEL.test(label)) ? null : badHost;
}
