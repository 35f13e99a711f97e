import type { ServiceView } from '../../core/rollout/view/view.ts'

/** One way to show a rollout as it goes: live, as lines, or as JSON. */
export interface Presenter {
  view(view: ServiceView): void
  /** The controller does not answer (a sentence), or answers again (`null`). */
  away(text: string | null): void
  /** Nothing more follows: leave the terminal as it was found. */
  end(): void
}
