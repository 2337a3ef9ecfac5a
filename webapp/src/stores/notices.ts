/** Short messages that appear over the page. Pure functions. */

export type NoticeKind = "info" | "success" | "error";

export interface Notice {
  readonly id: number;
  readonly kind: NoticeKind;
  readonly text: string;
  /** Stays until somebody closes it. */
  readonly sticky?: boolean;
  /** Something to do about it, with the word on its button. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** More than these would cover a phone's screen; older ones give way. */
const MAX_NOTICES = 3;

/** Adds a notice; one with the same text is replaced, so that a repeated failure is one message. */
export function added(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  const others = notices.filter(({ text }) => text !== notice.text);
  return [...others, notice].slice(-MAX_NOTICES);
}

export function dismissed(notices: readonly Notice[], id: number): readonly Notice[] {
  return notices.filter((notice) => notice.id !== id);
}
