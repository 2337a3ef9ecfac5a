/** Light or dark: as the system has it, or as the reader chose in this browser. */

export type ThemeChoice = "auto" | "light" | "dark";

const KEY = "bedplate-theme";
const darkRoom = () => matchMedia("(prefers-color-scheme: dark)");

/** Sent to the window when the colours have changed. */
export const THEME_CHANGED = "bp-theme-changed";

export function themeChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored === "light" || stored === "dark") return stored;
  } catch {
    // Storage may be forbidden; the system's choice is a good one.
  }
  return "auto";
}

export function chooseTheme(choice: ThemeChoice): void {
  try {
    if (choice === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // It holds until the page is left.
  }
  applyTheme(choice);
}

/** Puts the chosen colours on, and keeps following the system. */
export function startTheme(): void {
  applyTheme(themeChoice());
  darkRoom().addEventListener("change", () => applyTheme(themeChoice()));
}

function applyTheme(choice: ThemeChoice): void {
  const theme = choice === "auto" ? (darkRoom().matches ? "dark" : "light") : choice;
  document.documentElement.dataset["theme"] = theme;
  const surface = getComputedStyle(document.documentElement).getPropertyValue("--surface").trim();
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", surface);
  window.dispatchEvent(new Event(THEME_CHANGED));
}
