import { LitElement } from "lit";
import type { PropertyValues } from "lit";
import { property, state } from "lit/decorators.js";
import { whyNot } from "../stores/abilities";
import type { Action } from "../stores/abilities";
import { NOTHING_KNOWN } from "../stores/situation";
import type { Situation } from "../stores/situation";
import type { PanelElement, PanelHost, Readable } from "./contract";

/** What the panels of the page have in common: the host, the watched stores, and actions that can fail. */
export abstract class Panel extends LitElement implements PanelElement {
  @property({ attribute: false }) host!: PanelHost;
  @property({ attribute: false }) situation: Situation = NOTHING_KNOWN;
  @state() private pending: ReadonlySet<string> = new Set();
  private unwatch: (() => void)[] = [];

  /** The stores whose changes this panel shows. */
  protected watched(_host: PanelHost): readonly Readable<unknown>[] {
    return [];
  }

  protected why(action: Action): string {
    return whyNot(action, this.situation);
  }

  protected isPending(name: string): boolean {
    return this.pending.has(name);
  }

  /** Does `work` once at a time; a failure is told to the person. Answers whether it succeeded. */
  protected async run(name: string, work: () => Promise<unknown>): Promise<boolean> {
    if (this.pending.has(name)) return false;
    this.pending = new Set([...this.pending, name]);
    try {
      await work();
      return true;
    } catch (error) {
      this.host.notify({ kind: "error", text: error instanceof Error ? error.message : String(error) });
      return false;
    } finally {
      this.pending = new Set([...this.pending].filter((other) => other !== name));
    }
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.watch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.endWatch();
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (changes.has("host")) this.watch();
    if (changes.has("situation")) this.toggleAttribute("stale", !this.situation.live);
  }

  private watch(): void {
    this.endWatch();
    this.unwatch = this.watched(this.host).map((store) => store.watch(() => this.requestUpdate()));
  }

  private endWatch(): void {
    for (const end of this.unwatch) end();
    this.unwatch = [];
  }
}
