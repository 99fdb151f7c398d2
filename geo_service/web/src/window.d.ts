import type Map from "ol/Map";

declare global {
  interface Window {
    /** For tests and for curious colleagues at the console. */
    geo: { map: Map | null; ready: Promise<void> };
  }
}
