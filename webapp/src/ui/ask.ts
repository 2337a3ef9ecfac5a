import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { button } from "./button";
import type { Dialog } from "./dialog";
import "./dialog";
import { sharedStyles } from "./styles";

export interface Question {
  readonly heading: string;
  readonly text: string;
  /** The word on the button that says yes, and the one that says no. */
  readonly yes: string;
  readonly no?: string;
  readonly danger?: boolean;
  /** Asks for a text with this label. */
  readonly field?: string;
}

/** A question in a window. Use `ask`, or `askText` for a line of text. */
@customElement("bp-question")
class QuestionElement extends LitElement {
  @property({ attribute: false }) question!: Question;
  @state() private answer = "";
  @query("bp-dialog") private readonly dialog!: Dialog;

  /** Called once, with the text (or "yes"), or with null. */
  answered: (answer: string | null) => void = () => undefined;

  static override styles = [
    sharedStyles,
    css`
      .row {
        justify-content: flex-end;
      }
      .button.danger.primary:not([aria-disabled]) {
        background: var(--stop);
        border-color: var(--stop);
        color: var(--stop-ink);
      }
    `,
  ];

  override render() {
    const { heading, text, yes, no = "Keep", danger = false, field } = this.question;
    return html`<form @submit=${this.submit}>
      <bp-dialog .heading=${heading} @close=${() => this.finish(null)}>
        <div class="stack">
          ${text ? html`<p>${text}</p>` : nothing}
          ${field
            ? html`<label
                >${field}<input autofocus required maxlength="120" autocomplete="off" @input=${this.type}
              /></label>`
            : nothing}
        </div>
        <div class="row" slot="actions">
          ${button({ label: no, autofocus: !field, onPress: () => this.finish(null) })}
          ${button({ label: yes, type: "submit", kind: `primary ${danger ? "danger" : ""}` })}
        </div>
      </bp-dialog>
    </form>`;
  }

  override firstUpdated(): void {
    void this.dialog.show();
  }

  private type(event: InputEvent): void {
    this.answer = (event.target as HTMLInputElement).value;
  }

  private submit(event: Event): void {
    event.preventDefault();
    this.finish(this.question.field ? this.answer.trim() : "yes");
  }

  private finish(answer: string | null): void {
    this.answered(answer);
    this.answered = () => undefined;
    this.remove();
  }
}

/** Asks for a line of text; null where the person thinks better of it. */
export function askText(question: Question): Promise<string | null> {
  return new Promise((resolve) => {
    const element = new QuestionElement();
    element.question = question;
    element.answered = resolve;
    document.body.append(element);
  });
}

/** Asks a question that is answered by yes or no. */
export async function ask(question: Question): Promise<boolean> {
  return (await askText(question)) !== null;
}
