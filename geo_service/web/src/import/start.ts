// The beginning: choose a file or drop one, and see what was imported so far.
import { Problem } from "../common/api";
import type { LayerEntry } from "../common/contract";
import { element, icon } from "../common/dom";
import { pick } from "../common/language";
import type { ImportRecord } from "./contract";
import { History } from "./history";
import { announce, clearNotice, failure, isAbort, notice } from "./notice";
import { ProgressBar } from "./progress";
import { refusal, upload } from "./service";
import { tell } from "./words";

const TRAY = "M10 12.5V3M6.5 6.2 10 2.8l3.5 3.4M3 11.5v4.2c0 .7.6 1.3 1.3 1.3h11.4c.7 0 1.3-.6 1.3-1.3v-4.2";
const SUFFIXES =
  ".csv,.tsv,.txt,.xlsx,.xls,.ods,.geojson,.json,.geojsonl,.ndjson,.zip,.gpkg,.fgb,.kml,.kmz,.parquet,.gz";

export class Start {
  readonly root: HTMLElement;
  private readonly history: History;
  private readonly zone: HTMLElement;
  private readonly choose: HTMLButtonElement;
  private readonly layer: HTMLSelectElement;
  private readonly uploadBox = element("div", { class: "uploading", hidden: true });
  private sending: AbortController | null = null;

  constructor(
    layers: LayerEntry[],
    opened: (id: string) => void,
    private readonly received: (imported: ImportRecord) => void,
  ) {
    this.history = new History(layers, opened);
    const input = element("input", { type: "file", accept: SUFFIXES, class: "unseen", tabindex: "-1", "aria-hidden": "true" });
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) void this.take(file);
      input.value = ""; // so that the same file can be chosen again once it is mended
    });
    this.choose = element("button", { type: "button", class: "primary", "aria-describedby": "formats privacy" }, tell("chooseFile"));
    this.choose.addEventListener("click", () => input.click());
    // Said beforehand, an address of a place is kept; of a file that may be anything, it is not.
    this.layer = element(
      "select",
      { id: "kind" },
      element("option", { value: "" }, tell("anyKind")),
      ...layers.filter((layer) => layer.writable).map((layer) => element("option", { value: layer.id }, pick(layer.title))),
    );
    this.zone = element(
      "section",
      { class: "drop", "aria-labelledby": "drop-title" },
      icon(TRAY),
      element("h2", { id: "drop-title" }, tell("dropTitle")),
      element("label", { class: "kind" }, tell("kind"), this.layer),
      this.choose,
      input,
      element("p", { id: "formats", class: "formats" }, tell("formats")),
      element("p", { id: "privacy", class: "privacy" }, tell("privacy")),
    );
    this.root = element("div", { class: "start" }, this.zone, this.uploadBox, this.history.root);
  }

  /** Who may not load anything gets a sentence, and nothing to press. */
  refuse(): void {
    this.choose.disabled = true;
    this.layer.disabled = true;
    this.history.root.hidden = true;
    notice(tell("mayNotWrite"));
  }

  get isSending(): boolean {
    return this.sending !== null;
  }

  refresh(): void {
    void this.history.refresh();
  }

  focus(): void {
    this.choose.focus();
  }

  /** Upload a file, unless it can be told beforehand that it is no use. */
  async take(file: File): Promise<void> {
    if (this.sending) return;
    clearNotice();
    const reason = refusal(file);
    if (reason) {
      notice(reason);
      this.choose.focus();
      return;
    }
    const sending = new AbortController();
    this.sending = sending;
    const bar = new ProgressBar(tell("uploading", { file: file.name }));
    const cancel = element("button", { type: "button" }, tell("cancel"));
    cancel.addEventListener("click", () => sending.abort());
    this.uploadBox.replaceChildren(bar.root, cancel);
    this.uploadBox.hidden = false;
    this.zone.hidden = true;
    bar.share(0, "0%");
    cancel.focus();
    announce(tell("uploading", { file: file.name }));
    let read = false;
    try {
      const imported = await upload(
        file,
        this.layer.value,
        (share) => {
          if (share < 1) bar.share(share, `${Math.round(share * 100)}%`);
          else bar.share(null, tell("reading", { file: file.name }));
          if (share >= 1 && !read) announce(tell("reading", { file: file.name }));
          read ||= share >= 1;
        },
        sending.signal,
      );
      announce(tell("uploaded", { file: file.name }));
      this.received(imported);
    } catch (error) {
      if (isAbort(error)) announce(tell("cancelled"));
      else if (error instanceof Problem && error.status === 422) notice(`${error.message}${tell("unreadable")}`);
      else failure(error, () => void this.take(file));
    } finally {
      this.sending = null;
      this.uploadBox.hidden = true;
      this.zone.hidden = false;
      if (this.root.isConnected) this.choose.focus();
    }
  }
}
