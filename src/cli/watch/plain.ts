import type { ServiceView } from '../../core/rollout/view.ts'
import type { Session } from '../session.ts'
import { type Line, span } from '../text/line.ts'
import { clockTime } from '../text/time.ts'
import { createNews } from './news.ts'
import type { Presenter } from './presenter.ts'

/** One line per change with the time in UTC, nothing redrawn: for logs, pipes and screen readers. */
export function createPlainPresenter(session: Session): Presenter {
  const news = createNews()
  let begun = false
  let waiting: string | null = null
  const line = (at: number, text: string): Line => [span(`${clockTime(at)} ${text}`)]
  const waitingNews = ({ rollout, asOf }: ServiceView): Line[] => {
    const on = rollout?.outcome === null ? rollout.waitingOn : null
    // The message may count down; what it waits for is told once.
    const about = on === null ? null : `${on.kind} ${on.until ?? on.message}`
    const told = about === waiting
    waiting = about
    return on === null || told ? [] : [line(asOf, `waiting: ${on.message}`)]
  }
  return {
    view(view) {
      const { entries, missed } = news(view)
      const first = begun || view.rollout === null ? [] : [line(view.asOf, view.rollout.sentence)]
      begun = true
      session.say([
        ...(missed > 0 ? [line(view.asOf, `${missed} events passed while nobody was connected`)] : []),
        ...entries.map(({ at, text }) => line(at, text)),
        ...first,
        ...waitingNews(view),
      ])
    },
    away(text) {
      session.say([line(session.io.now(), text ?? 'the controller answers again')])
    },
    end() {},
  }
}
