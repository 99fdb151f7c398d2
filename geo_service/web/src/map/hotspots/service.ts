// Asking the processes. An answer is kept: going back to a tab asks nothing again.
import { request } from "../../common/api";
import type { CompareAnswer, EmergingAnswer, HotAnswer } from "./contract";
import { inputsOf, processOf, type Question, type View } from "./question";

export interface Answers {
  hot: HotAnswer;
  change: EmergingAnswer;
  compare: CompareAnswer;
}

/** Answers of a large town take some MB each. */
const KEPT = 8;

export class Processes {
  private readonly kept = new Map<string, { layer: string; answer: Answers[View] }>();

  async ask<V extends View>(view: V, question: Question, signal: AbortSignal): Promise<Answers[V]> {
    const key = keyOf(view, question);
    const known = this.kept.get(key);
    if (known) return known.answer as Answers[V];
    const response = await request(`/ogc/processes/${processOf(view)}/execution`, {
      method: "POST",
      signal,
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ inputs: inputsOf(view, question) }),
    });
    const answer = (await response.json()) as Answers[V];
    this.kept.set(key, { layer: question.layer, answer });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(oldest);
    }
    return answer;
  }

  /** The same answer to the question with what the service proposed written out. */
  keep(view: View, question: Question, answer: Answers[View]): void {
    this.kept.set(keyOf(view, question), { layer: question.layer, answer });
  }

  has(view: View, question: Question): boolean {
    return this.kept.has(keyOf(view, question));
  }

  /** The layer's events have changed: its answers are of yesterday. */
  forget(layer: string): void {
    for (const [key, { layer: of }] of this.kept) if (of === layer) this.kept.delete(key);
  }
}

function keyOf(view: View, question: Question): string {
  return `${view} ${JSON.stringify(inputsOf(view, question))}`;
}
