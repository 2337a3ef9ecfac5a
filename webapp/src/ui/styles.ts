/** Styles that every element of the page shares; they are adopted by each shadow root. */
import { css } from "lit";

export const sharedStyles = css`
  /* A field with its unit inside, at the right: room for it is the field's own padding. */
  .unit {
    position: relative;
  }
  .unit::after {
    content: attr(data-unit);
    position: absolute;
    right: var(--space-2);
    top: 50%;
    transform: translateY(-50%);
    color: var(--ink-soft);
    font-size: var(--text-small);
  }
  :host {
    display: block;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  .icon {
    flex: none;
    display: block;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }
  .soft {
    color: var(--ink-soft);
  }
  .small {
    font-size: var(--text-small);
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }

  button {
    font: inherit;
    color: inherit;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    min-height: var(--control);
    min-width: var(--control);
    padding: 0 var(--space-3);
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
    background: var(--surface-raised);
    font-weight: 550;
    line-height: 1.2;
    text-align: center;
    text-decoration: none;
    color: var(--ink);
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
    transition:
      background-color 120ms,
      border-color 120ms;
  }
  .button small {
    display: block;
    font-size: 0.75rem;
    font-weight: 400;
    font-variant-numeric: tabular-nums;
    color: var(--ink-soft);
  }
  .button:active {
    background: var(--surface-pressed);
    border-color: var(--line-strong);
  }
  .button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--accent-ink);
  }
  .button.primary:active {
    background: var(--accent-strong);
  }
  .button.danger {
    color: var(--bad);
  }
  .button.plain {
    background: none;
    border-color: transparent;
  }
  .button.square {
    padding: 0;
    width: var(--control);
  }
  /* A finger does not hover: on a touch screen the look would stay after the press. */
  @media (hover: hover) {
    .button:hover {
      background: var(--surface-pressed);
    }
    .button.primary:hover:not([aria-disabled]) {
      background: var(--accent-strong);
    }
    .button.plain:hover:not([aria-pressed="true"]) {
      background: var(--surface-pressed);
    }
  }
  .button[aria-disabled="true"] {
    background: none;
    border: 1px dashed var(--line);
    color: var(--ink-soft);
    opacity: 0.75;
    cursor: not-allowed;
  }
  .button.plain[aria-disabled="true"] {
    border-color: transparent;
  }
  .button[aria-pressed="true"] {
    background: var(--accent-ground);
    border-color: var(--accent);
    color: var(--accent);
  }
  .button[aria-busy="true"] .icon {
    animation: pulse 800ms ease-in-out infinite alternate;
  }
  @keyframes pulse {
    to {
      opacity: 0.25;
    }
  }

  input,
  select {
    font: inherit;
    color: inherit;
    min-height: var(--control);
    min-width: 0;
    max-width: 100%;
    padding: 0 var(--space-3);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-small);
    background: var(--surface);
  }
  @media (max-width: 759px) {
    /* Below 16 px, phones zoom into a field that gets the focus. */
    input,
    select {
      font-size: 16px;
    }
  }
  input[aria-invalid="true"] {
    border-color: var(--bad);
    outline-color: var(--bad);
  }
  input::placeholder {
    color: var(--ink-soft);
    opacity: 1;
  }
  label {
    display: grid;
    gap: var(--space-1);
    font-size: var(--text-small);
    color: var(--ink-soft);
  }
  label > input,
  label > select {
    font-size: var(--text);
    color: var(--ink);
  }

  progress {
    appearance: none;
    display: block;
    width: 100%;
    height: 0.5rem;
    border: 0;
    border-radius: 99px;
    background: var(--surface-pressed);
    overflow: hidden;
    color: var(--accent);
  }
  progress::-webkit-progress-bar {
    background: var(--surface-pressed);
  }
  progress::-webkit-progress-value {
    background: currentColor;
    border-radius: 99px;
    transition: width 300ms;
  }
  progress::-moz-progress-bar {
    background: currentColor;
    border-radius: 99px;
  }

  .message {
    display: flex;
    gap: var(--space-3);
    padding: var(--space-3);
    border-radius: var(--radius-small);
    background: var(--surface-raised);
    overflow-wrap: anywhere;
  }
  .message > .icon {
    margin-top: 0.1em;
  }
  .message > div {
    min-width: 0;
    flex: 1;
  }
  .message.good {
    background: var(--good-ground);
    color: var(--good);
  }
  .message.warning {
    background: var(--warning-ground);
    color: var(--warning);
  }
  .message.bad {
    background: var(--bad-ground);
    color: var(--bad);
  }
  .message strong {
    display: block;
  }

  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--space-2);
  }
  .stack {
    display: grid;
    gap: var(--space-3);
    grid-template-columns: minmax(0, 1fr);
  }
  .grow {
    flex: 1 1 auto;
    min-width: 0;
  }
  .value {
    transition: opacity 200ms;
  }
  :host([stale]) .value {
    opacity: 0.5;
  }
`;
