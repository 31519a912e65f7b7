import { expect, test } from "vitest";
import { readThresholds } from "./thresholds";

test("thresholds are read as people write them", () => {
  expect(readThresholds("80, 100").numbers).toEqual([80, 100]);
  expect(readThresholds(" 80 % 100 %").numbers).toEqual([80, 100]);
  expect(readThresholds("").numbers).toEqual([]);
});

test("what is no threshold is said to be none", () => {
  for (const text of ["0", "101", "80.5", "much", "-1"]) expect(readThresholds(text).numbers).toBeNull();
  expect(readThresholds("1 2 3 4 5 6").problem).toBe("Choose at most 5 thresholds.");
});
