import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { theme } from "./theme";
import { themeCss } from "./theme-css";

test("the committed variables are those of the theme", () => {
  expect(readFileSync("src/app/theme.css", "utf8")).toContain(themeCss(theme));
});
