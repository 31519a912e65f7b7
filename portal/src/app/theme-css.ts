// Writes the CSS variables that follow from the theme: what Mantine would put into a style element.
import {
  DEFAULT_THEME,
  defaultCssVariablesResolver,
  type MantineThemeOverride,
  mergeMantineTheme,
} from "@mantine/core";

type Variables = Record<string, string>;

function rules(selector: string, of: Variables, plain: Variables): string {
  const lines = Object.entries(of)
    .filter(([name, value]) => plain[name] !== value)
    .map(([name, value]) => `  ${name}: ${value};`);
  return lines.length > 0 ? `${selector} {\n${lines.join("\n")}\n}\n` : "";
}

/** Only what differs from the variables that Mantine's own style sheet sets. */
export function themeCss(override: MantineThemeOverride): string {
  const ours = defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, override));
  const plain = defaultCssVariablesResolver(DEFAULT_THEME);
  return [
    rules(":root", ours.variables, plain.variables),
    rules(':root[data-mantine-color-scheme="light"]', ours.light, plain.light),
    rules(':root[data-mantine-color-scheme="dark"]', ours.dark, plain.dark),
  ].join("");
}
