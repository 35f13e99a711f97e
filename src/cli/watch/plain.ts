import type { Session } from '../session.ts'
import { type Line, span } from '../text/line.ts'
import { clockTime } from '../text/time.ts'
import { createNews } from './news.ts'
import type { Presenter } from './presenter.ts'
import { NOTHING_TOLD, waitingNews } from './waiting-news.ts'

/** One line per change with the time in UTC, nothing redrawn: for logs, pipes and screen readers. */
export function createPlainPresenter(session: Session): Presenter {
  const news = createNews()
  let begun = false
  let told = NOTHING_TOLD
  const line = (at: number, text: string): Line => [span(`${clockTime(at)} ${text}`)]
  return {
    view(view) {
      const { entries, missed } = news(view)
      const first = begun || view.rollout === null ? [] : [line(view.asOf, view.rollout.sentence)]
      begun = true
      const waiting = waitingNews(view, told)
      told = waiting.told
      session.say([
        ...(missed > 0 ? [line(view.asOf, `${missed} events passed while nobody was connected`)] : []),
        ...entries.map(({ at, text }) => line(at, text)),
        ...first,
        ...waiting.texts.map((text) => line(view.asOf, text)),
      ])
    },
    away(text) {
      session.say([line(session.io.now(), text ?? 'the controller answers again')])
    },
    end() {},
  }
}
