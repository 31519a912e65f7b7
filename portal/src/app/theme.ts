// The look in Mantine's terms: one accent, AA contrast in both schemes. The variables that follow from it are in
// `theme.css`, since the page's policy allows no style element; a test keeps the two equal.
import { createTheme } from "@mantine/core";

export const theme = createTheme({
  colors: {
    // The greys of the dark scheme: a little blue, so that the accent sits in them; text steps pass 4.5 to 1.
    dark: [
      "#d5dde2",
      "#b6c1c8",
      "#9eabb3",
      "#7b8992",
      "#3c474e",
      "#303a41",
      "#222b31",
      "#161c21",
      "#10161a",
      "#0b1013",
    ],
  },
  primaryColor: "cyan",
  primaryShade: { light: 9, dark: 9 },
  defaultRadius: "sm",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    // The scroll lock would write a style element, which the page's policy refuses.
    Modal: { defaultProps: { lockScroll: false, centered: true } },
    Drawer: { defaultProps: { lockScroll: false, position: "right", size: "md" } },
    Spotlight: { defaultProps: { lockScroll: false } },
    Menu: { defaultProps: { shadow: "md" } },
    Tooltip: { defaultProps: { withArrow: true, events: { hover: true, focus: true, touch: true } } },
    Anchor: { defaultProps: { underline: "always" } },
  },
});
