/** The page's icons: drawn on a grid of 24, lines of 2, no fills but where a shape is meant. */
import { svg } from "lit";
import type { SVGTemplateResult } from "lit";

const SHAPES = {
  print: svg`<path d="M8 3h8v5l-2.5 3.5h-3L8 8z"/><path d="M12 14.5v1.5"/><path d="M4 20h16"/>`,
  control: svg`<path d="M12 3v18M3 12h18"/><path d="m9 6 3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3"/>`,
  files: svg`<path d="M3 7a2 2 0 0 1 2-2h4l2.5 3H19a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"/>`,
  terminal: svg`<path d="m5 7 5 5-5 5"/><path d="M12 17h7"/>`,
  file: svg`<path d="M6 3h8l4 4v14H6z"/><path d="M14 3v4h4"/>`,
  temperature: svg`<path d="M10 13.5V5a2 2 0 0 1 4 0v8.5a4.5 4.5 0 1 1-4 0z"/><path d="M12 11v6"/>`,
  play: svg`<path d="M7 4.5v15l12-7.5z" fill="currentColor"/>`,
  pause: svg`<path d="M8 5v14M16 5v14" stroke-width="3.5"/>`,
  cancel: svg`<rect x="6" y="6" width="12" height="12" rx="1.5" fill="currentColor"/>`,
  stop: svg`<path d="M8.2 2.8h7.6l5.4 5.4v7.6l-5.4 5.4H8.2l-5.4-5.4V8.2z"/><path d="M12 7.5v5.5M12 16.5v.1" stroke-width="2.5"/>`,
  upload: svg`<path d="M12 15V4"/><path d="m7 9 5-5 5 5"/><path d="M4 16v3a1.5 1.5 0 0 0 1.5 1.5h13A1.5 1.5 0 0 0 20 19v-3"/>`,
  download: svg`<path d="M12 4v11"/><path d="m7 10 5 5 5-5"/><path d="M4 16v3a1.5 1.5 0 0 0 1.5 1.5h13A1.5 1.5 0 0 0 20 19v-3"/>`,
  newFolder: svg`<path d="M3 7a2 2 0 0 1 2-2h4l2.5 3H19a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"/><path d="M12 11v5M9.5 13.5h5"/>`,
  remove: svg`<path d="M4 7h16"/><path d="M9 7V4h6v3"/><path d="M6 7l1 13h10l1-13"/><path d="M10 11v5M14 11v5"/>`,
  home: svg`<path d="m3.5 11.5 8.5-8 8.5 8"/><path d="M6 10v10h12V10"/>`,
  up: svg`<path d="M12 19V5"/><path d="m6 11 6-6 6 6"/>`,
  down: svg`<path d="M12 5v14"/><path d="m6 13 6 6 6-6"/>`,
  left: svg`<path d="M19 12H5"/><path d="m11 6-6 6 6 6"/>`,
  right: svg`<path d="M5 12h14"/><path d="m13 6 6 6-6 6"/>`,
  extrude: svg`<path d="M8 3h8v5l-2.5 3h-3L8 8z"/><path d="M12 13v8"/><path d="m9 18 3 3 3-3"/>`,
  retract: svg`<path d="M8 3h8v5l-2.5 3h-3L8 8z"/><path d="M12 21v-8"/><path d="m9 16 3-3 3 3"/>`,
  fan: svg`<circle cx="12" cy="12" r="2"/><path d="M12 10c-2-3-1-6.500 1.500-6.500S16 8 14 12M13.700 13c3.500.2 5.500 2.800 4.300 5s-5.500 1-6.300-4M10.300 13c-1.600 3.200-4.800 4-6 1.800S6 10 10.500 11" stroke-width="1.700"/>`,
  motorsOff: svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.500v3M12 18.500v3M2.500 12h3M18.500 12h3"/><path d="m4 4 16 16"/>`,
  off: svg`<path d="M12 3v9"/><path d="M7 6.500a8 8 0 1 0 10 0"/>`,
  connect: svg`<path d="M9 3v5M15 3v5"/><path d="M6 8h12v3a6 6 0 0 1-12 0z"/><path d="M12 17v4"/>`,
  light: svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400"/>`,
  dark: svg`<path d="M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z"/>`,
  auto: svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 3.500a8.500 8.500 0 0 1 0 17z" fill="currentColor"/>`,
  close: svg`<path d="m6 6 12 12M18 6 6 18"/>`,
  chevron: svg`<path d="m9 6 6 6-6 6"/>`,
  check: svg`<path d="m4.500 12.500 5 5 10-11"/>`,
  warning: svg`<path d="M12 3.500 2.500 20h19z"/><path d="M12 10v4.500M12 17.300v.1"/>`,
  info: svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v5.500M12 7.600v.1"/>`,
  refresh: svg`<path d="M20 12a8 8 0 1 1-2.500-5.800"/><path d="M20 3v5h-5"/>`,
  send: svg`<path d="M4 12 20 4l-5 16-3.500-6.500z"/><path d="M11.500 13.500 20 4"/>`,
  offline: svg`<path d="M2.500 9.500a14 14 0 0 1 5-3M21.500 9.500a14 14 0 0 0-9-4M6 13.500a9 9 0 0 1 4-2.300M18 13.500a9 9 0 0 0-2.500-1.800"/><circle cx="12" cy="18" r="1.500"/><path d="m4 3 16 18"/>`,
} satisfies Record<string, SVGTemplateResult>;

export type IconName = keyof typeof SHAPES;

/** An icon of the size of the text beside it. It says nothing to screen readers: its button has a name. */
export function icon(name: IconName): SVGTemplateResult {
  return svg`<svg class="icon" viewBox="0 0 24 24" width="1.25em" height="1.25em" fill="none" stroke="currentColor"
    stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${SHAPES[name]}</svg>`;
}
