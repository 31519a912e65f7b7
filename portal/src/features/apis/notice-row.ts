// The notice of an API as text that a person writes, and back. Pure.

/** What a notice may be; the rest is REST's to say. */
export type NoticeShape = Record<string, unknown>;

/** What is offered to begin with. */
export const NOTICE_EXAMPLE: NoticeShape = {
  type: "limit",
  policy: "$policy",
  level: "$level",
  direction: "$direction",
  retry_after: "$retry_after",
};

export const noticeText = (notice: NoticeShape | null | undefined): string =>
  notice ? JSON.stringify(notice, null, 2) : "";

/** The object that a text is, `null` for none, and `undefined` where it is no object. */
export function noticeOf(text: string): NoticeShape | null | undefined {
  if (text.trim() === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as NoticeShape) : undefined;
  } catch {
    return undefined;
  }
}
