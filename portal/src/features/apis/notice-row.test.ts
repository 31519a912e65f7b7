import { expect, test } from "vitest";
import { NOTICE_EXAMPLE, noticeOf, noticeText } from "./notice-row";

test("a notice is an object, nothing, or wrong", () => {
  expect(noticeOf(noticeText(NOTICE_EXAMPLE))).toEqual(NOTICE_EXAMPLE);
  expect(noticeText(null)).toBe("");
  expect(noticeOf("  ")).toBe(null);
  for (const wrong of ["[]", "1", "null", '"text"', "{", "{'a': 1}"]) expect(noticeOf(wrong)).toBe(undefined);
});
