// Binary messages as hexadecimal text and back.

/** Bytes from `00 ff`, `00ff` or `0x00 0xff`; an error sentence when it is not hexadecimal. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> | string {
  const digits = text.replaceAll(/0x/gi, "").replaceAll(/[\s,:]/g, "");
  if (!/^[0-9a-f]*$/i.test(digits)) return "Only the digits 0–9 and a–f are hexadecimal.";
  if (digits.length % 2 === 1) return "A byte has two digits; one is missing.";
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 1)
    bytes[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

/** The first bytes, two digits each. */
export function toHex(bytes: Uint8Array, most = Number.POSITIVE_INFINITY): string {
  const shown = bytes.length > most ? bytes.subarray(0, most) : bytes;
  const text = Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > most ? `${text} …` : text;
}

/** Bytes that a text takes in UTF-8. */
export const textBytes = (text: string): number => new TextEncoder().encode(text).length;
