/** What the frame needs to know besides the view. All of it is data: a frame is a pure function. */
export interface FrameOptions {
  readonly columns: number
  readonly rows: number
  readonly color: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Candidate values of each check by its name, oldest first, as far as this terminal saw them. */
  readonly history: ReadonlyMap<string, readonly number[]>
  readonly panel: Panel
  /** Set while the controller does not answer. */
  readonly away: string | null
}

/** What stands at the foot of the live view. */
export type Panel =
  | { kind: 'none' }
  | { kind: 'legend' }
  | { kind: 'help' }
  | { kind: 'explain' }
  | { kind: 'logs'; lines: readonly string[] }
  | { kind: 'note'; text: string; look: 'good' | 'bad' | 'plain' }
  | { kind: 'question'; text: string; typed: string }
