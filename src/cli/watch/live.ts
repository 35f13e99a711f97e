import type { ServiceView } from '../../core/rollout/view/view.ts'
import type { Connection } from '../controller/connect.ts'
import { renderFrame } from '../frame/frame.ts'
import type { Panel } from '../frame/options.ts'
import type { Terminal } from '../io.ts'
import type { Session } from '../session.ts'
import { createCheckHistory } from './check-history.ts'
import { splitKeys } from './keys.ts'
import { createLiveKeys } from './live-keys.ts'
import type { Presenter } from './presenter.ts'
import { openScreen } from './screen.ts'

/** At most ten frames a second. */
const FRAME_MS = 100
/** Countdowns and running times tick. */
const TICK_MS = 500
/** An answer stands this long in place of the legend. */
const NOTE_MS = 8000

type LiveOptions = { session: Session; connection: Connection; terminal: Terminal; leave: () => void }

/** The live view in a terminal, with keys. */
export function createLivePresenter({ session, connection, terminal, leave }: LiveOptions): Presenter {
  const { io, color } = session
  const screen = openScreen(terminal, io.out)
  const history = createCheckHistory()
  let view: ServiceView | null = null
  let panel: Panel = { kind: 'legend' }
  let away: string | null = null
  let frame: NodeJS.Timeout | null = null
  let noteEnds: NodeJS.Timeout | null = null

  const draw = (): void => {
    frame = null
    if (view === null) return
    const size = { columns: terminal.columns(), rows: terminal.rows() }
    screen.draw(renderFrame(view, { ...size, color, now: io.now(), history: history.values, panel, away }))
  }
  const soon = (): void => {
    frame ??= setTimeout(draw, FRAME_MS)
  }
  const show = (next: Panel): void => {
    panel = next
    if (noteEnds !== null) clearTimeout(noteEnds)
    noteEnds = next.kind === 'note' ? setTimeout(() => show({ kind: 'legend' }), NOTE_MS) : null
    soon()
  }
  const keys = createLiveKeys({ session, connection, leave, show, panel: () => panel, view: () => view })
  const ticker = setInterval(soon, TICK_MS)
  const stopListening = [
    terminal.onResize(soon),
    terminal.onKeys((typed) => {
      for (const key of splitKeys(typed)) keys.press(key)
    }),
  ]
  return {
    view(next) {
      view = next
      away = null
      history.add(next)
      soon()
    },
    away(text) {
      away = text
      soon()
    },
    end() {
      for (const timer of [frame, noteEnds]) if (timer !== null) clearTimeout(timer)
      clearInterval(ticker)
      keys.close()
      for (const stop of stopListening) stop()
      panel = { kind: 'none' }
      draw()
      screen.close()
    },
  }
}
