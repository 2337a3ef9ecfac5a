/** A function that calls `action` once, `delay` ms after the last call of a burst. */
export function debounce(action: () => void, delay: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };
}
