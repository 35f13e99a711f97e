import type { ServiceView } from '../../core/rollout/view/view.ts'
import type { Connection } from '../controller/connect.ts'
import type { Panel } from '../frame/options.ts'
import { addressOf, type Session } from '../session.ts'

/** What the keys of the live view work with. */
export interface LiveContext {
  readonly session: Session
  readonly connection: Connection
  leave(): void
  show(panel: Panel): void
  panel(): Panel
  view(): ServiceView | null
}

export type NoteLook = 'good' | 'bad' | 'plain'

/** A sentence in place of the legend, for a while. */
export const note = (context: LiveContext, text: string, look: NoteLook = 'plain'): void =>
  context.show({ kind: 'note', text, look })

/** The service on the screen, even when the command was typed without its name. */
export function targetOf({ session, view }: LiveContext): { service?: string; environment?: string } {
  const shown = view()
  return shown === null ? addressOf(session) : { service: shown.service, environment: shown.environment }
}
