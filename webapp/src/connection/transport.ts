/** What the connection needs of a socket. `sockjs.ts` makes a real one. */

export interface TransportHandlers {
  readonly opened: () => void;
  /** A message, as JSON text or already as an object: servers differ. */
  readonly received: (data: unknown) => void;
  /** A sign of life without content. */
  readonly heartbeat: () => void;
  readonly closed: () => void;
}

export interface Transport {
  send(text: string): void;
  close(): void;
}

export type OpenTransport = (url: string, handlers: TransportHandlers) => Transport;
