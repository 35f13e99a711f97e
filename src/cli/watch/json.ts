import type { Session } from '../session.ts'
import { createNews } from './news.ts'
import type { Presenter } from './presenter.ts'

/** One JSON document a line: new timeline entries first, then the view they led to. */
export function createJsonPresenter(session: Session): Presenter {
  const news = createNews()
  return {
    view(view) {
      for (const entry of news(view).entries) session.value('timeline', { entry })
      session.value('view', { view })
    },
    away(text) {
      session.note(text ?? 'The controller answers again.')
    },
    end() {},
  }
}
