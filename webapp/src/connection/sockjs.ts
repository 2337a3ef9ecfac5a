import SockJS from "sockjs-client";
import type { OpenTransport } from "./transport";

/** The ways that work without frames and callbacks from foreign scripts, best first. */
const TRANSPORTS = ["websocket", "xhr-streaming", "eventsource", "xhr-polling"];

/** Opens a real socket; where WebSockets don't get through, SockJS falls back to plain requests. */
export const openSockJS: OpenTransport = (url, handlers) => {
  const heartbeat = () => handlers.heartbeat();
  const socket = new SockJS(url, undefined, { transports: TRANSPORTS });
  socket.onopen = handlers.opened;
  socket.onmessage = (event) => handlers.received(event.data as unknown);
  socket.addEventListener("heartbeat", heartbeat);
  socket.onclose = handlers.closed;
  return {
    send: (text) => socket.send(text),
    close: () => {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.removeEventListener("heartbeat", heartbeat);
      socket.close();
    },
  };
};
