import { expect, test } from "vitest";
import { fromHex, textBytes, toHex } from "./bytes";

test("hexadecimal goes there and back", () => {
  expect(fromHex("00 ff 0xA0")).toEqual(new Uint8Array([0, 255, 160]));
  expect(toHex(new Uint8Array([0, 255, 160]))).toBe("00 ff a0");
  expect(toHex(new Uint8Array([1, 2, 3]), 2)).toBe("01 02 …");
});

test("what is not hexadecimal is told in words", () => {
  expect(fromHex("xyz")).toContain("hexadecimal");
  expect(fromHex("abc")).toContain("missing");
});

test("a text is counted in bytes", () => {
  expect(textBytes("né")).toBe(3);
});
